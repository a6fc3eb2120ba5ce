//! Why an answer, or what lies on this disk, cannot be used.

/// Why an answer is not used.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// It ended early or broke off: another try may help.
    Cut(String),
    /// It is not what was asked for.
    Wrong(String),
    /// It has more than so many bytes.
    TooLarge(u64),
}

pub(crate) fn wrong(cause: impl Into<String>) -> Fault {
    Fault::Wrong(cause.into())
}

/// Refuses an answer for what is wrong in it.
pub(crate) fn refused(cause: &str) -> Fault {
    wrong(format!("the pack cannot be used: {cause}"))
}
