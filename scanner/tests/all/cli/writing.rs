//! Where reports go: never onto what is read, never through a link, whole or not at all, and one
//! that cannot be written costs no other.

use std::fs;

use tempfile::TempDir;

use super::{Run, run};
use crate::outputs::hostile::command;

fn tree() -> TempDir {
    let directory = TempDir::new().unwrap();
    let tree = directory.path().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("requirements.txt"), "flask==0.5\n").unwrap();
    directory
}

fn scan(directory: &TempDir, arguments: &[&str]) -> Run {
    let mut all = vec![
        "scan",
        "tree",
        "--only",
        "misconfig",
        "--date",
        "2026-11-21",
    ];
    all.extend_from_slice(arguments);
    run(directory.path(), &all)
}

#[test]
fn an_input_is_never_overwritten() {
    let directory = tree();
    fs::write(directory.path().join("mine.json"), "{}").unwrap();
    for (arguments, kept) in [
        (
            &["--report", "json=tree/requirements.txt"] as &[&str],
            "tree/requirements.txt",
        ),
        (
            &["--write-vex", "tree/../tree/requirements.txt"],
            "tree/requirements.txt",
        ),
        (
            &["--report", "json=mine.json", "--vex", "mine.json"],
            "mine.json",
        ),
        (
            &["--report", "json=mine.json", "--db", "mine.json"],
            "mine.json",
        ),
        (
            &["--report", "json=a.json", "--report", "sarif=./a.json"],
            "mine.json",
        ),
    ] {
        let before = fs::read(directory.path().join(kept)).unwrap();
        let refused = scan(&directory, arguments);
        assert_eq!(refused.code, 2, "{arguments:?}");
        assert_eq!(refused.out, "", "{arguments:?}: refused before the scan");
        assert_eq!(fs::read(directory.path().join(kept)).unwrap(), before);
        assert!(!directory.path().join("a.json").exists());
    }
}

#[test]
fn a_report_is_replaced_by_the_next_one_also_in_the_scanned_tree() {
    let directory = tree();
    for format in ["json", "sarif", "table"] {
        let report = format!("{format}=tree/out/report.{format}");
        for _ in 0..2 {
            let found = scan(
                &directory,
                &["--report", &report, "--write-vex", "tree/out/vex.json"],
            );
            assert!(!found.err.contains("is not a report"), "{}", found.err);
        }
        let path = directory.path().join(format!("tree/out/report.{format}"));
        assert!(fs::metadata(path).unwrap().len() > 100);
    }
}

#[cfg(unix)]
#[test]
fn no_report_goes_through_a_link_of_the_tree() {
    let directory = tree();
    let victim = directory.path().join("victim");
    fs::write(&victim, "kept").unwrap();
    fs::create_dir(directory.path().join("outside")).unwrap();
    std::os::unix::fs::symlink("../victim", directory.path().join("tree/x.sarif")).unwrap();
    std::os::unix::fs::symlink("../outside", directory.path().join("tree/out")).unwrap();
    let refused = scan(
        &directory,
        &["--report", "sarif=tree/out/x.sarif", "--report", "json=a"],
    );
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(
        refused.err.contains("out is a symbolic link"),
        "{}",
        refused.err
    );
    assert!(
        directory.path().join("a").exists(),
        "the other report is written"
    );
    assert!(!refused.out.is_empty());
    let replaced = scan(&directory, &["--report", "sarif=tree/x.sarif"]);
    assert!(!replaced.err.contains("x.sarif"), "{}", replaced.err);
    assert!(
        fs::symlink_metadata(directory.path().join("tree/x.sarif"))
            .unwrap()
            .is_file()
    );
    assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
    assert_eq!(
        fs::read_dir(directory.path().join("outside"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn a_report_that_cannot_be_written_costs_no_other() {
    let directory = tree();
    fs::write(directory.path().join("file"), "").unwrap();
    let found = scan(
        &directory,
        &[
            "--report",
            "json=file/a.json",
            "--report",
            "sarif=b.sarif",
            "--write-vex",
            "file/v.json",
        ],
    );
    assert_eq!(found.code, 2);
    assert_eq!(
        found.err.matches("error: cannot write ").count(),
        2,
        "{}",
        found.err
    );
    assert!(directory.path().join("b.sarif").exists());
    assert!(found.out.contains("tree"), "{}", found.out);
}

/// Names of a pull request, in every place that a run prints.
#[cfg(unix)]
#[test]
fn no_name_of_the_tree_is_a_command_to_the_runner() {
    let directory = TempDir::new().unwrap();
    for name in [
        "::error file=x::y",
        " ::z",
        "##[error]x",
        "##vso[task]x",
        "a\n::b",
        "a\r::b",
    ] {
        let folder = directory.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(
            folder.join("requirements.txt"),
            "::error::x\n##[group]==1\nflask==0.5\n",
        )
        .unwrap();
        fs::write(
            folder.join("main.tf"),
            "resource \"::x\" {\n##[x]\n ::error::\n}\n",
        )
        .unwrap();
        fs::write(folder.join("package-lock.json"), "{\"::error::\" ::x ##[y]").unwrap();
        fs::write(folder.join("Cargo.lock"), "##[x]\n::y = [").unwrap();
    }
    let targets = [
        ".",
        "::error file=x::y",
        "##[error]x",
        "a\n::b",
        "::no such target",
    ];
    for format in ["table", "json", "sarif"] {
        for target in targets {
            let found = run(
                directory.path(),
                &[
                    "scan",
                    "--format",
                    format,
                    "--date",
                    "2026-11-21",
                    "--",
                    target,
                ],
            );
            assert_eq!(command(&found.out), None, "{format} {target:?}");
            assert_eq!(command(&found.err), None, "{format} {target:?}");
        }
    }
    for arguments in [
        &["scan", "::x", "--no-such\n::option"] as &[&str],
        &["scan", "--format", "\n::error::x"],
        &["scan", "--report", "##[x]=y"],
        &["rules", "explain", "::x\n::y"],
        &["db", "query", "::x", "##[y]", "--db", "\n::z"],
    ] {
        let found = run(directory.path(), arguments);
        assert_eq!(found.code, 2, "{arguments:?}");
        assert_eq!(command(&found.err), None, "{arguments:?}");
    }
}
