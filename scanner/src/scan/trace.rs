//! Traces every vulnerable package to the direct dependency that brings it in, within the lockfile
//! that lists it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::inventory::graph::Paths;
use crate::model::finding::FindingKind;
use crate::model::package::Package;
use crate::model::report::Report;

/// Adds the paths; a lockfile without findings costs nothing.
pub(super) fn findings(report: &mut Report) {
    let mut wanted: BTreeMap<(usize, Arc<str>), Vec<usize>> = BTreeMap::new();
    for (number, finding) in report.findings.iter().enumerate() {
        if let FindingKind::Vulnerability(found) = &finding.kind
            && !found.package.kind.is_os()
            && found.package.direct != Some(true)
        {
            let file = (finding.target, Arc::clone(&finding.location.path));
            wanted.entry(file).or_default().push(number);
        }
    }
    for ((target, path), numbers) in wanted {
        let packages = report.packages.iter();
        let listed: Vec<&Package> = packages
            .filter(|(index, package)| {
                let mut places = package.locations.iter();
                *index == target && places.any(|place| place.path == path)
            })
            .map(|(_, package)| &**package)
            .collect();
        let paths = Paths::new(&listed);
        for number in numbers {
            let Some(finding) = report.findings.get_mut(number) else {
                continue; // there is one for each number
            };
            if let FindingKind::Vulnerability(found) = &mut finding.kind {
                let path = paths.to(&found.package).unwrap_or_default();
                if path.len() > 1 {
                    found.path = path;
                }
            }
        }
    }
}
