//! The results in their order: by file, region, logical place and rule. This module owns what
//! identifies a result; `result` turns one row into SARIF.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::level::{self, level};
use super::{place, uri};
use crate::model::finding::{Finding, FindingKind, fingerprint};
use crate::model::location::Region;
use crate::model::purl::Purl;
use crate::model::report::{Report, Target};
use crate::model::target::Origin;
use crate::output::escape::line;

/// One result to be written.
pub(crate) struct Row<'a> {
    /// The finding.
    pub(crate) finding: &'a Finding,
    /// Its rule, as SARIF names it.
    pub(crate) rule: String,
    /// Relative to the root of the repository.
    pub(crate) uri: String,
    /// Never without a line.
    pub(crate) region: Region,
    /// Package or resource, as a fully qualified name.
    pub(crate) name: String,
    /// Whose layers of an image the package lies in.
    pub(crate) origin: Option<Origin>,
    /// `primaryLocationLineHash`, unique in the document.
    pub(crate) mark: String,
}

impl<'a> Row<'a> {
    fn new(report: &'a Report, finding: &'a Finding) -> Self {
        let target = report.targets.get(finding.target);
        let name = match &finding.kind {
            FindingKind::Vulnerability(found) => {
                let distribution = target.and_then(|target| target.distribution.as_ref());
                Purl::of(&found.package, distribution).to_string()
            }
            FindingKind::Misconfiguration(found) => line(&found.resource).into_owned(),
            FindingKind::EndOfLife(found) => line(&found.release()).into_owned(),
        };
        let origin = match &finding.kind {
            FindingKind::Vulnerability(found) => {
                target.and_then(|target| target.origin(&found.package.locations))
            }
            FindingKind::EndOfLife(_) => {
                target.and_then(|target| target.origin(std::slice::from_ref(&finding.location)))
            }
            FindingKind::Misconfiguration(_) => None,
        };
        Self {
            finding,
            rule: line(&finding.rule).into_owned(),
            uri: uri::of(target, &finding.location),
            region: place::sound(finding.location.region),
            name,
            origin,
            mark: mark(finding, target),
        }
    }

    /// What decides about the order, and whether two rows say the same.
    fn key(&self) -> impl Ord + use<'_, 'a> {
        let region = self.region;
        let finding = self.finding;
        (
            (
                &self.uri,
                region.start_line,
                region.start_column,
                region.end_line,
                region.end_column,
            ),
            (
                &self.name,
                finding.location.layer.as_ref().map(|layer| &layer.digest),
            ),
            &self.rule,
            std::cmp::Reverse((level(level::severity(finding).0) as u8, finding.severity)),
            (&finding.title, &finding.message, &finding.suppressed),
        )
    }
}

/// The finding's fingerprint, which knows its target only by kind, bound to the target: two
/// directories or two platforms of one image can hold the same file.
fn mark(finding: &Finding, target: Option<&Target>) -> String {
    let root = target.map(uri::root).unwrap_or_default();
    let platform = target.and_then(|target| target.platform.as_deref());
    // Not the id that the user prefers to see.
    let rule = match &finding.kind {
        FindingKind::Vulnerability(found) => &found.record,
        FindingKind::Misconfiguration(_) | FindingKind::EndOfLife(_) => &finding.rule,
    };
    fingerprint(&[
        &finding.fingerprint,
        rule,
        &root,
        platform.unwrap_or_default(),
    ])
}

/// All results in order. Equal ones (overlapping targets) are one; those that share a mark, such
/// as two versions of a package in one lockfile, are numbered.
pub(crate) fn rows(report: &Report) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = report
        .findings
        .iter()
        .map(|finding| Row::new(report, finding))
        .collect();
    rows.sort_by(|a, b| a.key().cmp(&b.key()).then_with(|| a.mark.cmp(&b.mark)));
    rows.dedup_by(|a, b| a.key() == b.key());
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for row in &mut rows {
        let number = seen.entry(row.mark.clone()).or_default();
        *number = number.saturating_add(1);
        let _ = write!(row.mark, ":{number}");
    }
    rows
}
