//! Syncing: an update gives the answers of a build from nothing, and whatever
//! goes wrong on the way leaves the database as it was.

#[cfg(feature = "network")]
mod git;
#[cfg(feature = "network")]
mod http;
mod kept;
mod refused;

use super::compare::assert_same;
use super::support::{ask, merged, own, shared};
use db_sync::Db;
use db_sync::sync::{SyncError, SyncReport, SyncRequest, run};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A bucket: records by directory and id.
#[derive(Clone, Debug, Default)]
struct Bucket(BTreeMap<&'static str, BTreeMap<String, (String, String)>>);

impl Bucket {
    fn set(&mut self, directory: &'static str, id: &str, modified: &str, rest: &str) {
        let json = format!(r#"{{"id":"{id}","modified":"{modified}"{rest}}}"#);
        let records = self.0.entry(directory).or_default();
        records.insert(id.to_owned(), (modified.to_owned(), json));
    }

    fn remove(&mut self, directory: &'static str, id: &str) {
        self.0.entry(directory).or_default().remove(id);
    }

    /// A folder with all of it.
    fn folder(&self) -> TempDir {
        let root = TempDir::new().expect("temporary directory");
        self.write(root.path(), true);
        root
    }

    /// Writes lists and single records, and archives where `archives` says so.
    fn write(&self, root: &Path, archives: bool) {
        let mut names = String::new();
        let mut all = String::new();
        for (directory, records) in &self.0 {
            names.push_str(directory);
            names.push('\n');
            let folder = root.join(directory);
            fs::create_dir_all(&folder).expect("folder");
            let mut lines: Vec<String> = Vec::new();
            let mut entries = Vec::new();
            for (id, (modified, json)) in records {
                lines.push(format!("{modified},{id}\n"));
                fs::write(folder.join(format!("{id}.json")), json).expect("write");
                entries.push((format!("{id}.json"), json.clone().into_bytes()));
            }
            lines.sort_by(|left, right| right.cmp(left));
            fs::write(folder.join("modified_id.csv"), lines.concat()).expect("write");
            for line in &lines {
                all.push_str(&line.replace(',', &format!(",{directory}/")));
            }
            if archives {
                fs::write(folder.join("all.zip"), super::support::zip(&entries)).expect("write");
            }
        }
        fs::write(root.join("ecosystems.txt"), names).expect("write");
        fs::write(root.join("modified_id.csv"), all).expect("write");
    }
}

fn affects(ecosystem: &str, name: &str, fixed: &str) -> String {
    format!(
        r#","summary":"about {name}","details":"{}","affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]"#,
        format!("{name} {fixed} ").repeat(300)
    )
}

fn small() -> Bucket {
    let mut bucket = Bucket::default();
    for number in 0..60 {
        let id = format!("PYSEC-2026-{number}");
        let extra = format!(
            r#","aliases":["CVE-2026-{}"]{}"#,
            number / 2,
            affects(
                "PyPI",
                &format!("pack{}", number % 7),
                &format!("1.{number}")
            )
        );
        bucket.set(
            "PyPI",
            &id,
            &format!("2026-01-01T00:00:{number:02}Z"),
            &extra,
        );
    }
    let npm = affects("npm", "left", "2.0.0");
    bucket.set("npm", "GHSA-aaaa-bbbb-cccc", "2026-01-02T00:00:00.5Z", &npm);
    bucket
}

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: TempDir::new().expect("temporary directory"),
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("advisories.db")
    }

    fn request(&self, from: &str) -> SyncRequest {
        let mut request = SyncRequest {
            from: vec![from.to_owned()],
            output: self.path(),
            ..SyncRequest::default()
        };
        request.access.backoff = Duration::from_millis(5);
        request.access.patience = Duration::from_secs(5);
        request
    }

    fn sync(&self, from: &Path) -> SyncReport {
        run(&self.request(&from.display().to_string())).expect("sync")
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).expect("read")
    }
}

/// A database that is synced from nothing.
fn from_nothing(bucket: &Path) -> Place {
    let place = Place::new();
    let report = place.sync(bucket);
    assert!(report.rebuilt && report.written);
    place
}

/// Fails unless the database answers as one that is synced from nothing.
fn assert_as_from_nothing(place: &Place, bucket: &Path) {
    let new = from_nothing(bucket);
    assert_same(&[bucket], &place.path(), &new.path());
}

#[test]
fn an_update_gives_the_answers_of_a_build_from_nothing() {
    let root = TempDir::new().expect("temporary directory");
    let place = Place::new();
    let mut bucket = small();
    bucket.write(root.path(), true);
    place.sync(root.path());
    // Equal to the newest time of the directory, and new.
    let more = affects("PyPI", "pack1", "9.9");
    bucket.set("PyPI", "PYSEC-2026-90", "2026-01-01T00:00:59Z", &more);
    bucket.set("PyPI", "PYSEC-2026-7", "2026-02-01T00:00:00.25Z", &more);
    bucket.set(
        "PyPI",
        "PYSEC-2026-8",
        "2026-02-01T00:00:00.250Z",
        &format!(r#","withdrawn":"2026-02-01T00:00:00Z"{more}"#),
    );
    bucket.remove("PyPI", "PYSEC-2026-59");
    // The archives stay stale: the lists say what is new.
    bucket.write(root.path(), false);
    let report = place.sync(root.path());
    assert!(report.written && !report.rebuilt);
    let python = &report.ecosystems[0];
    assert_eq!(
        (
            python.fetched,
            python.added,
            python.changed,
            python.removed,
            python.archive
        ),
        (3, 1, 2, 1, false)
    );
    assert_as_from_nothing(&place, root.path());
    bucket.write(root.path(), true);
    assert_as_from_nothing(&place, root.path());
    let db = Db::open(place.path()).expect("open");
    db.verify().expect("whole");
    assert_eq!(
        merged(&ask(&db, "PyPI", "pack1", "9.0")),
        ["PYSEC-2026-7", "PYSEC-2026-90"]
    );
    let before = place.bytes();
    let again = place.sync(root.path());
    assert!(!again.written && again.ecosystems.iter().all(|one| one.fetched == 0));
    assert!(before == place.bytes());
    // Without network, and without a database: from the cache.
    fs::remove_file(place.path()).expect("remove");
    let mut offline = place.request("nowhere");
    offline.offline = true;
    run(&offline).expect("offline");
    assert_as_from_nothing(&place, root.path());
}

/// A random change: which record, what happens to it, and two numbers for it.
type Change = (u8, u8, u8, u8);

/// Records of several sources that lend each other ids and ratings.
fn apply(bucket: &mut Bucket, round: usize, (number, kind, package, other): Change) {
    let second = number % 60;
    let time = format!("2026-03-{:02}T00:00:{second:02}.{package}Z", round + 1).replace(".0Z", "Z");
    let rest = affects("PyPI", &format!("pack{package}"), &format!("2.{round}"));
    let debian = affects(
        "Debian:12",
        &format!("lib{package}"),
        &format!("2.{round}-1"),
    );
    let vector = format!(
        r#","severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:{}/I:H/A:H"}}]"#,
        ["N", "L", "H"][usize::from(package) % 3]
    );
    let id = format!("PYSEC-2026-{number}");
    let (cve, others) = (
        format!("CVE-2026-{}", number / 2),
        format!("CVE-2026-{}", other / 2),
    );
    let distribution = format!("DEBIAN-{cve}");
    match kind {
        0 => bucket.remove("PyPI", &id),
        1 => bucket.set(
            "PyPI",
            &id,
            &time,
            &format!(r#","withdrawn":"2026-03-01T00:00:00Z"{rest}"#),
        ),
        2 => bucket.set(
            "PyPI",
            &id,
            &time,
            &format!(r#","aliases":["{others}"]{vector}{rest}"#),
        ),
        3 => bucket.set("PyPI", &id, &time, &rest),
        4 => bucket.set(
            "PyPI",
            &id,
            &time,
            &format!(r#","upstream":["{others}"]{rest}"#),
        ),
        5 => bucket.set(
            "Debian",
            &distribution,
            &time,
            &format!(r#","upstream":["{cve}"]{debian}"#),
        ),
        6 => bucket.set(
            "Debian",
            &format!("DSA-{number}"),
            &time,
            &format!(r#","related":["{cve}","{others}"]{debian}"#),
        ),
        7 => bucket.remove("Debian", &distribution),
        8 => {
            // One record in two directories, and another text of it in one of them.
            bucket.set("PyPI", &id, &time, &format!("{vector}{rest}"));
            bucket.set("npm", &id, &time, &format!("{vector}{rest}"));
        }
        9 => bucket.remove("npm", &id),
        10 => {
            // A rating that holds for one package, which others borrow.
            let rated = rest.replace(r#""},"ranges""#, &format!("\"}}{vector},\"ranges\""));
            bucket.set(
                "PyPI",
                &id,
                &time,
                &format!(r#","aliases":["{cve}"]{rated}"#),
            );
        }
        _ => bucket.set(
            "npm",
            &id,
            &time,
            &affects("npm", &format!("left{package}"), "3.0.0"),
        ),
    }
}

#[test]
fn random_updates_give_the_answers_of_a_build_from_nothing() {
    use proptest::prelude::*;
    let change = (0_u8..80, 0_u8..12, 0_u8..9, 0_u8..80);
    let rounds = prop::collection::vec(prop::collection::vec(change, 1..8), 1..6);
    let first = prop::collection::vec((0_u8..80, 0_u8..12, 0_u8..9, 0_u8..80), 0..60);
    let config = ProptestConfig::with_cases(24);
    proptest!(config, |(first in first, rounds in rounds)| {
        let root = TempDir::new().expect("temporary directory");
        let place = Place::new();
        let mut bucket = small();
        bucket.set("Debian", "DSA-1", "2026-01-01T00:00:00Z", &affects("Debian:12", "lib1", "1"));
        for change in first {
            apply(&mut bucket, 0, change);
        }
        bucket.write(root.path(), true);
        place.sync(root.path());
        for (round, changes) in rounds.iter().enumerate() {
            for change in changes {
                apply(&mut bucket, round + 1, *change);
            }
            bucket.write(root.path(), false);
            place.sync(root.path());
            assert_as_from_nothing(&place, root.path());
        }
    });
}

#[test]
fn many_changes_give_the_bytes_of_a_build_from_nothing() {
    let root = TempDir::new().expect("temporary directory");
    let place = Place::new();
    let mut bucket = small();
    bucket.write(root.path(), true);
    place.sync(root.path());
    let digest = |place: &Place| {
        Db::open(place.path())
            .expect("open")
            .info()
            .root_digest
            .clone()
    };
    for (round, count) in [(1, 3), (2, 550), (3, 2)] {
        for number in 0..count {
            let rest = affects(
                "PyPI",
                &format!("pack{}", number % 40),
                &format!("3.{round}"),
            );
            let time = format!("2026-04-{round:02}T00:00:00Z");
            bucket.set("PyPI", &format!("PYSEC-2026-{number}"), &time, &rest);
        }
        bucket.write(root.path(), false);
        assert!(!place.sync(root.path()).rebuilt);
        assert_as_from_nothing(&place, root.path());
        let is_whole = digest(&place) == digest(&from_nothing(root.path()));
        assert_eq!(is_whole, count > 500, "round {round}");
    }
    // A segment of changes without what it was made of is not gone on with.
    fs::remove_file(place.path().with_file_name("advisories.db.sync/changed")).expect("remove");
    bucket.remove("PyPI", "PYSEC-2026-1");
    bucket.write(root.path(), false);
    assert!(place.sync(root.path()).rebuilt);
    assert_as_from_nothing(&place, root.path());
}

/// Lays `over` onto `under` in a folder of its own, with links.
#[cfg(unix)]
fn overlay(under: &Path, over: &Path, to: &Path) {
    for layer in [under, over] {
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(layer.join(&folder)).expect("list") {
                let entry = entry.expect("entry");
                let path = folder.join(entry.file_name());
                if entry.path().is_dir() {
                    fs::create_dir_all(to.join(&path)).expect("folder");
                    folders.push(path);
                } else {
                    let _ = fs::remove_file(to.join(&path));
                    std::os::unix::fs::symlink(entry.path(), to.join(&path)).expect("link");
                }
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn the_real_bucket_some_days_later() {
    let (Some(bucket), Some(delta)) = (shared("osv-bucket"), shared("delta")) else {
        return;
    };
    let expected: serde_json::Value =
        serde_json::from_slice(&fs::read(delta.join("expected.json")).expect("read"))
            .expect("JSON");
    let later = TempDir::new().expect("temporary directory");
    overlay(&bucket, &delta, later.path());
    let place = Place::new();
    place.sync(&bucket);
    let report = place.sync(later.path());
    assert!(!report.rebuilt);
    let count = |of: fn(&db_sync::sync::EcosystemSync) -> u64| -> u64 {
        report.ecosystems.iter().map(of).sum()
    };
    assert_eq!(count(|one| one.added), 12);
    assert_eq!(count(|one| one.changed), 18);
    assert_eq!(count(|one| one.removed), 1);
    let db = Db::open(place.path()).expect("open");
    for source in &db.info().sources {
        let records = expected["records_after_sync"][&source.name].as_u64();
        assert_eq!(records, Some(source.records), "{}", source.name);
        assert_eq!(
            source.newest_listed.as_deref(),
            Some("2026-11-21T02:38:00.5Z")
        );
    }
    for change in expected["changes"].as_array().expect("list") {
        let id = change["id"].as_str().expect("id");
        let record = db.advisory(id).expect("read").expect(id);
        let withdrawn = change["withdrawn"].as_bool().expect("flag");
        assert_eq!(record.withdrawn.is_some(), withdrawn, "{id}");
    }
    assert!(
        db.advisory("BIT-modsecurity2-2026-52747")
            .expect("read")
            .is_none()
    );
    let new = from_nothing(later.path());
    assert_same(&[&bucket, &delta], &place.path(), &new.path());
}

/// Records all over the real bucket, with all that they are linked to.
#[cfg(unix)]
#[test]
fn real_records_go_and_come_back() {
    let Some(bucket) = shared("osv-bucket") else {
        return;
    };
    let root = TempDir::new().expect("temporary directory");
    let directories = ["Bitnami", "GIT", "Go", "PyPI"];
    fs::write(root.path().join("ecosystems.txt"), directories.join("\n")).expect("write");
    let list = |directory: &str, without: &dyn Fn(&str) -> bool| {
        let csv = fs::read_to_string(bucket.join(directory).join("modified_id.csv")).expect("read");
        let lines = csv
            .lines()
            .filter(|line| !without(line.rsplit(',').next().unwrap_or("")));
        let lines: Vec<&str> = lines.collect();
        let path = root.path().join(directory).join("modified_id.csv");
        fs::write(path, lines.join("\n")).expect("write");
    };
    for directory in directories {
        let folder = root.path().join(directory);
        fs::create_dir_all(&folder).expect("folder");
        let archive = bucket.join(directory).join("all.zip");
        std::os::unix::fs::symlink(&archive, folder.join("all.zip")).expect("link");
        let mut archive =
            zip::ZipArchive::new(fs::File::open(archive).expect("open")).expect("zip");
        for number in (0..archive.len()).step_by(97) {
            let mut entry = archive.by_index(number).expect("entry");
            let name = entry.name().expect("name").into_owned();
            let mut out = fs::File::create(folder.join(name)).expect("create");
            std::io::copy(&mut entry, &mut out).expect("copy");
        }
        list(directory, &|_| false);
    }
    let place = Place::new();
    place.sync(root.path());
    let mut digests = Vec::new();
    for round in 0..3 {
        for directory in directories {
            let folder = root.path().join(directory);
            list(directory, &|id| {
                round < 2
                    && folder.join(format!("{id}.json")).exists()
                    && (round == 0 || id.ends_with('7'))
            });
        }
        let report = place.sync(root.path());
        assert!(report.written && !report.rebuilt);
        digests.push(report.build.info.root_digest);
        assert_as_from_nothing(&place, root.path());
    }
    digests.push(
        from_nothing(root.path())
            .sync(root.path())
            .build
            .info
            .root_digest,
    );
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 4, "written as changes each time");
}

#[test]
fn what_is_asked_for_is_added_to_what_is_there() {
    let root = small().folder();
    let place = Place::new();
    let mut request = place.request(&root.path().display().to_string());
    request.ecosystems = vec!["npm".to_owned()];
    assert_eq!(run(&request).expect("sync").ecosystems.len(), 1);
    let report = place.sync(root.path());
    assert_eq!(report.ecosystems.len(), 1);
    request.ecosystems = vec!["PyPI:3".to_owned()];
    run(&request).expect("sync");
    let db = Db::open(place.path()).expect("open");
    assert!(db.has_ecosystem("PyPI") && db.has_ecosystem("npm"));
    for bad in ["Nope", "../PyPI", ""] {
        request.ecosystems = vec![bad.to_owned()];
        let error = run(&request).expect_err(bad);
        assert!(
            matches!(error, SyncError::UnknownEcosystem { .. }),
            "{error}"
        );
    }
}

#[test]
fn what_was_found_is_added_to_what_is_there() {
    let root = small().folder();
    let place = Place::new();
    let mut request = place.request(&root.path().display().to_string());
    let names = |report: &SyncReport| -> Vec<String> {
        let all = report.ecosystems.iter();
        all.map(|one| one.name.clone()).collect()
    };
    request.found = vec!["npm".to_owned(), "Alpine:v3.20".to_owned()];
    let report = run(&request).expect("sync");
    assert_eq!(names(&report), ["npm"]);
    let warnings: Vec<String> = report
        .build
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        warnings,
        ["Alpine: the bucket has no such ecosystem: left out"]
    );
    request.found = vec!["PyPI".to_owned()];
    assert_eq!(names(&run(&request).expect("sync")), ["PyPI", "npm"]);
    let nothing = Place::new();
    let mut request = nothing.request(&root.path().display().to_string());
    request.found = vec!["Alpine:v3.20".to_owned()];
    assert!(matches!(run(&request), Err(SyncError::NoEcosystem)));
}

#[test]
fn one_writer_at_a_time_and_readers_never_wait() {
    let mut bucket = small();
    let root = bucket.folder();
    let place = Place::new();
    place.sync(root.path());
    let folder = place.directory.path().join("advisories.db.sync");
    let lock = fs::File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.join("lock"))
        .expect("lock file");
    lock.lock().expect("lock");
    let mut request = place.request(&root.path().display().to_string());
    request.lock_wait = Some(Duration::from_millis(60));
    assert!(matches!(
        run(&request),
        Err(SyncError::Place(db_sync::PlaceError::Locked { .. }))
    ));
    Db::open(place.path()).expect("readers need no lock");
    drop(lock);
    bucket.set(
        "npm",
        "GHSA-1",
        "2026-02-03T00:00:00Z",
        &affects("npm", "left", "3.0.0"),
    );
    bucket.write(root.path(), false);
    request.lock_wait = None;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| run(&request).expect("both end well"));
        }
    });
    assert_as_from_nothing(&place, root.path());
}

#[test]
fn rustsec_from_a_tree_or_an_archive_is_joined_in_updates_too() {
    let root = TempDir::new().expect("temporary directory");
    let crates = own().join("osv/crates.io");
    let mut bucket = Bucket::default();
    let record = fs::read_to_string(crates.join("RUSTSEC-2021-0003.json")).expect("read");
    let time = "2023-06-13T13:10:24Z".to_owned();
    bucket
        .0
        .entry("crates.io")
        .or_default()
        .insert("RUSTSEC-2021-0003".to_owned(), (time, record));
    bucket.set(
        "crates.io",
        "GHSA-1",
        "2026-01-01T00:00:00Z",
        &affects("crates.io", "other", "1.0.0"),
    );
    bucket.write(root.path(), true);
    let mut archive = tar::Builder::new(Vec::new());
    archive
        .append_dir_all("advisory-db-main", own().join("rustsec"))
        .expect("tar");
    let tarball = root.path().join("rustsec.tar.zst");
    let tar = archive.into_inner().expect("tar");
    fs::write(&tarball, zstd::bulk::compress(&tar, 3).expect("zstd")).expect("write");
    let sync = |place: &Place, rustsec: &Path| {
        let mut request = place.request(&root.path().display().to_string());
        request.rustsec = vec![rustsec.display().to_string()];
        run(&request).expect("sync")
    };
    let (tree, packed) = (Place::new(), Place::new());
    sync(&tree, &own().join("rustsec"));
    sync(&packed, &tarball);
    assert!(tree.bytes() == packed.bytes());
    for id in ["GHSA-1", "RUSTSEC-2021-0003"] {
        let rest = affects("crates.io", "smallvec", "1.6.2");
        bucket.set("crates.io", id, "2026-05-01T00:00:00Z", &rest);
        bucket.write(root.path(), false);
        let report = sync(&tree, &own().join("rustsec"));
        assert_eq!(report.rebuilt, id.starts_with("RUSTSEC"));
        let fresh = Place::new();
        sync(&fresh, &own().join("rustsec"));
        assert_same(&[root.path()], &tree.path(), &fresh.path());
    }
}

#[test]
fn a_state_of_another_file_is_not_used() {
    use db_sync::transfer::{ImportRequest, import};
    let mut bucket = small();
    let root = bucket.folder();
    let place = Place::new();
    place.sync(root.path());
    // Somebody puts another database there: the state beside it is of the first.
    let other = super::support::built(&[&own().join("osv/PyPI")], None);
    import(&ImportRequest {
        file: &other.path,
        database: &place.path(),
        key: None,
        signature: None,
    })
    .expect("import");
    let more = affects("PyPI", "pack1", "9.9");
    bucket.set("PyPI", "PYSEC-2026-90", "2026-03-01T00:00:00Z", &more);
    bucket.write(root.path(), true);
    let mut request = place.request(&root.path().display().to_string());
    request.ecosystems = vec!["PyPI".to_owned(), "npm".to_owned()];
    let report = run(&request).expect("sync");
    assert!(report.rebuilt && report.written);
    let db = Db::open(place.path()).expect("open");
    assert_eq!(merged(&ask(&db, "PyPI", "pack1", "9.0")), ["PYSEC-2026-90"]);
    assert!(merged(&ask(&db, "PyPI", "django", "2.2.10")).is_empty());
    assert_eq!(db.info().records, 62);
}
