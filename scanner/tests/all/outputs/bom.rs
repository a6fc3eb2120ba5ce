//! Bills of materials: every reference is there and there once, gaps are said, and the same report
//! gives the same bytes.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis::model::location::Location;
use portcullis::model::package::{Package, PackageType};
use portcullis::output::Format;
use serde_json::Value;

use super::{document, sample, written};
use crate::cli;

fn texts<'v>(values: &'v Value, key: &str) -> Vec<&'v str> {
    let values = values.as_array().unwrap();
    values
        .iter()
        .map(|value| value[key].as_str().unwrap())
        .collect()
}

#[test]
fn references_of_cyclonedx_are_whole() {
    let report = sample::report();
    let bill = document(Format::CycloneDx16, &report);
    assert_eq!(
        (&bill["bomFormat"], &bill["specVersion"]),
        (&"CycloneDX".into(), &"1.6".into())
    );
    let serial = bill["serialNumber"].as_str().unwrap();
    assert!(
        serial.starts_with("urn:uuid:") && serial.len() == 45,
        "{serial}"
    );
    let mut references = texts(&bill["components"], "bom-ref");
    references.push(bill["metadata"]["component"]["bom-ref"].as_str().unwrap());
    let unique: BTreeSet<&str> = references.iter().copied().collect();
    assert_eq!(unique.len(), references.len());
    for dependency in bill["dependencies"].as_array().unwrap() {
        assert!(unique.contains(dependency["ref"].as_str().unwrap()));
        for below in dependency["dependsOn"].as_array().unwrap() {
            assert!(unique.contains(below.as_str().unwrap()), "{below}");
        }
    }
    let vulnerabilities = bill["vulnerabilities"].as_array().unwrap();
    assert!(!vulnerabilities.is_empty());
    for vulnerability in vulnerabilities {
        for affected in vulnerability["affects"].as_array().unwrap() {
            assert!(
                unique.contains(affected["ref"].as_str().unwrap()),
                "{affected}"
            );
        }
    }
    let is_suppressed = |one: &&Value| one.get("analysis").is_some();
    let found = report.findings.iter();
    let suppressed = found.filter(|finding| finding.suppressed.is_some()).count();
    assert_eq!(
        vulnerabilities.iter().filter(is_suppressed).count() > 0,
        suppressed > 0
    );
    let gaps = texts(&bill["metadata"]["properties"], "name");
    assert_eq!(gaps.len(), report.gaps.len());
    let incomplete = texts(&bill["compositions"], "aggregate");
    assert!(incomplete.contains(&"incomplete"), "{incomplete:?}");
}

#[test]
fn elements_of_spdx_are_whole() {
    let report = sample::report();
    let bill = document(Format::Spdx23, &report);
    assert_eq!(bill["spdxVersion"], "SPDX-2.3");
    let ids = texts(&bill["packages"], "SPDXID");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len());
    assert_eq!(ids.len(), report.packages.len() + report.targets.len());
    for relation in bill["relationships"].as_array().unwrap() {
        let from = relation["spdxElementId"].as_str().unwrap();
        let to = relation["relatedSpdxElement"].as_str().unwrap();
        assert!(
            from == "SPDXRef-DOCUMENT" || unique.contains(from),
            "{from}"
        );
        assert!(unique.contains(to), "{to}");
    }
    assert!(bill["comment"].as_str().unwrap().starts_with("incomplete"));
}

#[test]
fn edges_lead_to_the_version_that_is_meant() {
    let mut report = sample::report();
    let package = |name: &str, version: &str, needs: &[&str]| {
        let mut package = Package::new(PackageType::NPM, name, version).at(Location::file("l"));
        package.dependencies = needs.iter().map(|need| Arc::from(*need)).collect();
        (0, Arc::new(package))
    };
    report.packages = vec![
        package("@s/a", "1.0.0", &["@s/b@2.0.0", "c", "nothing@1"]),
        package("@s/b", "1.0.0", &[]),
        package("@s/b", "2.0.0", &["c@1.0.0"]),
        package("c", "1.0.0", &[]),
    ];
    report.findings.clear();
    let bill = document(Format::CycloneDx16, &report);
    let edges = bill["dependencies"].as_array().unwrap();
    let below = |start: &str| {
        let mut all = edges.iter();
        let found = all.find(|edge| edge["ref"].as_str().unwrap().starts_with(start));
        let below = found.unwrap()["dependsOn"].as_array().unwrap().iter();
        let below = below.map(|one| one.as_str().unwrap().split('#').next().unwrap().to_owned());
        below.collect::<Vec<_>>()
    };
    assert_eq!(
        below("pkg:npm/%40s/a@1.0.0"),
        ["pkg:npm/%40s/b@2.0.0", "pkg:npm/c@1.0.0"]
    );
    assert_eq!(below("pkg:npm/%40s/b@2.0.0"), ["pkg:npm/c@1.0.0"]);
}

#[test]
fn the_same_report_gives_the_same_bill() {
    let report = sample::report();
    for format in [Format::CycloneDx16, Format::Spdx23] {
        assert_eq!(written(format, &report), written(format, &report));
    }
    let mut other = sample::report();
    other.packages.pop();
    let serial = |report| document(Format::CycloneDx16, report)["serialNumber"].clone();
    assert_ne!(serial(&report), serial(&other));
}

#[test]
fn a_bill_of_ours_is_read_back_without_loss() {
    let here = tempfile::tempdir().unwrap();
    let image = cli::repository().join("testdata/demo/image");
    let image = image.to_str().unwrap();
    let scan = |target: &str, format: &str| {
        let arguments = ["scan", target, "--only", "vuln", "--format", format];
        cli::run(here.path(), &arguments)
    };
    let packages = |target: &str| {
        let mut report = scan(target, "json").json();
        for package in report["packages"].as_array_mut().unwrap() {
            package.as_object_mut().unwrap().remove("target");
        }
        report["packages"].clone()
    };
    let bill = scan(image, "cyclonedx").out;
    std::fs::write(here.path().join("bill.json"), bill).unwrap();
    let read = packages("bill.json");
    assert_eq!(read.as_array().unwrap().len(), 5);
    assert_eq!(read, packages(image));
}
