//! The named functions of the Terraform language, pure: values in, value out.
//!
//! Owns the table from name to implementation. Functions that need lazy arguments (`try`,
//! `can`, `templatefile`) belong to the evaluator. Unknown and sensitive arguments are handled
//! by each function under one rule: what the known part decides is decided, the rest is unknown
//! and carries the marks of all arguments.

mod call;
mod collection;
pub mod convert;
mod crypto;
pub(crate) mod encoding;
pub(crate) mod error;
mod filesystem;
pub mod limits;
mod memory;
mod network;
mod numeric;
mod rule;
mod string;
mod table;
#[cfg(test)]
mod tests;
mod time;
mod types;
pub(crate) mod unseen;

pub use encoding::partial::partial_json;
pub use error::FunctionError;
pub use memory::Memory;

use crate::Value;
use crate::files::Files;

/// Who pays for the work of functions.
pub trait Meter {
    /// Pays for so many steps, or refuses the work.
    fn pay(&self, steps: u64) -> Result<(), FunctionError>;
}

/// A meter that never refuses; the limits of single functions hold nevertheless.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unmetered;

impl Meter for Unmetered {
    fn pay(&self, _steps: u64) -> Result<(), FunctionError> {
        Ok(())
    }
}

/// What a function may look at besides its arguments.
pub struct Context<'a> {
    /// The scanned files, for `file()` and relatives.
    pub files: &'a dyn Files,
    /// Directory against which relative paths are resolved (Terraform: the working directory,
    /// which is the root module's), relative to the scanned root.
    pub directory: &'a str,
    /// Who pays.
    pub meter: &'a dyn Meter,
    /// What was compiled and decoded before.
    pub memory: Option<&'a Memory>,
}

impl<'a> Context<'a> {
    /// A context without bounds for the whole and without memory.
    pub fn alone(files: &'a dyn Files, directory: &'a str) -> Self {
        Self {
            files,
            directory,
            meter: &Unmetered,
            memory: None,
        }
    }
}

/// A function of the table. The arguments are evaluated, expansion (`args...`) is done.
pub type Function = fn(&[Value], &Context<'_>) -> Result<Value, FunctionError>;

/// Looks a function up by its Terraform name, without the `core::` prefix.
pub fn lookup(name: &str) -> Option<Function> {
    table::find(name)
}

/// The names that [`lookup`] knows.
pub fn names() -> &'static [&'static str] {
    table::NAMES
}

/// Looks up a function that only rules have (`policy`, `allows`, `public_cidr`, …). Ask before
/// [`lookup`]: `list` means another thing in rules than in old modules.
pub fn lookup_rule(name: &str) -> Option<Function> {
    table::find_rule(name)
}

/// The names that [`lookup_rule`] knows.
pub fn rule_names() -> &'static [&'static str] {
    table::RULE_NAMES
}

/// The value that a JSON text encodes.
pub fn decode_json(text: &str) -> Result<Value, FunctionError> {
    encoding::json::decode(text)
}

/// The JSON text of a value: unknown, but carrying the value, where parts of it are unknown.
pub fn encode_json(value: &Value) -> Result<Value, FunctionError> {
    limits::bounded(value)?;
    encoding::json::encode_value(value)
}
