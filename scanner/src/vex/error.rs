//! Why a VEX document could not be used. A document is used whole or not at all.

use std::io;

/// An error of one document; `path` is the file as named by the user.
#[derive(Debug, thiserror::Error)]
pub enum VexError {
    /// It could not be opened or read.
    #[error("{path}: could not be read")]
    Unreadable {
        /// The document.
        path: String,
        /// Cause.
        source: io::Error,
    },
    /// It is not JSON, or not shaped as its format says.
    #[error("{path}:{line}:{column}: {cause}")]
    Malformed {
        /// The document.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1; 0 at the end of a line.
        column: usize,
        /// What is wrong.
        cause: String,
    },
    /// A value says nothing that the format knows.
    #[error("{path}: {pointer}: {cause}")]
    Invalid {
        /// The document.
        path: String,
        /// JSON pointer (RFC 6901) to the value.
        pointer: String,
        /// What is wrong.
        cause: String,
    },
    /// JSON, but none of the formats.
    #[error("{path}: neither OpenVEX, CSAF 2 nor CycloneDX: {cause}")]
    UnknownFormat {
        /// The document.
        path: String,
        /// What was looked for.
        cause: String,
    },
    /// A limit was reached.
    #[error("{path}: more than {limit} {what}")]
    Limit {
        /// The document.
        path: String,
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
}
