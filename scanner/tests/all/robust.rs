//! What goes wrong around a database, as a user meets it: a disk that is full, a place that cannot
//! be written, a database that is none, an output that nobody can read. Always exit code 2 and a
//! clear word, with the old database as it was, and never "clean".

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

/// Runs a line of shell, in which `$P` is the program.
fn shell(directory: &Path, line: &str) -> Output {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test starts the program it tests"
    )]
    std::process::Command::new("sh")
        .args(["-c", line])
        .current_dir(directory)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", directory)
        // Nothing that an older program kept, and no file beside the repository.
        .env("PORTCULLIS_CACHE", "/dev/null/layers")
        .env("P", env!("CARGO_BIN_EXE_portcullis"))
        .output()
        .unwrap()
}

/// Runs a line that must end with this code; gives stdout and stderr.
fn ends(directory: &Path, line: &str, code: i32) -> (String, String) {
    let output = shell(directory, line);
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{line}\n{out}\n{err}");
    (out, err)
}

/// A lockfile and a database that knows its package; the advisories lie in `osv` and, as a
/// bucket with one archive, in `bucket`.
fn scene() -> TempDir {
    let directory = TempDir::new().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir_all(at("app")).unwrap();
    fs::create_dir_all(at("osv/crates.io")).unwrap();
    fs::create_dir_all(at("bucket/crates.io")).unwrap();
    fs::write(
        at("app/Cargo.lock"),
        "version = 4\n\n[[package]]\nname = \"fine\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n",
    )
    .unwrap();
    let mut list = String::new();
    let mut archive =
        zip::ZipWriter::new(fs::File::create(at("bucket/crates.io/all.zip")).unwrap());
    for number in 0..150 {
        let id = format!("RUSTSEC-2026-{number:04}");
        let noise = format!("{number} {} ", number * 7919 % 1009).repeat(60);
        let record = format!(
            r#"{{"id":"{id}","modified":"2026-11-20T00:00:00Z","summary":"x","details":"{noise}","affected":[{{"package":{{"ecosystem":"crates.io","name":"bad{number}"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}}]}}]}}]}}"#
        );
        fs::write(at(&format!("osv/crates.io/{id}.json")), &record).unwrap();
        archive
            .start_file(
                format!("{id}.json"),
                zip::write::SimpleFileOptions::default(),
            )
            .unwrap();
        std::io::Write::write_all(&mut archive, record.as_bytes()).unwrap();
        list.push_str("2026-11-20T00:00:00Z,");
        list.push_str(&id);
        list.push('\n');
    }
    archive.finish().unwrap();
    fs::write(at("bucket/crates.io/modified_id.csv"), list).unwrap();
    fs::write(at("bucket/ecosystems.txt"), "crates.io\n").unwrap();
    ends(directory.path(), "\"$P\" db build --osv osv --db a.db", 0);
    ends(directory.path(), "\"$P\" db export a.pcdb --db a.db", 0);
    directory
}

const SCAN: &str = "\"$P\" scan app --db a.db --date 2026-11-21";

/// Each way to write a database, to `a.db`.
const WRITERS: [&str; 4] = [
    "\"$P\" db build --osv osv --db a.db",
    "\"$P\" db import a.pcdb --db a.db",
    "\"$P\" db sync --from bucket --full --db a.db",
    "\"$P\" db export a.db --db good.db",
];

#[test]
fn a_database_that_is_none_is_never_clean() {
    let scene = scene();
    let path = scene.path().join("a.db");
    let good = fs::read(&path).unwrap();
    let (out, _) = ends(scene.path(), SCAN, 0);
    assert!(out.contains("PASS"), "{out}");
    let mut flipped = good.clone();
    flipped[700] ^= 1;
    for (what, bytes) in [
        ("empty", Vec::new()),
        ("short", good[..900].to_vec()),
        ("truncated", good[..good.len() - 1].to_vec()),
        ("longer", [good.as_slice(), b"x"].concat()),
        ("foreign", b"<html>sign in</html>".repeat(200)),
        ("zeros", vec![0; good.len()]),
        ("an export", fs::read(scene.path().join("a.pcdb")).unwrap()),
        ("flipped", flipped),
    ] {
        fs::write(&path, bytes).unwrap();
        for format in ["table", "json", "sarif"] {
            let line = format!("{SCAN} --format {format} --exit-zero --fail-on none");
            let (out, err) = ends(scene.path(), &line, 2);
            assert!(
                out.is_empty() && err.starts_with("error: "),
                "{what}: {out} {err}"
            );
        }
        for line in [
            "db status",
            "db query crates.io fine 1.0.0",
            "db export b.pcdb",
        ] {
            let (out, _) = ends(scene.path(), &format!("\"$P\" {line} --db a.db"), 2);
            assert!(out.is_empty(), "{what}: {out}");
        }
    }
    fs::remove_file(&path).unwrap();
    ends(scene.path(), SCAN, 2);
    fs::create_dir(&path).unwrap();
    let (_, err) = ends(scene.path(), SCAN, 2);
    assert!(err.contains("not a regular file"), "{err}");
    // A pipe without a writer would hold up whoever opens it.
    ends(scene.path(), "rmdir a.db; mkfifo a.db", 0);
    ends(scene.path(), SCAN, 2);
}

#[test]
fn sources_without_advisories_make_no_database() {
    let scene = scene();
    let good = fs::read(scene.path().join("a.db")).unwrap();
    let empty = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()))
        .finish()
        .unwrap();
    fs::write(
        scene.path().join("bucket/crates.io/all.zip"),
        empty.into_inner(),
    )
    .unwrap();
    fs::create_dir(scene.path().join("nothing")).unwrap();
    for line in [
        "db build --osv bucket",
        "db build --osv bucket/crates.io/all.zip",
        "db build --osv nothing",
        "db sync --from bucket --full",
        "db sync --from bucket --ecosystem crates.io",
    ] {
        let (_, err) = ends(scene.path(), &format!("\"$P\" {line} --db a.db"), 2);
        assert!(err.starts_with("error: "), "{line}: {err}");
        assert!(
            fs::read(scene.path().join("a.db")).unwrap() == good,
            "{line}"
        );
        ends(scene.path(), &format!("\"$P\" {line} --db new.db"), 2);
        assert!(!scene.path().join("new.db").exists(), "{line}");
    }
}

#[test]
fn what_the_database_does_not_cover_is_a_gap() {
    let scene = scene();
    let lock = r#"{"lockfileVersion":3,"packages":{"node_modules/x":{"version":"1.0.0"}}}"#;
    fs::write(scene.path().join("app/package-lock.json"), lock).unwrap();
    let (out, _) = ends(scene.path(), &format!("{SCAN} --format json"), 2);
    assert!(out.contains("no-advisories"), "{out}");
    ends(scene.path(), &format!("{SCAN} --lenient"), 0);
    ends(
        scene.path(),
        &format!("{SCAN} --strict --allow no-advisories"),
        0,
    );
}

#[test]
fn a_bucket_that_lost_most_is_refused_with_the_way_on() {
    let scene = scene();
    ends(scene.path(), "\"$P\" db sync --from bucket --db b.db", 0);
    let good = fs::read(scene.path().join("b.db")).unwrap();
    let line = "2026-11-20T00:00:00Z,RUSTSEC-2026-0001\n";
    fs::write(scene.path().join("bucket/crates.io/modified_id.csv"), line).unwrap();
    let (_, err) = ends(scene.path(), "\"$P\" db sync --from bucket --db b.db", 2);
    assert!(
        err.contains("--accept-removals") && err.contains("unchanged"),
        "{err}"
    );
    assert!(fs::read(scene.path().join("b.db")).unwrap() == good);
    ends(
        scene.path(),
        "\"$P\" db sync --from bucket --accept-removals --db b.db",
        0,
    );
}

/// What lies in a folder and is hidden: scratch files.
fn hidden(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('.')).collect()
}

#[test]
fn a_full_disk_leaves_the_old_database() {
    let scene = scene();
    let path = scene.path().join("a.db");
    fs::copy(&path, scene.path().join("good.db")).unwrap();
    let old = fs::read(&path).unwrap();
    for writer in WRITERS {
        // A file may not grow beyond one block: an error where the signal is ignored …
        let (_, err) = ends(
            scene.path(),
            &format!("trap '' XFSZ; ulimit -f 1; {writer}"),
            2,
        );
        assert!(
            err.starts_with("error: ") && err.contains("caused by"),
            "{writer}: {err}"
        );
        assert!(fs::read(&path).unwrap() == old, "{writer}");
        assert!(hidden(scene.path()).is_empty(), "{writer}");
        // … and else the end of the process.
        let killed = shell(
            scene.path(),
            &format!("ulimit -c 0; ulimit -f 1; exec {writer}"),
        );
        assert!(killed.status.code().is_none(), "{writer}");
        assert!(fs::read(&path).unwrap() == old, "{writer}");
        ends(scene.path(), writer, 0);
        assert!(hidden(scene.path()).is_empty(), "{writer}");
        fs::write(&path, &old).unwrap();
    }
}

#[test]
fn places_that_cannot_be_written_are_named() {
    let scene = scene();
    let at = |name: &str| scene.path().join(name);
    fs::copy(at("a.db"), at("good.db")).unwrap();
    let writers = |place: &str| {
        WRITERS.map(|line| {
            let line = line.replace("--db a.db", &format!("--db {place}"));
            line.replace("export a.db", &format!("export {place}"))
        })
    };
    fs::create_dir(at("folder")).unwrap();
    symlink("round", at("round")).unwrap();
    symlink("nowhere/else/a.db", at("dangling")).unwrap();
    fs::write(at("file"), "x").unwrap();
    let mut wrong = vec![
        "folder",
        "round",
        "dangling",
        "/dev/null",
        "file/a.db",
        "/proc/a.db",
    ];
    fs::create_dir(at("closed")).unwrap();
    fs::set_permissions(at("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(at("closed/probe"), "x").is_err() {
        wrong.push("closed/a.db");
    } else {
        println!("skipped: permissions do not bind this user");
    }
    for place in wrong {
        for line in writers(place) {
            let (out, err) = ends(scene.path(), &line, 2);
            assert!(
                out.is_empty() && err.starts_with("error: "),
                "{line}: {err}"
            );
            assert!(
                err.contains(place.split('/').next().unwrap()),
                "{line}: {err}"
            );
        }
    }
    assert_eq!(fs::read(at("file")).unwrap(), b"x");
    assert!(fs::read_dir(at("folder")).unwrap().next().is_none());
    ends(scene.path(), "test -c /dev/null", 0);
    // A missing parent is made for a database; an export says that it is missing.
    for line in writers("deep/er/a.db") {
        let code = if line.contains("export") { 2 } else { 0 };
        let _ = fs::remove_dir_all(at("deep"));
        ends(scene.path(), &line, code);
    }
}

#[test]
fn a_link_stays_and_its_file_is_replaced() {
    let scene = scene();
    let at = |name: &str| scene.path().join(name);
    fs::create_dir(at("real")).unwrap();
    fs::rename(at("a.db"), at("good.db")).unwrap();
    symlink("real/a.db", at("a.db")).unwrap();
    for writer in WRITERS {
        let _ = fs::remove_file(at("real/a.db"));
        ends(scene.path(), writer, 0);
        assert!(at("a.db").is_symlink(), "{writer}");
        assert!(
            fs::symlink_metadata(at("real/a.db")).unwrap().is_file(),
            "{writer}"
        );
    }
    ends(scene.path(), "\"$P\" db import a.pcdb --db a.db", 0);
    ends(scene.path(), SCAN, 0);
}

#[test]
fn a_report_that_could_not_be_written_is_2() {
    let scene = scene();
    fs::create_dir(scene.path().join("tf")).unwrap();
    let volume =
        "resource \"aws_ebs_volume\" \"v\" {\n  availability_zone = \"a\"\n  size = 1\n}\n";
    fs::write(scene.path().join("tf/main.tf"), volume).unwrap();
    for format in ["table", "json", "sarif"] {
        let clean = format!("{SCAN} --format {format}");
        let violated = format!("\"$P\" scan tf --only misconfig --fail-on low --format {format}");
        ends(scene.path(), &format!("{clean} >/dev/null"), 0);
        ends(scene.path(), &format!("{violated} >/dev/null"), 1);
        for line in [&clean, &violated] {
            let (_, err) = ends(scene.path(), &format!("{line} >/dev/full"), 2);
            assert!(err.contains("cannot write the report"), "{err}");
            let (_, err) = ends(scene.path(), &format!("{line} --report json=/dev/full"), 2);
            assert!(err.contains("/dev/full"), "{err}");
        }
        // A reader that has seen enough changes nothing.
        for (line, code) in [(&clean, 0), (&violated, 1)] {
            let piped = format!("({line}; echo $? >code) | true; cat code");
            let (out, _) = ends(scene.path(), &piped, 0);
            assert_eq!(out.trim(), code.to_string(), "{line}");
        }
    }
    ends(scene.path(), "\"$P\" db status --db a.db >/dev/full", 2);
    ends(scene.path(), "\"$P\" db status --db a.db <&- 2>&-", 0);
}

#[test]
fn killed_programs_leave_a_whole_database_and_the_next_one_cleans_up() {
    let scene = scene();
    fs::copy(scene.path().join("a.db"), scene.path().join("good.db")).unwrap();
    let mut left = 0;
    for round in 0..24 {
        let writer = WRITERS[round % WRITERS.len()];
        let line = format!(
            "{writer} >/dev/null & sleep 0.0{:02}; kill -9 $!; wait",
            round * 7 % 60
        );
        let _ = shell(scene.path(), &line);
        if round % WRITERS.len() == 3 {
            // The export: whole as well.
            ends(scene.path(), "\"$P\" db import a.db --db check.db", 0);
            fs::copy(scene.path().join("good.db"), scene.path().join("a.db")).unwrap();
        }
        left += hidden(scene.path()).len();
        let (out, _) = ends(scene.path(), SCAN, 0);
        assert!(out.contains("PASS"), "{out}");
        ends(
            scene.path(),
            "\"$P\" db query crates.io bad7 1.0.0 --db a.db | grep -q RUSTSEC-2026-0007",
            0,
        );
    }
    println!("{left} scratch files were seen");
    ends(scene.path(), WRITERS[1], 0);
    assert!(hidden(scene.path()).is_empty());
}
