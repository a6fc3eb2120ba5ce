//! Infrastructure code of one source tree: loads what there is of each kind of input, runs the rules,
//! and turns their outcomes into findings, undecided checks and gaps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rules::check::{self, Verdict, Work};
use rules::files::Files;
use rules::input::{Comment, Input, Options, Sources};
use rules::kinds::KINDS;
use rules::language::Ruleset;

use rules::{Problem, ProblemKind, ProblemSeverity, Severity, Span, Stack};

use crate::ignores::IGNORE_WORDS;
use crate::model::coverage;
use crate::model::finding::{Finding, FindingKind, Misconfiguration};
use crate::model::gap::{Gap, GapClass, GapKind, GapSeverity, Stage};
use crate::model::location::{Location, Region};
use crate::model::report::{Checks, Undecided};

/// The outcome for one source tree.
#[derive(Debug, Default)]
pub struct Checked {
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
    /// Source files and files of values that were read, sorted.
    pub files: Vec<String>,
    /// Comments in the code that may say which findings are accepted.
    pub comments: Vec<Comment>,
}

/// What a tree holds of each kind of input, by its id: directories or files, sorted.
pub type Inputs = BTreeMap<&'static str, Vec<String>>;

/// Loads the inputs of a tree, kind by kind, and runs the rules over each stack; the caller sets the
/// index of the target in the report. What somebody wants of the stacks beside the rules has its
/// place where `judge` is called: there each of them is whole, and let go of afterwards.
pub fn check(files: &dyn Files, inputs: &Inputs, ruleset: &Ruleset, options: &Options) -> Checked {
    let mut outcome = Checked::default();
    let options = Options {
        classes: ruleset.classes(),
        comment_words: IGNORE_WORDS,
        ..options.clone()
    };
    // Findings of what is loaded file by file should stand in the code beside it.
    let made = KINDS.iter().filter(|kind| !kind.is_by_directory());
    let made = made.filter_map(|kind| inputs.get(kind.id())).flatten();
    let mut sources = Sources::of(made.map(|path| directory(path).to_owned()));
    let mut work = Work::default();
    let mut known = Known::default();
    let mut rules = Rules {
        ruleset,
        briefs: BTreeMap::new(),
    };
    for kind in KINDS {
        let Some(paths) = inputs.get(kind.id()).filter(|paths| !paths.is_empty()) else {
            continue;
        };
        let input = Input {
            files,
            paths,
            options: &options,
            sources: &mut sources,
        };
        let evaluation = kind.load(input, &mut |stack| {
            judge(&mut outcome, &mut known, &mut rules, &stack, &mut work);
        });
        outcome.gaps.extend(evaluation.problems.iter().map(gap));
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let coverage = evaluation.coverage;
        let all = &mut outcome.coverage;
        all.roots = all.roots.saturating_add(count(coverage.roots));
        all.modules_resolved += count(coverage.modules_resolved);
        all.modules_unresolved += count(coverage.modules_unresolved);
        outcome.files.extend(evaluation.files);
        outcome.comments.extend(evaluation.comments);
    }
    outcome.files.sort();
    outcome
}

/// The directory that a file lies in.
fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Runs the rules over one stack.
fn judge(
    outcome: &mut Checked,
    known: &mut Known,
    rules: &mut Rules<'_>,
    stack: &Stack,
    work: &mut Work,
) {
    let (verdicts, problems) = check::run_within(rules.ruleset, stack, work);
    outcome.gaps.extend(problems.iter().map(gap));
    if stack.again {
        known.take(outcome);
    }
    for result in verdicts {
        if stack.again {
            let span = match &result.verdict {
                Verdict::Pass => continue,
                Verdict::Fail { span, .. } => span,
                Verdict::Undecided { .. } => &result.span,
            };
            let subject = (result.rule.clone(), result.resource.clone(), location(span));
            if known.all.contains(&subject) {
                continue;
            }
        }
        add(outcome, rules, stack, result);
    }
}

/// The rules, and what every finding of one has in common.
struct Rules<'a> {
    ruleset: &'a Ruleset,
    briefs: BTreeMap<Arc<str>, Brief>,
}

#[derive(Clone)]
struct Brief {
    severity: Severity,
    /// Where the severity comes from.
    source: Arc<str>,
    title: Arc<str>,
    aliases: Arc<[String]>,
}

impl Rules<'_> {
    fn brief(&mut self, id: &Arc<str>) -> Brief {
        if let Some(known) = self.briefs.get(id) {
            return known.clone();
        }
        let brief = match self.ruleset.find(id) {
            Some(metadata) => Brief {
                severity: metadata.severity,
                source: "rule".into(),
                title: metadata.title.into(),
                aliases: metadata.aliases.into(),
            },
            None => Brief {
                severity: Severity::Unknown,
                source: "rule".into(),
                title: "".into(),
                aliases: Arc::default(),
            },
        };
        self.briefs.insert(Arc::clone(id), brief.clone());
        brief
    }
}

/// Rule, resource and place of all that was found or left open, as far as it was asked for.
#[derive(Default)]
struct Known {
    all: BTreeSet<(Arc<str>, Arc<str>, Location)>,
    findings: usize,
    undecided: usize,
}

impl Known {
    /// Takes in what came since it was last asked.
    fn take(&mut self, outcome: &Checked) {
        let new = outcome.findings.get(self.findings..).unwrap_or_default();
        self.all.extend(new.iter().filter_map(|finding| {
            let FindingKind::Misconfiguration(what) = &finding.kind else {
                return None;
            };
            let subject = (finding.rule.clone(), what.resource.clone());
            Some((subject.0, subject.1, finding.location.clone()))
        }));
        let new = outcome.undecided.get(self.undecided..).unwrap_or_default();
        self.all.extend(new.iter().map(|one| {
            let location = one.location.clone();
            (one.rule.clone(), one.resource.clone(), location)
        }));
        self.findings = outcome.findings.len();
        self.undecided = outcome.undecided.len();
    }
}

fn add(outcome: &mut Checked, rules: &mut Rules<'_>, stack: &Stack, result: check::RuleResult) {
    match result.verdict {
        Verdict::Pass => outcome.checks.passed += 1,
        Verdict::Undecided { cause } => {
            outcome.checks.undecided += 1;
            outcome.undecided.push(Undecided {
                target: 0,
                severity: rules.brief(&result.rule).severity,
                rule: result.rule,
                resource: result.resource,
                location: location(&result.span),
                cause,
            });
        }
        Verdict::Fail {
            message,
            span,
            fix,
            content,
        } => {
            outcome.checks.failed += 1;
            let brief = rules.brief(&result.rule);
            let kind = FindingKind::Misconfiguration(Misconfiguration {
                calls: stack.calls_to(&result.resource).map(location).collect(),
                resource: result.resource,
                fix,
                content,
            });
            outcome.findings.push(Finding {
                aliases: brief.aliases,
                severity: brief.severity,
                severity_source: brief.source,
                title: brief.title,
                message,
                ..Finding::new(result.rule, location(&span), kind)
            });
        }
    }
}

fn location(span: &Span) -> Location {
    if let Some(pointer) = &span.pointer {
        return Location {
            pointer: Some(Arc::clone(pointer)),
            ..Location::file(span.file.clone())
        };
    }
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
        ProblemKind::NotLoaded => GapKind::NotLoaded,
        ProblemKind::NotRead => GapKind::NotRead,
    };
    Gap {
        location,
        stage: Stage::Evaluation,
        kind,
        class: if problem.whole {
            GapClass::Unjudged
        } else {
            GapClass::Partial
        },
        severity: match problem.severity {
            ProblemSeverity::Error => GapSeverity::Error,
            ProblemSeverity::Warning => GapSeverity::Warning,
        },
        cause: Arc::from(problem.cause.as_str()),
    }
}
