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
    /// One sentence, lower case, without final period; never holds a sensitive value.
    pub cause: String,
}
