//! Findings, with what their engine knows of them.

use std::sync::Arc;

use db_sync::{Epss, Kev, Step};
use serde::Serialize;

use super::{LocationView, target_id};
use crate::model::finding::{Finding, Kind, Uncertain, Vulnerability};
use crate::model::purl::Purl;
use crate::model::rating::Graded;
use crate::model::report::Report;
use crate::model::suppression::Suppression;

#[derive(Serialize)]
pub(super) struct FindingView<'a> {
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
    pub(super) fn new(report: &'a Report, finding: &'a Finding) -> Self {
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_one(count: &u32) -> bool {
    *count == 1
}
