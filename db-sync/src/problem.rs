//! What a build could not use, and the escaping that keeps hostile names out
//! of terminals. A warning always names the source and the entry it is about.

pub(crate) use remote::printable;
use std::fmt;

/// What became of the input that a warning is about. Those that lost something
/// come first in every list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// A record, an entry or a whole source is not in the database.
    Skipped,
    /// It is there, and something about it is odd.
    Doubtful,
}

/// One thing in the input that was skipped, replaced or doubtful.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// Whether it was lost.
    pub loss: Loss,
    /// The source directory or file, relative to the input (never absolute).
    pub source: String,
    /// The record id or the entry's file name; empty for the whole source.
    pub entry: String,
    /// What was wrong and what was done about it.
    pub cause: String,
}

impl Warning {
    /// A warning about what is used all the same; names and causes are escaped
    /// for printing.
    pub fn new(source: &str, entry: &str, cause: impl fmt::Display) -> Self {
        Self::of(Loss::Doubtful, source, entry, cause)
    }

    /// A warning about what is left out.
    pub fn skipped(source: &str, entry: &str, cause: impl fmt::Display) -> Self {
        Self::of(Loss::Skipped, source, entry, cause)
    }

    pub(crate) fn of(loss: Loss, source: &str, entry: &str, cause: impl fmt::Display) -> Self {
        Self {
            loss,
            source: printable(source),
            entry: printable(entry),
            cause: printable(&cause.to_string()),
        }
    }
}

/// What is wrong with one record, before it is known under which name.
#[derive(Debug, Default)]
pub(crate) struct Causes(Vec<(Loss, String)>);

impl Causes {
    /// Notes what is odd, but used.
    pub(crate) fn push(&mut self, cause: String) {
        self.0.push((Loss::Doubtful, cause));
    }

    /// Notes what is left out.
    pub(crate) fn skip(&mut self, cause: String) {
        self.0.push((Loss::Skipped, cause));
    }

    pub(crate) fn extend(&mut self, causes: impl IntoIterator<Item = String>) {
        for cause in causes {
            self.push(cause);
        }
    }

    /// The warnings, about an entry of a source.
    pub(crate) fn about(self, source: &str, entry: &str) -> Vec<Warning> {
        self.0
            .into_iter()
            .map(|(loss, cause)| Warning::of(loss, source, entry, cause))
            .collect()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.source)?;
        if !self.entry.is_empty() {
            write!(out, ": {}", self.entry)?;
        }
        write!(out, ": {}", self.cause)
    }
}
