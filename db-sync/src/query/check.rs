//! Reads all of a database as answering would, so that what is accepted once
//! never fails later. Checksums say that a file is as it was written; this says
//! that what was written makes sense. For databases of others, before they are
//! put in place.

use super::head::{self, Head};
use super::{Db, Segment, damaged};
use crate::feed::FeedKind;
use crate::moment::Moment;
use crate::store::codec::{Damaged, Reader};
use crate::store::format::Section;
use crate::store::read::Store;
use crate::store::sound::sound;
use crate::store::view::Views;
use crate::store::{EcosystemInfo, ReadError, feed, hash};
use std::collections::{BTreeMap, BTreeSet};

impl Db {
    /// Reads the whole file, compares it with its checksums, and decodes every
    /// record, package and text in it.
    ///
    /// # Errors
    /// The file is damaged, something in it does not decode, points to what is
    /// not there, cannot be found, or is not what the file says of itself.
    pub fn check(&self) -> Result<(), ReadError> {
        self.verify()?;
        let mut census = Census::default();
        for one in self.segments() {
            segment(one, &mut census)?;
        }
        if let Some(below) = &self.segments.below {
            masks(&self.segments.top, below)?;
        }
        let info = self.info();
        let epss = info.feed(FeedKind::Epss);
        let agrees = info.records == census.records
            && info.withdrawn == census.withdrawn
            && info.ecosystems == census.ecosystems()
            && epss.is_none_or(|feed| feed.day().is_some());
        sound(agrees, Section::Info)
    }
}

/// What is really there, of all segments.
#[derive(Default)]
struct Census<'a> {
    records: u64,
    withdrawn: u64,
    ecosystems: BTreeMap<&'a str, Known<'a>>,
}

/// The same of one ecosystem.
#[derive(Default)]
struct Known<'a> {
    packages: BTreeSet<&'a str>,
    /// Whether they are changes, and their numbers.
    records: BTreeSet<(bool, u32)>,
    newest: Option<Moment>,
}

impl Census<'_> {
    fn ecosystems(&self) -> Vec<EcosystemInfo> {
        let all = self.ecosystems.iter();
        all.map(|(name, known)| EcosystemInfo {
            name: (*name).to_owned(),
            packages: known.packages.len() as u64,
            records: known.records.len() as u64,
            newest_modified: known.newest.map(|moment| moment.to_string()),
        })
        .collect()
    }
}

fn segment<'db>(one: Segment<'db>, census: &mut Census<'db>) -> Result<(), ReadError> {
    let store = one.store;
    store.check_tables()?;
    let counted = records(one, census)?;
    texts(store)?;
    versions(store)?;
    packages(one, &counted, census)?;
    yanked(store)?;
    feed::check(store)
}

/// Whether no record counts in both segments, and all that are masked exist.
fn masks(top: &Store, below: &Store) -> Result<(), ReadError> {
    let masked = top.masked()?;
    let last = masked.last().copied();
    let mut agree = last.is_none_or(|last| last < below.records());
    for number in 0..top.records() {
        let id = head::record_id(top, number)?;
        if super::record(top, id)?.is_some()
            && let Some(old) = super::record(below, id)?
        {
            agree &= masked.binary_search(&old).is_ok();
        }
    }
    sound(agree, Section::Masked)
}

/// Sorted, as looking up a listed version expects.
fn versions(store: &Store) -> Result<(), ReadError> {
    let mut last = None;
    for number in numbers(store.count(Section::VersionOffsets)) {
        let version = store.version(number)?;
        sound(last.replace(version) < Some(version), Section::Versions)?;
    }
    Ok(())
}

/// Whether a record counts, and when it was modified.
#[derive(Clone, Copy, Default)]
struct Counted {
    counts: bool,
    modified: Option<Moment>,
}

fn records(one: Segment<'_>, census: &mut Census<'_>) -> Result<Vec<Counted>, ReadError> {
    let store = one.store;
    // A group may be large, and is that of each of its records.
    let mut groups = BTreeSet::new();
    let mut counted = Vec::new();
    let mut hashes = Vec::new();
    let mut last = None;
    for number in 0..store.records() {
        let id = head::record_id(store, number)?;
        sound(last.replace(id) < Some(id), Section::Records)?;
        if store.is_above() && head::is_bare(store, number)? {
            // Among changes, some records are there for their ids only.
            hashes.push(hash::of(&[id, "context"]));
            counted.push(Counted::default());
            continue;
        }
        hashes.push(hash::of(&[id]));
        let head = Head::read(store, number)?;
        head.title()?;
        head.scope()?;
        head.ratings(store)?;
        head.sources(store)?;
        if groups.insert(head.group) {
            head.aliases(store)?;
        }
        let counts = !one.masks(number)?;
        counted.push(Counted {
            counts,
            modified: head.modified,
        });
        let is_withdrawn = counts && head.withdrawn.is_some();
        census.records = census.records.saturating_add(u64::from(counts));
        census.withdrawn = census.withdrawn.saturating_add(u64::from(is_withdrawn));
    }
    store.check_index(Section::RecordIndex, &hashes)?;
    Ok(counted)
}

/// The texts of all records, each block unpacked once.
fn texts(store: &Store) -> Result<(), ReadError> {
    let broken = || damaged(Section::Texts)(Damaged);
    let blocks = store.text_blocks()?;
    let mut next = 0;
    let ends = blocks.iter().skip(1).map(|block| block.first);
    for (block, end) in blocks.iter().zip(ends.chain([store.records()])) {
        if block.first != next || end <= next {
            return Err(broken());
        }
        let raw = store.unpack(block)?;
        let mut all = Reader::new(&raw);
        for _ in block.first..end {
            let texts = all
                .length()
                .and_then(|length| all.bytes(length))
                .map_err(|_| broken())?;
            let is_stub = texts.is_empty() && store.is_above();
            if !is_stub {
                check_text(texts).map_err(|_| broken())?;
            }
        }
        if !all.is_empty() {
            return Err(broken());
        }
        next = end;
    }
    if next == store.records() {
        Ok(())
    } else {
        Err(broken())
    }
}

fn packages<'db>(
    one: Segment<'db>,
    counted: &[Counted],
    census: &mut Census<'db>,
) -> Result<(), ReadError> {
    let store = one.store;
    let broken = damaged(Section::Packages);
    let mut hashes = Vec::new();
    let mut last = None;
    for number in numbers(store.count(Section::PackageOffsets)) {
        let bytes = store.item(Section::Packages, Section::PackageOffsets, number)?;
        let mut reader = Reader::new(bytes);
        let place = reader.place().map_err(&broken)?;
        let name = reader.text().map_err(&broken)?;
        let ecosystem = store.filed(place).ok_or_else(|| broken(Damaged))?;
        let key = Some((place, name));
        sound(last < key, Section::Packages)?;
        last = key;
        hashes.push(hash::of(&[ecosystem, name]));
        let views = Views::read(&mut reader).map_err(&broken)?;
        sound(reader.is_empty(), Section::Packages)?;
        entries(store, &views)?;
        for view in views.entries() {
            let of_record = counted.get(view.record as usize);
            if let Some(record) = of_record.filter(|record| record.counts) {
                let known = census.ecosystems.entry(ecosystem).or_default();
                known.packages.insert(name);
                known.records.insert((store.is_above(), view.record));
                known.newest = known.newest.max(record.modified);
            }
        }
    }
    store.check_index(Section::PackageIndex, &hashes)
}

/// Whether all numbers in the entries are those of something.
fn entries(store: &Store, views: &Views<'_>) -> Result<(), ReadError> {
    let broken = damaged(Section::Packages);
    let versions = store.count(Section::VersionOffsets);
    let version = |number: u32| {
        let there = u64::from(number) < versions;
        there.then_some(()).ok_or_else(|| broken(Damaged))
    };
    for view in views.entries() {
        // It is found by its id, so that all of it was looked at.
        let id = head::record_id(store, view.record)?;
        if super::record(store, id)? != Some(view.record) {
            return Err(broken(Damaged));
        }
        for number in view.listed.clone().chain(view.other_fixes.clone()) {
            version(number.map_err(&broken)?)?;
        }
        for rating in view.ratings.clone() {
            let (value, _) = rating.map_err(&broken)?;
            head::rating(store, value, String::new())?;
        }
        for span in views.spans(view) {
            for mark in views.marks(span) {
                mark.version.map_or(Ok(()), version)?;
            }
        }
    }
    Ok(())
}

/// The crates of the index.
fn yanked(store: &Store) -> Result<(), ReadError> {
    let broken = damaged(Section::Yanked);
    let mut hashes = Vec::new();
    for number in numbers(store.count(Section::YankedOffsets)) {
        let item = store.item(Section::Yanked, Section::YankedOffsets, number)?;
        let mut reader = Reader::new(item);
        hashes.push(hash::of(&[reader.text().map_err(&broken)?]));
        reader.texts().map_err(&broken)?;
    }
    store.check_index(Section::YankedIndex, &hashes)
}

/// Details, links, and the ids of other flaws; see `Details`.
fn check_text(texts: &[u8]) -> Result<(), Damaged> {
    let mut reader = Reader::new(texts);
    reader.text()?;
    for _ in 0..reader.length()? {
        reader.text()?;
        reader.text()?;
    }
    reader.texts()?;
    reader.texts()?;
    reader.texts()?;
    Ok(())
}

fn numbers(count: u64) -> std::ops::Range<u32> {
    0..u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
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
        let digest = format!("sha256:{}", crate::store::read::hex(&digest));
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
}
