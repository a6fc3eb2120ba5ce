//! Why a finding is one, which of its ids is shown, which fix to take: through the program.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::cli::{demo, run, scan};

fn findings(report: &Value) -> impl Iterator<Item = &Value> {
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["kind"] == "vulnerability")
}

/// Rule ids by fingerprint.
fn ids(report: &Value) -> BTreeMap<&str, &str> {
    findings(report)
        .map(|finding| {
            (
                finding["fingerprint"].as_str().unwrap(),
                finding["rule_id"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_preferred_id_is_shown_and_changes_no_fingerprint() {
    let directory = demo();
    let preferred = ["--prefer-id", "cve,GHSA", "--format", "json"];
    let default = scan(&directory, &["--format", "json"]).json();
    let preferred = scan(&directory, &preferred).json();
    let (before, after) = (ids(&default), ids(&preferred));
    assert!(before.keys().eq(after.keys()));
    let shown: Vec<&str> = after.values().copied().collect();
    assert!(shown.contains(&"CVE-2020-26235") && !shown.contains(&"RUSTSEC-2020-0071"));
    // A distribution's record of a vulnerability is one vulnerability with it.
    assert!(shown.contains(&"CVE-2024-6119"));
    let time = findings(&preferred)
        .find(|finding| finding["rule_id"] == "CVE-2020-26235")
        .unwrap();
    assert_eq!(
        time["aliases"],
        serde_json::json!(["GHSA-wcg3-cvx6-7396", "RUSTSEC-2020-0071"])
    );
}

#[test]
fn sarif_follows_the_preference_with_the_same_marks_and_texts() {
    let directory = demo();
    let read = |arguments: &[&str]| -> Value {
        let mut all = vec!["--format", "sarif"];
        all.extend_from_slice(arguments);
        scan(&directory, &all).json()["runs"][0].clone()
    };
    let (default, preferred) = (read(&[]), read(&["--prefer-id", "CVE"]));
    let marks = |run: &Value| {
        let mut marks: Vec<String> = run["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| result["partialFingerprints"].to_string())
            .collect();
        marks.sort();
        marks
    };
    assert_eq!(marks(&default), marks(&preferred));
    let rule = |run: &Value, id: &str| -> Value {
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        rules.iter().find(|rule| rule["id"] == id).unwrap().clone()
    };
    let help = rule(&preferred, "CVE-2020-26235")["help"]["text"].to_string();
    assert!(help.contains("Unix targets look up"), "{help}");
    rule(&default, "RUSTSEC-2020-0071");
    let result = &default["results"][0]["properties"];
    assert!(result["severity_reason"].is_string() || result["severity_source"] == "rule");
}

#[test]
fn findings_carry_ratings_reason_and_fix() {
    let report = scan(&demo(), &["--format", "json"]).json();
    let finding = |id: &str| {
        findings(&report)
            .find(|finding| finding["rule_id"] == id)
            .unwrap()
    };
    let lent = finding("PYSEC-2018-28");
    assert_eq!(
        lent["severity_reason"],
        "HIGH: CVSS_V3 7.5 of GHSA-x84v-xcm2-53pg (from an alias, the record itself has no vector)"
    );
    assert_eq!(lent["ratings"][0]["score"], 7.5);
    assert_eq!(
        lent["fix"],
        serde_json::json!({"state": "fixed", "version": "2.20.0", "step": "minor"})
    );
    let unknown = finding("DEBIAN-CVE-2023-5678");
    assert!(
        unknown["severity_reason"]
            .as_str()
            .unwrap()
            .starts_with("UNKNOWN: neither"),
        "{unknown}"
    );
    assert_eq!(unknown["fix"]["step"], "distribution");
}

#[test]
fn a_query_knows_its_ecosystems_days_and_names() {
    let directory = demo();
    let query = |arguments: &[&str]| {
        let mut all = vec!["db", "query", "--db", "demo.db", "--format", "json"];
        all.extend_from_slice(arguments);
        run(directory.path(), &all)
    };
    // Any case will do, and what it does not have is an error.
    assert_eq!(
        query(&["Crates.io", "time", "0.1.43"]).json()["ecosystem"],
        "crates.io"
    );
    let unknown = query(&["crates", "time", "0.1.43"]);
    assert_eq!((unknown.code, &*unknown.out), (2, ""));
    assert!(unknown.err.contains("crates.io"), "{}", unknown.err);
    let preferred = query(&["crates.io", "time", "0.1.43", "--prefer-id", "GHSA"]).json();
    assert_eq!(preferred["matches"][0]["id"], "GHSA-wcg3-cvx6-7396");
    assert_eq!(preferred["matches"][0]["record"], "RUSTSEC-2020-0071");
    assert_eq!(preferred["matches"][0]["fix"]["version"], "0.2.23");
    let before = query(&["crates.io", "time", "0.1.43", "--as-of", "2020-11-17"]);
    assert_eq!(before.json()["matches"].as_array().unwrap().len(), 0);
    assert_eq!(query(&["crates.io", "time", "--prefer-id", "a,,b"]).code, 2);
}

#[test]
fn why_explains_a_package_and_refuses_what_it_does_not_know() {
    let directory = demo();
    let why = |arguments: &[&str]| {
        let mut all = vec!["db", "why", "--db", "demo.db"];
        all.extend_from_slice(arguments);
        run(directory.path(), &all)
    };
    let affected = why(&["CVE-2020-26235", "pkg:cargo/time@0.1.43"]);
    assert_eq!(affected.code, 0, "{}", affected.err);
    for line in [
        "CVE-2020-26235 affects time 0.1.43 (crates.io)",
        "SEMVER: introduced 0.0.0-0 ≤ 0.1.43 < fixed 0.2.0: affected",
        "says that it is the same vulnerability as CVE-2020-26235, GHSA-wcg3-cvx6-7396",
        "severity   MEDIUM: CVSS_V3",
        "fix        0.2.23: the smallest fixed version, on another release line",
        "database   sha256:",
        "from osv/crates.io sha256:",
    ] {
        assert!(affected.out.contains(line), "{line}: {}", affected.out);
    }
    let fixed = why(&[
        "RUSTSEC-2020-0071",
        "crates.io",
        "time",
        "0.2.23",
        "--format",
        "json",
    ]);
    assert_eq!(fixed.code, 0, "{}", fixed.err);
    let fixed = fixed.json();
    assert_eq!(fixed["answer"], "not-affected");
    assert_eq!(
        fixed["reason"],
        "RUSTSEC-2020-0071 does not affect time 0.2.23 (crates.io): fixed 0.2.23 ≤ 0.2.23 (RUSTSEC-2020-0071)"
    );
    let later = why(&[
        "CVE-2020-26235",
        "crates.io",
        "time",
        "0.1.43",
        "--as-of",
        "2020-11-17",
    ]);
    assert!(later.out.contains("later than asked"), "{}", later.out);
    for arguments in [
        &["CVE-1999-1", "pkg:cargo/time@0.1.43"][..],
        &["CVE-2020-26235", "Nowhere", "time", "0.1.43"],
        &["CVE-2020-26235", "pkg:cargo/time"],
        &["CVE-2020-26235", "crates.io", "time"],
        &["CVE-2020-26235"],
        &["v1:0", "--report", "absent.json"],
    ] {
        let refused = why(arguments);
        assert_eq!((refused.code, &*refused.out), (2, ""), "{arguments:?}");
        assert!(refused.err.starts_with("error: "), "{}", refused.err);
    }
}

#[test]
fn why_explains_every_finding_of_a_report() {
    let directory = demo();
    let found = scan(&directory, &["--format", "json"]);
    fs::write(directory.path().join("report.json"), &found.out).unwrap();
    let report = found.json();
    let why = |arguments: &[&str]| {
        let mut all = vec!["db", "why", "--db", "demo.db", "--report", "report.json"];
        all.extend_from_slice(arguments);
        run(directory.path(), &all)
    };
    for (fingerprint, id) in ids(&report) {
        let told = why(&[fingerprint, "--format", "json"]);
        assert_eq!(told.code, 0, "{}", told.err);
        let told = told.json();
        assert_eq!(
            (&told["answer"], &told["id"]),
            (&"affected".into(), &id.into())
        );
    }
    // A binary package is looked up as its source package.
    let openssl = findings(&report)
        .find(|finding| finding["rule_id"] == "DEBIAN-CVE-2024-6119")
        .unwrap();
    let told = why(&[openssl["fingerprint"].as_str().unwrap()]);
    assert!(
        told.out.contains("looked up  Debian:12 openssl"),
        "{}",
        told.out
    );
    let rule = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["kind"] == "misconfiguration")
        .unwrap();
    let refused = why(&[rule["fingerprint"].as_str().unwrap()]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("portcullis rules explain"),
        "{}",
        refused.err
    );
    let lodash = findings(&report)
        .find(|finding| finding["package"] == "lodash")
        .unwrap();
    let other = why(&["CVE-2020-26235", lodash["purl"].as_str().unwrap()]);
    assert!(
        other
            .out
            .contains("no record of this vulnerability names lodash"),
        "{}",
        other.out
    );
}
