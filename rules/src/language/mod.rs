//! The rule language: one Markdown file is one rule.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Severity;

/// What the report needs to know of a rule.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// Kebab-case id, `provider-service-problem`.
    pub id: Arc<str>,
    /// The heading of the Markdown file.
    pub title: String,
    /// Severity of its findings.
    pub severity: Severity,
    /// Ids by which other tools know it.
    pub aliases: Vec<String>,
    /// Version that brought it.
    pub since: String,
    /// Provider and service, from the folder (`aws/s3`).
    pub category: String,
    /// The prose (why, how to fix) as Markdown, without the rule block and the examples.
    pub help: String,
    /// Controls of frameworks, `name → ids`.
    pub controls: std::collections::BTreeMap<String, Vec<String>>,
}

/// A file that is no rule, or a rule that does not behave.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}:{line}: {message}", path.display())]
pub struct RuleError {
    /// The rule's file.
    pub path: PathBuf,
    /// 1-based line.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}

/// Rules ready to run.
#[derive(Default)]
pub struct Ruleset {}

impl Ruleset {
    /// The rules that ship with the binary.
    pub fn embedded() -> Self {
        Self::default()
    }

    /// Adds the rules of a directory tree (`--rules DIR`).
    pub fn add_directory(&mut self, _directory: &Path) -> Result<(), Vec<RuleError>> {
        Ok(())
    }

    /// Metadata of all rules, sorted by id.
    pub fn metadata(&self) -> Vec<Metadata> {
        Vec::new()
    }

    /// Metadata of the rule with this id or alias.
    pub fn find(&self, _id: &str) -> Option<Metadata> {
        None
    }
}
