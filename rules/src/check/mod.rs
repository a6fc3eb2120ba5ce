//! Runs rules over a stack: pass, fail and undecided are kept per rule and resource.
//!
//! Owns the order of work and the three-way verdict of a check; names come from `scope`,
//! relations between resources from `world`. Only rules that speak of a resource type in the
//! stack are parsed.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::language::{Rule, Ruleset};
use crate::{Class, Problem, ProblemKind, Span, Stack};

mod address;
mod cause;
mod content;
mod judge;
mod message;
mod place;
mod relation;
mod scope;
#[cfg(test)]
mod tests;
mod world;

pub(crate) use world::World;

/// Largest number of members of one `for_each` of a check that are judged. Beyond it the
/// resource is undecided and the limit is reported.
pub const MAX_MEMBERS: usize = 10_000;

/// Evaluation steps of all rules over one stack. 10,000 instances of common types need about
/// 300,000. Beyond it everything is undecided and the limit is reported.
pub const MAX_WORK: u64 = 20_000_000;

/// The same over all stacks of one run.
pub const MAX_RUN_WORK: u64 = 100_000_000;

/// Largest number of companions that `related` names; with more, the list is open.
pub const MAX_RELATED: usize = 1_000;

/// The verdict of one rule on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every check holds.
    Pass,
    /// At least one check is violated.
    Fail {
        /// What is wrong here, one sentence, sensitive values redacted.
        message: String,
        /// The attribute or block it points to, inside the resource where possible.
        span: Span,
        /// The value to write instead, as HCL, where the rule names one.
        fix: Option<String>,
        /// What tells it apart from other failures of the rule on this resource: the same for the
        /// same content, wherever it stands; empty for the first check of a whole resource.
        content: Arc<str>,
    },
    /// Not decidable without running Terraform.
    Undecided {
        /// Why: data source, computed attribute, unset variable, unresolved module.
        cause: String,
    },
}

/// One rule, one resource, one verdict.
#[derive(Clone, Debug)]
pub struct RuleResult {
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
pub fn run(ruleset: &Ruleset, stack: &Stack) -> (Vec<RuleResult>, Vec<Problem>) {
    run_within(ruleset, stack, &mut Work::default())
}

/// Evaluation steps that the rules of one run have needed so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Work(u64);

/// As [`run`], for one of several stacks, which share their steps.
pub fn run_within(
    ruleset: &Ruleset,
    stack: &Stack,
    work: &mut Work,
) -> (Vec<RuleResult>, Vec<Problem>) {
    let allowed = MAX_RUN_WORK.saturating_sub(work.0).min(MAX_WORK);
    let world = World::within(stack, allowed);
    let mut results = Results::default();
    let mut wanted: BTreeSet<usize> = BTreeSet::new();
    for (mode, kind) in world.kinds() {
        wanted.extend(ruleset.speaking_of(mode, kind));
    }
    wanted.extend(ruleset.speaking_of_stacks());
    for index in wanted {
        match ruleset.rule(index) {
            Some(Ok(rule)) => judge::rule(&rule, &world, &mut results),
            Some(Err(error)) => {
                let path = error.path.display().to_string();
                let kind = ProblemKind::Syntax;
                let problem = Problem::error(kind, path, Some(error.line), error.message);
                results.problems.push(problem.whole());
            }
            None => {}
        }
    }
    work.0 = work.0.saturating_add(world.worked());
    results.finish()
}

/// Runs one rule.
pub(crate) fn run_rule(rule: &Rule, stack: &Stack) -> Results {
    let mut results = Results::default();
    judge::rule(rule, &World::new(stack), &mut results);
    results
}

/// What a run collects.
#[derive(Default)]
pub(crate) struct Results {
    pub(crate) all: Vec<RuleResult>,
    pub(crate) problems: Vec<Problem>,
    /// Expressions of rules that failed, with the line in the rule's file; the rule's own tests
    /// treat them as errors.
    pub(crate) failures: Vec<(u32, String)>,
}

impl Results {
    /// Reports once that a stack costs too much.
    fn exhausted(&mut self, at: &Span) {
        let cause = too_much();
        if !self.problems.iter().any(|problem| problem.cause == cause) {
            let kind = ProblemKind::Limit;
            let problem = Problem::warning(kind, at.file.clone(), None, cause);
            self.problems.push(problem.whole());
        }
    }

    fn finish(mut self) -> (Vec<RuleResult>, Vec<Problem>) {
        self.all.sort_by(|a, b| {
            let key = |o: &RuleResult| match &o.verdict {
                Verdict::Fail { span, .. } => span.clone(),
                _ => o.span.clone(),
            };
            (&a.resource, &a.rule)
                .cmp(&(&b.resource, &b.rule))
                .then_with(|| key(a).cmp(&key(b)))
        });
        self.problems.sort();
        self.problems.dedup();
        (self.all, self.problems)
    }
}

/// Why nothing more is judged.
fn too_much() -> String {
    format!(
        "the rules of this stack need more than {MAX_WORK} evaluation steps, or those of all stacks more than {MAX_RUN_WORK}"
    )
}

/// The place of a stack as a whole: the first line of its first file.
fn stack_span(stack: &Stack) -> Span {
    let first = stack
        .resources
        .iter()
        .map(|resource| &resource.span.file)
        .min();
    let file = first.cloned().unwrap_or_else(|| stack.root.clone());
    Span::first_line(file)
}

/// What `all("T")`, `all("data.T")`, `all("module.SOURCE")` and the like ask for. A class alone, such
/// as `all("module")`, is all of it.
fn split_kind(kind: &str) -> (Class, &str) {
    let classes = [Class::Data].into_iter().chain(Class::ON_DEMAND);
    for class in classes {
        match kind.strip_prefix(class.as_str()) {
            Some("") if class != Class::Data => return (class, "*"),
            Some(rest) => {
                if let Some(kind) = rest.strip_prefix('.') {
                    return (class, kind);
                }
            }
            None => {}
        }
    }
    (Class::Managed, kind)
}
