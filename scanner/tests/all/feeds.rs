//! Exploitation feeds as a user has them: into the database from files and over http, through the
//! gate to the exit code. Both feeds are made up; the demo repository is the input.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::cli::{Run, demo, repository, run};

const EPSS: &str = "#model_version:v1,score_date:2026-11-20T00:00:00+0000\ncve,epss,percentile\nCVE-2021-23337,0.94358,0.999\nCVE-2018-18074,0.01,0.5\n";
const KEV: &str = r#"{"catalogVersion":"2026.11.20","dateReleased":"2026-11-20T00:00:00Z","vulnerabilities":[
    {"cveID":"CVE-2020-26235","dateAdded":"2026-10-01","dueDate":"2026-10-22","knownRansomwareCampaignUse":"Known"},
    {"cveID":"CVE-2020-0001","dateAdded":"2026-10-01"}, 7]}"#;

/// The demo with both feeds in its database.
fn fed(epss: Option<&str>, kev: Option<&str>) -> TempDir {
    let directory = demo();
    let advisories = repository().join("testdata/demo-advisories");
    let mut arguments = vec![
        "db",
        "build",
        "--osv",
        advisories.to_str().unwrap(),
        "--db",
        "demo.db",
    ];
    if let Some(text) = epss {
        fs::write(directory.path().join("epss.csv"), text).unwrap();
        arguments.extend(["--epss", "epss.csv"]);
    }
    if let Some(text) = kev {
        fs::write(directory.path().join("kev.json"), text).unwrap();
        arguments.extend(["--kev", "kev.json"]);
    }
    let built = run(directory.path(), &arguments);
    assert_eq!(built.code, 0, "{}", built.err);
    if kev.is_some() {
        assert!(
            built.err.contains("KEV: entry 3: entry skipped"),
            "{}",
            built.err
        );
        assert!(
            built.out.contains("2 entries, of 2026-11-20 (2026.11.20)"),
            "{}",
            built.out
        );
    }
    directory
}

fn scan(directory: &TempDir, arguments: &[&str]) -> Run {
    let mut all = vec![
        "scan",
        "demo",
        "--db",
        "demo.db",
        "--date",
        "2026-11-21",
        "--only",
        "vuln",
    ];
    all.extend(["--fail-on", "none"]);
    all.extend_from_slice(arguments);
    run(directory.path(), &all)
}

fn finding<'a>(report: &'a Value, rule: &str) -> &'a Value {
    let all = report["findings"].as_array().unwrap();
    all.iter().find(|one| one["rule_id"] == rule).unwrap()
}

#[test]
fn findings_say_what_the_feeds_say_in_every_format() {
    let directory = fed(Some(EPSS), Some(KEV));
    let report = scan(&directory, &["--format", "json"]).json();
    let time = finding(&report, "RUSTSEC-2020-0071");
    assert_eq!(time["kev"]["cve"], "CVE-2020-26235");
    assert_eq!(time["kev"]["due_date"], "2026-10-22");
    assert!(time.get("epss").is_none());
    let lodash = finding(&report, "GHSA-35jh-r3h4-6jhm");
    assert_eq!(lodash["epss"]["score"], 0.94358);
    assert_eq!(report["database"]["feeds"].as_array().unwrap().len(), 2);
    let table = scan(&directory, &[]).out;
    assert!(
        table.contains("[KEV] ") && table.contains("[EPSS 0.94] "),
        "{table}"
    );
    let sarif = scan(&directory, &["--format", "sarif"]).out;
    assert!(
        sarif.contains(r#""kev":{"cve":"CVE-2020-26235""#),
        "{sarif}"
    );
    let query = [
        "db",
        "query",
        "crates.io",
        "time",
        "0.1.43",
        "--db",
        "demo.db",
    ];
    assert!(run(directory.path(), &query).out.contains("[KEV] "));
    let status = ["db", "status", "--db", "demo.db", "--format", "json"];
    let status = run(directory.path(), &status).json();
    assert_eq!(status["feeds"][0]["kind"], "epss");
    assert_eq!(status["feeds"][1]["entries"], 2);
}

#[test]
fn the_gate_judges_by_feeds() {
    let directory = fed(Some(EPSS), Some(KEV));
    for (arguments, code) in [
        (&[][..], 0),
        (&["--fail-on-kev"], 1),
        (&["--fail-on-epss", "0.94358"], 1),
        (&["--fail-on-epss", "0.94359"], 0),
        (&["--fail-on-kev", "--exit-zero"], 0),
        // Nothing was listed then, and scores of that day are not kept.
        (&["--fail-on-kev", "--as-of", "2026-09-30"], 0),
        (&["--fail-on-epss", "0.5", "--as-of", "2026-11-19"], 2),
        (&["--fail-on-epss", "0.5", "--as-of", "2026-11-20"], 1),
        (&["--fail-on-kev", "--on-stale", "fail"], 2),
        (&["--fail-on-epss", "1.5"], 2),
    ] {
        for format in ["table", "json", "sarif"] {
            let mut all = vec!["--format", format];
            all.extend_from_slice(arguments);
            let found = scan(&directory, &all);
            assert_eq!(found.code, code, "{arguments:?} {format}: {}", found.err);
        }
    }
    let told = scan(&directory, &["--fail-on-kev"]).out;
    assert!(
        told.contains("1 finding (1 in KEV) violates the policy"),
        "{told}"
    );
    let later = scan(&directory, &["--as-of", "2026-11-19"]).out;
    assert!(
        later.contains("the EPSS feed is of 2026-11-20, after that day"),
        "{later}"
    );
}

#[test]
fn an_old_feed_is_told_only_where_the_gate_uses_it() {
    let directory = fed(Some(EPSS), None);
    let stale = |arguments: &[&str]| {
        let mut all = vec!["--format", "json", "--date", "2026-12-25"];
        all.extend_from_slice(arguments);
        let found = run(
            directory.path(),
            &[
                &["scan", "demo", "--db", "demo.db", "--only", "vuln"],
                &all[..],
            ]
            .concat(),
        );
        found.json()["database"]["stale"]
            .to_string()
            .contains("EPSS")
    };
    assert!(!stale(&[]));
    assert!(stale(&["--fail-on-epss", "0.99"]));
}

#[test]
fn a_gate_never_passes_because_a_feed_is_missing() {
    let directory = fed(None, Some(KEV));
    let found = scan(
        &directory,
        &["--fail-on-epss", "0.9", "--exit-zero", "--format", "json"],
    );
    assert_eq!(found.code, 2, "{}", found.err);
    assert!(
        found
            .err
            .contains("hint: add one: portcullis db sync --epss"),
        "{}",
        found.err
    );
    let verdict = &found.json()["verdict"];
    assert_eq!(verdict["passed"], false);
    assert!(
        verdict["reason"]
            .as_str()
            .unwrap()
            .contains("no usable EPSS feed"),
        "{verdict}"
    );
    // Where no package needs a database, nothing is missing.
    fs::create_dir(directory.path().join("empty")).unwrap();
    let empty = ["scan", "empty", "--db", "demo.db", "--fail-on-epss", "0.9"];
    let empty = run(directory.path(), &[&empty[..], &["--lenient"]].concat());
    assert_eq!(empty.code, 0, "{}", empty.out);
    let infrastructure = [
        "scan",
        "demo",
        "--only",
        "misconfig",
        "--fail-on",
        "none",
        "--fail-on-kev",
    ];
    assert_eq!(run(directory.path(), &infrastructure).code, 0);
}

/// Serves the same two feeds until the test ends.
#[cfg(feature = "network")]
fn serve() -> String {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut first = String::new();
            let mut line = String::new();
            reader.read_line(&mut first).unwrap();
            while reader.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            let body = if first.contains("epss") { EPSS } else { KEV };
            let length = body.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(body.as_bytes()).unwrap();
        }
    });
    url
}

/// A bucket of one record about `lodash` in npm, at `bucket` in `directory`.
#[cfg(feature = "network")]
fn bucket(directory: &TempDir) {
    use std::io::Write as _;

    let bucket = directory.path().join("bucket/npm");
    fs::create_dir_all(&bucket).unwrap();
    let record = r#"{"id":"GHSA-35jh-r3h4-6jhm","modified":"2024-01-01T00:00:00Z","aliases":["CVE-2021-23337"],"affected":[{"package":{"ecosystem":"npm","name":"lodash"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"4.17.21"}]}]}]}"#;
    let mut zip = zip::ZipWriter::new(fs::File::create(bucket.join("all.zip")).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("GHSA-35jh-r3h4-6jhm.json", options).unwrap();
    zip.write_all(record.as_bytes()).unwrap();
    zip.finish().unwrap();
    fs::write(
        bucket.join("modified_id.csv"),
        "2024-01-01T00:00:00Z,GHSA-35jh-r3h4-6jhm\n",
    )
    .unwrap();
    fs::write(directory.path().join("bucket/ecosystems.txt"), "npm\n").unwrap();
}

#[cfg(feature = "network")]
#[test]
fn what_the_last_scan_found_is_synced() {
    let directory = demo();
    bucket(&directory);
    let report = scan(&directory, &["--format", "json"]);
    fs::write(directory.path().join("report.json"), &report.out).unwrap();
    let sync = [
        "db",
        "sync",
        "--from",
        "bucket",
        "--db",
        "synced.db",
        "--report",
    ];
    let synced = run(directory.path(), &[&sync[..], &["report.json"]].concat());
    assert_eq!(synced.code, 0, "{}", synced.err);
    let sources = synced.out.lines().filter(|line| line.contains("npm"));
    assert!(sources.count() > 0, "{}", synced.out);
    let absent = "Debian: the bucket has no such ecosystem: left out";
    assert!(synced.err.contains(absent), "{}", synced.err);

    fs::create_dir(directory.path().join("empty")).unwrap();
    let nothing = run(
        directory.path(),
        &["scan", "empty", "--db", "synced.db", "--format", "json"],
    );
    fs::write(directory.path().join("nothing.json"), &nothing.out).unwrap();
    let other = [
        "db", "sync", "--from", "bucket", "--db", "other.db", "--report",
    ];
    let synced = run(directory.path(), &[&other[..], &["nothing.json"]].concat());
    assert_eq!(synced.code, 0, "{}", synced.err);
    assert!(synced.out.contains("nothing to sync"), "{}", synced.out);
    assert!(!directory.path().join("other.db").exists());
}

#[cfg(feature = "network")]
#[test]
fn feeds_are_synced_over_http_and_kept() {
    let directory = demo();
    let url = serve();
    let (epss, kev) = (format!("{url}/epss.csv"), format!("{url}/kev.json"));
    bucket(&directory);
    let sync = |more: &[&str]| {
        let synced = run(
            directory.path(),
            &[
                &["db", "sync", "--from", "bucket", "--db", "synced.db"],
                more,
            ]
            .concat(),
        );
        assert_eq!(synced.code, 0, "{}", synced.err);
        synced.out
    };
    let first = sync(&["--epss", &epss, "--kev", &kev]);
    assert!(
        first.contains("EPSS") && first.contains("of 2026-11-20"),
        "{first}"
    );
    for more in [
        &[][..],
        &["--offline"],
        &["--full"],
        &["--offline", "--epss", &epss],
    ] {
        sync(more);
        let web = ["scan", "demo/web", "--db", "synced.db", "--fail-on", "none"];
        let gate = [&web[..], &["--fail-on-epss", "0.9", "--fail-on-kev"]].concat();
        assert_eq!(run(directory.path(), &gate).code, 1, "{more:?}");
    }
}
