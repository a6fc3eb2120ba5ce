//! Infrastructure code of one source tree: evaluates its Terraform, runs the rules, and turns
//! their outcomes into findings, undecided checks and gaps.

use std::sync::Arc;

use rules::check::{self, Verdict};
use rules::files::Files;
use rules::language::Ruleset;
use rules::terraform::{self, Options};
use rules::{Problem, ProblemKind, ProblemSeverity, Severity, Span};

use crate::coverage;
use crate::finding::{Finding, Kind, Misconfiguration};
use crate::gap::{Gap, GapClass, GapKind, GapSeverity, Stage};
use crate::location::{Location, Region};
use crate::report::{Checks, Undecided};

/// The outcome for one source tree.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Violated checks.
    pub findings: Vec<Finding>,
    /// Checks that an unknown value kept open.
    pub undecided: Vec<Undecided>,
    /// What could not be read or evaluated.
    pub gaps: Vec<Gap>,
    /// How many checks went which way.
    pub checks: Checks,
    /// What was evaluated.
    pub coverage: coverage::Terraform,
}

/// Evaluates the Terraform directories of a tree and runs the rules; the caller sets the index of
/// the target in the report.
pub fn check(
    files: &dyn Files,
    directories: &[String],
    ruleset: &Ruleset,
    options: &Options,
) -> Outcome {
    let mut outcome = Outcome::default();
    if directories.is_empty() {
        return outcome;
    }
    let evaluation = terraform::evaluate(files, directories, options);
    outcome.gaps.extend(evaluation.problems.iter().map(gap));
    outcome.coverage.roots = evaluation.stacks.len() as u64;
    for stack in &evaluation.stacks {
        let (verdicts, problems) = check::run(ruleset, stack);
        outcome.gaps.extend(problems.iter().map(gap));
        for verdict in verdicts {
            add(&mut outcome, ruleset, verdict);
        }
    }
    outcome
}

fn add(outcome: &mut Outcome, ruleset: &Ruleset, result: check::Outcome) {
    match result.verdict {
        Verdict::Pass => outcome.checks.passed += 1,
        Verdict::Undecided { cause } => {
            outcome.checks.undecided += 1;
            outcome.undecided.push(Undecided {
                target: 0,
                severity: ruleset
                    .find(&result.rule)
                    .map_or(Severity::Unknown, |rule| rule.severity),
                rule: result.rule,
                resource: result.resource,
                location: location(&result.span),
                cause,
            });
        }
        Verdict::Fail { message, span, fix } => {
            outcome.checks.failed += 1;
            let metadata = ruleset.find(&result.rule);
            let severity = metadata
                .as_ref()
                .map_or(Severity::Unknown, |rule| rule.severity);
            outcome.findings.push(Finding {
                target: 0,
                rule: result.rule,
                aliases: metadata
                    .as_ref()
                    .map(|rule| rule.aliases.clone())
                    .unwrap_or_default(),
                severity,
                score: None,
                severity_source: "rule".into(),
                title: metadata
                    .map_or_else(|| Arc::from(""), |rule| Arc::from(rule.title.as_str())),
                message,
                location: location(&span),
                fingerprint: String::new(),
                kind: Kind::Misconfiguration(Misconfiguration {
                    resource: result.resource,
                    fix,
                }),
                suppressed: None,
            });
        }
    }
}

fn location(span: &Span) -> Location {
    Location {
        region: Some(Region {
            start_line: span.start_line,
            start_column: Some(span.start_column),
            end_line: span.end_line,
            end_column: Some(span.end_column),
        }),
        ..Location::file(span.file.clone())
    }
}

fn gap(problem: &Problem) -> Gap {
    let location = match problem.line {
        Some(line) => Location::line(problem.path.clone(), line),
        None => Location::file(problem.path.clone()),
    };
    let kind = match problem.kind {
        ProblemKind::Syntax => GapKind::Syntax,
        ProblemKind::Undeclared => GapKind::Undeclared,
        ProblemKind::Duplicate => GapKind::Duplicate,
        ProblemKind::Cycle => GapKind::Cycle,
        ProblemKind::ModuleCycle => GapKind::ModuleCycle,
        ProblemKind::ModuleNotFound => GapKind::ModuleNotFound,
        ProblemKind::FileNotFound => GapKind::FileNotFound,
        ProblemKind::Evaluation => GapKind::Evaluation,
        ProblemKind::Limit => GapKind::Limit,
        ProblemKind::Unreadable => GapKind::Unreadable,
    };
    Gap {
        location,
        stage: Stage::Evaluation,
        kind,
        // A file that does not parse is a whole document that nobody judged.
        class: match kind {
            GapKind::Syntax | GapKind::Unreadable => GapClass::Unjudged,
            _ => kind.class(),
        },
        severity: match problem.severity {
            ProblemSeverity::Error => GapSeverity::Error,
            ProblemSeverity::Warning => GapSeverity::Warning,
        },
        cause: Arc::from(problem.cause.as_str()),
    }
}
