//! The end of support, through the program: what is reported, what the policy makes of it, and tables
//! of the user's own.

use tempfile::TempDir;

use super::{Run, run};
use crate::support::image::{docker_archive, tar};

const RELEASE: &str =
    "ID=debian\nVERSION_ID=\"10\"\nPRETTY_NAME=\"Debian GNU/Linux 10 (buster)\"\n";
const NODE: &str =
    "#define NODE_MAJOR_VERSION 16\n#define NODE_MINOR_VERSION 20\n#define NODE_PATCH_VERSION 2\n";

fn scan(more: &[(&str, &str)], options: &[&str]) -> Run {
    let directory = TempDir::new().unwrap();
    let status = "Package: base\nStatus: install ok installed\nVersion: 1\n";
    let layer = tar(&[
        ("etc/os-release", RELEASE.as_bytes()),
        ("usr/local/include/node/node_version.h", NODE.as_bytes()),
        ("var/lib/dpkg/status", status.as_bytes()),
    ]);
    std::fs::write(directory.path().join("image.tar"), docker_archive(&[layer])).unwrap();
    for (name, text) in more {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let mut arguments = vec!["scan", "image.tar", "--lenient", "--format", "json"];
    arguments.extend(options);
    if !options.contains(&"--date") {
        arguments.extend(["--date", "2026-08-22"]);
    }
    run(directory.path(), &arguments)
}

fn ended(run: &Run) -> Vec<String> {
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["kind"] == "end-of-life")
        .map(|finding| {
            let ended = &finding["end_of_life"];
            format!(
                "{} {} {} {} {}",
                finding["severity"].as_str().unwrap(),
                ended["product"].as_str().unwrap(),
                ended["release"].as_str().unwrap(),
                ended["ended"].as_str().unwrap(),
                finding["location"]["path"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn distribution_and_runtime_are_findings_that_fail_when_asked() {
    let plain = scan(&[], &[]);
    assert_eq!(
        ended(&plain),
        [
            "MEDIUM debian 10 2024-06-30 etc/os-release",
            "MEDIUM nodejs 16 2023-09-11 usr/local/include/node/node_version.h"
        ]
    );
    assert_eq!(plain.code, 0, "{}", plain.err);
    assert_eq!(scan(&[], &["--fail-on", "medium"]).code, 1);
    assert_eq!(
        scan(&[], &["--on-eol", "fail", "--fail-on", "none"]).code,
        1
    );
    let ignored = scan(&[], &["--on-eol", "ignore"]);
    assert!(ended(&ignored).is_empty());
    let before = scan(&[], &["--date", "2023-09-11"]);
    assert!(ended(&before).is_empty());
}

#[test]
fn a_table_of_the_user_replaces_ours_or_is_refused() {
    let table = "checked = \"2026-01-01\"\n[debian]\nname = \"Debian\"\nkind = \"distribution\"\nos-release = [\"debian\"]\nparts = 1\nextended = \"ELTS\"\nreleases = [[\"10\", \"2024-06-30\", \"2029-06-30\"]]\n";
    let own = scan(&[("eol.toml", table)], &["--eol", "eol.toml"]);
    assert_eq!(ended(&own), ["LOW debian 10 2024-06-30 etc/os-release"]);
    let bad = scan(&[("eol.toml", "checked = 1\n")], &["--eol", "eol.toml"]);
    assert_eq!(bad.code, 2);
    assert!(bad.err.contains("line 1"), "{}", bad.err);
    let missing = scan(&[], &["--eol", "none.toml"]);
    assert_eq!(missing.code, 2);
}
