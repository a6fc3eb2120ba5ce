//! Our own contract, `docs/report.schema.json`: everything the report holds, under names that
//! stay. The views borrow the report and are serialised one by one; no document is built.
//! Indices into the targets become their ids here and nowhere else.

mod database;
mod finding;
mod vulnerability;

use std::io::{self, Write};
use std::sync::Arc;

use serde::Serialize;
use serde::ser::Serializer;

use self::database::DatabaseView;
use self::finding::FindingView;
pub use self::vulnerability::{RatingView, RemedyView};
use super::serial;
use crate::gate::{Decision, Status};
use crate::model::coverage::Coverage;
use crate::model::gap::{GapClass, GapKind, GapSeverity, Stage};
use crate::model::location::{Layer, Location};
use crate::model::package::{Package, PackageType, Scope, SourcePackage};
use crate::model::purl::Purl;
use crate::model::report::{Report, Target, TargetGap, Undecided};
use crate::model::target::{BaseImage, LayerInfo, Origin};
use crate::phrase;

/// Version of the contract: the major number changes when a field changes its meaning or goes,
/// the minor one when fields or words of a closed list come.
pub(crate) const SCHEMA_VERSION: &str = "2.2";

/// Writes the report. Errors are those of `out`.
pub(crate) fn write(report: &Report, verdict: &Decision, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        tool: Tool {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        },
        date: &report.date,
        database: report.database.as_ref().map(DatabaseView::new),
        targets: list(&report.targets, TargetView::new),
        packages: list(&report.packages, |(target, package)| {
            PackageView::new(report, *target, package)
        }),
        findings: list(&report.findings, |finding| {
            FindingView::new(report, finding)
        }),
        undecided: list(&report.undecided, |check| UndecidedView::new(report, check)),
        gaps: list(&report.gaps, |gap| GapView::new(report, gap)),
        unmatched_suppressions: report
            .unmatched_suppressions
            .iter()
            .map(|unmatched| UnmatchedView {
                source: &unmatched.source,
                statement: &unmatched.statement,
                reason: &unmatched.reason,
            })
            .collect(),
        checks: ChecksView {
            passed: report.checks.passed,
            failed: report.checks.failed,
            undecided: report.checks.undecided,
        },
        verdict: VerdictView {
            status: verdict.status.as_str(),
            passed: verdict.status == Status::Pass,
            complete: verdict.complete,
            exit_code: verdict.exit_code,
            violations: verdict.violations,
            gaps: GapCountsView {
                failure: verdict.gaps.failure,
                unjudged: verdict.gaps.unjudged,
                partial: verdict.gaps.partial,
                accepted: verdict.gaps.accepted,
            },
            reason: &verdict.reason,
        },
    };
    serial::write(&document, out)
}

/// A list whose items are turned into views only while they are written.
struct List<'a, T, F>(&'a [T], F);

fn list<'a, T, V: Serialize, F: Fn(&'a T) -> V>(items: &'a [T], view: F) -> List<'a, T, F> {
    List(items, view)
}

impl<'a, T, V: Serialize, F: Fn(&'a T) -> V> Serialize for List<'a, T, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(&self.1))
    }
}

#[derive(Serialize)]
struct Document<'a, T: Serialize, P: Serialize, F: Serialize, U: Serialize, G: Serialize> {
    schema_version: &'static str,
    tool: Tool,
    date: &'a str,
    database: Option<DatabaseView<'a>>,
    targets: T,
    packages: P,
    findings: F,
    undecided: U,
    gaps: G,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unmatched_suppressions: Vec<UnmatchedView<'a>>,
    checks: ChecksView,
    verdict: VerdictView<'a>,
}

#[derive(Serialize)]
struct UnmatchedView<'a> {
    source: &'a str,
    statement: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct TargetView<'a> {
    id: &'a str,
    kind: &'a str,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    names: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    layers: &'a [LayerInfo],
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<&'a BaseImage>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    other_platforms: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    distribution: Option<String>,
    coverage: &'a Coverage,
}

impl<'a> TargetView<'a> {
    fn new(target: &'a Target) -> Self {
        Self {
            id: &target.id,
            kind: target.kind.as_str(),
            path: &target.path,
            platform: target.platform.as_deref(),
            digest: target.digest.as_deref(),
            names: &target.names,
            layers: &target.layers,
            base: target.base_image.as_ref(),
            other_platforms: &target.other_platforms,
            distribution: target.distribution.as_ref().and_then(phrase::distribution),
            coverage: &target.coverage,
        }
    }
}

/// The id that stands for a target everywhere in the document.
fn target_id(report: &Report, index: usize) -> &str {
    report.targets.get(index).map_or("", |target| &target.id)
}

/// The fields of a place, without columns. Packages and gaps name only the first line.
#[derive(Serialize)]
struct LocationView<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<&'a Layer>,
}

impl<'a> LocationView<'a> {
    fn new(location: &'a Location) -> Self {
        Self {
            end_line: location.region.map(|region| region.end_line),
            ..Self::start(location)
        }
    }

    fn start(location: &'a Location) -> Self {
        Self {
            path: &location.path,
            start_line: location.start_line(),
            end_line: None,
            pointer: location.pointer.as_deref(),
            layer: location.layer.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct PackageView<'a> {
    target: &'a str,
    #[serde(rename = "type")]
    kind: PackageType,
    name: &'a str,
    version: &'a str,
    purl: String,
    ecosystem: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a SourcePackage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owned_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_from: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    candidates: &'a [Arc<str>],
    #[serde(skip_serializing_if = "Option::is_none")]
    arch: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Scope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direct: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    locations: Vec<LocationView<'a>>,
}

impl<'a> PackageView<'a> {
    fn new(report: &'a Report, target: usize, package: &'a Package) -> Self {
        let found_in = report.targets.get(target);
        let distribution = found_in.and_then(|target| target.distribution.as_ref());
        Self {
            target: target_id(report, target),
            kind: package.kind,
            name: &package.name,
            version: &package.version,
            purl: Purl::of(package, distribution).to_string(),
            ecosystem: package.ecosystem.as_deref(),
            source: package.source.as_ref(),
            owned_by: package.owner.as_deref(),
            changed_from: package.changed.as_deref(),
            candidates: &package.candidates,
            arch: package.arch.as_deref(),
            epoch: package.epoch,
            scope: package.scope,
            direct: package.direct,
            origin: found_in.and_then(|target| target.origin(&package.locations)),
            locations: package.locations.iter().map(LocationView::start).collect(),
        }
    }
}

#[derive(Serialize)]
struct UndecidedView<'a> {
    target: &'a str,
    rule_id: &'a str,
    severity: &'static str,
    resource: &'a str,
    location: LocationView<'a>,
    cause: &'a str,
}

impl<'a> UndecidedView<'a> {
    fn new(report: &'a Report, check: &'a Undecided) -> Self {
        Self {
            target: target_id(report, check.target),
            rule_id: &check.rule,
            severity: check.severity.as_str(),
            resource: &check.resource,
            location: LocationView::new(&check.location),
            cause: &check.cause,
        }
    }
}

#[derive(Serialize)]
struct GapView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    stage: Stage,
    severity: GapSeverity,
    kind: GapKind,
    class: GapClass,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    accepted: bool,
    #[serde(flatten)]
    location: LocationView<'a>,
    cause: &'a str,
}

impl<'a> GapView<'a> {
    fn new(report: &'a Report, gap: &'a TargetGap) -> Self {
        Self {
            target: gap.target.map(|index| target_id(report, index)),
            stage: gap.gap.stage,
            severity: gap.gap.severity,
            kind: gap.gap.kind,
            class: gap.gap.class,
            accepted: gap.accepted,
            location: LocationView::start(&gap.gap.location),
            cause: &gap.gap.cause,
        }
    }
}

#[derive(Serialize)]
struct ChecksView {
    passed: u64,
    failed: u64,
    undecided: u64,
}

#[derive(Serialize)]
struct VerdictView<'a> {
    status: &'static str,
    passed: bool,
    complete: bool,
    exit_code: u8,
    violations: usize,
    gaps: GapCountsView,
    reason: &'a str,
}

#[derive(Serialize)]
struct GapCountsView {
    failure: usize,
    unjudged: usize,
    partial: usize,
    accepted: usize,
}
