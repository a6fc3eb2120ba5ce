//! Reads all of a database as answering would, so that what is accepted once
//! never fails later. Checksums say that a file is as it was written; this says
//! that what was written makes sense. For databases of others, before they are
//! put in place.

use super::head::{self, Head};
use super::{Db, damaged};
use crate::store::codec::{Damaged, Reader};
use crate::store::format::Section;
use crate::store::read::Store;
use crate::store::view::Views;
use crate::store::{ReadError, feed, hash};
use std::collections::BTreeSet;

impl Db {
    /// Reads the whole file, compares it with its checksums, and decodes every
    /// record, package and text in it.
    ///
    /// # Errors
    /// The file is damaged, or something in it does not decode or points to
    /// what is not there.
    pub fn check(&self) -> Result<(), ReadError> {
        self.verify()?;
        let mut segments = self.segments();
        segments.try_for_each(|one| segment(one.store))
    }
}

fn segment(store: &Store) -> Result<(), ReadError> {
    records(store)?;
    texts(store)?;
    for number in numbers(store.count(Section::VersionOffsets)) {
        store.version(number)?;
    }
    for number in numbers(store.count(Section::PackageOffsets)) {
        package(store, number)?;
    }
    for number in numbers(store.count(Section::YankedOffsets)) {
        yanked(store, number)?;
    }
    feed::check(store)
}

fn records(store: &Store) -> Result<(), ReadError> {
    let broken = || damaged(Section::Records)(Damaged);
    // A group may be large, and is that of each of its records.
    let mut groups = BTreeSet::new();
    for number in 0..store.records() {
        let found = super::record(store, head::record_id(store, number)?)?;
        if found.is_none() && store.is_above() {
            // Among changes, some records are there for their ids only.
            continue;
        }
        let head = Head::read(store, number)?;
        head.title()?;
        head.scope()?;
        head.ratings(store)?;
        head.sources(store)?;
        if groups.insert(head.group) {
            head.aliases(store)?;
        }
        if found != Some(number) {
            return Err(broken());
        }
    }
    Ok(())
}

/// The texts of all records, each block unpacked once.
fn texts(store: &Store) -> Result<(), ReadError> {
    let broken = || damaged(Section::Texts)(Damaged);
    let blocks = store.text_blocks()?;
    let mut next = 0;
    let ends = blocks.iter().skip(1).map(|block| block.first);
    for (block, end) in blocks.iter().zip(ends.chain([store.records()])) {
        if block.first != next || end < next {
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
        next = end;
    }
    if next == store.records() {
        Ok(())
    } else {
        Err(broken())
    }
}

fn package(store: &Store, number: u32) -> Result<(), ReadError> {
    let broken = damaged(Section::Packages);
    let bytes = store.item(Section::Packages, Section::PackageOffsets, number)?;
    let mut reader = Reader::new(bytes);
    let place = reader.place().map_err(&broken)?;
    let name = reader.text().map_err(&broken)?;
    let ecosystem = store.filed(place).ok_or_else(|| broken(Damaged))?;
    let views = Views::read(&mut reader).map_err(&broken)?;
    entries(store, &views)?;
    match super::package(store, ecosystem, name)? {
        Some(_) => Ok(()),
        None => Err(broken(Damaged)),
    }
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

/// A crate of the index, which is found by its name.
fn yanked(store: &Store, number: u32) -> Result<(), ReadError> {
    let broken = damaged(Section::Yanked);
    let item = store.item(Section::Yanked, Section::YankedOffsets, number)?;
    let mut reader = Reader::new(item);
    let name = reader.text().map_err(&broken)?;
    reader.texts().map_err(&broken)?;
    let hash = hash::of(&[name]);
    let mut candidates = store.candidates(Section::YankedIndex, hash)?;
    if candidates.any(|candidate| candidate == number) {
        Ok(())
    } else {
        Err(broken(Damaged))
    }
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
    use crate::query::{Db, Query};
    use crate::store::format::{HEADER, Header, PAGE, crc32};
    use crate::{BuildRequest, ReadError, build};
    use sha2::{Digest, Sha256};
    use std::fs;
    use std::path::PathBuf;
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
}
