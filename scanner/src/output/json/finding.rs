//! Findings, with what their engine knows of them.

use std::sync::Arc;

use serde::Serialize;

use super::vulnerability::{RatingView, RemedyView};
use super::{LocationView, target_id};
use crate::model::finding::{EndOfLife, Finding, FindingKind};
use crate::model::purl::Purl;
use crate::model::report::Report;
use crate::model::suppression::Suppression;
use crate::model::target::Origin;

#[derive(Serialize)]
pub(super) struct FindingView<'a> {
    target: &'a str,
    kind: &'static str,
    rule_id: &'a str,
    aliases: &'a [String],
    #[serde(flatten)]
    rating: RatingView<'a>,
    title: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    installed_version: Option<String>,
    #[serde(flatten)]
    remedy: RemedyView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_of_life: Option<EndOfLifeView<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    dependency_path: &'a [Arc<str>],
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    location: LocationView<'a>,
    fingerprint: &'a str,
    #[serde(skip_serializing_if = "is_one")]
    count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<SuppressionView<'a>>,
}

impl<'a> FindingView<'a> {
    pub(super) fn new(report: &'a Report, finding: &'a Finding) -> Self {
        let (vulnerability, resource, ended) = match &finding.kind {
            FindingKind::Vulnerability(found) => (Some(&**found), None, None),
            FindingKind::Misconfiguration(found) => (None, Some(&*found.resource), None),
            FindingKind::EndOfLife(found) => (None, None, Some(EndOfLifeView::new(found))),
        };
        let target = report.targets.get(finding.target);
        let distribution = target.and_then(|target| target.distribution.as_ref());
        Self {
            target: target_id(report, finding.target),
            kind: finding.kind.as_str(),
            rule_id: &finding.rule,
            aliases: &finding.aliases,
            rating: RatingView::of_finding(finding, vulnerability),
            title: &finding.title,
            message: &finding.message,
            package: vulnerability.map(|found| &*found.package.name),
            purl: vulnerability.map(|found| Purl::of(&found.package, distribution).to_string()),
            installed_version: vulnerability.map(|found| found.package.full_version()),
            remedy: vulnerability.map(RemedyView::new).unwrap_or_default(),
            resource,
            end_of_life: ended,
            dependency_path: vulnerability.map_or(&[], |found| &found.path),
            origin: vulnerability.and_then(|found| target?.origin(&found.package.locations)),
            location: LocationView::new(&finding.location),
            fingerprint: &finding.fingerprint,
            count: finding.count,
            suppressed: finding.suppressed.as_ref().map(SuppressionView::new),
        }
    }
}

/// Which release is no longer supported, and since when.
#[derive(Serialize)]
struct EndOfLifeView<'a> {
    product: &'a str,
    release: &'a str,
    version: &'a str,
    ended: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    extended_until: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'a str>,
}

impl<'a> EndOfLifeView<'a> {
    fn new(found: &'a EndOfLife) -> Self {
        Self {
            product: &found.product,
            release: &found.cycle,
            version: &found.version,
            ended: &found.ended,
            extended_until: found.extended.as_deref(),
            page: found.page.as_deref(),
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
