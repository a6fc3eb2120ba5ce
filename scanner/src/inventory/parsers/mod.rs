//! The table of parsers, one file each.

use super::Parser;

mod apk;
mod cargo_lock;
mod dpkg_files;
mod dpkg_status;
mod node_modules;
mod os_release;
mod python;
mod rpm_sqlite;

/// Every parser. To add a format, add a file, a line here and a folder in
/// `testdata/inventory/`.
pub const ALL: &[&Parser] = &[
    &apk::PARSER,
    &cargo_lock::PARSER,
    &dpkg_files::LISTS,
    &dpkg_files::SUMS,
    &dpkg_status::PARSER,
    &dpkg_status::DISTROLESS,
    &node_modules::PARSER,
    &os_release::PARSER,
    &python::METADATA,
    &python::EGG,
    &rpm_sqlite::PARSER,
    &rpm_sqlite::LOG,
];
