//! Our own contract, `docs/report.schema.json`: everything the report holds, under names that
//! stay. The views borrow the report and are serialised one by one; no document is built.
//! Indices into the targets become their ids here and nowhere else.

use std::io::{self, Write};
use std::sync::Arc;

use db_sync::{Epss, Kev, Step};
use serde::Serialize;
use serde::ser::Serializer;

use super::{serial, words};
use crate::gate::{Status, Verdict};
use crate::model::coverage::Coverage;
use crate::model::finding::{Finding, Kind, Uncertain, Vulnerability};
use crate::model::gap::{GapClass, GapKind, GapSeverity, Stage};
use crate::model::location::{Layer, Location};
use crate::model::package::{Package, PackageType, Scope, SourcePackage};
use crate::model::purl::Purl;
use crate::model::rating::Graded;
use crate::model::report::{Database, DatabaseSource, Feed, Report, Target, TargetGap, Undecided};
use crate::model::suppression::Suppression;

/// Version of the contract: the major number changes when a field changes its meaning or goes,
/// the minor one when fields or words of a closed list come.
pub(crate) const SCHEMA_VERSION: &str = "2.0";

/// Writes the report. Errors are those of `out`.
pub(crate) fn write(report: &Report, verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
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
struct DatabaseView<'a> {
    digest: &'a str,
    sources: Vec<DatabaseSourceView<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    feeds: Vec<FeedView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stale: Vec<StaleView<'a>>,
}

#[derive(Serialize)]
struct FeedView<'a> {
    name: &'a str,
    date: &'a str,
    version: &'a str,
    digest: &'a str,
    entries: u64,
    used: bool,
}

impl<'a> FeedView<'a> {
    fn new(feed: &'a Feed) -> Self {
        Self {
            name: feed.info.kind.as_str(),
            date: &feed.info.date,
            version: &feed.info.version,
            digest: &feed.info.digest,
            entries: feed.info.entries,
            used: feed.used,
        }
    }
}

#[derive(Serialize)]
struct StaleView<'a> {
    ecosystem: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest_modified: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest_listed: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<i64>,
}

impl<'a> DatabaseView<'a> {
    fn new(database: &'a Database) -> Self {
        Self {
            digest: &database.digest,
            sources: database
                .sources
                .iter()
                .map(DatabaseSourceView::new)
                .collect(),
            feeds: database.feeds.iter().map(FeedView::new).collect(),
            as_of: database.as_of.as_deref(),
            stale: database
                .stale
                .iter()
                .map(|stale| StaleView {
                    ecosystem: &stale.ecosystem,
                    newest_modified: stale.newest_modified.as_deref(),
                    newest_listed: stale.newest_listed.as_deref(),
                    days: stale.days,
                })
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct DatabaseSourceView<'a> {
    name: &'a str,
    digest: &'a str,
    records: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest_modified: Option<&'a str>,
}

impl<'a> DatabaseSourceView<'a> {
    fn new(source: &'a DatabaseSource) -> Self {
        Self {
            name: &source.name,
            digest: &source.digest,
            records: source.records,
            newest_modified: source.newest_modified.as_deref(),
        }
    }
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
            other_platforms: &target.other_platforms,
            distribution: target.distribution.as_ref().and_then(words::distribution),
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
    arch: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Scope>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direct: Option<bool>,
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
            arch: package.arch.as_deref(),
            epoch: package.epoch,
            scope: package.scope,
            direct: package.direct,
            locations: package.locations.iter().map(LocationView::start).collect(),
        }
    }
}

#[derive(Serialize)]
struct FindingView<'a> {
    target: &'a str,
    kind: &'static str,
    rule_id: &'a str,
    aliases: &'a [String],
    severity: &'static str,
    severity_source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ratings: &'a [Graded],
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epss: Option<Epss>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kev: Option<Kev>,
    title: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    installed_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed_version: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fixed_versions: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    informational: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limited_to: Option<LimitsView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<FixView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<DoubtView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    dependency_path: &'a [Arc<str>],
    location: LocationView<'a>,
    fingerprint: &'a str,
    #[serde(skip_serializing_if = "is_one")]
    count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<SuppressionView<'a>>,
}

impl<'a> FindingView<'a> {
    fn new(report: &'a Report, finding: &'a Finding) -> Self {
        let (kind, vulnerability, resource) = match &finding.kind {
            Kind::Vulnerability(found) => ("vulnerability", Some(&**found), None),
            Kind::Misconfiguration(found) => ("misconfiguration", None, Some(&*found.resource)),
        };
        let target = report.targets.get(finding.target);
        let distribution = target.and_then(|target| target.distribution.as_ref());
        let fixed_versions = vulnerability.map_or(&[] as &[String], |found| &found.fixed);
        Self {
            target: target_id(report, finding.target),
            kind,
            rule_id: &finding.rule,
            aliases: &finding.aliases,
            severity: finding.severity.as_str(),
            severity_source: &finding.severity_source,
            severity_reason: vulnerability.map(|found| &*found.rated.reason),
            ratings: vulnerability.map_or(&[], |found| &found.rated.ratings),
            score: finding.score,
            epss: vulnerability.and_then(|found| found.exploitation.epss),
            kev: vulnerability.and_then(|found| found.exploitation.kev),
            title: &finding.title,
            message: &finding.message,
            package: vulnerability.map(|found| &*found.package.name),
            purl: vulnerability.map(|found| Purl::of(&found.package, distribution).to_string()),
            installed_version: vulnerability.map(|found| found.package.full_version()),
            fixed_version: fixed_versions.first().map(String::as_str),
            fixed_versions,
            fix: vulnerability.map(FixView::new),
            informational: vulnerability.and_then(|found| found.informational.as_deref()),
            limited_to: vulnerability.and_then(|found| LimitsView::new(&found.scope)),
            doubt: vulnerability.and_then(|found| found.doubt.as_deref().map(DoubtView::new)),
            resource,
            dependency_path: vulnerability.map_or(&[], |found| &found.path),
            location: LocationView::new(&finding.location),
            fingerprint: &finding.fingerprint,
            count: finding.count,
            suppressed: finding.suppressed.as_ref().map(SuppressionView::new),
        }
    }
}

/// Who says that a finding does not count, and why.
#[derive(Serialize)]
struct SuppressionView<'a> {
    by: &'static str,
    source: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<&'a str>,
}

impl<'a> SuppressionView<'a> {
    fn new(suppression: &'a Suppression) -> Self {
        Self {
            by: suppression.origin.as_str(),
            source: &suppression.source,
            status: suppression.status.as_str(),
            justification: suppression.justification.as_deref(),
            reason: suppression.reason.as_deref(),
            owner: suppression.owner.as_deref(),
            until: suppression.until.as_deref(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_one(count: &u32) -> bool {
    *count == 1
}

/// What is known about a fix.
#[derive(Serialize)]
struct FixView<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'static str>,
}

impl<'a> FixView<'a> {
    fn new(found: &'a Vulnerability) -> Self {
        Self {
            state: found.fix.as_str(),
            version: found.fixed.first().map(String::as_str),
            step: found.step.map(Step::as_str),
        }
    }
}

/// Why a finding is not certain.
#[derive(Serialize)]
struct DoubtView<'a> {
    kind: &'static str,
    reason: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    denied_by: &'a [String],
}

impl<'a> DoubtView<'a> {
    fn new(doubt: &'a Uncertain) -> Self {
        Self {
            kind: doubt.kind.as_str(),
            reason: &doubt.reason,
            denied_by: &doubt.denied_by,
        }
    }
}

/// On what condition a flaw exists; empty lists mean no limit.
#[derive(Serialize)]
struct LimitsView<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    functions: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    arch: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    os: &'a [String],
}

impl<'a> LimitsView<'a> {
    fn new(scope: &'a db_sync::advisory::Scope) -> Option<Self> {
        (!scope.is_empty()).then_some(Self {
            functions: &scope.functions,
            arch: &scope.arch,
            os: &scope.os,
        })
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
