//! Databases that others made: accepted ones never fail later.

use crate::compile::update::{Files, Session};
use crate::query::{Db, Query};
use crate::store::format::{HEADER, Header, PAGE, Section, crc32};
use crate::{BuildRequest, Limits, ReadError, build};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A body with all checksums right, as somebody could make one on purpose.
fn sealed(mut header: Header, body: &[u8]) -> Vec<u8> {
    let pages = body.chunks(usize::try_from(PAGE).expect("small"));
    let crcs: Vec<u8> = pages.flat_map(|page| crc32(page).to_le_bytes()).collect();
    header.pages_crc = crc32(&crcs);
    header.digest = header.root(&Sha256::digest(body));
    [header.encode(), body.to_vec(), crcs].concat()
}

/// Asks all that a scan may ask about the packages of our small set.
fn ask(db: &Db) -> Result<(), ReadError> {
    for (ecosystem, name) in [
        ("crates.io", "smallvec"),
        ("PyPI", "django"),
        ("PyPI", "apache-airflow"),
        ("Debian:12", "python-django"),
        ("npm", "qs"),
        ("Go", "stdlib"),
        ("AlmaLinux:8", "slirp4netns"),
    ] {
        for version in [None, Some("0"), Some("1.0.0")] {
            let query = Query {
                ecosystem,
                name,
                version,
                as_of: None,
                module: None,
            };
            for found in db.query(&query)?.matches {
                found.aliases()?;
                found.summary()?;
                found.informational()?;
                found.ratings()?;
                found.scope()?;
                found.sources()?;
                db.advisory(found.id)?;
            }
        }
    }
    Ok(())
}

#[test]
fn what_is_accepted_never_fails_later() {
    let directory = TempDir::new().expect("directory");
    let request = BuildRequest {
        osv: vec![PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../testdata/advisories/osv"
        ))],
        output: directory.path().join("a.db"),
        ..BuildRequest::default()
    };
    build(&request).expect("build");
    let good = fs::read(&request.output).expect("read");
    let header = Header::decode(&good).expect("header");
    let end = usize::try_from(header.body).expect("small");
    let body = &good[HEADER..][..end];
    assert!(sealed(header.clone(), body) == good);
    let db = Db::open(&request.output).expect("open");
    db.check().expect("good");
    let path = directory.path().join("changed.db");
    let (mut refused, mut accepted) = (0, 0);
    for position in 0..body.len() {
        let mut changed = body.to_vec();
        changed[position] ^= 1 << (position % 8);
        fs::write(&path, sealed(header.clone(), &changed)).expect("write");
        let Ok(db) = Db::open(&path) else {
            refused += 1;
            continue;
        };
        db.verify().expect("the checksums are right");
        if db.check().is_err() {
            refused += 1;
            continue;
        }
        // A letter of a text, say: another database, but a sound one.
        accepted += 1;
        assert_eq!(ask(&db), Ok(()), "byte {position}");
    }
    assert!(refused > 500 && accepted > 500, "{refused} {accepted}");
}

const OSV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/advisories/osv");

/// A database of our small set with changes before it: one record is new,
/// one replaced, one gone.
fn two_segments(folder: &Path) -> Vec<u8> {
    let files = Files {
        output: folder.join("two.db"),
        state: folder.join("state"),
        journal: folder.join("journal"),
        inputs: String::new(),
    };
    let limits = Limits::default();
    let mut session = Session::fresh(files.clone(), None, limits).expect("session");
    let apply = |session: &mut Session, directory: &str, id: &str, change: &str| {
        let path = format!("{OSV}/{directory}/{id}.json");
        let text = fs::read_to_string(path).expect("record");
        let text = text.replace("\"summary\"", change);
        let applied = session.apply(directory, id, Some(text.as_bytes()));
        applied.expect("apply");
    };
    for (directory, id) in [
        ("PyPI", "PYSEC-2021-439"),
        ("PyPI", "GHSA-v6rh-hp5x-86rv"),
        ("PyPI", "PYSEC-2021-13"),
        ("Debian", "DEBIAN-CVE-2021-44420"),
        ("npm", "GHSA-hrpp-h998-j3pp"),
        ("Go", "GO-2023-2102"),
    ] {
        apply(&mut session, directory, id, "\"summary\"");
    }
    session.finish().expect("finish");
    let mut session = Session::resume(files.clone(), limits)
        .expect("state")
        .expect("resumed");
    apply(
        &mut session,
        "PyPI",
        "PYSEC-2021-439",
        "\"related\":[\"GO-2023-2102\"],\"summary\"",
    );
    apply(&mut session, "PyPI", "GHSA-656c-6cxf-hvcv", "\"summary\"");
    let gone = session.apply("npm", "GHSA-hrpp-h998-j3pp", None);
    gone.expect("apply");
    session.finish().expect("finish");
    let bytes = fs::read(&files.output).expect("read");
    assert!(Header::decode(&bytes).expect("header").below > 0);
    bytes
}

/// Header and body of each segment of a file.
fn parts(file: &[u8]) -> Vec<(Header, Vec<u8>)> {
    let mut parts = Vec::new();
    let mut rest = file;
    while !rest.is_empty() {
        let header = Header::decode(rest).expect("header");
        let end = usize::try_from(header.length()).expect("small");
        let body = usize::try_from(header.body).expect("small");
        parts.push((header, rest[HEADER..][..body].to_vec()));
        rest = &rest[end..];
    }
    parts
}

/// The file of these parts with everything right that is computed: the
/// checksums, the digests, and the digest of the lower one in the upper one.
fn joined(parts: &[(Header, Vec<u8>)]) -> Vec<u8> {
    let [(top, over), (below, under)] = parts else {
        panic!("two segments");
    };
    let lower = sealed(below.clone(), under);
    let digest = below.root(&Sha256::digest(under));
    let digest = format!("sha256:{}", hex::encode(digest));
    let mut over = over.clone();
    let (at, length) = top.section(Section::Below);
    let at = usize::try_from(at.min(1 << 40)).expect("small") + 1;
    if length > 72
        && let Some(place) = over.get_mut(at..at + digest.len())
    {
        place.copy_from_slice(digest.as_bytes());
    }
    let mut top = top.clone();
    top.below = lower.len() as u64;
    let mut file = sealed(top, &over);
    file.extend_from_slice(&lower);
    file
}

/// All answers as text, or the first error.
fn answers(path: &Path) -> Option<String> {
    let db = Db::open(path).ok()?;
    let mut out = format!("{:?}", db.info());
    for (ecosystem, name, version) in [
        ("PyPI", "django", "2.2"),
        ("PyPI", "apache-airflow", "1.0"),
        ("Debian:12", "python-django", "1:1.0"),
        ("npm", "qs", "6.0.0"),
        ("Go", "stdlib", "1.20.0"),
    ] {
        for version in [None, Some(version)] {
            let query = Query {
                ecosystem,
                name,
                version,
                ..Query::default()
            };
            let _ = write!(out, "{:?}", db.query(&query).ok()?);
            for id in ["CVE-2021-44420", "GO-2023-2102", "GHSA-656c-6cxf-hvcv"] {
                let _ = write!(out, "{:?}", db.explain(&query, id).ok()?);
                let _ = write!(out, "{:?}", db.advisory(id).ok()?);
            }
        }
    }
    Some(out)
}

#[test]
fn two_segments_of_others_are_refused_or_sound() {
    let directory = TempDir::new().expect("directory");
    let good = two_segments(directory.path());
    let path = directory.path().join("changed.db");
    let try_out = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("write");
        let db = Db::open(&path).ok()?;
        // Whoever does not check must not fall, either.
        let said = answers(&path);
        db.check().ok()?;
        assert!(said.is_some(), "accepted, and fails later");
        said
    };
    let right = try_out(&good).expect("good");
    let mut parts = parts(&good);
    assert!(joined(&parts) == good);
    let steps: usize = std::env::var("PORTCULLIS_FLIPS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(17);
    // Without repairing anything: never another answer, checked or not.
    for position in (0..good.len()).step_by(steps) {
        let mut changed = good.clone();
        changed[position] ^= 1 << (position / steps % 8);
        assert!(try_out(&changed).is_none(), "byte {position}");
        fs::write(&path, &changed).expect("write");
        assert!(
            answers(&path).is_none_or(|said| said == right),
            "byte {position}"
        );
        let cut = try_out(&good[..position]);
        assert!(cut.is_none(), "cut at {position}");
    }
    // With everything repaired that can be computed.
    let (mut refused, mut accepted) = (0, 0);
    for segment in 0..2 {
        for position in (0..parts[segment].1.len()).step_by(steps) {
            let bit = 1 << (position / steps % 8);
            parts[segment].1[position] ^= bit;
            match try_out(&joined(&parts)) {
                None => refused += 1,
                Some(_) => accepted += 1,
            }
            parts[segment].1[position] ^= bit;
        }
    }
    assert!(refused > 100 && accepted > 100, "{refused} {accepted}");
    // Sections that lie elsewhere, in every way that fits and some that do not.
    for segment in 0..2 {
        for number in 0..Section::COUNT {
            let (at, length) = parts[segment].0.sections[number];
            let body = parts[segment].0.body;
            for new in [
                (at, length.saturating_sub(1)),
                (at, length.saturating_sub(4)),
                (at, length + 1),
                (at, length + 4),
                (at + 4, length.saturating_sub(4)),
                (at.saturating_sub(4), length),
                (0, length),
                (at, 0),
                (0, body),
                (body, 0),
                (body, 1),
                (u64::MAX, 1),
                (1, u64::MAX),
            ] {
                if new == (at, length) || length == 0 && new.1 == 0 {
                    continue;
                }
                parts[segment].0.sections[number] = new;
                let said = try_out(&joined(&parts));
                assert!(said.is_none(), "{segment} {number} {new:?}");
            }
            parts[segment].0.sections[number] = (at, length);
        }
    }
}

#[test]
fn masks_and_counts_are_held_against_what_is_there() {
    let directory = TempDir::new().expect("directory");
    let good = two_segments(directory.path());
    let path = directory.path().join("changed.db");
    let [top, below] = &parts(&good)[..] else {
        panic!("two segments");
    };
    let refused = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("write");
        Db::open(&path)
            .is_ok_and(|db| db.check().is_ok())
            .then_some(())
    };
    let (at, length) = top.0.section(Section::Masked);
    let (at, length) = (
        usize::try_from(at).expect("small"),
        usize::try_from(length).expect("small"),
    );
    assert!(length >= 8);
    // Other records are masked than those that changed, one twice, one that is not there.
    for words in [vec![0, 1, 2], vec![1, 1, 1], vec![9, 10, 11], vec![2, 1, 0]] {
        let mut over = top.1.clone();
        let words = words.into_iter().cycle().take(length / 4);
        let words: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        if words == over[at..at + length] {
            continue;
        }
        over[at..at + length].copy_from_slice(&words);
        assert_eq!(
            refused(&joined(&[(top.0.clone(), over), below.clone()])),
            None
        );
    }
    // Changes without what they change, and below themselves.
    let mut alone = top.0.clone();
    alone.below = 0;
    assert_eq!(refused(&sealed(alone, &top.1)), None);
    assert_eq!(refused(&joined(&[below.clone(), below.clone()])), None);
    assert_eq!(refused(&joined(&[top.clone(), top.clone()])), None);
    let mut beyond = top.0.clone();
    for below in [1, good.len() as u64, u64::MAX, u64::MAX - 1000] {
        beyond.below = below;
        let mut file = sealed(beyond.clone(), &top.1);
        file.extend_from_slice(&good[usize::try_from(top.0.length()).expect("small")..]);
        assert_eq!(refused(&file), None);
    }
    // Another count in the description.
    let mut over = top.1.clone();
    let found = over.windows(10).position(|bytes| bytes == b"\"records\":");
    let digit = found.expect("count") + 10;
    over[digit] = if over[digit] == b'9' { b'8' } else { b'9' };
    assert_eq!(
        refused(&joined(&[(top.0.clone(), over), below.clone()])),
        None
    );
}
