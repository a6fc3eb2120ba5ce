//! What RustSec and the index of crates.io say besides vulnerabilities: seen and counted in every
//! output, and no reason to fail unless asked for.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Run, repository, run};

const LOCK: &str = r#"version = 4

[[package]]
name = "barrel"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "barrel"
version = "1.0.0"
source = "git+https://git.example/barrel#0123456789012345678901234567890123456789"

[[package]]
name = "barrel"
version = "1.0.1"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "bucket"
version = "2.0.0"
source = "registry+https://registry.example/index"

[[package]]
name = "left-behind"
version = "9.9.9"
source = "sparse+https://index.crates.io/"

[[package]]
name = "local"
version = "1.0.0"

[[package]]
name = "smallvec"
version = "1.6.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
"#;

/// A lockfile, an index that yanks barrel 1.0.0 and all the others, and a database with both.
fn project(with_index: bool) -> TempDir {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    fs::create_dir(root.join("app")).unwrap();
    fs::write(root.join("app/Cargo.lock"), LOCK).unwrap();
    for (path, name, version) in [
        ("ba/rr/barrel", "barrel", "1.0.0"),
        ("bu/ck/bucket", "bucket", "2.0.0"),
        ("lo/ca/local", "local", "1.0.0"),
    ] {
        let file = root.join("index").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let line = json!({ "name": name, "vers": version, "yanked": true });
        fs::write(file, format!("{line}\n")).unwrap();
    }
    let tree = repository().join("testdata/advisories/rustsec");
    let mut arguments = vec![
        "db",
        "build",
        "--db",
        "a.db",
        "--rustsec",
        tree.to_str().unwrap(),
    ];
    if with_index {
        arguments.extend(["--crates-index", "index"]);
    }
    let built = run(root, &arguments);
    assert_eq!(built.code, 0, "{}", built.err);
    directory
}

fn scan(directory: &TempDir, arguments: &[&str]) -> Run {
    let mut all = vec!["scan", "app", "--db", "a.db", "--date", "2026-11-21"];
    all.extend_from_slice(arguments);
    run(directory.path(), &all)
}

fn of_rule<'a>(report: &'a Value, rule: &str) -> Vec<&'a Value> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|one| one["rule_id"] == rule).collect()
}

#[test]
fn a_yanked_version_is_a_remark_about_crates_io_only() {
    let directory = project(true);
    let found = scan(&directory, &["--format", "json"]);
    assert_eq!(found.code, 0, "{}", found.err);
    let report = found.json();
    let yanked = of_rule(&report, "crates-io-yanked");
    assert_eq!(yanked.len(), 1);
    assert_eq!(yanked[0]["package"], "barrel");
    assert_eq!(yanked[0]["installed_version"], "1.0.0");
    assert_eq!(yanked[0]["location"]["start_line"], 4);
    assert_eq!(yanked[0]["informational"], "yanked");
    assert_eq!(yanked[0]["severity"], "UNKNOWN");
    let sources = report["database"]["sources"].as_array().unwrap();
    assert!(
        sources
            .iter()
            .any(|source| source["name"] == "crates-index/crates.io")
    );
    assert_eq!(scan(&directory, &["--fail-on", "unknown"]).code, 1);

    let table = scan(&directory, &[]).out;
    assert!(table.contains("yanked: The version was yanked"), "{table}");
    let sarif = scan(&directory, &["--format", "sarif"]).json();
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    let rule = rules
        .iter()
        .find(|rule| rule["id"] == "crates-io-yanked")
        .unwrap();
    assert!(
        rule["helpUri"]
            .as_str()
            .unwrap()
            .ends_with("cargo-yank.html")
    );

    // Without an index nothing of it.
    let report = scan(&project(false), &["--format", "json"]).json();
    assert!(of_rule(&report, "crates-io-yanked").is_empty());
}

#[test]
fn a_yanked_version_can_be_suppressed_by_vex() {
    let directory = project(true);
    let document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.org/vex",
        "author": "us",
        "timestamp": "2026-11-01T00:00:00Z",
        "version": 1,
        "statements": [{
            "vulnerability": { "name": "crates-io-yanked" },
            "products": [{ "@id": "pkg:cargo/barrel@1.0.0" }],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
        }],
    });
    fs::write(directory.path().join("vex.json"), document.to_string()).unwrap();
    let report = scan(&directory, &["--format", "json", "--vex", "vex.json"]).json();
    let yanked = of_rule(&report, "crates-io-yanked");
    assert_eq!(
        yanked[0]["suppressed"]["status"], "not_affected",
        "{report:#}"
    );
}

#[test]
fn kinds_and_conditions_reach_every_output() {
    let directory = project(false);
    let report = scan(&directory, &["--format", "json"]).json();
    assert_eq!(
        of_rule(&report, "RUSTSEC-2099-0001")[0]["informational"],
        "unmaintained"
    );
    let limited = of_rule(&report, "RUSTSEC-2021-0003")[0];
    assert_eq!(
        limited["limited_to"],
        json!({ "functions": ["smallvec::SmallVec::insert_many"], "arch": ["x86_64"] })
    );
    assert!(limited.get("informational").is_none());
    let condition = "only on architecture x86_64; only through smallvec::SmallVec::insert_many";
    assert!(limited["message"].as_str().unwrap().ends_with(condition));
    let table = scan(&directory, &[]).out;
    assert!(
        table.contains("unmaintained: left-behind is unmaintained"),
        "{table}"
    );
    let sarif = scan(&directory, &["--format", "sarif"]).out;
    for text in ["unmaintained: left-behind", condition, "limited_to"] {
        assert!(sarif.contains(text), "{text}: {sarif}");
    }
    let arguments = [
        "db",
        "query",
        "crates.io",
        "smallvec",
        "1.6.0",
        "--db",
        "a.db",
    ];
    let answer = run(directory.path(), &arguments);
    assert!(answer.out.contains(condition), "{}", answer.out);
}
