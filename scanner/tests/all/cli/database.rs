//! The database as a user meets it: missing, damaged, old, asked.

use super::*;

#[test]
fn without_a_database_the_error_names_the_command_that_mends_it() {
    let directory = demo();
    let found = run(directory.path(), &["scan", "demo"]);
    assert_eq!(found.code, 2);
    assert!(found.err.contains("portcullis db build"), "{}", found.err);
    // What needs no advisories is judged all the same.
    assert!(found.out.contains("no-database"), "{}", found.out);
    assert!(found.out.contains("aws-s3-public-acl"), "{}", found.out);
    assert!(found.out.lines().last().unwrap().starts_with("ERROR: "));
}

#[test]
fn a_damaged_database_is_refused() {
    let directory = demo();
    let path = directory.path().join("demo.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(&path, bytes).unwrap();
    assert_eq!(scan(&directory, &[]).code, 2);
}

#[test]
fn a_database_answers_questions() {
    let directory = demo();
    let asked = run(
        directory.path(),
        &[
            "db",
            "query",
            "crates.io",
            "time",
            "0.1.43",
            "--db",
            "demo.db",
            "--format",
            "json",
        ],
    );
    assert_eq!(asked.code, 0, "{}", asked.err);
    let answer = asked.json();
    assert_eq!(answer["matches"][0]["id"], "RUSTSEC-2020-0071");
    let fixed = run(
        directory.path(),
        &[
            "db",
            "query",
            "crates.io",
            "time",
            "0.2.23",
            "--db",
            "demo.db",
            "--format",
            "json",
        ],
    );
    assert_eq!(fixed.json()["matches"].as_array().unwrap().len(), 0);
    let status = run(
        directory.path(),
        &["db", "status", "--db", "demo.db", "--format", "json"],
    );
    assert_eq!(status.json()["records"], 7);
}

#[test]
fn another_database_than_the_pinned_one_is_refused() {
    let directory = demo();
    let status = run(
        directory.path(),
        &["db", "status", "--db", "demo.db", "--format", "json"],
    );
    let digest = status.json()["digest"].as_str().unwrap().to_owned();
    assert_eq!(scan(&directory, &["--db-digest", &digest]).code, 1);
    let other = scan(&directory, &["--db-digest", "sha256:00", "--exit-zero"]);
    assert_eq!(other.code, 2);
    assert!(other.err.contains(&digest), "{}", other.err);
}

#[test]
fn the_database_answers_as_of_a_day() {
    let directory = demo();
    let report = scan(&directory, &["--format", "json", "--as-of", "2020-12-31"]).json();
    assert_eq!(
        rules(&report, "vulnerability"),
        [
            "demo PYSEC-2018-28",
            "demo RUSTSEC-2020-0071",
            "demo/image PYSEC-2018-28",
        ]
    );
    assert_eq!(
        report["database"]["as_of"],
        "2020-12-31T23:59:59.999999999Z"
    );
}

#[test]
fn old_advisories_are_told_and_can_fail_the_run() {
    let directory = demo();
    let told = scan(&directory, &["--format", "json"]).json();
    let stale = told["database"]["stale"].as_array().unwrap();
    assert_eq!(stale[0]["ecosystem"], "Debian:12");
    let quiet = scan(&directory, &["--format", "json", "--on-stale", "ignore"]).json();
    assert!(quiet["database"].get("stale").is_none());
    // The report is written all the same, in every format.
    for format in ["table", "json", "sarif"] {
        let old = ["--on-stale", "fail", "--exit-zero", "--format", format];
        let old = scan(&directory, &old);
        assert_eq!(old.code, 2);
        assert!(old.out.contains("Debian:12"), "{}", old.out);
        assert!(old.err.contains("Debian:12"), "{}", old.err);
    }
    for (bounds, code) in [("9999", 0), ("9999,PyPI=7", 2), ("Debian=9999", 2)] {
        let bounded = ["--on-stale", "fail", "--max-age", bounds, "--exit-zero"];
        assert_eq!(scan(&directory, &bounded).code, code, "{bounds}");
    }
}
