//! The ledger adds up, and the exit code is the same whatever the format: on the demo, on trees
//! made here, and on the shared inputs where they are.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::cli::{demo, run, scan};

/// Where the shared inputs lie; says so where they do not.
fn shared() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");
    let root = std::env::var_os("PORTCULLIS_SHARED").map_or_else(|| default.into(), PathBuf::from);
    if root.is_dir() {
        return Some(root);
    }
    eprintln!("skipped: no shared inputs at {}", root.display());
    None
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// Why the ledger of a report does not add up; empty: it does.
fn wrong(report: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for target in report["targets"].as_array().unwrap() {
        let files = &target["coverage"]["files"];
        let skipped = files["skipped"].as_object().unwrap().values();
        let fates = skipped.map(number).sum::<u64>()
            + number(&files["read"])
            + number(&files["unreadable"]);
        if number(&files["seen"]) != fates || number(&files["recognised"]) > number(&files["seen"])
        {
            wrong.push(format!("{}: {files}", target["id"]));
        }
        let packages = target["coverage"]["packages"].as_object().unwrap().values();
        let counted: u64 = packages
            .map(|one| number(&one["judged"]) + number(&one["not_judged"]))
            .sum();
        let all = report["packages"].as_array().unwrap().iter();
        let listed = all.filter(|one| one["target"] == target["id"]).count() as u64;
        if counted != listed {
            wrong.push(format!("{}: {counted} packages of {listed}", target["id"]));
        }
    }
    wrong
}

fn ledger(directory: &Path, target: &str, database: &str) -> Option<Vec<String>> {
    let found = run(
        directory,
        &[
            "scan",
            target,
            "--db",
            database,
            "--format",
            "json",
            "--date",
            "2026-11-21",
        ],
    );
    // A target that cannot be read at all may have no report.
    let report: Value = serde_json::from_str(&found.out).ok()?;
    Some(wrong(&report))
}

#[test]
fn it_adds_up_on_the_demo() {
    let directory = demo();
    assert_eq!(
        ledger(directory.path(), "demo", "demo.db"),
        Some(Vec::new())
    );
}

#[test]
fn it_adds_up_on_all_shared_inputs() {
    let Some(shared) = shared() else { return };
    let directory = demo();
    let mut inputs = Vec::new();
    for parent in [
        "field-cases/inventory",
        "field-cases/hostile",
        "field-cases/terraform",
        "iac-corpus/hcl-eval",
        "iac-corpus/goats",
    ] {
        let Ok(entries) = fs::read_dir(shared.join(parent)) else {
            continue;
        };
        inputs.extend(entries.map(|entry| entry.unwrap().path()));
    }
    assert!(inputs.len() > 100, "{}", inputs.len());
    let database = directory.path().join("demo.db");
    let mut problems = Vec::new();
    for input in inputs.iter().filter(|input| input.is_dir()) {
        let found = ledger(input, ".", database.to_str().unwrap());
        problems.extend(
            found
                .unwrap_or_default()
                .into_iter()
                .map(|problem| format!("{}: {problem}", input.display())),
        );
    }
    assert_eq!(problems, [""; 0]);
}

/// A tree with a gap of each class that options decide about.
fn scene() -> TempDir {
    let directory = demo();
    let root = directory.path();
    fs::create_dir_all(root.join("demo/web2")).unwrap();
    fs::write(root.join("demo/web2/bun.lockb"), "{}").unwrap();
    fs::write(root.join("demo/Dockerfile"), "FROM scratch\n").unwrap();
    directory
}

#[test]
fn the_exit_code_never_depends_on_the_format() {
    let directory = scene();
    for (arguments, code) in [
        (&[][..], 2),
        (&["--strict"], 2),
        (&["--lenient"], 1),
        (&["--lenient", "--exit-zero"], 0),
        (&["--strict", "--exit-zero"], 2),
        (&["--allow", "not-read"], 1),
        (&["--allow", "NOT-READ", "--strict"], 1),
        (&["--allow", "not-read", "--exit-zero"], 0),
        (&["--allow", "not-read=demo/web2/*"], 1),
        (&["--allow", "not-read=demo/web2/*", "--strict"], 2),
        (&["--allow", "not-read=demo/Dockerfile"], 2),
        (&["--allow", "no-lockfile"], 2),
        (&["--lenient", "--fail-on", "none"], 0),
        (
            &[
                "--lenient",
                "--fail-on",
                "none",
                "--fail-on-undecided",
                "high",
            ],
            1,
        ),
    ] {
        for format in ["table", "json", "sarif"] {
            let all = [arguments, &["--format", format]].concat();
            let found = scan(&directory, &all);
            assert_eq!(found.code, code, "{all:?}: {}{}", found.out, found.err);
            if format == "json" {
                let verdict = &found.json()["verdict"];
                assert_eq!(verdict["exit_code"], code, "{all:?}");
            }
        }
    }
    let usage = scan(&directory, &["--strict", "--lenient"]);
    assert_eq!(usage.code, 2);
    assert!(usage.out.is_empty(), "{}", usage.out);
}

#[test]
fn accepted_gaps_stay_and_are_marked() {
    let directory = scene();
    let found = scan(&directory, &["--format", "json", "--allow", "not-read"]);
    let report = found.json();
    let gaps = report["gaps"].as_array().unwrap();
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert!(gaps.iter().all(|gap| gap["accepted"] == true), "{gaps:?}");
    assert_eq!(report["verdict"]["gaps"]["accepted"], 2);
    assert_eq!(report["verdict"]["complete"], false);
    let table = scan(&directory, &["--allow", "not-read"]).out;
    assert!(table.contains("  accepted  not-read"), "{table}");
}

#[test]
fn a_target_in_which_nothing_is_judged_is_not_clean() {
    let directory = demo();
    let root = directory.path();
    fs::create_dir_all(root.join("empty")).unwrap();
    fs::create_dir_all(root.join("docs")).unwrap();
    fs::write(root.join("docs/README.md"), "words\n").unwrap();
    for target in ["empty", "docs"] {
        let found = run(root, &["scan", target, "--db", "demo.db"]);
        assert_eq!(found.code, 2, "{}", found.out);
        assert!(found.out.contains("nothing-judged"), "{}", found.out);
        assert!(!found.out.contains("PASS"), "{}", found.out);
        let allow = format!("nothing-judged={target}");
        let found = run(
            root,
            &["scan", target, "--db", "demo.db", "--allow", &allow],
        );
        assert_eq!(found.code, 0, "{}", found.out);
    }
}
