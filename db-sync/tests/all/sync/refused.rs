//! Buckets and caches that are not believed: the database stays as it was.

use super::super::support::zip;
use super::{Bucket, Place, affects, assert_as_from_nothing, small};
use db_sync::Db;
use db_sync::sync::{SyncError, run};
use std::fs;
use tempfile::TempDir;

/// Adds so many npm records.
fn many(bucket: &mut Bucket, count: usize) {
    for number in 0..count {
        let rest = affects("npm", "left", &format!("3.{number}.0"));
        let id = format!("GHSA-{number}");
        bucket.set("npm", &id, "2026-01-03T00:00:00Z", &rest);
    }
}

#[test]
fn a_bad_bucket_leaves_the_database_as_it_was() {
    let mut bucket = small();
    let root = bucket.folder();
    let place = Place::new();
    place.sync(root.path());
    let before = place.bytes();
    let from = root.path().display().to_string();
    let fails = |full: bool| {
        let mut request = place.request(&from);
        request.full = full;
        let error = run(&request).expect_err("refused").to_string();
        assert!(before == place.bytes());
        error
    };
    let archive = root.path().join("PyPI/all.zip");
    let good = fs::read(&archive).expect("read");
    fs::write(&archive, &good[..good.len() / 2]).expect("write");
    assert_eq!(fails(true), "could not sync PyPI");
    fs::write(&archive, b"<html>busy</html>").expect("write");
    assert_eq!(fails(true), "could not sync PyPI");
    fs::write(&archive, &good).expect("write");
    let list = root.path().join("PyPI/modified_id.csv");
    fs::write(&list, "").expect("write");
    assert!(fails(false).contains("names no record"));
    // Bad lines: nothing is taken for removed.
    fs::write(
        &list,
        "2026-01-01T00:00:01Z,PYSEC-2026-1\nx\n2026-01-01T00:00:01Z,../../x\n",
    )
    .expect("write");
    let report = place.sync(root.path());
    assert!(
        !report.written && report.build.warnings.len() >= 2,
        "{report:?}"
    );
    many(&mut bucket, 400);
    bucket.write(root.path(), true);
    place.sync(root.path());
    let before = place.bytes();
    fs::write(
        root.path().join("npm/modified_id.csv"),
        "2026-01-03T00:00:00Z,GHSA-1\n",
    )
    .expect("write");
    let error = run(&place.request(&from))
        .expect_err("doubtful")
        .to_string();
    assert!(
        error.contains("npm had 401 records and has 1 now"),
        "{error}"
    );
    assert!(before == place.bytes());
}

#[test]
fn what_was_fetched_and_damaged_is_fetched_again() {
    let root = small().folder();
    let place = Place::new();
    place.sync(root.path());
    let folder = place.directory.path().join("advisories.db.sync");
    for (name, from, to) in [
        // Of the same length, and no bad line that would be told.
        ("PyPI/modified_id.csv", "PYSEC-2026-59", "PYSEC-2026-69"),
        ("ecosystems.txt", "PyPI", "PyPJ"),
    ] {
        let path = folder.join(name);
        let text = fs::read_to_string(&path).expect("read");
        fs::write(&path, text.replace(from, to)).expect("write");
        let mut offline = place.request("");
        offline.offline = true;
        let error = run(&offline).expect_err("damaged");
        assert!(matches!(error, SyncError::Damaged { .. }), "{error}");
        place.sync(root.path());
        assert_as_from_nothing(&place, root.path());
    }
}

#[test]
fn a_directory_without_list_and_archive_is_not_up_to_date() {
    let root = small().folder();
    let place = Place::new();
    fs::remove_file(root.path().join("npm/modified_id.csv")).expect("remove");
    place.sync(root.path());
    let before = place.bytes();
    fs::remove_file(root.path().join("npm/all.zip")).expect("remove");
    let error = run(&place.request(&root.path().display().to_string())).expect_err("gone");
    assert!(
        matches!(&error, SyncError::Missing { what } if what == "npm/all.zip"),
        "{error}"
    );
    assert!(before == place.bytes());
}

#[test]
fn a_bucket_that_lost_much_is_not_believed_unless_told() {
    let root = TempDir::new().expect("temporary directory");
    let of = |count| {
        let mut bucket = Bucket::default();
        many(&mut bucket, count);
        bucket
    };
    of(500).write(root.path(), true);
    let place = Place::new();
    place.sync(root.path());
    let before = place.bytes();
    // List and archive agree, and no list at all: however it comes.
    for lists in [true, false] {
        of(300).write(root.path(), true);
        if !lists {
            fs::remove_file(root.path().join("npm/modified_id.csv")).expect("remove");
        }
        for full in [false, true] {
            let mut request = place.request(&root.path().display().to_string());
            request.full = full;
            let error = run(&request).expect_err("doubtful");
            assert!(
                matches!(
                    &error,
                    SyncError::Shrunk {
                        before: 500,
                        after: 300,
                        ..
                    }
                ),
                "{lists} {full}: {error}"
            );
            assert!(before == place.bytes());
        }
    }
    let mut request = place.request(&root.path().display().to_string());
    request.accept_removals = true;
    assert!(run(&request).expect("accepted").written);
    assert_eq!(Db::open(place.path()).expect("open").info().records, 300);
    // An archive without a record is none, whatever is accepted.
    fs::write(root.path().join("npm/all.zip"), zip(&[])).expect("write");
    request.full = true;
    run(&request).expect_err("empty");
    assert_eq!(Db::open(place.path()).expect("open").info().records, 300);
}
