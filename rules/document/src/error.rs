//! Why a document cannot be read.

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is not of its syntax, or not of the expected form.
    Malformed,
    /// Two readers would understand it differently.
    Ambiguous,
    /// A limit was reached.
    Limit,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct Error {
    /// From 1, where it is known.
    pub line: Option<u32>,
    /// Bytes before it in the text, where that is known.
    pub offset: Option<usize>,
    /// What kind of fault it is.
    pub kind: ErrorKind,
    /// One clause.
    pub cause: String,
}

impl Error {
    pub(crate) fn new(cause: impl Into<String>) -> Self {
        Self {
            line: None,
            offset: None,
            kind: ErrorKind::Malformed,
            cause: cause.into(),
        }
    }

    pub(crate) fn at(line: u32, cause: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::new(cause)
        }
    }

    pub(crate) fn ambiguous(line: u32, cause: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Ambiguous,
            ..Self::at(line, cause)
        }
    }

    pub(crate) fn limit(line: Option<u32>, cause: impl Into<String>) -> Self {
        Self {
            line,
            kind: ErrorKind::Limit,
            ..Self::new(cause)
        }
    }
}
