//! Runs rules over a stack: pass, fail and undecided are kept per rule and resource.

use std::sync::Arc;

use crate::language::Ruleset;
use crate::{Problem, Span, Stack};

/// The verdict of one rule on one resource.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Every check holds.
    Pass,
    /// At least one check is violated.
    Fail {
        /// What is wrong here, one sentence, sensitive values redacted.
        message: String,
        /// The attribute or block it points to, inside the resource where possible.
        span: Span,
        /// The value to write instead, where the rule names one.
        fix: Option<String>,
    },
    /// Not decidable without running Terraform.
    Undecided {
        /// Why: data source, computed attribute, unset variable, unresolved module.
        cause: String,
    },
}

/// One rule, one resource, one verdict.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Id of the rule.
    pub rule: Arc<str>,
    /// Address of the resource; the stack's root directory for rules about a whole stack.
    pub resource: Arc<str>,
    /// The resource's whole block.
    pub span: Span,
    /// What was decided.
    pub verdict: Verdict,
}

/// Runs every rule of `ruleset` that speaks of a resource type in `stack`. Outcomes are sorted
/// by resource, rule and span; one rule may give several failures for one resource.
pub fn run(_ruleset: &Ruleset, _stack: &Stack) -> (Vec<Outcome>, Vec<Problem>) {
    (Vec::new(), Vec::new())
}
