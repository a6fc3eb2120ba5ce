//! The named functions of the Terraform language, pure: values in, value out.
//!
//! Owns the table from name to implementation. Functions that need lazy arguments (`try`,
//! `can`, `templatefile`) belong to the evaluator. Unknown and sensitive arguments are handled
//! by each function under one rule: what the known part decides is decided, the rest is unknown
//! and carries the marks of all arguments.

pub mod convert;
pub mod limits;

use crate::Value;
use crate::files::Files;

/// What a function may look at besides its arguments.
pub struct Context<'a> {
    /// The scanned files, for `file()` and relatives.
    pub files: &'a dyn Files,
    /// Directory against which relative paths are resolved (Terraform: the working directory,
    /// which is the root module's), relative to the scanned root.
    pub directory: &'a str,
}

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

/// A function of the table. The arguments are evaluated, expansion (`args...`) is done.
pub type Function = fn(&[Value], &Context<'_>) -> Result<Value, FunctionError>;

/// Looks a function up by its Terraform name, without the `core::` prefix.
pub fn lookup(_name: &str) -> Option<Function> {
    None
}

/// Looks up a function that only rules have.
pub fn lookup_rule(_name: &str) -> Option<Function> {
    None
}
