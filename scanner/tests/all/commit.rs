//! Commits as targets, through the program.

use std::fs;
use std::path::Path;

use crate::cli;

/// Runs git in a directory; false where there is no such program.
fn git(directory: &Path, arguments: &[&str]) -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "repositories to scan are made by git"
    )]
    let mut command = std::process::Command::new("git");
    let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    let Ok(done) = command
        .current_dir(directory)
        .args(who)
        .args(arguments)
        .output()
    else {
        eprintln!("skipped: the program git is not there");
        return false;
    };
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "git {arguments:?}: {error}");
    true
}

#[test]
fn the_tree_of_a_commit_is_judged_like_a_directory() {
    let demo = cli::demo();
    let here = demo.path().join("repository");
    fs::create_dir(&here).unwrap();
    let lockfile = here.join("Cargo.lock");
    fs::write(
        &lockfile,
        "version = 4\n\n[[package]]\nname = \"time\"\nversion = \"0.1.43\"\n\
         source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
         checksum = \"ca8a50ef2360fbd1eeb0ecd46795a87a19024eb4b53c5dc916ca1fd95fe62438\"\n",
    )
    .unwrap();
    if !git(&here, &["init", "-q", "-b", "main"]) {
        return;
    }
    git(&here, &["add", "Cargo.lock"]);
    git(&here, &["commit", "-q", "-m", "x"]);
    git(&here, &["tag", "v1"]);
    let scan = |target: &str, format: &str| {
        let db = ["--db", "../demo.db", "--date", "2026-11-21"];
        let all = [
            &["scan", target, "--only", "vuln", "--format", format],
            &db[..],
        ]
        .concat();
        cli::run(&here, &all)
    };
    let json = |target: &str| {
        let run = scan(target, "json");
        (run.code, run.json())
    };
    let (code, directory) = json(".");
    let (again, commit) = json("git:.@v1");
    assert_eq!((code, again), (0, 0), "{commit}");
    assert_eq!(commit["targets"][0]["kind"], "git");
    let fingerprints = |report: &serde_json::Value| {
        let findings = report["findings"].as_array().unwrap().iter();
        let of_lockfile = findings.filter(|one| one["location"]["path"] == "Cargo.lock");
        let all: Vec<_> = of_lockfile.map(|one| one["fingerprint"].clone()).collect();
        assert!(!all.is_empty());
        all
    };
    assert_eq!(fingerprints(&commit), fingerprints(&directory));
    // What lies in the working directory does not matter.
    fs::remove_file(&lockfile).unwrap();
    assert_eq!(fingerprints(&json("git:.").1), fingerprints(&directory));
    for (target, cause) in [
        ("git:.@nothing", "nothing names nothing in the repository"),
        ("git:gone@v1", "No such file"),
    ] {
        let run = scan(target, "table");
        assert_eq!(run.code, 2, "{target}");
        assert!(run.err.contains(cause), "{}", run.err);
    }
}
