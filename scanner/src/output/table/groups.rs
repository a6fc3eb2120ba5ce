//! Findings that belong under one heading: those of one package at one place, all others of one file.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::finding::{Finding, FindingKind};
use crate::model::location::Location;
use crate::model::package::Package;

/// The vulnerabilities of one package at one place.
pub(super) struct PackageGroup<'a> {
    /// The package.
    pub(super) package: &'a Package,
    /// Where it was found.
    pub(super) location: &'a Location,
    /// Worst first.
    pub(super) findings: Vec<&'a Finding>,
}

impl PackageGroup<'_> {
    /// How the package comes in, from a direct dependency; `None` for one that is direct, and where
    /// no way is known.
    pub(super) fn path(&self) -> Option<&[Arc<str>]> {
        match &self.findings.first()?.kind {
            FindingKind::Vulnerability(found) if !found.path.is_empty() => Some(&found.path),
            _ => None,
        }
    }
}

/// The findings of one file that are not about a package.
pub(super) struct FileGroup<'a> {
    /// The file.
    pub(super) path: &'a str,
    /// By line.
    pub(super) findings: Vec<&'a Finding>,
}

/// The vulnerable packages: the one with the worst vulnerability first, then by name.
pub(super) fn packages<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<PackageGroup<'a>> {
    let mut groups: BTreeMap<_, PackageGroup<'a>> = BTreeMap::new();
    for finding in findings {
        let FindingKind::Vulnerability(found) = &finding.kind else {
            continue;
        };
        let package = &*found.package;
        let key = (
            &package.name,
            package.kind,
            (&package.version, package.epoch, &package.arch),
            &finding.location,
        );
        let group = groups.entry(key).or_insert_with(|| PackageGroup {
            package,
            location: &finding.location,
            findings: Vec::new(),
        });
        group.findings.push(finding);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    for group in &mut groups {
        group.findings.sort_by(|a, b| {
            b.severity
                .cmp(&a.severity)
                .then_with(|| a.rule.cmp(&b.rule))
        });
    }
    groups.sort_by_key(|group| {
        let worst = group
            .findings
            .iter()
            .find(|finding| finding.suppressed.is_none());
        Reverse(worst.map(|finding| finding.severity))
    });
    groups
}

/// The files of all other findings, by path.
pub(super) fn files<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<FileGroup<'a>> {
    let mut groups: BTreeMap<&str, FileGroup<'a>> = BTreeMap::new();
    for finding in findings {
        if !matches!(finding.kind, FindingKind::Vulnerability(_)) {
            let path = &*finding.location.path;
            let group = groups.entry(path).or_insert_with(|| FileGroup {
                path,
                findings: Vec::new(),
            });
            group.findings.push(finding);
        }
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    for group in &mut groups {
        group
            .findings
            .sort_by(|a, b| (&a.location, &a.rule).cmp(&(&b.location, &b.rule)));
    }
    groups
}
