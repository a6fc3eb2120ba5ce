//! Reads all of a database as answering would, so that what is accepted once
//! never fails later. Checksums say that a file is as it was written; this says
//! that what was written makes sense. For databases of others, before they are
//! put in place.

#[cfg(test)]
mod tests;

use super::head::{self, Head};
use super::{Db, Segment, damaged};
use crate::feed::FeedKind;
use crate::moment::Moment;
use crate::store::codec::{Damaged, Reader};
use crate::store::format::Section;
use crate::store::read::{Store, feeds};
use crate::store::sound::sound;
use crate::store::view::Views;
use crate::store::{EcosystemInfo, ReadError, hash};
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
    feeds::check(store)
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
        for span in views.spans(view).iter().chain(views.beside(view)) {
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

/// Details, links, and the ids of other vulnerabilities; see `Details`.
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
