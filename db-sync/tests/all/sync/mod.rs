//! Syncing: an update gives the answers of a build from nothing, and whatever
//! goes wrong on the way leaves the database as it was.

#[cfg(feature = "network")]
mod git;
#[cfg(feature = "network")]
mod http;
mod kept;
mod refused;

mod random;

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
