//! Findings that are not certain: shown in every format, and deciding only where that is asked.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::cli::{Run, run};

/// A repository with one crate, and a database of these records.
fn repository(records: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    let osv = directory.path().join("osv/crates.io");
    fs::create_dir_all(&osv).unwrap();
    for (id, rest) in records {
        let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
        let record = format!(
            r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","summary":"made up","aliases":["CVE-2026-1"],
            "severity":[{{"type":"CVSS_V3","score":"{vector}"}}],"affected":[{{"package":
            {{"ecosystem":"crates.io","name":"gearbox"}},{rest}}}]}}"#
        );
        fs::write(osv.join(format!("{id}.json")), record).unwrap();
    }
    fs::create_dir(directory.path().join("app")).unwrap();
    let lock = "version = 3\n\n[[package]]\nname = \"gearbox\"\nversion = \"1.3.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"0000000000000000000000000000000000000000000000000000000000000000\"\n";
    fs::write(directory.path().join("app/Cargo.lock"), lock).unwrap();
    let built = run(
        directory.path(),
        &["db", "build", "--osv", "osv", "--db", "db"],
    );
    assert_eq!(built.code, 0, "{}", built.err);
    directory
}

fn scan(directory: &TempDir, arguments: &[&str]) -> Run {
    let mut all = vec!["scan", "app", "--db", "db", "--date", "2026-01-02"];
    all.extend_from_slice(arguments);
    run(directory.path(), &all)
}

const OPEN: &str = r#""ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]"#;
const KNOWN: &str = r#""ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}],"database_specific":{"last_known_affected_version_range":"< 1.2"}"#;
const PATCHED: &str =
    r#""ranges":[{"type":"SEMVER","events":[{"introduced":"0.0.0-0"},{"fixed":"1.2.0"}]}]"#;

#[test]
fn a_doubtful_finding_is_shown_everywhere_and_decides_nowhere() {
    let possible = repository(&[("GHSA-1", KNOWN)]);
    let disputed = repository(&[("GHSA-1", OPEN), ("RUSTSEC-2026-0001", PATCHED)]);
    for (directory, kind, mark, by) in [
        (&possible, "possible", "[possible]", Value::Null),
        (
            &disputed,
            "disputed",
            "[disputed by RUSTSEC-2026-0001]",
            Value::from(vec!["RUSTSEC-2026-0001"]),
        ),
    ] {
        let table = scan(directory, &[]);
        assert_eq!(table.code, 0, "{}{}", table.out, table.err);
        assert!(table.out.contains(mark), "{}", table.out);
        let told = "1 possible or disputed, not counted";
        assert!(table.out.contains(told), "{}", table.out);
        let json = scan(directory, &["--format", "json"]);
        assert_eq!(json.code, 0);
        let finding = &json.json()["findings"][0];
        assert_eq!(finding["doubt"]["kind"], kind);
        assert_eq!(finding["doubt"]["denied_by"], by);
        assert_eq!(finding["severity"], "CRITICAL");
        let sarif = scan(directory, &["--format", "sarif"]);
        assert_eq!(sarif.code, 0);
        let run = &sarif.json()["runs"][0];
        assert_eq!(run["results"][0]["level"], "note");
        let rule = &run["tool"]["driver"]["rules"][0];
        assert_eq!(rule["defaultConfiguration"]["level"], "note");
        // Where one wants it, it counts, whatever the format.
        for format in ["table", "json", "sarif"] {
            let strict = scan(directory, &["--format", format, "--disputed", "Fail"]);
            assert_eq!(strict.code, 1, "{format}");
        }
    }
}

#[test]
fn why_names_the_bound_and_the_record_that_denies_it() {
    let possible = repository(&[("GHSA-1", KNOWN)]);
    let why = |directory: &TempDir, format: &str| {
        let asked = [
            "db",
            "why",
            "GHSA-1",
            "crates.io",
            "gearbox",
            "1.3.0",
            "--db",
            "db",
            "--format",
            format,
        ];
        run(directory.path(), &asked)
    };
    let told = why(&possible, "table").out;
    assert!(
        told.contains("GHSA-1 possibly affects gearbox 1.3.0 (crates.io) (possible): the version is above the last one known to be affected")
            && told.contains("fixed 1.2 ≤ 1.3.0: possibly affected"),
        "{told}"
    );
    assert_eq!(why(&possible, "json").json()["answer"], "possible");
    let disputed = repository(&[("GHSA-1", OPEN), ("RUSTSEC-2026-0001", PATCHED)]);
    let told = why(&disputed, "table").out;
    assert!(
        told.contains("(disputed): RUSTSEC-2026-0001 says that it is not affected"),
        "{told}"
    );
    assert_eq!(why(&disputed, "json").json()["answer"], "disputed");
}
