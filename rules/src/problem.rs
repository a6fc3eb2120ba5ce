//! What this crate could not read, decide or afford. A problem becomes a gap of the report.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What went wrong, as a closed list; the names are part of the JSON contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// A file is not valid HCL, JSON or UTF-8.
    Syntax,
    /// A reference to a variable, local, resource or module that is not declared.
    Undeclared,
    /// The same address is declared twice.
    Duplicate,
    /// Values refer to each other in a circle.
    Cycle,
    /// Modules call each other in a circle.
    ModuleCycle,
    /// A module source is not in the scanned tree.
    ModuleNotFound,
    /// `file()` and its relatives name a file that is not there, or lies outside the root.
    FileNotFound,
    /// An expression could not be evaluated (wrong type, failed function, …).
    Evaluation,
    /// A documented limit was reached.
    Limit,
    /// A file could not be read.
    Unreadable,
    /// A file of values that exists and that nothing loads.
    NotLoaded,
    /// A file of a kind that is recognised and not read.
    NotRead,
}

/// Errors are faults of the input; warnings are things we had to leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProblemSeverity {
    /// The input is wrong at this place.
    Error,
    /// Something was not looked at.
    Warning,
}

/// One thing that was not looked at, with place and cause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// Path relative to the scanned root.
    pub path: Arc<str>,
    /// 1-based line, where known.
    pub line: Option<u32>,
    /// The closed kind.
    pub kind: ProblemKind,
    /// Error or warning.
    pub severity: ProblemSeverity,
    /// Whether it leaves a whole root or file unjudged, not one entry, block or call in it.
    pub whole: bool,
    /// One sentence, lower case, without final period; never holds a sensitive value.
    pub cause: String,
}

impl Problem {
    /// A fault of the input.
    pub fn error(
        kind: ProblemKind,
        path: impl Into<Arc<str>>,
        line: Option<u32>,
        cause: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            line,
            kind,
            severity: ProblemSeverity::Error,
            whole: false,
            cause: cause.into(),
        }
    }

    /// Something left out.
    pub fn warning(
        kind: ProblemKind,
        path: impl Into<Arc<str>>,
        line: Option<u32>,
        cause: impl Into<String>,
    ) -> Self {
        Self {
            severity: ProblemSeverity::Warning,
            ..Self::error(kind, path, line, cause)
        }
    }

    /// The same problem, which leaves a whole root or file unjudged.
    #[must_use]
    pub const fn whole(mut self) -> Self {
        self.whole = true;
        self
    }
}
