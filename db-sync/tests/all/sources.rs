//! How sources are read and merged: RustSec with OSV, copies, directories.

use super::support::{ask, built, built_from, merged, own, shared};
use db_sync::Loss;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;

#[test]
fn rustsec_adds_what_only_it_knows() {
    let built = built(&[&own().join("osv")], Some(&own().join("rustsec")));
    let outcome = ask(&built.db, "crates.io", "smallvec", "1.0.0");
    assert_eq!(merged(&outcome), ["RUSTSEC-2021-0003"]);
    let found = &outcome.matches[0];
    let scope = found.scope().expect("scope");
    assert_eq!(scope.functions, ["smallvec::SmallVec::insert_many"]);
    assert_eq!(scope.arch, ["x86_64"]);
    assert_eq!(found.sources().expect("sources"), ["RustSec", "crates.io"]);
    assert_eq!(found.fixed, ["1.6.1"]);
    assert_eq!(
        found.modified.map(|time| time.to_string()).as_deref(),
        Some("2023-06-13T13:10:24Z")
    );

    let unmaintained = ask(&built.db, "crates.io", "left-behind", "9.9.9");
    assert_eq!(
        unmaintained.matches[0].informational(),
        Ok(Some("unmaintained"))
    );
    assert_eq!(
        merged(&ask(&built.db, "Rust", "std", "1.49.0")),
        ["RUSTSEC-2099-0003"]
    );
    assert!(merged(&ask(&built.db, "crates.io", "std", "1.49.0")).is_empty());
    let broken = built
        .report
        .warnings
        .iter()
        .filter(|warning| warning.entry == "RUSTSEC-2099-0002.md");
    assert_eq!(broken.count(), 1, "{:?}", built.report.warnings);
    assert_eq!(
        built.report.warnings.len(),
        1,
        "{:?}",
        built.report.warnings
    );
}

#[test]
fn rustsec_alone_gives_the_same_matches() {
    let alone = built(&[], Some(&own().join("rustsec")));
    let both = built(&[&own().join("osv")], Some(&own().join("rustsec")));
    for version in [
        "0.6.2", "0.6.3", "0.6.13", "0.6.14", "1.0.0", "1.6.0", "1.6.1",
    ] {
        assert_eq!(
            merged(&ask(&alone.db, "crates.io", "smallvec", version)),
            merged(&ask(&both.db, "crates.io", "smallvec", version)),
            "{version}"
        );
    }
}

#[test]
fn ranges_that_differ_between_rustsec_and_osv_are_told() {
    let record = r#"{"id":"RUSTSEC-2021-0003","modified":"2023-06-13T13:10:24Z","affected":[{"package":
        {"ecosystem":"crates.io","name":"smallvec"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0.0.0-0"}]}]}]}"#;
    let osv = built_from(&[record]);
    let source = tempfile::TempDir::new().expect("temporary directory");
    std::fs::write(source.path().join("RUSTSEC-2021-0003.json"), record).expect("write");
    let both = built(&[source.path()], Some(&own().join("rustsec")));
    assert!(
        both.report
            .warnings
            .iter()
            .any(|warning| warning.cause.contains("ranges differ"))
    );
    assert_eq!(
        merged(&ask(&both.db, "crates.io", "smallvec", "2.0.0")),
        merged(&ask(&osv.db, "crates.io", "smallvec", "2.0.0"))
    );
}

#[test]
fn what_rustsec_withdrew_since_osvs_record_is_withdrawn() {
    let directory = tempfile::TempDir::new().expect("temporary directory");
    let crates = directory.path().join("tree/crates/x");
    let osv = directory.path().join("osv");
    std::fs::create_dir_all(&crates).expect("folder");
    std::fs::create_dir_all(&osv).expect("folder");
    let advisory = "```toml\n[advisory]\nid = \"RUSTSEC-2099-0009\"\npackage = \"x\"\ndate = \"2099-01-01\"\nwithdrawn = \"2099-02-02\"\n\n[versions]\npatched = []\n```\n\n# Title\n\nText.\n";
    std::fs::write(crates.join("RUSTSEC-2099-0009.md"), advisory).expect("write");
    for (modified, expected) in [
        ("2099-01-03", &[][..]),
        ("2099-02-03", &["RUSTSEC-2099-0009"]),
    ] {
        let record = format!(
            r#"{{"id":"RUSTSEC-2099-0009","modified":"{modified}T00:00:00Z","affected":[{{"package":{{"ecosystem":"crates.io","name":"x"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0.0.0-0"}}]}}]}}]}}"#
        );
        std::fs::write(osv.join("RUSTSEC-2099-0009.json"), record).expect("write");
        let both = built(&[&osv], Some(&directory.path().join("tree")));
        let outcome = ask(&both.db, "crates.io", "x", "1.0.0");
        assert_eq!(merged(&outcome), expected, "{modified}");
    }
}

#[test]
fn the_newest_of_several_copies_counts_in_any_order() {
    let record = |modified: &str, fixed: &str| {
        format!(
            r#"{{"id":"D-1","modified":"{modified}","affected":[{{"package":{{"ecosystem":"PyPI","name":"x"}},
            "ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
        )
    };
    let copies = [
        record("2026-01-01T00:00:00.5Z", "2"),
        record("2026-01-01T00:00:00.25Z", "3"),
        record("2025-01-01T00:00:00Z", "4"),
    ];
    let mut digests = Vec::new();
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let directory = tempfile::TempDir::new().expect("temporary directory");
        let entries: Vec<(String, Vec<u8>)> = order
            .iter()
            .map(|number| ("D-1.json".to_owned(), copies[*number].clone().into_bytes()))
            .collect();
        let path = directory.path().join("all.zip");
        std::fs::write(&path, super::support::zip(&entries)).expect("write");
        let named = directory.path().join("d.zip");
        std::fs::rename(&path, &named).expect("rename");
        let built = built(&[&named], None);
        assert_eq!(merged(&ask(&built.db, "PyPI", "x", "1.9")), ["D-1"]);
        assert!(merged(&ask(&built.db, "PyPI", "x", "2")).is_empty());
        assert_eq!(
            built.report.warnings.len(),
            1,
            "{:?}",
            built.report.warnings
        );
        digests.push(built.report.info.root_digest.clone());
    }
    digests.dedup();
    assert_eq!(digests.len(), 1);
}

#[test]
fn yanked_versions_are_answered_and_cost_nothing_where_no_index_is() {
    let index = tempfile::TempDir::new().expect("temporary directory");
    let folder = index.path().join("sm/al");
    std::fs::create_dir_all(&folder).expect("folder");
    let line = |version: &str, yanked: bool| {
        format!("{{\"name\":\"smallvec\",\"vers\":\"{version}\",\"yanked\":{yanked}}}\n")
    };
    let lines = [
        line("1.0.0", false),
        line("1.0.1", true),
        line("2.0.0-a.1", true),
    ];
    std::fs::write(folder.join("smallvec"), lines.concat()).expect("write");
    let directory = tempfile::TempDir::new().expect("temporary directory");
    let rustsec = Some(own().join("rustsec"));
    let mut request = super::support::request(&[], directory.path());
    request.rustsec.clone_from(&rustsec);
    let without = db_sync::build(&request).expect("build").info;
    request.crates_index = Some(index.path().to_owned());
    let info = db_sync::build(&request).expect("build").info;
    let db = db_sync::Db::open(&request.output).expect("open");
    let ask = |name: &str, version: &str| db.is_yanked(name, version).expect("answer");
    assert!(ask("smallvec", "1.0.1") && ask("smallvec", "2.0.0-a.1"));
    assert!(!ask("smallvec", "1.0.0") && !ask("smallvec", "1.0") && !ask("other", "1.0.1"));
    let last = info.sources.last().expect("source");
    assert_eq!((last.kind.as_str(), last.records), ("crates-index", 2));
    assert_eq!(info.sources.len(), without.sources.len() + 1);
    assert_eq!(info.records, without.records);
    assert!(info.file_size < without.file_size + 400);
    // An index alone says nothing of advisories.
    request.rustsec = None;
    assert!(db_sync::build(&request).is_err());
}

#[test]
fn the_real_trees_merge_without_duplicates() {
    let (Some(bucket), Some(archive)) =
        (shared("osv-bucket"), shared("rustsec-advisory-db.tar.zst"))
    else {
        return;
    };
    let directory = tempfile::TempDir::new().expect("temporary directory");
    if !unpack(&archive, directory.path()) {
        println!("skipped: no tar that reads zstd");
        return;
    }
    let tree = directory.path().join("advisory-db");
    let crates = bucket.join("crates.io");
    let osv = built(&[&crates], None);
    let both = built(&[&crates], Some(&tree));
    let count = |info: &db_sync::Info| {
        info.ecosystems
            .iter()
            .find(|one| one.name == "crates.io")
            .map_or(0, |one| one.records)
    };
    assert_eq!(count(&osv.report.info), count(&both.report.info));
    // Two advisories differ at most: the two stores are not of the same hour.
    assert!(
        both.report.warnings.len() <= 2,
        "{:?}",
        both.report.warnings
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test data is a tar archive, and no crate here reads one"
)]
pub(crate) fn unpack(archive: &Path, into: &Path) -> bool {
    std::process::Command::new("tar")
        .arg("--zstd")
        .arg("-xf")
        .arg(archive)
        .arg("-C")
        .arg(into)
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[test]
fn a_stray_file_does_not_change_what_a_folder_is() {
    let record = |id: &str, ecosystem: &str, name: &str| {
        format!(
            r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","affected":[{{"package":
            {{"ecosystem":"{ecosystem}","name":"{name}"}},"versions":["1.0.0"]}}]}}"#
        )
    };
    for listed in [false, true] {
        let root = TempDir::new().expect("folder");
        for (folder, id) in [("npm", "GHSA-1"), ("PyPI", "GHSA-2")] {
            fs::create_dir(root.path().join(folder)).expect("folder");
            let file = root.path().join(folder).join(format!("{id}.json"));
            fs::write(file, record(id, folder, "x")).expect("write");
        }
        if listed {
            fs::write(root.path().join("ecosystems.txt"), "PyPI\nnpm\n").expect("write");
        }
        fs::create_dir(root.path().join("notes")).expect("folder");
        fs::write(root.path().join("README.json"), "{}").expect("write");
        let stray = record("GHSA-3", "Maven", "x:y");
        fs::write(root.path().join("GHSA-3.json"), stray).expect("write");
        let built = built(&[root.path()], None);
        let hit = |ecosystem, name| !ask(&built.db, ecosystem, name, "1.0.0").matches.is_empty();
        assert!(
            hit("npm", "x") && hit("PyPI", "x") && hit("Maven", "x:y"),
            "{listed}"
        );
        let has = |name| built.db.has_ecosystem(name);
        assert!(has("npm") && has("PyPI") && !has("Maven"), "{listed}");
        // A record that could not be read comes before what is merely odd.
        let first = built.report.warnings.first().expect("a warning");
        assert_eq!(
            (first.loss, first.entry.as_str()),
            (Loss::Skipped, "README.json")
        );
        assert_eq!(built.report.skipped(), 1);
    }
    // The folder of one ecosystem stays that, whatever folders lie in it.
    let root = TempDir::new().expect("folder");
    let npm = root.path().join("npm");
    fs::create_dir_all(npm.join("schema")).expect("folder");
    fs::write(npm.join("GHSA-1.json"), record("GHSA-1", "npm", "x")).expect("write");
    fs::write(npm.join("schema/schema.json"), "{}").expect("write");
    let built = built(&[&npm], None);
    assert!(built.db.has_ecosystem("npm"));
}
