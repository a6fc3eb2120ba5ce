//! Applies the comments that accept findings: each finding that one of them speaks of is suppressed
//! and stays in the report. A comment that has expired, or that speaks of nothing that was found, is
//! a finding of its own, as long as it names one of our rules: the comments of other tools
//! about their own checks are theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use rules::input::{Comment, LineRange};
use rules::language::Ruleset;

use super::judge::Judged;
use super::read::Work;
use super::{Error, Rules};
use crate::ignores::{self, Form, Ignore};
use crate::misconfig::Checked;
use crate::model::finding::{Finding, FindingKind, Misconfiguration, RuleInfo, Severity};
use crate::model::location::{Location, Region};
use crate::model::suppression::{Origin, Status, Suppression};

/// The rule of a comment that has expired.
const EXPIRED: &str = "ignore-expired";

/// The rule of a comment that has no effect.
const UNUSED: &str = "ignore-unused";

/// Applies the comments of all targets on the day of the run.
pub(super) fn apply(
    judged: &mut Judged,
    works: &[Work],
    rules: &dyn Rules,
    date: &str,
) -> Result<(), Error> {
    for (outcome, work) in judged.iter_mut().zip(works) {
        let Some(outcome) = outcome.as_mut().filter(|one| !one.comments.is_empty()) else {
            continue;
        };
        let names = Names::of(rules.load()?);
        one(outcome, &names, &work.target.prefix, date.parse().ok());
    }
    Ok(())
}

/// What the rules of our own say of themselves.
pub(super) fn info(id: &Arc<str>) -> Option<RuleInfo> {
    let (title, help) = match &**id {
        EXPIRED => (
            "Ignore comment has expired",
            "The comment accepted findings up to a day that has passed. They count again. Fix them, or review the reason and set a new date.",
        ),
        UNUSED => (
            "Ignore comment has no effect",
            "The comment accepts a finding that does not exist at this place. It would hide the problem if it came back. Remove the comment, or move it to the attribute or block that it is meant for.",
        ),
        _ => return None,
    };
    Some(RuleInfo {
        record: Arc::clone(id),
        id: Arc::clone(id),
        title: title.to_owned(),
        help: help.to_owned(),
        url: None,
        tags: vec!["security".to_owned(), "misconfiguration".to_owned()],
    })
}

/// Rules by all of their ids, in lower case.
struct Names(BTreeMap<String, Arc<str>>);

impl Names {
    fn of(ruleset: &Ruleset) -> Self {
        let mut names = BTreeMap::new();
        for rule in ruleset.metadata() {
            for name in &rule.aliases {
                names.insert(plain(name), Arc::clone(&rule.id));
            }
            names.insert(plain(&rule.id), rule.id);
        }
        Self(names)
    }

    fn find(&self, id: &str) -> Option<&Arc<str>> {
        self.0.get(&plain(id))
    }
}

/// An id in lower case, without the prefix that Trivy has given up.
fn plain(id: &str) -> String {
    let id = id.to_ascii_lowercase();
    match id.strip_prefix("avd-") {
        Some(short) => short.to_owned(),
        None => id,
    }
}

/// What an id of a comment speaks of.
enum Subject {
    Every,
    Rule(Arc<str>),
    /// Of none of ours.
    Foreign,
}

fn one(outcome: &mut Checked, names: &Names, prefix: &str, today: Option<Date>) {
    let comments = std::mem::take(&mut outcome.comments);
    let places = Places::of(outcome);
    let mut reported = Vec::new();
    for comment in &comments {
        for ignore in ignores::read(&comment.text) {
            let subject = match names.find(&ignore.id) {
                Some(rule) => Subject::Rule(Arc::clone(rule)),
                None if ignore.id == "*" && ignore.form.has_wildcard() => Subject::Every,
                None => Subject::Foreign,
            };
            if matches!(subject, Subject::Foreign) && ignore.form != Form::Portcullis {
                continue;
            }
            let fitting = places.fitting(outcome, comment, &ignore, &subject);
            let is_over = ignore
                .until
                .is_some_and(|until| today.is_none_or(|today| until < today));
            if let Some((rule, why)) = complaint(comment, &ignore, &subject, is_over, &fitting) {
                reported.push(report(comment, &ignore, rule, &why));
                continue;
            }
            let by = suppression(comment, &ignore, prefix);
            for index in fitting.findings {
                if let Some(finding) = outcome.findings.get_mut(index) {
                    finding.suppressed.get_or_insert_with(|| by.clone());
                }
            }
        }
    }
    outcome.findings.extend(reported);
}

/// What a comment speaks of.
struct Fitting {
    findings: Vec<usize>,
    /// Something that an unknown value kept open.
    any_undecided: bool,
}

/// Why a comment is reported, and as what.
fn complaint(
    comment: &Comment,
    ignore: &Ignore,
    subject: &Subject,
    is_over: bool,
    fitting: &Fitting,
) -> Option<(&'static str, String)> {
    if let Some(why) = &ignore.refused {
        return Some((UNUSED, format!("the comment has no effect: {why}")));
    }
    match (subject, ignore.until) {
        (Subject::Foreign, _) => {
            let why = format!("the comment has no effect: `{}` is not a rule", ignore.id);
            return Some((UNUSED, why));
        }
        (_, Some(until)) if is_over => {
            return Some((EXPIRED, format!("the comment expired on {until}")));
        }
        _ => {}
    }
    let is_used = !fitting.findings.is_empty() || fitting.any_undecided;
    if is_used || matches!(subject, Subject::Every) {
        return None;
    }
    let is_nowhere = !comment.of_file && covered(comment, ignore).is_none();
    Some((
        UNUSED,
        if is_nowhere {
            "the comment has no effect: no attribute or block begins on its line or the next"
                .to_owned()
        } else {
            format!(
                "the comment has no effect: nothing here violates {}",
                ignore.id
            )
        },
    ))
}

/// The lines of which a comment speaks, unless it speaks of the file.
fn covered(comment: &Comment, ignore: &Ignore) -> Option<LineRange> {
    match ignore.form {
        Form::Checkov => comment.block.or(comment.covers),
        Form::Trivy | Form::Tfsec | Form::Portcullis => comment.covers,
    }
}

/// Findings of one file, by index.
type ByLine = BTreeMap<u32, Vec<(usize, Through)>>;

/// What was found and left open, by file and line.
#[derive(Default)]
struct Places {
    findings: BTreeMap<Arc<str>, ByLine>,
    undecided: BTreeMap<Arc<str>, Undecided>,
}

/// How a finding comes to a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Through {
    Itself,
    /// A module call stands there.
    Call,
}

/// Where one rule is undecided.
#[derive(Default)]
struct Undecided {
    /// In some module, so that a comment at its call may speak of it.
    in_module: bool,
    lines: BTreeMap<Arc<str>, BTreeSet<u32>>,
}

impl Places {
    fn of(outcome: &Checked) -> Self {
        let mut places = Self::default();
        for (index, finding) in outcome.findings.iter().enumerate() {
            let FindingKind::Misconfiguration(found) = &finding.kind else {
                continue;
            };
            let own = std::iter::once((&finding.location, Through::Itself));
            let calls = found.calls.iter().map(|call| (call, Through::Call));
            for (location, through) in own.chain(calls) {
                let line = location.start_line().unwrap_or_default();
                let file = Arc::clone(&location.path);
                let lines = places.findings.entry(file).or_default();
                lines.entry(line).or_default().push((index, through));
            }
        }
        for one in &outcome.undecided {
            let of_rule = places.undecided.entry(Arc::clone(&one.rule)).or_default();
            of_rule.in_module |= one.resource.starts_with("module.");
            let file = Arc::clone(&one.location.path);
            let line = one.location.start_line().unwrap_or_default();
            of_rule.lines.entry(file).or_default().insert(line);
        }
        places
    }

    fn fitting(
        &self,
        outcome: &Checked,
        comment: &Comment,
        ignore: &Ignore,
        subject: &Subject,
    ) -> Fitting {
        let covered = covered(comment, ignore);
        let is_meant = |index: &usize| match (subject, outcome.findings.get(*index)) {
            (Subject::Every, Some(_)) => true,
            (Subject::Rule(wanted), Some(finding)) => finding.rule == *wanted,
            _ => false,
        };
        let mut findings = Vec::new();
        if let Some(lines) = self.findings.get(&comment.file) {
            if let Some((first, last)) = covered {
                let here = lines.range(first..=last.max(first));
                findings.extend(here.flat_map(|(_, all)| all).map(|(index, _)| *index));
            }
            if comment.of_file {
                let all = lines.values().flatten();
                let own = all.filter(|(_, through)| *through == Through::Itself);
                findings.extend(own.map(|(index, _)| *index));
            }
        }
        findings.retain(is_meant);
        let of_rule = match subject {
            Subject::Rule(rule) => self.undecided.get(rule),
            Subject::Every | Subject::Foreign => None,
        };
        let any_undecided = of_rule.is_some_and(|of_rule| {
            let lines = of_rule.lines.get(&comment.file);
            let is_here = lines.is_some_and(|lines| {
                // It stands at its block, whichever of its attributes it is about.
                let at_block = comment
                    .block
                    .is_some_and(|(first, _)| lines.contains(&first));
                let in_range = covered.is_some_and(|(first, last)| {
                    lines.range(first..=last.max(first)).next().is_some()
                });
                comment.of_file || at_block || in_range
            });
            is_here || of_rule.in_module
        });
        Fitting {
            findings,
            any_undecided,
        }
    }
}

fn suppression(comment: &Comment, ignore: &Ignore, prefix: &str) -> Suppression {
    let file = if prefix.is_empty() {
        comment.file.to_string()
    } else {
        format!("{prefix}/{}", comment.file)
    };
    let source = format!("{file}:{}", comment.line);
    let by = Suppression::new(Origin::Comment, source, Status::Accepted);
    Suppression {
        until: ignore.until.map(|date| date.to_string().into()),
        ..by.because(None, ignore.reason.as_deref())
    }
}

fn report(comment: &Comment, ignore: &Ignore, rule: &str, message: &str) -> Finding {
    let subject = match ignore.form {
        Form::Trivy => "trivy:ignore",
        Form::Tfsec => "tfsec:ignore",
        Form::Checkov => "checkov:skip",
        Form::Portcullis => "portcullis:ignore",
    };
    let location = Location {
        region: Some(Region {
            start_column: Some(comment.column),
            ..Region::line(comment.line)
        }),
        ..Location::file(Arc::clone(&comment.file))
    };
    let kind = FindingKind::Misconfiguration(Misconfiguration {
        resource: format!("{subject} {}", ignore.id).trim_end().into(),
        fix: None,
        content: ignore.id.as_str().into(),
        calls: Vec::new(),
    });
    let rule: Arc<str> = rule.into();
    Finding {
        severity: Severity::Low,
        severity_source: "rule".into(),
        title: info(&rule).map_or_else(|| Arc::clone(&rule), |info| info.title.into()),
        message: message.to_owned(),
        ..Finding::new(rule, location, kind)
    }
}
