//! SARIF 2.1.0 as GitHub code scanning wants it: one run, one rule per advisory or check, every
//! result with a file, a region and a fingerprint, gaps as notifications. Results and rules are made one at a time while they are written, so that a
//! report of any size needs little memory.

mod level;
mod limits;
mod model;
mod notification;
mod place;
mod result;
mod row;
mod rule;
pub(super) mod uri;

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde::ser::Serializer;

use self::limits::{CODE_SCANNING, Limits};
use self::model::{ArtifactLocation, Invocation, PropertyBag, RunAutomationDetails, plain};
use self::row::Row;
use self::rule::Rule;
use super::escape::{line, message, truncate};
use super::serial;
use crate::gate::{Decision, Status};
use crate::model::report::Report;

/// Where people read about the tool.
pub(super) const INFORMATION_URI: &str = "https://github.com/portcullis-ci/portcullis";
/// The schema that editors resolve.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// Most characters of the category that code scanning keeps apart.
const CATEGORY_LIMIT: usize = 255;

/// Writes the report. Errors are those of `out`.
pub(super) fn write(report: &Report, verdict: &Decision, out: &mut dyn Write) -> io::Result<()> {
    write_within(report, verdict, CODE_SCANNING, out)
}

fn write_within(
    report: &Report,
    verdict: &Decision,
    limits: Limits,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rows = row::rows(report);
    let document = |kept: &[&Row<'_>], out: &mut dyn Write| {
        let dropped = rows.len().saturating_sub(kept.len());
        serial::write(&Document::new(report, verdict, kept, dropped, limits), out)
    };
    let kept = limits::fit(&rows, limits, document)?;
    document(&kept, out)
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

/// A run, with lists that are made while they are written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    automation_details: RunAutomationDetails,
    column_kind: &'static str,
    original_uri_base_ids: BTreeMap<&'static str, ArtifactLocation>,
    invocations: [Invocation; 1],
    properties: PropertyBag,
    results: Results<'a>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'static str,
    semantic_version: &'static str,
    information_uri: &'static str,
    rules: Rules<'a>,
}

impl<'a> Document<'a> {
    fn new(
        report: &'a Report,
        verdict: &Decision,
        rows: &'a [&'a Row<'a>],
        dropped: usize,
        limits: Limits,
    ) -> Self {
        let rules = rule::rules(report, rows);
        let indices = rules
            .iter()
            .enumerate()
            .map(|(index, rule)| (rule.id, index));
        let results = Results {
            rows,
            indices: indices.collect(),
        };
        let root = ArtifactLocation {
            description: Some(plain("The root of the repository.")),
            ..ArtifactLocation::default()
        };
        Self {
            schema: SCHEMA,
            version: "2.1.0",
            runs: [Run {
                tool: Tool {
                    driver: Driver {
                        name: env!("CARGO_PKG_NAME"),
                        semantic_version: env!("CARGO_PKG_VERSION"),
                        information_uri: INFORMATION_URI,
                        rules: Rules(rules),
                    },
                },
                automation_details: RunAutomationDetails {
                    id: category(report),
                },
                column_kind: "unicodeCodePoints",
                original_uri_base_ids: BTreeMap::from([(place::SOURCE_ROOT, root)]),
                invocations: [invocation(report, verdict, dropped, limits)],
                properties: properties(report, verdict, dropped),
                results,
            }],
        }
    }
}

/// Keeps uploads for different targets apart: `portcullis/<targets>/`.
fn category(report: &Report) -> String {
    let ids: Vec<_> = report
        .targets
        .iter()
        .map(|target| line(&target.id))
        .collect();
    let ids = ids.join(",");
    format!(
        "{}/{}/",
        env!("CARGO_PKG_NAME"),
        truncate(&ids, CATEGORY_LIMIT)
    )
}

/// The invocation was successful when the run reached a verdict; what was not looked at, undecided
/// checks and the ledger are notifications.
fn invocation(report: &Report, verdict: &Decision, dropped: usize, limits: Limits) -> Invocation {
    Invocation {
        execution_successful: verdict.status != Status::Error,
        tool_execution_notifications: notification::notifications(report, dropped, limits.gaps),
    }
}

fn properties(report: &Report, verdict: &Decision, dropped: usize) -> PropertyBag {
    let database = report
        .database
        .as_ref()
        .map(|database| database.digest.as_str());
    let checks = report.checks;
    let additional = BTreeMap::from([
        ("checks_failed".to_owned(), checks.failed.into()),
        ("checks_passed".to_owned(), checks.passed.into()),
        ("checks_undecided".to_owned(), report.undecided.len().into()),
        ("complete".to_owned(), verdict.complete.into()),
        ("database_digest".to_owned(), database.into()),
        ("passed".to_owned(), (verdict.status == Status::Pass).into()),
        ("reason".to_owned(), message(&verdict.reason).into()),
        ("results_dropped".to_owned(), dropped.into()),
    ]);
    PropertyBag {
        additional,
        ..PropertyBag::default()
    }
}

struct Rules<'a>(Vec<Rule<'a>>);

impl Serialize for Rules<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Rule::descriptor))
    }
}

struct Results<'a> {
    rows: &'a [&'a Row<'a>],
    indices: BTreeMap<&'a str, usize>,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().filter_map(|row| {
            let index = self.indices.get(row.rule.as_str())?;
            Some(result::result(row, *index))
        }))
    }
}
