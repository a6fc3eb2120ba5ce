//! Takes advisories one by one and keeps them small: all texts that repeat
//! become numbers, entries become bytes, and long texts go to a scratch file.

mod join;
mod stored;

use self::join::RustSec;
pub(super) use self::stored::{Extras, Source, Sources, Storage, Stored, Texts};
use super::interner::{Interner, TextKind};
use crate::advisory::{Advisory, Affected, EventKind, Range, order_of};
use crate::ecosystem;
use crate::problem::Warning;
use crate::severity::{self, Rating};
use crate::sources::crates_index::Yanked;
use crate::sources::{SourceError, SourceKind, SourceRecord};
use crate::store::codec::{put, put_text, put_texts};
use crate::store::entry::{Entry, Mark, Span};
use crate::store::feed::Feeds;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The source of warnings about the data as a whole.
pub(super) const ALL: &str = "all sources";

pub(super) struct Collector {
    pub(super) ids: Interner,
    pub(super) versions: Interner,
    /// `ecosystem NUL normalised name`.
    pub(super) packages: Interner,
    /// `kind value`, the kind as one digit.
    pub(super) ratings: Interner,
    pub(super) records: Vec<Stored>,
    pub(super) sources: Sources,
    pub(super) warnings: Vec<Warning>,
    /// Yanked versions, where an index was given.
    pub(super) yanked: Option<Yanked>,
    pub(super) scratch: BufWriter<File>,
    /// Exploitation feeds, which are handed through.
    pub(super) feeds: Feeds,
    position: u64,
    /// Positions in `records` by id, newest first is not implied.
    pub(super) by_id: BTreeMap<u32, Vec<u32>>,
    rustsec: BTreeMap<String, RustSec>,
    /// Entries per ecosystem that no version order is known for.
    unordered: BTreeMap<String, u64>,
}

impl Collector {
    pub(super) fn new(directory: &Path) -> io::Result<Self> {
        Ok(Self {
            ids: Interner::new(),
            versions: Interner::new(),
            packages: Interner::new(),
            ratings: Interner::new(),
            records: Vec::new(),
            sources: Vec::new(),
            warnings: Vec::new(),
            yanked: None,
            scratch: BufWriter::with_capacity(1 << 20, tempfile::tempfile_in(directory)?),
            feeds: Feeds::new(),
            position: 0,
            by_id: BTreeMap::new(),
            rustsec: BTreeMap::new(),
            unordered: BTreeMap::new(),
        })
    }

    /// The texts of one kind.
    pub(super) fn texts(&self, kind: TextKind) -> &Interner {
        match kind {
            TextKind::Ids => &self.ids,
            TextKind::Versions => &self.versions,
            TextKind::Packages => &self.packages,
            TextKind::Ratings => &self.ratings,
        }
    }

    pub(super) fn texts_mut(&mut self, kind: TextKind) -> &mut Interner {
        match kind {
            TextKind::Ids => &mut self.ids,
            TextKind::Versions => &mut self.versions,
            TextKind::Packages => &mut self.packages,
            TextKind::Ratings => &mut self.ratings,
        }
    }

    /// Takes a record of an OSV export.
    pub(super) fn osv(&mut self, found: SourceRecord) -> Result<(), SourceError> {
        let source = self.source(found.kind, &found.source);
        self.warnings.extend(found.warnings);
        let Some(mut advisory) = found.advisory else {
            return Ok(());
        };
        self.count(source, &advisory, found.digest);
        let mut sources = vec![source];
        sources.extend(self.join_rustsec(&mut advisory, &found.source));
        self.add(&advisory, found.digest, &sources)
    }

    /// Adds the RustSec advisories that no OSV export had.
    pub(super) fn add_rest(&mut self) -> Result<(), SourceError> {
        for one in std::mem::take(&mut self.rustsec).into_values() {
            if !one.used {
                self.add(&one.advisory, one.digest, &[one.source])?;
            }
        }
        for (ecosystem, entries) in std::mem::take(&mut self.unordered) {
            let cause =
                format!("no version order is known: {entries} entries match listed versions only");
            self.warnings.push(Warning::new(ALL, &ecosystem, cause));
        }
        Ok(())
    }

    pub(super) fn source(&mut self, kind: SourceKind, name: &str) -> u16 {
        let known = self
            .sources
            .iter()
            .rposition(|((of, called), _)| *of == kind && called == name);
        let position = known.unwrap_or_else(|| {
            self.sources
                .push(((kind, name.to_owned()), Source::default()));
            self.sources.len().saturating_sub(1)
        });
        u16::try_from(position).unwrap_or(u16::MAX)
    }

    fn count(&mut self, source: u16, advisory: &Advisory, digest: [u8; 32]) {
        let id = self.ids.number(&advisory.id);
        if let Some(((SourceKind::RustSec, _), source)) = self.sources.get_mut(usize::from(source))
        {
            source.newest = source.newest.max(advisory.modified);
            source.records.push((id, digest));
        }
    }

    /// Takes a record out of one OSV source; returns its digest.
    pub(super) fn remove(&mut self, name: &str, id: &str) -> Option<[u8; 32]> {
        let source = self.find(name)?;
        let id = self.ids.number(id);
        let copies = self.by_id.get_mut(&id)?;
        let mut removed = None;
        for copy in copies.iter() {
            if let Some(record) = self.records.get_mut(*copy as usize)
                && record.sources.contains(&source)
            {
                record.sources.retain(|other| *other != source);
                removed = Some(record.digest);
            }
        }
        self.release(id);
        removed
    }

    /// After a source was taken out: what RustSec says was joined to a copy
    /// that no OSV source holds any more, and is free for the next one, or to
    /// stand alone. Then forgets the copies that nothing holds.
    fn release(&mut self, id: u32) {
        let Some(copies) = self.by_id.get_mut(&id) else {
            return;
        };
        if let Some(own) = self.rustsec.get_mut(self.ids.text(id)) {
            own.used = false;
            for copy in copies.iter() {
                if let Some(record) = self.records.get_mut(*copy as usize) {
                    if *record.sources == [own.source] {
                        record.sources.clear();
                    }
                    own.used |= record.sources.contains(&own.source);
                }
            }
        }
        let records = &self.records;
        copies.retain(|copy| {
            let record = records.get(*copy as usize);
            record.is_some_and(|record| !record.sources.is_empty())
        });
    }

    /// The digest of a record of one OSV source.
    pub(super) fn digest(&mut self, name: &str, id: &str) -> Option<[u8; 32]> {
        let source = self.find(name)?;
        let id = self.ids.number(id);
        let copies = self.by_id.get(&id)?;
        let mut records = copies
            .iter()
            .filter_map(|copy| self.records.get(*copy as usize));
        let record = records.find(|record| record.sources.contains(&source))?;
        Some(record.digest)
    }

    /// Takes an OSV source out with all of its records.
    pub(super) fn remove_source(&mut self, name: &str) {
        let Some(source) = self.find(name) else {
            return;
        };
        let above = |other: u16| other.saturating_sub(u16::from(other > source));
        for record in &mut self.records {
            record.sources.retain(|other| *other != source);
            for other in &mut record.sources {
                *other = above(*other);
            }
        }
        for known in self.rustsec.values_mut() {
            known.source = above(known.source);
        }
        self.sources.remove(usize::from(source));
        let ids: Vec<u32> = self.by_id.keys().copied().collect();
        for id in ids {
            self.release(id);
        }
    }

    fn find(&self, name: &str) -> Option<u16> {
        let known = self
            .sources
            .iter()
            .position(|((kind, called), _)| *kind == SourceKind::Osv && called == name)?;
        u16::try_from(known).ok()
    }

    /// Whether the record that counts for each id has its texts somewhere.
    pub(super) fn winners_have_texts(&self) -> bool {
        self.by_id.values().all(|copies| {
            let winner = copies
                .iter()
                .filter_map(|copy| self.records.get(*copy as usize))
                .max_by_key(|record| (record.modified, record.digest));
            winner.is_none_or(|record| record.texts.place != Storage::Gone)
        })
    }

    fn add(
        &mut self,
        advisory: &Advisory,
        digest: [u8; 32],
        sources: &[u16],
    ) -> Result<(), SourceError> {
        let id = self.ids.number(&advisory.id);
        let copies = self.by_id.entry(id).or_default();
        let records = &self.records;
        let known = copies.iter().copied().find(|copy| {
            let record = records.get(*copy as usize);
            record.is_some_and(|record| record.digest == digest)
        });
        if let Some(known) = known {
            return self.add_copy(known, advisory, sources);
        }
        copies.push(u32::try_from(self.records.len()).unwrap_or(u32::MAX));
        let texts = self.spill(advisory).map_err(SourceError::Scratch)?;
        let ids = &mut self.ids;
        let mut numbers = |texts: &[String]| -> Box<[u32]> {
            let mut numbers: Vec<u32> = texts
                .iter()
                .filter(|text| !text.is_empty() && **text != advisory.id)
                .map(|text| ids.number(text))
                .collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers.into()
        };
        let aliases = numbers(&advisory.aliases);
        let upstream = numbers(&advisory.upstream);
        let related = numbers(&advisory.related);
        let ratings = self.rate(&advisory.ratings).into();
        let mut entries = Vec::new();
        let mut package_vectors = Vec::new();
        let mut package_ratings = Vec::new();
        for affected in &advisory.affected {
            let (package, entry) = self.entry(affected);
            for (rating, number) in affected.ratings.iter().zip(&entry.ratings) {
                if rating.source == severity::OWN {
                    package_vectors.push(number.0);
                }
            }
            package_ratings.extend(entry.ratings.iter().map(|(value, _)| *value));
            entry.write(package, &mut entries, &|number| number);
        }
        package_vectors.sort_unstable();
        package_vectors.dedup();
        package_ratings.sort_unstable();
        package_ratings.dedup();
        let has_extras = advisory.informational.is_some() || !advisory.scope.is_empty();
        self.records.push(Stored {
            id,
            digest,
            published: advisory.published,
            modified: advisory.modified,
            withdrawn: advisory.withdrawn,
            aliases,
            upstream,
            related,
            ratings,
            package_ratings: package_ratings.into(),
            package_vectors: package_vectors.into(),
            summary: advisory.summary.as_str().into(),
            extras: has_extras.then(|| {
                Box::new(Extras {
                    informational: advisory.informational.clone(),
                    scope: advisory.scope.clone(),
                })
            }),
            entries: entries.into(),
            texts,
            sources: sources.to_vec(),
            context: false,
        });
        Ok(())
    }

    /// Notes more sources of a record that is known. Where it had lost to
    /// another one of its id, and its texts with that, here they are again.
    fn add_copy(
        &mut self,
        known: u32,
        advisory: &Advisory,
        sources: &[u16],
    ) -> Result<(), SourceError> {
        let Some(record) = self.records.get_mut(known as usize) else {
            return Ok(());
        };
        for source in sources {
            if !record.sources.contains(source) {
                record.sources.push(*source);
            }
        }
        if record.texts.place == Storage::Gone {
            let texts = self.spill(advisory).map_err(SourceError::Scratch)?;
            if let Some(record) = self.records.get_mut(known as usize) {
                record.texts = texts;
            }
        }
        Ok(())
    }

    fn rate(&mut self, ratings: &[Rating]) -> Vec<(u32, u8)> {
        ratings
            .iter()
            .map(|rating| {
                let text = format!("{}{}", rating.kind.code(), rating.value);
                (
                    self.ratings.number(&text),
                    severity::field_code(&rating.source),
                )
            })
            .collect()
    }

    fn entry(&mut self, affected: &Affected) -> (u32, Entry) {
        let name = ecosystem::normalise_name(&affected.ecosystem, &affected.name);
        let package = self
            .packages
            .number(&format!("{}\0{name}", affected.ecosystem));
        let unordered = |range: &Range| order_of(&affected.ecosystem, range.semver).is_none();
        if affected.ranges.iter().any(unordered) {
            let count = self
                .unordered
                .entry(affected.ecosystem.clone())
                .or_default();
            *count = count.saturating_add(1);
        }
        let versions = &mut self.versions;
        let mut entry = Entry {
            versions: affected
                .versions
                .iter()
                .map(|text| versions.number(text))
                .collect(),
            other_fixes: affected
                .other_fixes
                .iter()
                .map(|text| versions.number(text))
                .collect(),
            ..Entry::default()
        };
        let mut span = |range: &Range| Span {
            semver: range.semver,
            unusable: range.unusable.clone(),
            events: range
                .events
                .iter()
                .map(|event| Mark {
                    kind: event.kind,
                    version: (!is_open(event.kind, &event.version))
                        .then(|| versions.number(&event.version)),
                })
                .collect(),
        };
        entry.ranges = affected.ranges.iter().map(&mut span).collect();
        entry.beside = affected.beside.iter().map(span).collect();
        entry.versions.sort_unstable();
        entry.other_fixes.sort_unstable();
        entry.ratings = self.rate(&affected.ratings);
        (package, entry)
    }

    /// Writes the long texts of a record to the scratch file.
    fn spill(&mut self, advisory: &Advisory) -> io::Result<Texts> {
        let mut out = Vec::new();
        put_text(&mut out, &advisory.details);
        put(&mut out, advisory.references.len() as u64);
        for reference in &advisory.references {
            put_text(&mut out, &reference.kind);
            put_text(&mut out, &reference.url);
        }
        put_texts(&mut out, &advisory.upstream);
        put_texts(&mut out, &advisory.related);
        put_texts(&mut out, &advisory.aliases);
        let length = u32::try_from(out.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let place = Storage::Scratch(self.position);
        self.scratch.write_all(&out)?;
        self.position = self.position.saturating_add(u64::from(length));
        Ok(Texts { place, length })
    }
}

fn is_open(kind: EventKind, version: &str) -> bool {
    match kind {
        EventKind::Introduced => version == "0",
        EventKind::Limit => version == "*",
        EventKind::Fixed | EventKind::LastAffected => false,
    }
}
