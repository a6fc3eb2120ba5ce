//! What an input is evaluated with, and what becomes of it: the same for every kind.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::{Class, Problem, Stack};

/// What the user may set for an evaluation.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `TF_VAR_name` values from the environment, by variable name.
    pub environment: BTreeMap<String, String>,
    /// `terraform.workspace`, where it is known.
    pub workspace: Option<String>,
    /// Files of values for the variables of every root module; the last one wins.
    pub variable_files: Vec<VariableFile>,
    /// Classes of blocks beyond resources and data sources that are wanted in the stacks.
    pub classes: Vec<Class>,
    /// Comments that contain one of these words are kept.
    pub comment_words: &'static [&'static str],
}

/// Everything found below one root directory.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// One per root module, in the order of their evaluation.
    pub stacks: Vec<Stack>,
    /// What could not be read or decided, sorted.
    pub problems: Vec<Problem>,
    /// Files that were read, sorted.
    pub files: Vec<String>,
    /// Comments with one of the words that were asked for, sorted by place.
    pub comments: Vec<Comment>,
    /// What was evaluated.
    pub coverage: Coverage,
}

/// The ledger of an evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Root modules that were evaluated.
    pub roots: usize,
    /// Module calls whose source was read.
    pub modules_resolved: usize,
    /// Module calls whose source is not in the tree or could not be read.
    pub modules_unresolved: usize,
}

/// A file of values that the user names, as for `-var-file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableFile {
    pub(crate) shown: String,
    pub(crate) text: String,
    pub(crate) real: Option<PathBuf>,
}

/// First and last line of something, both included.
pub type LineRange = (u32, u32);

/// A comment and its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Comment {
    /// The file, relative to the scanned root.
    pub file: Arc<str>,
    /// The line on which it begins, from 1.
    pub line: u32,
    /// The column in which it begins, from 1.
    pub column: u32,
    /// What it says, without the signs that make it a comment.
    pub text: Arc<str>,
    /// The attribute or block that it stands at: on its line, or on the lines above it. The first
    /// line of a block is the block; inside a value, it is the attribute.
    pub covers: Option<LineRange>,
    /// The top-level block that it stands in.
    pub block: Option<LineRange>,
    /// It stands before everything else, with a blank line or nothing behind it, and so
    /// speaks of the file.
    pub of_file: bool,
}
