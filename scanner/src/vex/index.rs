//! What a report holds, by what statements name: findings by vulnerability and package, packages
//! by name. Built once, so that a statement costs no walk over the report.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::identity;
use crate::model::finding::FindingKind;
use crate::model::package::Package;
use crate::model::report::Report;

/// Findings of one vulnerability, as indices into the report's.
#[derive(Debug, Default)]
pub(super) struct Indexed {
    pub(super) all: Vec<usize>,
    pub(super) by_package: BTreeMap<String, Vec<usize>>,
}

/// The index.
pub(super) struct Index<'a> {
    pub(super) report: &'a Report,
    vulnerabilities: BTreeMap<String, Indexed>,
    packages: BTreeMap<String, Vec<(usize, &'a Package)>>,
}

impl<'a> Index<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let mut vulnerabilities: BTreeMap<String, Indexed> = BTreeMap::new();
        for (index, finding) in report.findings.iter().enumerate() {
            let FindingKind::Vulnerability(vulnerability) = &finding.kind else {
                continue;
            };
            let keys = identity::keys(&vulnerability.package);
            let mut ids: Vec<String> = std::iter::once(&*finding.rule)
                .chain(finding.aliases.iter().map(String::as_str))
                .chain(vulnerability.merged.iter().map(String::as_str))
                .map(str::to_ascii_uppercase)
                .collect();
            ids.sort();
            ids.dedup();
            for id in ids {
                let found = vulnerabilities.entry(id).or_default();
                found.all.push(index);
                for key in &keys {
                    found.by_package.entry(key.clone()).or_default().push(index);
                }
            }
        }
        let mut packages: BTreeMap<String, Vec<(usize, &Package)>> = BTreeMap::new();
        for (target, package) in &report.packages {
            for key in identity::keys(package) {
                packages
                    .entry(key)
                    .or_default()
                    .push((*target, Arc::as_ref(package)));
            }
        }
        Self {
            report,
            vulnerabilities,
            packages,
        }
    }

    /// Findings of a vulnerability, by any of its ids.
    pub(super) fn found(&self, id: &str) -> Option<&Indexed> {
        self.vulnerabilities.get(&id.to_ascii_uppercase())
    }

    /// Packages by key, with their targets.
    pub(super) fn packages(&self, key: &str) -> &[(usize, &'a Package)] {
        self.packages.get(key).map_or(&[], Vec::as_slice)
    }
}
