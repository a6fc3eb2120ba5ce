//! The table of parsers, one file each.

use super::Parser;

mod cargo_lock;
mod dpkg_status;
mod os_release;

/// Every parser. To add a format, add a file, a line here and a folder in
/// `testdata/inventory/`.
pub const ALL: &[&Parser] = &[
    &cargo_lock::PARSER,
    &dpkg_status::PARSER,
    &dpkg_status::DISTROLESS,
    &os_release::PARSER,
];
