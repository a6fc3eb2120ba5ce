//! The program as a user runs it: exit codes, reports, errors. The demo repository is the input.

mod absolute;
#[cfg(unix)]
mod action;
mod known;
mod plans;
mod readme;
mod remarks;
mod writing;

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

fn copy(from: &Path, to: &Path) {
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
fn a_damaged_database_is_refused() {
    let directory = demo();
    let path = directory.path().join("demo.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(&path, bytes).unwrap();
    assert_eq!(scan(&directory, &[]).code, 2);
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
fn a_target_that_is_not_there_is_2_and_the_others_are_still_reported() {
    let directory = demo();
    let found = scan(&directory, &["nowhere", "--format", "json", "--exit-zero"]);
    assert_eq!(found.code, 2);
    let report = found.json();
    assert!(!rules(&report, "vulnerability").is_empty());
    assert_eq!(report["verdict"]["passed"], false);
    assert!(found.err.contains("nowhere"), "{}", found.err);
}

/// Writes over the largest blob of an image layout.
fn damage(image: &Path) {
    let blobs = fs::read_dir(image.join("blobs/sha256")).unwrap();
    let largest = blobs
        .map(Result::unwrap)
        .max_by_key(|entry| entry.metadata().unwrap().len())
        .unwrap();
    let mut bytes = fs::read(largest.path()).unwrap();
    bytes[20] ^= 1;
    fs::write(largest.path(), bytes).unwrap();
}

#[test]
fn a_damaged_image_is_2_when_named_and_a_gap_when_it_lies_in_a_tree() {
    let directory = demo();
    damage(&directory.path().join("demo/image"));
    let named = run(
        directory.path(),
        &["scan", "oci:demo/image", "--db", "demo.db", "--exit-zero"],
    );
    assert_eq!(named.code, 2, "{}", named.err);
    let tree = scan(&directory, &["--format", "json"]);
    assert_eq!(tree.code, 2, "{}", tree.err);
    let report = tree.json();
    assert_eq!(report["verdict"]["complete"], false);
    assert_eq!(report["gaps"][0]["path"], "demo/image");
    assert_eq!(report["gaps"][0]["class"], "unjudged");
    // What lies in a tree can be accepted, what was named cannot.
    for (arguments, code) in [
        (&["--strict", "--exit-zero"][..], 2),
        (&["--lenient"], 1),
        (&["--allow", "malformed=demo/*"], 1),
        (&["--allow", "malformed=other/*"], 2),
    ] {
        assert_eq!(scan(&directory, arguments).code, code, "{arguments:?}");
    }
    let named = run(
        directory.path(),
        &[
            "scan",
            "oci:demo/image",
            "--db",
            "demo.db",
            "--lenient",
            "--allow",
            "malformed",
        ],
    );
    assert_eq!(named.code, 2, "{}", named.err);
    assert!(
        named
            .out
            .contains("ERROR: 1 target could not be scanned; no verdict")
    );
}

#[test]
fn a_bad_lockfile_is_a_gap_and_loses_nothing_else() {
    let directory = demo();
    fs::write(
        directory.path().join("demo/service/Cargo.lock"),
        "[[package]\nname",
    )
    .unwrap();
    let found = scan(&directory, &["--format", "json"]);
    assert_eq!(found.code, 2, "{}", found.err);
    let report = found.json();
    assert_eq!(report["gaps"][0]["path"], "demo/service/Cargo.lock");
    assert!(rules(&report, "vulnerability").contains(&"demo PYSEC-2018-28".to_owned()));
}

#[test]
fn packages_of_an_ecosystem_without_advisories_are_a_gap() {
    let directory = demo();
    fs::create_dir(directory.path().join("demo/php")).unwrap();
    fs::write(
        directory.path().join("demo/php/composer.lock"),
        r#"{"packages": [{"name": "a/b", "version": "1.0.0"}], "packages-dev": []}"#,
    )
    .unwrap();
    let report = scan(&directory, &["--format", "json"]).json();
    assert_eq!(report["gaps"][0]["kind"], "no-advisories");
    assert_eq!(report["verdict"]["complete"], false);
}

#[test]
fn a_link_out_of_the_tree_is_not_followed() {
    let directory = demo();
    let secret = directory.path().join("requirements.txt");
    fs::write(&secret, "requests==2.19.1\n").unwrap();
    fs::remove_file(directory.path().join("demo/tools/requirements.txt")).unwrap();
    std::os::unix::fs::symlink(
        &secret,
        directory.path().join("demo/tools/requirements.txt"),
    )
    .unwrap();
    let report = scan(&directory, &["--format", "json"]).json();
    assert!(!rules(&report, "vulnerability").contains(&"demo PYSEC-2018-28".to_owned()));
    assert_eq!(report["gaps"][0]["path"], "demo/tools/requirements.txt");
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

/// What lies in a tree and was not looked at, as `kind path`.
fn gaps(report: &Value) -> Vec<String> {
    let gaps = report["gaps"].as_array().unwrap().iter();
    gaps.map(|gap| {
        let kind = gap["kind"].as_str().unwrap();
        format!("{kind} {}", gap["path"].as_str().unwrap())
    })
    .collect()
}

#[test]
fn what_a_tree_hides_is_told() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::net::UnixListener;

    let directory = demo();
    let tree = directory.path().join("tree");
    fs::create_dir_all(tree.join("node_modules/x")).unwrap();
    fs::create_dir(directory.path().join("outside")).unwrap();
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, tree.join(name)).unwrap();
    link("../outside", "a-link-out");
    link("node_modules/x", "b-link-in");
    let _socket = UnixListener::bind(tree.join("go.mod")).unwrap();
    fs::write(tree.join(OsStr::from_bytes(b"x\xff.tf")), "").unwrap();
    fs::write(tree.join("Gemfile.lock"), "<html>\n").unwrap();
    fs::write(tree.join("Cargo.lock"), "\n").unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(4000);
    header.set_cksum();
    archive
        .append_data(&mut header, "layer.tar", &[b'x'; 4000][..])
        .unwrap();
    let mut bytes = archive.into_inner().unwrap();
    bytes.truncate(3000);
    fs::write(tree.join("image.tar"), bytes).unwrap();
    let found = run(
        directory.path(),
        &["scan", "tree", "--db", "demo.db", "--format", "json"],
    );
    assert_eq!(found.code, 2, "{}", found.err);
    let told = gaps(&found.json());
    for expected in [
        "link tree/a-link-out",
        "link tree/b-link-in",
        "malformed tree/Cargo.lock",
        "malformed tree/Gemfile.lock",
        "malformed tree/image.tar",
        "unreadable tree/go.mod",
        "unreadable tree/x\u{fffd}.tf",
    ] {
        assert!(told.contains(&expected.to_owned()), "{expected}: {told:?}");
    }
}

#[test]
fn files_beside_a_layout_are_read() {
    let directory = demo();
    let image = directory.path().join("demo/image");
    fs::copy(
        directory.path().join("demo/tools/requirements.txt"),
        image.join("requirements.txt"),
    )
    .unwrap();
    let report = scan(&directory, &["--format", "json"]).json();
    let found = report["findings"].as_array().unwrap().iter();
    let mut paths = found.map(|finding| finding["location"]["path"].as_str().unwrap());
    assert!(paths.any(|path| path == "demo/image/requirements.txt"));
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

#[test]
fn an_image_that_is_none_is_2_whatever_is_looked_for() {
    let directory = demo();
    fs::write(directory.path().join("junk.tar"), "junk").unwrap();
    for target in ["docker-archive:nowhere.tar", "docker-archive:junk.tar"] {
        let found = run(directory.path(), &["scan", target, "--only", "misconfig"]);
        assert_eq!(found.code, 2, "{target}");
    }
}
