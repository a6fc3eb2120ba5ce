//! A database that does not have an ecosystem is never silence, and never a finding less.

use std::fs;

use tempfile::TempDir;

use super::run;

const LOCK: &str = r#"{"lockfileVersion":3,"packages":{"node_modules/both":{"version":"1.0.0"}}}"#;

#[test]
fn a_package_of_an_ecosystem_named_in_passing_is_a_gap() {
    let directory = TempDir::new().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir_all(at("osv/npm")).unwrap();
    fs::create_dir_all(at("source")).unwrap();
    let record = r#"{"id":"GHSA-both","modified":"2026-01-01T00:00:00Z","affected":[
        {"package":{"ecosystem":"npm","name":"both"},"versions":["1.0.0"]},
        {"package":{"ecosystem":"PyPI","name":"both"},"versions":["1.0.0"]}]}"#;
    fs::write(at("osv/npm/GHSA-both.json"), record).unwrap();
    fs::write(at("osv/ecosystems.txt"), "npm\n").unwrap();
    fs::write(at("source/package-lock.json"), LOCK).unwrap();
    fs::write(at("source/requirements.txt"), "both==1.0.0\nother==1\n").unwrap();
    let call = |arguments: &[&str]| run(directory.path(), arguments);
    let built = call(&["db", "build", "--osv", "osv", "--db", "npm.db"]);
    assert_eq!(built.code, 0, "{}", built.err);
    let scan = ["scan", "source", "--db", "npm.db", "--date", "2026-01-02"];
    for format in ["table", "json", "sarif"] {
        let mut arguments = scan.to_vec();
        arguments.extend(["--strict", "--format", format]);
        let told = call(&arguments);
        assert_eq!(told.code, 2);
        assert!(told.out.contains("no advisories for PyPI"), "{}", told.out);
        assert!(!told.out.contains("no advisories for npm"), "{}", told.out);
    }
    let mut json = scan.to_vec();
    json.extend(["--format", "json"]);
    let findings = call(&json).json()["findings"].clone();
    assert_eq!(findings.as_array().unwrap().len(), 2, "{findings}");
    // A yes can be explained, a no cannot.
    let why = |name| {
        call(&[
            "db",
            "why",
            "GHSA-both",
            "PyPI",
            name,
            "1.0.0",
            "--db",
            "npm.db",
        ])
    };
    assert_eq!(why("both").code, 0);
    let no = why("other");
    assert_eq!(no.code, 2);
    assert!(no.err.contains("hint: it has npm"), "{}", no.err);
}

#[test]
fn the_folder_one_stands_in_has_a_name_too() {
    let directory = TempDir::new().unwrap();
    let inside = directory.path().join("osv/npm/inside");
    fs::create_dir_all(&inside).unwrap();
    let record = r#"{"id":"GHSA-both","modified":"2026-01-01T00:00:00Z","affected":[
        {"package":{"ecosystem":"npm","name":"both"},"versions":["1.0.0"]},
        {"package":{"ecosystem":"PyPI","name":"both"},"versions":["1.0.0"]}]}"#;
    let npm = inside.parent().unwrap();
    fs::write(npm.join("GHSA-both.json"), record).unwrap();
    for (from, named) in [(npm, "."), (inside.as_path(), "..")] {
        let db = directory.path().join("npm.db").display().to_string();
        let built = run(from, &["db", "build", "--osv", named, "--db", &db]);
        assert_eq!(built.code, 0, "{}", built.err);
        let query = |ecosystem| run(from, &["db", "query", ecosystem, "other", "1", "--db", &db]);
        assert_eq!((query("npm").code, query("PyPI").code), (0, 2), "{named}");
    }
}

#[test]
fn a_database_has_a_place_or_is_not_written() {
    let directory = TempDir::new().unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "a test starts the program it tests"
    )]
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["db", "sync", "--from", "."])
        .current_dir(directory.path())
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("no place for the database"), "{told}");
}
