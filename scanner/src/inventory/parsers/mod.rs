//! The table of parsers, one file each.

use super::Parser;

/// Every parser. To add a format, add a file and a line here.
pub const ALL: &[&Parser] = &[];
