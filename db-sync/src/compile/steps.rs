//! An update that only writes what changed: changes are kept as they come, and
//! at the end a small segment is put before the compiled database. Where they
//! reach too far, or there are too many, the caller compiles all records.

use super::collect::Collector;
use super::interner::TextKind;
use super::journal::{Change, Journal, Record};
use super::state::State;
use crate::limits::Limits;
use crate::moment::Moment;
use crate::problem::Warning;
use crate::sources::{self, SourceError, SourceKind, SourceRecord};
use crate::store::codec::Damaged;
use crate::store::feed::Feeds;
use crate::store::read::{Segments, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Longest journal that is read.
const MAX_JOURNAL: u64 = 256 << 20;

/// What became of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    Added,
    Changed,
    Unchanged,
    Removed,
    /// The record was refused with a warning.
    Refused,
}

/// A compiled database and the changes since.
pub(super) struct Steps {
    pub(super) state: State,
    /// What the state describes.
    pub(super) compiled: Store,
    pub(super) journal: Journal,
    pub(super) feeds: Feeds,
    pub(super) limits: Limits,
    pub(super) warnings: Vec<Warning>,
}

impl Steps {
    /// Goes on from a database, the state and the journal beside it; `None`
    /// where they do not belong together, or are not of these inputs.
    pub(super) fn resume(
        output: &Path,
        state: &Path,
        journal: &Path,
        inputs: &str,
        limits: Limits,
    ) -> io::Result<Option<Self>> {
        let Ok(segments) = Segments::open(output) else {
            return Ok(None);
        };
        let Some(state) = State::open(state)? else {
            return Ok(None);
        };
        let digest = segments.top.info().root_digest.clone();
        let (compiled, journal) = match segments.below {
            None => {
                let osv = state.sources.iter();
                let osv = osv.filter(|((kind, _), _)| *kind == SourceKind::Osv);
                let journal = Journal {
                    listed: osv
                        .filter_map(|((_, name), source)| Some((name.clone(), source.listed?)))
                        .collect(),
                    ..Journal::default()
                };
                (segments.top, journal)
            }
            Some(compiled) => {
                if fs::metadata(journal).map_or(true, |data| data.len() > MAX_JOURNAL) {
                    return Ok(None);
                }
                match Journal::load(&fs::read(journal)?, &digest) {
                    Ok(journal) => (compiled, journal),
                    Err(Damaged) => return Ok(None),
                }
            }
        };
        let label = &state.label;
        let belongs = label.digest == compiled.info().root_digest && label.inputs == inputs;
        Ok(belongs.then_some(Self {
            state,
            compiled,
            journal,
            feeds: Feeds::new(),
            limits,
            warnings: Vec::new(),
        }))
    }

    /// The OSV sources that it holds.
    pub(super) fn sources(&self) -> BTreeSet<String> {
        let osv = self.state.sources.iter();
        osv.filter(|((kind, _), _)| *kind == SourceKind::Osv)
            .map(|((_, name), _)| name.clone())
            .collect()
    }

    fn source(&self, name: &str) -> Option<u16> {
        let mut sources = self.state.sources.iter();
        let known =
            sources.position(|((kind, called), _)| *kind == SourceKind::Osv && called == name)?;
        u16::try_from(known).ok()
    }

    /// The ids of each OSV source and when they were modified, sorted.
    pub(super) fn known(&self) -> BTreeMap<&str, Vec<(&str, Option<Moment>)>> {
        let mut all: Vec<Vec<(&str, Option<Moment>)>> = Vec::new();
        all.resize_with(self.state.sources.len(), Vec::new);
        for row in self.state.rows() {
            for source in row.sources {
                if let Some(list) = all.get_mut(usize::from(*source)) {
                    list.push((self.state.text(TextKind::Ids, row.id), row.modified));
                }
            }
        }
        let mut known = BTreeMap::new();
        for (((kind, name), _), mut list) in self.state.sources.iter().zip(all) {
            if *kind != SourceKind::Osv {
                continue;
            }
            if let Some(changes) = self.journal.changes.get(name) {
                list.retain(|(id, _)| !changes.contains_key(*id));
                let new = changes.iter();
                list.extend(
                    new.filter_map(|(id, record)| Some((id.as_str(), record.record()?.modified))),
                );
            }
            list.sort_unstable();
            known.insert(name.as_str(), list);
        }
        known
    }

    /// How many records each OSV source has.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = vec![0_u64; self.state.sources.len()];
        for source in self.state.rows().flat_map(|row| row.sources) {
            if let Some(count) = counts.get_mut(usize::from(*source)) {
                *count = count.saturating_add(1);
            }
        }
        let sources = self.state.sources.iter().zip(counts);
        let osv = sources.filter(|(((kind, _), _), _)| *kind == SourceKind::Osv);
        let mut counts: BTreeMap<String, u64> = osv
            .map(|(((_, name), _), count)| (name.clone(), count))
            .collect();
        for (name, id, record) in self.journal.all() {
            let had = self.compiled_digest(name, id).is_some();
            if let Some(count) = counts.get_mut(name) {
                *count = match (had, record.is_some()) {
                    (true, false) => count.saturating_sub(1),
                    (false, true) => count.saturating_add(1),
                    _ => *count,
                };
            }
        }
        counts
    }

    /// Whether the RustSec tree has this advisory too.
    pub(super) fn joins_rustsec(&self, id: &str) -> bool {
        let Some(number) = self.state.find(TextKind::Ids, id) else {
            return false;
        };
        self.state.sources.iter().any(|((kind, _), source)| {
            *kind == SourceKind::RustSec && source.records.iter().any(|(id, _)| *id == number)
        })
    }

    /// The digest of a record of one source.
    fn digest(&self, name: &str, id: &str) -> Option<[u8; 32]> {
        if let Some(change) = self.journal.get(name, id) {
            return change.record().map(|record| record.digest);
        }
        self.compiled_digest(name, id)
    }

    /// The digest of a record of one source before the changes.
    fn compiled_digest(&self, name: &str, id: &str) -> Option<[u8; 32]> {
        let source = self.source(name)?;
        let number = self.state.find(TextKind::Ids, id)?;
        let mut rows = self
            .state
            .copies(number)
            .filter_map(|copy| self.state.row(copy).ok());
        let row = rows.find(|row| row.sources.contains(&source))?;
        Some(*row.digest)
    }

    /// Replaces, adds or removes (`None`) the record of an id in one source.
    pub(super) fn apply(&mut self, name: &str, id: &str, bytes: Option<&[u8]>) -> Applied {
        let before = self.digest(name, id);
        let Some(bytes) = bytes else {
            self.journal.set(name, id, Change::Removed);
            return Applied::Removed;
        };
        let found = read(name, id, bytes, &self.limits);
        self.warnings.extend(found.warnings);
        let Some(advisory) = found.advisory else {
            self.journal.set(name, id, Change::Removed);
            return Applied::Refused;
        };
        if before == Some(found.digest) {
            return Applied::Unchanged;
        }
        let record = Record {
            modified: advisory.modified,
            digest: found.digest,
            bytes: bytes.to_vec(),
        };
        self.journal.set(name, id, Change::Replaced(record));
        match before {
            None => Applied::Added,
            Some(_) => Applied::Changed,
        }
    }

    /// Whether a record counts for each changed id whose texts are in some file.
    pub(super) fn have_texts(&self) -> bool {
        self.journal.all().all(|(_, id, _)| self.has_texts(id))
    }

    fn has_texts(&self, id: &str) -> bool {
        let mut newest = None;
        for (name, _) in self
            .journal
            .changes
            .iter()
            .filter(|(_, all)| all.contains_key(id))
        {
            if let Some(record) = self.journal.get(name, id).and_then(Change::record) {
                newest = newest.max(Some((record.modified, record.digest, true)));
            }
        }
        let Some(number) = self.state.find(TextKind::Ids, id) else {
            return true;
        };
        for copy in self.state.copies(number) {
            let Ok(row) = self.state.row(copy) else {
                return false;
            };
            let stays = row.sources.iter().any(|source| {
                let source = self.state.sources.get(usize::from(*source));
                source.is_some_and(|((_, name), _)| self.journal.get(name, id).is_none())
            });
            if stays {
                let is_winner = copy < self.state.winners;
                newest = newest.max(Some((row.modified, *row.digest, is_winner)));
            }
        }
        newest.is_none_or(|(_, _, has_texts)| has_texts)
    }

    /// Loads all records, with the changes applied.
    pub(super) fn load(&self, collector: &mut Collector) -> Result<(), SourceError> {
        let damaged = |Damaged| {
            let cause = "the state of the last build cannot be read";
            SourceError::Scratch(io::Error::new(io::ErrorKind::InvalidData, cause))
        };
        self.state.fill(collector).map_err(damaged)?;
        for ((kind, name), source) in &mut collector.sources {
            if *kind == SourceKind::Osv {
                source.listed = self.journal.listed.get(name).copied();
            }
        }
        for (name, id, record) in self.journal.all() {
            collector.remove(name, id);
            if let Some(record) = record {
                let mut found = read(name, id, &record.bytes, &self.limits);
                // They were told when the change came.
                found.warnings.clear();
                collector.osv(found)?;
            }
        }
        Ok(())
    }
}

/// Reads a record that shall have this id.
pub(super) fn read(name: &str, id: &str, bytes: &[u8], limits: &Limits) -> SourceRecord {
    let mut found = sources::osv::one(&Arc::from(name), &format!("{id}.json"), bytes, limits);
    if let Some(advisory) = &found.advisory
        && advisory.id != id
    {
        let cause = format!("record skipped: it is {:?}", advisory.id);
        found.warnings = vec![Warning::skipped(name, id, cause)];
        found.advisory = None;
    }
    found
}
