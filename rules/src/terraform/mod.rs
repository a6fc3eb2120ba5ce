//! Terraform: from a directory of `.tf`, `.tf.json` and `.tfvars` files to [`Stack`]s.

use std::collections::BTreeMap;

use crate::files::Files;
use crate::{Problem, Stack};

pub mod eval;

/// What the user may set for an evaluation.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `TF_VAR_name` values from the environment, by variable name.
    pub environment: BTreeMap<String, String>,
    /// `terraform.workspace`; `default` when unset.
    pub workspace: Option<String>,
}

/// Everything found below one root directory.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// One per root module, sorted by directory.
    pub stacks: Vec<Stack>,
    /// What could not be read or decided, sorted.
    pub problems: Vec<Problem>,
    /// Files that were read, sorted.
    pub files: Vec<String>,
}

/// Evaluates the root modules among `directories` (each relative to the root of `files`, each
/// holding at least one Terraform file).
pub fn evaluate(_files: &dyn Files, _directories: &[String], _options: &Options) -> Evaluation {
    Evaluation::default()
}
