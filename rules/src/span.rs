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
    /// JSON pointer (RFC 6901) into a document that nobody writes by hand, where lines mean nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<Arc<str>>,
}

impl Span {
    /// A place in a structured document.
    pub fn at_pointer(file: impl Into<Arc<str>>, pointer: impl Into<Arc<str>>) -> Self {
        Self {
            pointer: Some(pointer.into()),
            ..Self::first_line(file)
        }
    }

    /// The first line of a file, for what is said of it as a whole.
    pub fn first_line(file: impl Into<Arc<str>>) -> Self {
        Self {
            file: file.into(),
            start_line: 1,
            start_column: 1,
            end_line: 1,
            end_column: 1,
            pointer: None,
        }
    }
}
