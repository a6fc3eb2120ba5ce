//! What may be wrong with a call of a function.

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// Wrong number or type of arguments, or a value outside the function's domain.
    #[error("{0}")]
    Argument(String),
    /// A file that is not there or lies outside the scanned root.
    #[error("{0}")]
    FileNotFound(String),
    /// A documented limit was reached.
    #[error("{0}")]
    Limit(String),
}
