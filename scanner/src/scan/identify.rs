//! Gives every finding its fingerprint: the same one for as long as it is the same problem.
//!
//! It is made of the rule (the record of an advisory, not the id that the user prefers to see), the
//! path below the repository, and what is affected: package type, name and release line, resource
//! and content, or product and release. It knows neither how the target was named, nor versions within a release line,
//! nor lines, nor the order of anything, so that none of these changes it. Several of one package are
//! told apart by their release line or architecture, several failures of a rule on one resource
//! by their content; what is the same in all of this shares a fingerprint, and is counted.

use std::collections::BTreeMap;

use crate::model::finding::{Finding, FindingKind, fingerprint};
use crate::model::package::Package;
use crate::model::report::Report;
use crate::model::target::Target;

/// Identifies all findings of a report.
pub(super) fn findings(report: &mut Report) {
    let mut counts: BTreeMap<(usize, String), u32> = BTreeMap::new();
    for finding in &mut report.findings {
        let target = report.targets.get(finding.target);
        finding.fingerprint = of(finding, target);
        let key = (finding.target, finding.fingerprint.clone());
        let count = counts.entry(key).or_default();
        *count = count.saturating_add(1);
    }
    for finding in &mut report.findings {
        let key = (finding.target, std::mem::take(&mut finding.fingerprint));
        finding.count = counts.get(&key).copied().unwrap_or(1);
        finding.fingerprint = key.1;
    }
}

fn of(finding: &Finding, target: Option<&Target>) -> String {
    let path = path(finding, target);
    match &finding.kind {
        FindingKind::Vulnerability(found) => {
            let package = &found.package;
            fingerprint(&[
                "vulnerability",
                &path,
                package.kind.as_str(),
                &package.name,
                &variant(package),
                &found.record,
            ])
        }
        FindingKind::EndOfLife(found) => {
            fingerprint(&["end-of-life", &path, &found.product, &found.cycle])
        }
        FindingKind::Misconfiguration(found) => fingerprint(&[
            "misconfiguration",
            &path,
            &found.resource,
            &finding.rule,
            &found.content,
        ]),
    }
}

/// The path below the repository; reports show it below the working directory.
fn path(finding: &Finding, target: Option<&Target>) -> String {
    let shown = &*finding.location.path;
    let Some(target) = target else {
        return shown.to_owned();
    };
    let own = match shown.strip_prefix(target.prefix.as_str()) {
        Some(own) if !target.prefix.is_empty() => own.trim_start_matches('/'),
        _ => shown,
    };
    if target.base.is_empty() {
        own.to_owned()
    } else {
        format!("{}/{own}", target.base)
    }
}

/// What tells several packages of one name apart: of a language the release line, within which
/// versions replace each other; of an operating system the architecture, since it has one version.
fn variant(package: &Package) -> String {
    if package.kind.is_os() {
        return package.arch.as_deref().unwrap_or_default().to_owned();
    }
    release_line(&package.version).to_owned()
}

/// The leading part of a version that compatible ones share: `1` of `1.2.3`, `0.4` of `0.4.1`.
fn release_line(version: &str) -> &str {
    let start = version
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or_default();
    let mut end = version.len();
    let mut numbers = version
        .get(start..)
        .unwrap_or_default()
        .split_inclusive('.');
    let mut length = start;
    for number in &mut numbers {
        let digits = number.trim_end_matches('.');
        length = length.saturating_add(number.len());
        end = start.max(length.saturating_sub(number.len() - digits.len()));
        if digits != "0" {
            break;
        }
    }
    version.get(..end).unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::finding::{Misconfiguration, Vulnerability};
    use crate::model::location::{Layer, Location};
    use crate::model::package::PackageType;
    use crate::model::target::{ImageKind, TargetKind};

    const IMAGE: TargetKind = TargetKind::Image(ImageKind::OciLayout);

    fn vulnerable(kind: PackageType, name: &str, version: &str, place: Location) -> Finding {
        let package = Arc::new(Package::new(kind, name, version).at(place.clone()));
        let kind = FindingKind::from(Vulnerability::new(package, "GHSA-1"));
        Finding::new("CVE-1", place, kind)
    }

    fn npm(version: &str, line: u32) -> Finding {
        let place = Location::line("web/package-lock.json", line);
        vulnerable(PackageType::NPM, "lodash", version, place)
    }

    fn bucket(content: &str, line: u32) -> Finding {
        let kind = FindingKind::Misconfiguration(Misconfiguration {
            resource: "aws_security_group.a".into(),
            fix: None,
            content: content.into(),
            calls: Vec::new(),
        });
        Finding::new("aws-ec2-x", Location::line("web/main.tf", line), kind)
    }

    /// Fingerprints of findings in one target, with their counts.
    fn identified(target: Target, found: Vec<Finding>) -> Vec<(String, u32)> {
        let mut report = Report {
            targets: vec![target],
            findings: found,
            ..Report::default()
        };
        findings(&mut report);
        let all = report.findings.into_iter();
        all.map(|finding| (finding.fingerprint, finding.count))
            .collect()
    }

    fn tree() -> Target {
        Target::new(TargetKind::Directory, ".")
    }

    fn one(finding: Finding) -> String {
        identified(tree(), vec![finding]).remove(0).0
    }

    #[test]
    fn edits_that_leave_the_problem_leave_the_fingerprint() {
        let before = one(npm("4.17.15", 10));
        assert!(before.starts_with("v2:"));
        // A bump within the release line, and moved lines.
        assert_eq!(before, one(npm("4.17.20", 99)));
        // The id that the user prefers to see.
        let mut renamed = npm("4.17.15", 10);
        renamed.rule = "GHSA-1".into();
        assert_eq!(before, one(renamed));
        // Another release line, package, file.
        assert_ne!(before, one(npm("3.10.1", 10)));
        let mut moved = npm("4.17.15", 10);
        moved.location.path = "api/package-lock.json".into();
        assert_ne!(before, one(moved));
        // A twin that comes, and one that goes, in whatever order.
        let twins = identified(tree(), vec![npm("3.10.1", 1), npm("4.17.15", 10)]);
        assert_eq!(twins[1], (before.clone(), 1));
        let turned = identified(tree(), vec![npm("4.17.15", 10), npm("3.10.1", 30)]);
        assert_eq!((&turned[0], &turned[1]), (&twins[1], &twins[0]));
        // The same twice.
        let same = identified(tree(), vec![npm("4.17.15", 10), npm("4.17.19", 20)]);
        assert_eq!(same, [(before.clone(), 2), (before, 2)]);
    }

    #[test]
    fn failures_of_one_resource_are_told_apart_by_content() {
        let all = identified(tree(), vec![bucket("~aa", 3), bucket("~bb", 9)]);
        assert_ne!(all[0].0, all[1].0);
        // The first one is repaired, and the second moves up.
        assert_eq!(all[1].0, one(bucket("~bb", 3)));
    }

    #[test]
    fn the_name_of_a_target_is_not_part_of_it() {
        let from = |prefix: &str, base: &str, shown: &str| {
            let target = Target {
                prefix: prefix.to_owned(),
                base: base.to_owned(),
                ..Target::new(TargetKind::Directory, "any")
            };
            let mut finding = npm("4.17.15", 1);
            finding.location.path = shown.into();
            identified(target, vec![finding]).remove(0).0
        };
        let inside = from("", "web", "package-lock.json");
        assert_eq!(inside, from("", "", "web/package-lock.json"));
        assert_eq!(inside, from("web", "web", "web/package-lock.json"));
        assert_eq!(
            inside,
            from("repo/web", "web", "repo/web/package-lock.json")
        );
        // The same image in an archive and a layout, with a layer that came in between.
        let image = |path: &str, index: u32| {
            let layer = Arc::new(Layer {
                index,
                digest: "sha256:a".into(),
                diff_id: "sha256:b".into(),
            });
            let place = Location {
                layer: Some(layer),
                ..Location::file("var/lib/dpkg/status")
            };
            let found = vulnerable(PackageType::DEB, "openssl", "3.0.1-1", place);
            identified(Target::new(IMAGE, path), vec![found])
                .remove(0)
                .0
        };
        assert_eq!(image("app.tar", 0), image("layout", 3));
    }

    #[test]
    fn release_lines() {
        for (version, line) in [
            ("1.2.3", "1"),
            ("v1.2.3", "v1"),
            ("0.4.1", "0.4"),
            ("0.0.3", "0.0.3"),
            ("10", "10"),
            ("2024.1", "2024"),
            ("", ""),
            ("main", "main"),
            ("0", "0"),
        ] {
            assert_eq!(release_line(version), line, "{version}");
        }
    }
}
