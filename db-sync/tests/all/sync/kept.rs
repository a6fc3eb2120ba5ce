//! What a run does not name stays, what leaves is told, and a folder that is
//! not there is a mirror that failed.

use super::{Place, affects, small};
use crate::support::own;
use db_sync::Db;
use db_sync::sync::{SyncError, SyncReport, SyncRequest, run};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn kinds(place: &Place) -> Vec<String> {
    let db = Db::open(place.path()).expect("open");
    let sources = db.info().sources.iter();
    sources
        .map(|source| format!("{}/{}", source.kind, source.name))
        .collect()
}

fn warnings(report: &SyncReport) -> String {
    let warnings = report.build.warnings.iter();
    let lines: Vec<String> = warnings.map(ToString::to_string).collect();
    lines.join("\n")
}

fn index(root: &Path) {
    let folder = root.join("sm/al");
    fs::create_dir_all(&folder).expect("folder");
    let line = r#"{"name":"smallvec","vers":"1.0.1","yanked":true}"#;
    fs::write(folder.join("smallvec"), format!("{line}\n")).expect("write");
}

#[test]
fn rustsec_and_yanked_versions_stay_where_a_run_does_not_name_them() {
    let (bucket, folders) = (
        TempDir::new().expect("folder"),
        TempDir::new().expect("folder"),
    );
    let mut records = small();
    let rest = affects("crates.io", "other", "1.0.0");
    records.set("crates.io", "GHSA-1", "2026-01-01T00:00:00Z", &rest);
    records.write(bucket.path(), true);
    let tree = folders.path().join("tree");
    for crate_name in fs::read_dir(own().join("rustsec/crates"))
        .expect("read")
        .flatten()
    {
        let to = tree.join("crates").join(crate_name.file_name());
        fs::create_dir_all(&to).expect("folder");
        for file in fs::read_dir(crate_name.path()).expect("read").flatten() {
            fs::copy(file.path(), to.join(file.file_name())).expect("copy");
        }
    }
    index(&folders.path().join("index"));
    let place = Place::new();
    let plain = place.request(&bucket.path().display().to_string());
    let mut request = plain.clone();
    request.rustsec = vec![format!("file://{}", tree.display())];
    request.crates_index = Some(folders.path().join("index"));
    run(&request).expect("sync");
    let all = kinds(&place);
    assert!(all.contains(&"rustsec/RustSec".to_owned()), "{all:?}");
    assert!(
        all.contains(&"crates-index/crates.io".to_owned()),
        "{all:?}"
    );
    let before = place.bytes();
    // Nothing changes, and nothing is lost where all is compiled anew.
    assert!(!run(&plain).expect("sync").written);
    assert_eq!(place.bytes(), before);
    let mut full = plain.clone();
    full.full = true;
    assert!(!warnings(&run(&full).expect("sync")).contains("left out"));
    assert_eq!((kinds(&place), place.bytes()), (all, before));
    let db = Db::open(place.path()).expect("open");
    assert!(db.is_yanked("smallvec", "1.0.1").expect("answer"));
    drop(db);
    // A database that is gone or damaged does not take them along.
    let is_yanked = || {
        let db = Db::open(place.path()).expect("open");
        db.is_yanked("smallvec", "1.0.1").expect("answer")
    };
    fs::write(place.path(), "damaged").expect("write");
    assert!(run(&plain).expect("sync").written);
    assert!(is_yanked());
    // What cannot be kept is told.
    let moved = folders.path().join("moved");
    fs::rename(folders.path().join("index"), &moved).expect("rename");
    assert!(!run(&plain).expect("sync").written);
    fs::remove_file(place.path()).expect("remove");
    let report = run(&plain).expect("sync");
    assert!(warnings(&report).contains("crates.io: the database had yanked"));
    assert!(!is_yanked());
    assert_eq!(warnings(&run(&plain).expect("sync")), "");
    request.crates_index = Some(moved);
    run(&request).expect("sync");
    fs::remove_dir_all(&tree).expect("remove");
    let report = run(&plain).expect("sync");
    assert!(
        warnings(&report).contains("RustSec: the database had"),
        "{}",
        warnings(&report)
    );
    assert!(!kinds(&place).contains(&"rustsec/RustSec".to_owned()));
    assert_eq!(warnings(&run(&plain).expect("sync")), "");
}

#[test]
fn a_kept_tree_that_lost_most_of_its_advisories_is_not_believed() {
    let (bucket, folder) = (
        TempDir::new().expect("folder"),
        TempDir::new().expect("folder"),
    );
    small().write(bucket.path(), true);
    let crates = folder.path().join("crates/one");
    fs::create_dir_all(&crates).expect("folder");
    let file = |number: usize| crates.join(format!("RUSTSEC-2026-{number:04}.md"));
    for number in 1..=200 {
        let text = format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2026-{number:04}\"\npackage = \"one\"\ndate = \"2026-02-01\"\n\n[versions]\npatched = []\n```\n\n# Title\n\nText.\n"
        );
        fs::write(file(number), text).expect("write");
    }
    let place = Place::new();
    let mut request = place.request(&bucket.path().display().to_string());
    request.rustsec = vec![folder.path().display().to_string()];
    run(&request).expect("sync");
    let before = place.bytes();
    (3..=200).for_each(|number| fs::remove_file(file(number)).expect("remove"));
    request.rustsec = Vec::new();
    match run(&request) {
        Err(SyncError::Shrunk {
            ecosystem,
            before: 200,
            after: 2,
        }) => assert_eq!(ecosystem, "RustSec"),
        other => panic!("{other:?}"),
    }
    assert_eq!(place.bytes(), before);
    request.accept_removals = true;
    assert!(run(&request).expect("sync").written);
}

#[test]
fn a_build_takes_nothing_over() {
    let (bucket, folders) = (
        TempDir::new().expect("folder"),
        TempDir::new().expect("folder"),
    );
    small().write(bucket.path(), true);
    index(&folders.path().join("index"));
    let place = Place::new();
    let plain = place.request(&bucket.path().display().to_string());
    let mut request = plain.clone();
    request.ecosystems = vec!["npm".to_owned()];
    request.rustsec = vec![own().join("rustsec").display().to_string()];
    request.crates_index = Some(folders.path().join("index"));
    let kev = folders.path().join("kev.json");
    let text = r#"{"catalogVersion":"1","dateReleased":"2026-11-19T10:00:00Z","vulnerabilities":[{"cveID":"CVE-1999-0001","dateAdded":"2026-01-01"}]}"#;
    fs::write(&kev, text).expect("write");
    request.kev = vec![kev.display().to_string()];
    run(&request).expect("sync");
    assert_eq!(kinds(&place).len(), 3, "{:?}", kinds(&place));
    let mut build = plain.clone();
    (build.full, build.afresh) = (true, true);
    run(&build).expect("build");
    assert_eq!(kinds(&place), ["osv/PyPI", "osv/npm"]);
    let db = Db::open(place.path()).expect("open");
    assert!(db.info().feeds.is_empty());
    drop(db);
    // And the next sync keeps what there is now.
    assert!(!run(&plain).expect("sync").written);
}

#[test]
fn an_ecosystem_leaves_by_name_only_and_one_that_is_unknown_is_named() {
    let root = TempDir::new().expect("folder");
    small().write(root.path(), true);
    let place = Place::new();
    place.sync(root.path());
    let mut request = place.request(&root.path().display().to_string());
    let before = kinds(&place);
    assert_eq!(before, ["osv/PyPI", "osv/npm"]);
    // To sync one, in whatever case, keeps the other, also where all is compiled anew.
    for (full, name) in [
        (false, "npm"),
        (false, "NPM"),
        (true, "pypi:3"),
        (true, "npm"),
    ] {
        (request.ecosystems, request.full) = (vec![name.to_owned()], full);
        let report = run(&request).expect("sync");
        assert_eq!(report.ecosystems.len(), 1, "{name}");
        assert_eq!(
            (kinds(&place), warnings(&report)),
            (before.clone(), String::new())
        );
    }
    request.full = false;
    (request.ecosystems, request.remove) = (vec![], vec!["Nope".to_owned()]);
    match run(&request) {
        Err(SyncError::NotHeld { held, .. }) => assert!(held.into_iter().eq(["PyPI", "npm"])),
        other => panic!("{other:?}"),
    }
    request.remove = vec!["pypi".to_owned()];
    run(&request).expect("sync");
    assert_eq!(kinds(&place), ["osv/npm"]);
    (request.ecosystems, request.remove) = (vec!["Nope".to_owned()], vec![]);
    match run(&request) {
        Err(SyncError::UnknownEcosystem { offered, .. }) => {
            assert!(offered.into_iter().eq(["PyPI", "npm"]));
        }
        other => panic!("{other:?}"),
    }
    // Without network and database, what was fetched is there.
    fs::remove_file(place.path()).expect("remove");
    let mut offline = place.request("");
    offline.offline = true;
    fs::remove_dir_all(place.path().with_extension("db.sync").join("PyPI")).expect("remove");
    run(&offline).expect("offline");
    assert_eq!(kinds(&place), ["osv/npm"]);
    let nothing = Place::new();
    let mut request = nothing.request("");
    request.offline = true;
    assert!(matches!(run(&request), Err(SyncError::NothingFetched)));
}

#[test]
fn a_folder_that_is_not_there_is_a_mirror_that_failed() {
    let root = TempDir::new().expect("folder");
    let spaced = root.path().join("a b");
    fs::create_dir(&spaced).expect("folder");
    small().write(&spaced, true);
    let place = Place::new();
    let mut request = place.request("/nonexistent/share");
    assert!(run(&request).is_err());
    let encoded = spaced.display().to_string().replace(' ', "%20");
    request.from.push(format!("file://localhost{encoded}"));
    let report = run(&request).expect("second mirror");
    assert!(warnings(&report).contains("the next mirror is used"));
    for bad in [
        "ftp://example.org/osv",
        "file://example.org/osv",
        "file:///%zz",
    ] {
        request.from = vec![bad.to_owned()];
        let error = run(&request).expect_err(bad).to_string();
        assert!(
            error.contains("neither an http(s) address nor a folder"),
            "{error}"
        );
    }
}

#[test]
fn a_record_named_in_passing_does_not_make_an_ecosystem_known() {
    let root = TempDir::new().expect("folder");
    let mut records = small();
    let both = r#","affected":[
        {"package":{"ecosystem":"npm","name":"both"},"versions":["1.0.0"]},
        {"package":{"ecosystem":"PyPI","name":"both"},"versions":["1.0.0"]}]"#;
    records.set("npm", "GHSA-both", "2026-01-03T00:00:00Z", both);
    records.write(root.path(), true);
    let place = Place::new();
    let mut request = place.request(&root.path().display().to_string());
    request.ecosystems = vec!["npm".to_owned()];
    run(&request).expect("sync");
    let db = Db::open(place.path()).expect("open");
    assert!(db.has_ecosystem("npm") && !db.has_ecosystem("PyPI"));
    let known = db.info().ecosystems.iter().map(|known| known.name.as_str());
    assert!(known.eq(["PyPI", "npm"]));
}

#[test]
fn what_a_bucket_does_not_list_any_more_stays_as_it_was() {
    let root = TempDir::new().expect("folder");
    small().write(root.path(), true);
    let place = Place::new();
    place.sync(root.path());
    let listed = |name: &str| {
        let db = Db::open(place.path()).expect("open");
        let mut sources = db.info().sources.iter();
        let source = sources.find(|source| source.name == name).expect("source");
        source.newest_listed.clone()
    };
    let before = listed("PyPI");
    fs::write(root.path().join("ecosystems.txt"), "npm\n").expect("write");
    fs::remove_dir_all(root.path().join("PyPI")).expect("remove");
    let newer = "2026-06-01T00:00:00Z";
    fs::write(
        root.path().join("modified_id.csv"),
        format!("{newer},npm/GHSA-x\n"),
    )
    .expect("write");
    for full in [false, true] {
        let mut request = place.request(&root.path().display().to_string());
        request.full = full;
        let report = run(&request).expect("sync");
        assert!(
            warnings(&report).starts_with("PyPI: the bucket does not list"),
            "{}",
            warnings(&report)
        );
        assert_eq!(kinds(&place), ["osv/PyPI", "osv/npm"]);
        // A source that was not looked at is not as young as the bucket.
        assert_eq!(listed("PyPI"), before);
        assert_eq!(listed("npm").as_deref(), Some(newer));
    }
    // What was fetched is gone, too: no sync loses it without a word.
    let cache = place.path().with_extension("db.sync");
    fs::remove_dir_all(cache.join("PyPI")).expect("remove");
    let mut request = place.request(&root.path().display().to_string());
    request.full = true;
    assert!(matches!(run(&request), Err(SyncError::Missing { .. })));
    request.remove = vec!["PyPI".to_owned()];
    run(&request).expect("sync");
    assert_eq!(kinds(&place), ["osv/npm"]);
}

#[test]
fn an_address_that_is_no_bucket_is_named() {
    let empty = TempDir::new().expect("folder");
    let place = Place::new();
    let from = empty.path().display().to_string();
    let mut request = place.request(&from);
    let error = |request: &SyncRequest| run(request).expect_err("no bucket").to_string();
    let why = "(there is no such file): is this an OSV bucket?";
    assert_eq!(
        error(&request),
        format!("{from} has no ecosystems.txt {why}")
    );
    request.ecosystems = vec!["npm".to_owned()];
    assert_eq!(error(&request), format!("{from} has no npm/all.zip {why}"));
    let page = "\n<!DOCTYPE html><title>Welcome</title>";
    fs::write(empty.path().join("ecosystems.txt"), page).expect("write");
    assert_eq!(
        error(&request),
        format!("{from} has no ecosystems.txt (it is a web page): is this an OSV bucket?")
    );
}
