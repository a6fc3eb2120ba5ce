//! Bills of materials: every reference is there and there once, gaps are said, and the same report
//! gives the same bytes.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis::model::hash::Checksum;
use portcullis::model::location::Location;
use portcullis::model::package::{Package, PackageType};
use portcullis::output::Format;
use serde_json::Value;

use super::{document, sample, written};

/// All formats of bills.
const BILLS: [Format; 4] = [
    Format::CycloneDx16,
    Format::CycloneDx17,
    Format::Spdx23,
    Format::Spdx30,
];

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
    let newer = document(Format::CycloneDx17, &report);
    assert_eq!(newer["specVersion"], "1.7");
    assert_eq!(newer["components"], bill["components"]);
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
    for format in BILLS {
        assert_eq!(written(format, &report), written(format, &report));
    }
    let mut other = sample::report();
    other.packages.pop();
    let serial = |report| document(Format::CycloneDx16, report)["serialNumber"].clone();
    assert_ne!(serial(&report), serial(&other));
}

#[test]
fn elements_of_spdx_3_are_whole() {
    let report = sample::report();
    let bill = document(Format::Spdx30, &report);
    let elements = bill["@graph"].as_array().unwrap();
    let ids: Vec<&str> = elements
        .iter()
        .filter_map(|one| one["spdxId"].as_str())
        .collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len());
    let of = |kind: &str| elements.iter().filter(|one| one["type"] == kind).count();
    assert_eq!(
        of("software_Package"),
        report.packages.len() + report.targets.len()
    );
    let relations = elements.iter().filter(|one| one["type"] == "Relationship");
    let mut contained = BTreeSet::new();
    for relation in relations {
        assert!(unique.contains(relation["from"].as_str().unwrap()));
        for to in relation["to"].as_array().unwrap() {
            assert!(unique.contains(to.as_str().unwrap()), "{to}");
            contained.insert(to.as_str().unwrap());
        }
    }
    assert!(contained.len() >= report.packages.len());
    let whole = elements.iter().find(|one| one["type"] == "SpdxDocument");
    let whole = whole.unwrap();
    assert!(whole["comment"].as_str().unwrap().starts_with("incomplete"));
    let gaps = whole["extension"][0]["extension_cdxProperty"].as_array();
    assert_eq!(gaps.unwrap().len(), report.gaps.len());
}

/// A checksum of an archive is that of the package; several by one algorithm are none of it.
#[test]
fn only_true_checksums_are_hashes() {
    let sum = |digit: &str| Checksum::named(&format!("sha256:{}", digit.repeat(64))).unwrap();
    let mut report = sample::report();
    let package = |name: &str, checksums: Vec<Checksum>| {
        let mut package = Package::new(PackageType::PYPI, name, "1").at(Location::file("l"));
        package.checksums = checksums;
        (0, Arc::new(package))
    };
    let sha1 = Checksum::named(&format!("sha1:{}", "c".repeat(40))).unwrap();
    report.packages = vec![
        package("one", vec![sha1, sum("a")]),
        package("several", vec![sum("a"), sum("b")]),
    ];
    report.findings.clear();
    let bill = document(Format::CycloneDx16, &report);
    let components = bill["components"].as_array().unwrap().iter();
    let packages: Vec<&Value> = components.filter(|one| one.get("purl").is_some()).collect();
    let [one, several] = packages.as_slice() else {
        panic!("two packages");
    };
    assert_eq!(texts(&one["hashes"], "alg"), ["SHA-1", "SHA-256"]);
    assert_eq!(several.get("hashes"), None);
    let named = texts(&several["properties"], "name");
    let alternatives = named
        .iter()
        .filter(|name| name.ends_with("archive-checksum"));
    assert_eq!(alternatives.count(), 2);
    let bill = document(Format::Spdx23, &report);
    let count = |bill: &Value, key: &str| bill.to_string().matches(key).count();
    assert_eq!(count(&bill, "checksumValue"), 2);
    assert_eq!(count(&document(Format::Spdx30, &report), "hashValue"), 2);
}
