//! A place in a text file, in lines and columns as editors and SARIF count them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A region of one file. Lines and columns are 1-based; columns count Unicode scalar values
/// (SARIF `columnKind: unicodeCodePoints`); the end is exclusive in its column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// Path relative to the scanned root, with `/`.
    pub file: Arc<str>,
    /// First line, from 1.
    pub start_line: u32,
    /// First column, from 1.
    pub start_column: u32,
    /// Line of the last character.
    pub end_line: u32,
    /// Column just after the last character.
    pub end_column: u32,
}
