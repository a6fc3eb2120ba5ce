//! The file: deterministic, replaced whole, and refused when it is damaged.

use super::support::{Built, ask, built, built_from, merged, own, request, shared};
use db_sync::{BuildRequest, Db, OpenError, Query, Response, build};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// A directory of the bucket: its name, and the names and bytes of its records.
type Directory = (String, Vec<(String, Vec<u8>)>);

/// All records of our small set as archive entries, per directory.
fn entries() -> Vec<Directory> {
    let mut all = Vec::new();
    for directory in fs::read_dir(own().join("osv")).expect("list") {
        let path = directory.expect("entry").path();
        if path.is_dir() {
            let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(&path)
                .expect("list")
                .map(|file| {
                    let file = file.expect("entry").path();
                    let name = file
                        .file_name()
                        .expect("name")
                        .to_string_lossy()
                        .into_owned();
                    (name, fs::read(&file).expect("read"))
                })
                .collect();
            files.sort();
            all.push((
                path.file_name()
                    .expect("name")
                    .to_string_lossy()
                    .into_owned(),
                files,
            ));
        }
    }
    all.sort();
    all
}

fn bucket(reversed: bool) -> TempDir {
    let root = TempDir::new().expect("temporary directory");
    let mut names = String::new();
    for (name, mut files) in entries() {
        if reversed {
            files.reverse();
        }
        fs::create_dir(root.path().join(&name)).expect("directory");
        fs::write(
            root.path().join(&name).join("all.zip"),
            super::support::zip(&files),
        )
        .expect("write");
        names.push_str(&name);
        names.push('\n');
    }
    fs::write(root.path().join("ecosystems.txt"), names).expect("write");
    root
}

fn bytes_with(threads: usize, osv: &Path) -> Vec<u8> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("threads");
    let directory = TempDir::new().expect("temporary directory");
    let request = request(&[osv], directory.path());
    pool.install(|| build(&request)).expect("build");
    fs::read(&request.output).expect("read")
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let (straight, reversed) = (bucket(false), bucket(true));
    let first = bytes_with(1, straight.path());
    assert!(first == bytes_with(2, straight.path()));
    assert!(first == bytes_with(2, reversed.path()));
    assert!(
        first == bytes_with(1, &own().join("osv")),
        "loose records differ from archives"
    );
}

#[test]
fn the_real_bucket_gives_the_same_bytes_on_one_thread_and_two() {
    let Some(bucket) = shared("osv-bucket") else {
        return;
    };
    assert!(bytes_with(1, &bucket) == bytes_with(2, &bucket));
}

/// Every question that our small set can answer, and its answers.
fn everything(db: &Db) -> Result<Vec<Response<'_>>, db_sync::ReadError> {
    let mut all = Vec::new();
    for (ecosystem, name, version) in [
        ("crates.io", "smallvec", Some("1.0.0")),
        ("PyPI", "django", Some("2.2.10")),
        ("PyPI", "apache-airflow", None),
        ("Debian:12", "python-django", Some("1")),
        ("npm", "qs", Some("6.9.0")),
        ("Go", "stdlib", Some("1.20.1")),
        ("AlmaLinux:8", "slirp4netns", Some("0.1-1.el8")),
    ] {
        let query = Query {
            ecosystem,
            name,
            version,
            ..Query::default()
        };
        all.push(db.query(&query)?);
    }
    Ok(all)
}

fn texts(db: &Db) -> Result<Vec<String>, db_sync::ReadError> {
    let ids = [
        "RUSTSEC-2021-0003",
        "PYSEC-2021-439",
        "ALSA-2099-4694",
        "GO-2023-2102",
    ];
    ids.iter()
        .map(|id| {
            Ok(db
                .advisory(id)?
                .map(|one| format!("{one:?}"))
                .unwrap_or_default())
        })
        .collect()
}

fn small() -> Built {
    built(&[&own().join("osv")], None)
}

#[test]
fn a_flipped_byte_is_an_error_and_never_another_answer() {
    let built = small();
    let good = fs::read(&built.path).expect("read");
    let expected = everything(&built.db).expect("answers");
    let expected_texts = texts(&built.db).expect("texts");
    let path = built.directory.path().join("flipped.db");
    let mut refused = 0;
    for position in 0..good.len() {
        let mut bytes = good.clone();
        bytes[position] ^= 1 << (position % 8);
        fs::write(&path, &bytes).expect("write");
        let Ok(db) = Db::open(&path) else {
            refused += 1;
            continue;
        };
        match everything(&db) {
            Ok(answers) => assert!(answers == expected, "byte {position}"),
            Err(_) => refused += 1,
        }
        if let Ok(texts) = texts(&db) {
            assert!(texts == expected_texts, "byte {position}");
        }
        assert!(db.verify().is_err(), "byte {position}");
    }
    // Small files have one page: any flip in it is seen by the first answer.
    assert_eq!(refused, good.len());
    built.db.verify().expect("the good file is whole");
}

#[test]
fn a_flipped_bit_in_a_large_file_is_found_wherever_it_is() {
    let root = TempDir::new().expect("temporary directory");
    let mut noise = 1_u64;
    for number in 0..400 {
        // Texts that do not compress, so that they fill pages as well.
        let mut details = String::new();
        for _ in 0..300 {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(9);
            details.push_str(&(noise >> 40).to_string());
        }
        let record = format!(
            r#"{{"id":"GHSA-{number}","modified":"2026-01-01T00:00:00Z","aliases":["CVE-2026-{}"],"summary":"about {number}","details":"{details}","severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}}],"affected":[{{"package":{{"ecosystem":"npm","name":"p{}"}},"versions":["3.{number}.1"],"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"2.{number}.0"}}]}}]}}]}}"#,
            number / 2,
            number % 150
        );
        fs::write(root.path().join(format!("GHSA-{number}.json")), record).expect("write");
    }
    let built = built(&[root.path()], None);
    let good = fs::read(&built.path).expect("read");
    assert!(good.len() > 40 * 8192, "{} bytes", good.len());
    let answers = |db: &Db| -> Result<Vec<String>, db_sync::ReadError> {
        let mut all = Vec::new();
        for number in [0, 7, 149] {
            let query = Query {
                ecosystem: "npm",
                name: &format!("p{number}"),
                version: Some("1.0.0"),
                as_of: None,
                module: None,
            };
            for found in db.query(&query)?.matches {
                let details = db.advisory(found.id)?;
                all.push(format!("{found:?} {:?} {details:?}", found.ratings()?));
            }
        }
        Ok(all)
    };
    let expected = answers(&built.db).expect("answers");
    assert_eq!(expected.len(), 8);
    let path = built.directory.path().join("flipped.db");
    let edges = (0..1024).chain(good.len() - 400..good.len());
    for position in edges.chain((1024..good.len()).step_by(311)) {
        let mut bytes = good.clone();
        bytes[position] ^= 1 << (position % 8);
        fs::write(&path, &bytes).expect("write");
        let Ok(db) = Db::open(&path) else { continue };
        assert!(db.verify().is_err(), "byte {position}");
        if let Ok(found) = answers(&db) {
            assert!(found == expected, "byte {position}");
        }
    }
}

#[test]
fn a_shortened_file_is_refused() {
    let built = small();
    let good = fs::read(&built.path).expect("read");
    let path = built.directory.path().join("short.db");
    for length in (0..good.len()).step_by(37) {
        fs::write(&path, &good[..length]).expect("write");
        assert!(Db::open(&path).is_err(), "{length} bytes");
    }
    let mut longer = good.clone();
    longer.push(0);
    fs::write(&path, &longer).expect("write");
    assert!(matches!(Db::open(&path), Err(OpenError::Truncated { .. })));
    assert!(matches!(
        Db::open(built.directory.path().join("none")),
        Err(OpenError::Missing { .. })
    ));
    fs::write(&path, vec![b'x'; 5000]).expect("write");
    assert!(matches!(Db::open(&path), Err(OpenError::Foreign { .. })));
}

#[test]
fn other_formats_are_named() {
    let built = small();
    let mut bytes = fs::read(&built.path).expect("read");
    let path = built.directory.path().join("other.db");
    bytes[8..12].copy_from_slice(&0_u32.to_le_bytes());
    fs::write(&path, &bytes).expect("write");
    assert!(matches!(
        Db::open(&path),
        Err(OpenError::OlderFormat { found: 0, .. })
    ));
    bytes[8..12].copy_from_slice(&99_u32.to_le_bytes());
    fs::write(&path, &bytes).expect("write");
    assert!(matches!(
        Db::open(&path),
        Err(OpenError::NewerFormat { found: 99, .. })
    ));
}

#[test]
fn readers_see_the_old_file_or_the_new_one() {
    let directory = TempDir::new().expect("temporary directory");
    let one: PathBuf = own().join("osv/PyPI");
    let two: PathBuf = own().join("osv/npm");
    let request = |osv: &PathBuf| BuildRequest {
        osv: vec![osv.clone()],
        output: directory.path().join("advisories.db"),
        ..BuildRequest::default()
    };
    build(&request(&one)).expect("build");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let db = Db::open(directory.path().join("advisories.db")).expect("open");
                    let python = merged(&ask(&db, "PyPI", "django", "2.2.10")).len();
                    let node = merged(&ask(&db, "npm", "qs", "6.9.0")).len();
                    assert!(matches!((python, node), (2, 0) | (0, 1)), "{python} {node}");
                }
            });
        }
        for round in 0..30 {
            build(&request(if round % 2 == 0 { &two } else { &one })).expect("build");
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::read_dir(directory.path()).expect("list").count(), 1);
}

#[test]
fn a_database_describes_itself() {
    let built = small();
    let info = built.db.info();
    assert!(info.root_digest.starts_with("sha256:") && info.root_digest.len() == 71);
    let names: Vec<&str> = info
        .ecosystems
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["AlmaLinux:8", "Debian:12", "Go", "PyPI", "crates.io", "npm"]
    );
    let python = info
        .sources
        .iter()
        .find(|source| source.name == "PyPI")
        .expect("PyPI");
    assert_eq!((python.kind.as_str(), python.records), ("osv", 4));
    assert_eq!(
        python.newest_modified.as_deref(),
        Some("2024-02-01T00:00:00Z")
    );
    assert_eq!(info, &built.report.info);
}

#[test]
fn a_file_that_is_cut_under_its_reader_is_an_error_and_no_signal() {
    let records: Vec<String> = (0..1500)
        .map(|n| {
            format!(
                r#"{{"id":"CUT-2026-{n:04}","modified":"2026-01-01T00:00:00Z","summary":"{}","affected":[
                {{"package":{{"ecosystem":"npm","name":"package-{n}"}},"ranges":[{{"type":"SEMVER",
                "events":[{{"introduced":"0"}},{{"fixed":"1.{n}.0"}}]}}]}}]}}"#,
                "x".repeat(200)
            )
        })
        .collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let built = built_from(&records);
    let length = std::fs::metadata(&built.path).expect("file").len();
    let db = Db::open(&built.path).expect("open");
    let asked = |n: u32| {
        let name = format!("package-{n}");
        db.query(&Query {
            ecosystem: "npm",
            name: &name,
            version: Some("0.1.0"),
            ..Query::default()
        })
        .map(|outcome| outcome.matches.len())
    };
    assert_eq!(asked(7), Ok(1));
    let file = std::fs::OpenOptions::new();
    let file = file.clone().write(true).open(&built.path).expect("open");
    file.set_len(length / 4).expect("cut");
    // What was read stays readable; the rest is an error and never "no match".
    assert_eq!(asked(7), Ok(1));
    let answers: Vec<_> = (0..1500).map(asked).collect();
    assert!(answers.iter().all(|answer| *answer != Ok(0)));
    assert!(answers.iter().any(Result::is_err));
    assert!(db.verify().is_err());
}
