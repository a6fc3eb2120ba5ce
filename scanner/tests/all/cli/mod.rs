//! The program as a user runs it: exit codes, reports, errors. The demo repository is the input.

mod absolute;
#[cfg(unix)]
mod action;
mod eol;
mod ignores;
mod installers;
mod known;
mod plans;
mod readme;
mod remarks;
mod writing;

mod database;
mod trees;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

/// What a run gave.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.err))
    }
}

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// Runs the binary in `directory` with nothing of our environment that could change the outcome.
pub(crate) fn run(directory: &Path, arguments: &[&str]) -> Run {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test starts the program it tests"
    )]
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("HOME", directory)
        // Nothing that an older program kept, and no file beside the repository.
        .env("PORTCULLIS_CACHE", "/dev/null/layers")
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A copy of the demo with its database beside it.
pub(crate) fn demo() -> TempDir {
    let directory = TempDir::new().unwrap();
    copy(
        &repository().join("testdata/demo"),
        &directory.path().join("demo"),
    );
    let advisories = repository().join("testdata/demo-advisories");
    let built = run(
        directory.path(),
        &[
            "db",
            "build",
            "--osv",
            advisories.to_str().unwrap(),
            "--db",
            "demo.db",
        ],
    );
    assert_eq!(built.code, 0, "{}", built.err);
    directory
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub(crate) fn scan(directory: &TempDir, arguments: &[&str]) -> Run {
    let mut all = vec!["scan", "demo", "--db", "demo.db", "--date", "2026-11-21"];
    all.extend_from_slice(arguments);
    run(directory.path(), &all)
}

fn rules(report: &Value, kind: &str) -> Vec<String> {
    let mut ids: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["kind"] == kind)
        .map(|finding| {
            format!(
                "{} {}",
                finding["target"].as_str().unwrap(),
                finding["rule_id"].as_str().unwrap()
            )
        })
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

#[test]
fn the_demo_shows_what_is_vulnerable_in_lockfiles_and_layers() {
    let directory = demo();
    let found = scan(&directory, &["--format", "json"]);
    assert_eq!(found.code, 1, "{}", found.err);
    let report = found.json();
    assert_eq!(
        rules(&report, "vulnerability"),
        [
            "demo GHSA-35jh-r3h4-6jhm",
            "demo PYSEC-2018-28",
            "demo RUSTSEC-2020-0071",
            "demo/image DEBIAN-CVE-2023-5678",
            "demo/image DEBIAN-CVE-2024-6119",
            "demo/image GHSA-35jh-r3h4-6jhm",
            "demo/image PYSEC-2018-28",
        ]
    );
    assert!(
        report["verdict"]["complete"].as_bool().unwrap(),
        "{}",
        report["gaps"]
    );
    let webp = report["packages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["name"] == "libwebp7")
        .unwrap();
    assert_eq!(
        webp["locations"][0]["layer"]["index"], 1,
        "the layer that upgraded it"
    );
}

#[test]
fn the_severity_without_a_vector_comes_from_the_alias_and_says_so() {
    let report = scan(&demo(), &["--format", "json"]).json();
    let finding = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["rule_id"] == "PYSEC-2018-28")
        .unwrap();
    assert_eq!(finding["severity"], "HIGH");
    assert_eq!(
        finding["severity_source"],
        "CVSS_V3 (alias GHSA-x84v-xcm2-53pg)"
    );
}

#[test]
fn the_code_is_the_same_for_every_format() {
    let directory = demo();
    for format in ["table", "json", "sarif"] {
        assert_eq!(scan(&directory, &["--format", format]).code, 1, "{format}");
        assert_eq!(
            scan(&directory, &["--format", format, "--fail-on", "critical"]).code,
            0,
            "{format}"
        );
        assert_eq!(
            scan(&directory, &["--format", format, "--exit-zero"]).code,
            0,
            "{format}"
        );
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let directory = demo();
    for format in ["table", "json", "sarif"] {
        let first = scan(&directory, &["--format", format]).out;
        assert_eq!(first, scan(&directory, &["--format", format]).out);
        assert!(
            !first.contains(directory.path().to_str().unwrap()),
            "no absolute path"
        );
    }
}

#[test]
fn further_reports_are_written_beside_the_one_on_stdout() {
    let directory = demo();
    let found = scan(
        &directory,
        &["--report", "sarif=out.sarif", "--report", "json=out.json"],
    );
    assert_eq!(found.code, 1, "{}", found.err);
    assert!(
        found.out.lines().last().unwrap().starts_with("FAIL"),
        "{}",
        found.out
    );
    let sarif: Value =
        serde_json::from_slice(&fs::read(directory.path().join("out.sarif")).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let json: Value =
        serde_json::from_slice(&fs::read(directory.path().join("out.json")).unwrap()).unwrap();
    assert_eq!(json["verdict"]["passed"], false);
}

#[test]
fn infrastructure_alone_needs_no_database() {
    let directory = demo();
    let found = run(
        directory.path(),
        &["scan", "demo", "--only", "misconfig", "--format", "json"],
    );
    assert_eq!(found.code, 1, "{}", found.err);
    let report = found.json();
    assert!(report["database"].is_null());
    let volume: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["rule_id"] == "aws-ec2-volume-unencrypted")
        .collect();
    assert_eq!(volume.len(), 1);
    assert_eq!(
        volume[0]["resource"],
        "module.store[\"cold\"].aws_ebs_volume.data"
    );
}

#[test]
fn wrong_usage_is_2() {
    let directory = TempDir::new().unwrap();
    for arguments in [
        &["scan", "--format", "pdf"][..],
        &["scan", "--fail-on", "sometimes"],
        &["scan", "--date", "yesterday"],
        &["scan", "--platform", "linux"],
        &["scan", "--report", "sarif"],
        &["rules", "explain", "no-such-rule"],
        &["db", "build"],
        &["nonsense"],
        &[],
    ] {
        let found = run(directory.path(), arguments);
        assert_eq!(found.code, 2, "{arguments:?}: {}", found.err);
    }
}

#[test]
fn rules_can_be_listed_explained_and_tested() {
    let directory = TempDir::new().unwrap();
    let list = run(directory.path(), &["rules", "list", "--format", "json"]);
    assert_eq!(list.code, 0, "{}", list.err);
    assert!(list.json()["rules"].as_array().unwrap().len() >= 25);
    let explained = run(directory.path(), &["rules", "explain", "AWS-0092"]);
    assert!(explained.out.starts_with("# "), "{}", explained.out);
    assert!(!explained.out.starts_with("# #"), "{}", explained.out);
    let own = repository().join("rules/aws");
    let tested = run(directory.path(), &["rules", "test", own.to_str().unwrap()]);
    assert_eq!(tested.code, 0, "{}", tested.out);
}

#[test]
fn a_vex_statement_suppresses_and_can_be_written_back() {
    let directory = demo();
    let statement = r#"{
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1",
        "author": "us", "timestamp": "2026-01-01T00:00:00Z", "version": 1,
        "statements": [
            {"vulnerability": {"name": "CVE-2021-23337"}, "products": [{"@id": "pkg:npm/lodash"}],
             "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path"},
            {"vulnerability": {"name": "CVE-1999-0001"}, "products": [{"@id": "pkg:npm/lodash"}],
             "status": "fixed"}
        ]}"#;
    fs::write(directory.path().join("own.json"), statement).unwrap();
    let arguments = [
        "--format",
        "json",
        "--vex",
        "own.json",
        "--write-vex",
        "out.json",
    ];
    let report = scan(&directory, &arguments).json();
    let lodash: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["package"] == "lodash")
        .collect();
    assert_eq!(lodash.len(), 2, "suppressed findings stay in the report");
    assert!(
        lodash
            .iter()
            .all(|finding| finding["suppressed"]["by"] == "vex")
    );
    assert_eq!(
        report["unmatched_suppressions"].as_array().unwrap().len(),
        1
    );
    let again = scan(&directory, &["--format", "json", "--vex", "out.json"]).json();
    assert_eq!(again["verdict"]["reason"], report["verdict"]["reason"]);
    fs::write(directory.path().join("own.json"), "{").unwrap();
    assert_eq!(
        scan(&directory, &["--vex", "own.json", "--exit-zero"]).code,
        2
    );
}

#[test]
fn sarif_names_files_as_the_repository_does() {
    let sarif: Value = serde_json::from_str(&scan(&demo(), &["--format", "sarif"]).out).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let mut uris: Vec<&str> = results
        .iter()
        .map(|result| {
            let place = &result["locations"][0]["physicalLocation"];
            place["artifactLocation"]["uri"].as_str().unwrap()
        })
        .filter(|uri| !uri.contains('!'))
        .collect();
    uris.dedup();
    assert!(uris.contains(&"demo/infra/main.tf"), "{uris:?}");
    assert!(
        uris.iter().all(|uri| !uri.contains("demo/demo")),
        "{uris:?}"
    );
}
