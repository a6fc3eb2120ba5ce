//! SARIF against code scanning's demands.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis::model::finding::{FindingKind, Severity};
use portcullis::model::location::Location;
use portcullis::model::package::{Package, PackageType};
use portcullis::model::report::Report;
use portcullis::output::Format;
use serde_json::Value;

use super::{document, sample, written};

fn shared() -> PathBuf {
    std::env::var_os("PORTCULLIS_SHARED").map_or_else(
        || Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")).to_owned(),
        PathBuf::from,
    )
}

/// What `check-sarif` says; `None` without it or Python.
#[expect(
    clippy::disallowed_methods,
    reason = "an independent checker, in tests only"
)]
fn checked(sarif: &str) -> Option<String> {
    let tool = shared().join("tools/check-sarif");
    if !tool.is_file() {
        println!("skipped: no shared data");
        return None;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), sarif).unwrap();
    let run = std::process::Command::new("python3")
        .arg(tool)
        .arg(file.path())
        .output();
    let Ok(run) = run else {
        println!("skipped: no python3");
        return None;
    };
    Some(String::from_utf8_lossy(&run.stdout).into_owned())
}

#[test]
fn the_independent_checker_is_content() {
    if let Some(said) = checked(&written(Format::Sarif, &sample::report())) {
        assert_eq!(said, "0 errors, 0 warnings\n");
    }
}

/// The sample with many findings, alike but for their package.
fn many(count: usize) -> Report {
    let mut report = sample::report();
    report.findings = (0..count)
        .map(|n| {
            let line = u32::try_from(n).unwrap() + 1;
            let package = Package::new(PackageType::NPM, format!("package-{n}"), "1.0.0")
                .at(Location::line("package-lock.json", line));
            let severity = if n == 7 {
                Severity::Low
            } else {
                Severity::High
            };
            let id = format!("GHSA-{}", n % 300);
            sample::vulnerability(0, &id, &Arc::new(package), severity)
        })
        .collect();
    report.rules = sample::rules(&report.findings);
    report
}

#[test]
fn the_least_severe_go_first_and_it_is_said() {
    let sarif = document(Format::Sarif, &many(25_001));
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 25_000);
    assert!(results.iter().all(|result| result["level"] == "error"));
    assert_eq!(run["properties"]["results_dropped"], 1);
    let notes = run["invocations"][0]["toolExecutionNotifications"]
        .as_array()
        .unwrap();
    let last = notes.last().unwrap();
    assert_eq!(last["descriptor"]["id"], "results-dropped");
    assert!(
        last["message"]["text"]
            .as_str()
            .unwrap()
            .starts_with("1 result left out")
    );
}

#[test]
fn rules_and_results_agree() {
    let sarif = document(Format::Sarif, &sample::report());
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!((rules.len(), results.len()), (7, 9));
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    let text = |n: usize| results[n]["message"]["text"].as_str().unwrap();
    assert_eq!(results[0]["properties"]["epss"]["score"], 0.94999);
    assert_eq!(results[0]["properties"]["kev"]["ransomware"], true);
    assert!(results[1]["properties"].get("epss").is_none());
    assert_eq!(text(0), "tar 0.3.0 → 0.4.1: Vulnerability in tar.");
    assert_eq!(text(1), "tar 0.4.0 (no fix known): Vulnerability in tar.");
    assert_eq!(
        run["automationDetails"]["id"],
        "portcullis/.,build/app.tar/"
    );
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn image_results_have_a_file_and_a_layer() {
    let sarif = document(Format::Sarif, &sample::report());
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let result = results
        .iter()
        .find(|r| r["ruleId"] == "DEBIAN-CVE-2026-1")
        .unwrap();
    let place = &result["locations"][0];
    assert_eq!(
        place["physicalLocation"]["artifactLocation"]["uri"],
        "build/app.tar!/var/lib/dpkg/status"
    );
    assert_eq!(place["physicalLocation"]["region"]["startLine"], 1);
    assert_eq!(place["logicalLocations"][1]["name"], "layer 0");
    assert_eq!(
        result["suppressions"][0]["justification"],
        "VEX vex.json: not_affected: not reachable\\u{7}"
    );
    assert_eq!(result["suppressions"][0]["kind"], "external");
}

#[test]
fn fingerprints_survive_new_versions_and_moved_lines() {
    let marks = |report: &Report| -> Vec<String> {
        let sarif = document(Format::Sarif, report);
        let results = sarif["runs"][0]["results"].as_array().unwrap().clone();
        let mark = |r: &Value| r["partialFingerprints"]["primaryLocationLineHash"].to_string();
        results.iter().map(mark).collect()
    };
    let before = sample::report();
    let mut after = before.clone();
    for finding in &mut after.findings {
        if let Some(region) = &mut finding.location.region {
            region.start_line += 100;
            region.end_line += 100;
        }
        if let FindingKind::Vulnerability(found) = &mut finding.kind {
            let mut package = Package::clone(&found.package);
            package.version = format!("{}.1", package.version).into();
            found.package = Arc::new(package);
        }
    }
    let before = marks(&before);
    assert_eq!(before, marks(&after));
    let distinct: BTreeSet<&String> = before.iter().collect();
    assert_eq!(distinct.len(), before.len());
}

#[test]
fn overlapping_targets_give_one_result() {
    let mut report = sample::report();
    let again = report.findings.clone();
    report.findings.extend(again);
    let sarif = document(Format::Sarif, &report);
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 9);
}

#[test]
fn deceiving_text_is_defused() {
    let text = written(Format::Sarif, &sample::report());
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{7}']));
    assert!(!text.contains("\\u001b") && !text.contains("\\u202e"));
    let sarif = document(Format::Sarif, &sample::report());
    for result in sarif["runs"][0]["results"].as_array().unwrap() {
        assert!(!result["message"]["text"].as_str().unwrap().contains("]("));
    }
    for rule in sarif["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
    {
        if rule["name"] == "VulnerablePackage" {
            let help = rule["help"]["markdown"].as_str().unwrap();
            assert!(help.contains("\\<img src=x\\>") && help.contains("\\[a\\](https\\://"));
        }
    }
}

#[test]
fn the_checker_is_content_with_many_and_with_none() {
    let none = Report::default();
    for (report, expected) in [(many(5_001), 1), (none, 0)] {
        if let Some(said) = checked(&written(Format::Sarif, &report)) {
            // More than 5,000 results is a warning by itself.
            assert!(
                said.ends_with(&format!("0 errors, {expected} warnings\n")),
                "{said}"
            );
        }
    }
}
