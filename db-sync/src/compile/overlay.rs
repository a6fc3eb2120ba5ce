//! Writes what changed as a segment before the compiled database: the records
//! that the changes reach, compiled as they would be among all others, and the
//! description of the whole.

use super::collect::{Collector, Source, Storage, Stored, Texts};
use super::interner::TextKind;
use super::reach::{Changed, Graph, Ids, Reach};
use super::state::State;
use super::steps::{Steps, read};
use super::{BuildError, finish, recount};
use crate::problem::Warning;
use crate::sources::SourceKind;
use crate::store::codec::{Damaged, Reader};
use crate::store::entry::Entry;
use crate::store::place;
use std::collections::BTreeSet;
use std::path::Path;

/// Why no segment was written.
pub(super) enum Failure {
    /// The changes reach too far, or their reach cannot be told.
    Far,
    Build(BuildError),
}

impl From<Damaged> for Failure {
    fn from(_: Damaged) -> Self {
        Self::Far
    }
}

impl<T: Into<BuildError>> From<T> for Failure {
    fn from(error: T) -> Self {
        Self::Build(error.into())
    }
}

/// Writes the database with the changes before it; returns the warnings.
pub(super) fn write(steps: &Steps, output: &Path) -> Result<Vec<Warning>, Failure> {
    let mut warnings = steps.warnings.clone();
    if steps.journal.is_long() {
        return Err(Failure::Far);
    }
    let failed = |source| BuildError::Write {
        path: output.to_owned(),
        source,
    };
    let mut collector = Collector::new(place::directory(output)).map_err(failed)?;
    let reach = collect(steps, &mut collector)?;
    collector.add_rest()?;
    let chosen = finish::choose(&collector, &mut Vec::new());
    let records: Vec<&Stored> = chosen
        .iter()
        .filter_map(|position| collector.records.get(*position as usize))
        .collect();
    if records
        .iter()
        .any(|record| record.texts.place == Storage::Gone)
    {
        return Err(Failure::Far);
    }
    let masked: Vec<u32> = reach
        .records
        .iter()
        .filter_map(|id| steps.state.winner(*id))
        .collect::<BTreeSet<u32>>()
        .into_iter()
        .collect();
    let info = recount::info(steps, &collector, &records, &masked)?.ok_or(Failure::Far)?;
    let old = steps.compiled.info();
    let changed = steps.feeds.iter();
    collector.feeds = changed
        .filter(|(kind, feed)| old.feed(**kind) != Some(&feed.info))
        .map(|(kind, feed)| (*kind, feed.clone()))
        .collect();
    let over = finish::Over {
        below: &steps.compiled,
        masked,
        info,
    };
    let written = finish::write(&mut collector, Some(&steps.compiled), output, Some(over))?;
    // What was said about records that did not change was said before.
    let changed: BTreeSet<&str> = steps.journal.all().map(|(_, id, _)| id).collect();
    let new = written.warnings.into_iter();
    warnings.extend(new.filter(|warning| changed.contains(warning.entry.as_str())));
    warnings.sort();
    warnings.dedup();
    Ok(warnings)
}

/// Puts all records that matter into the collector.
fn collect(steps: &Steps, collector: &mut Collector) -> Result<Reach, Failure> {
    let state = &steps.state;
    for ((kind, name), source) in &state.sources {
        let listed = match kind {
            SourceKind::Osv => steps.journal.listed.get(name).copied(),
            SourceKind::RustSec => source.listed,
        };
        let source = Source {
            listed,
            ..Source::default()
        };
        collector.sources.push(((*kind, name.clone()), source));
    }
    let mut ids = Ids::new(state);
    let mut changed = Vec::new();
    let mut from = BTreeSet::new();
    let mut found = Vec::new();
    for (name, id, record) in steps.journal.all() {
        from.insert(ids.number(id));
        if let Some(record) = record {
            let mut one = read(name, id, &record.bytes, &steps.limits);
            // They were told when the change came.
            one.warnings.clear();
            let advisory = one.advisory.as_ref();
            changed.extend(advisory.map(|advisory| Changed::new(advisory, &mut ids)));
            found.push(one);
        }
    }
    let graph = Graph::new(&ids, changed);
    let reach = graph.reach(&from)?.ok_or(Failure::Far)?;
    for id in &reach.records {
        for copy in state.copies(*id) {
            let mut record = state.record(copy)?;
            let text = state.text(TextKind::Ids, *id);
            record.sources.retain(|source| {
                let source = state.sources.get(usize::from(*source));
                source.is_none_or(|((kind, name), _)| {
                    *kind != SourceKind::Osv || steps.journal.get(name, text).is_none()
                })
            });
            if !record.sources.is_empty() {
                adopt(collector, state, record)?;
            }
        }
    }
    for one in found {
        collector.osv(one)?;
    }
    for id in &reach.context {
        if let Some(number) = state.winner(*id) {
            let mut record = state.record(number)?;
            record.context = true;
            record.entries = Box::default();
            record.extras = None;
            record.texts = Texts {
                place: Storage::Old(number),
                length: 0,
            };
            adopt(collector, state, record)?;
        }
    }
    Ok(reach)
}

/// Adds a record of the state, with the collector's numbers.
fn adopt(collector: &mut Collector, state: &State, mut record: Stored) -> Result<(), Damaged> {
    let mut number = |kind, old: u32| collector.texts_mut(kind).number(state.text(kind, old));
    record.id = number(TextKind::Ids, record.id);
    for ids in [
        &mut record.aliases,
        &mut record.upstream,
        &mut record.related,
    ] {
        ids.iter_mut()
            .for_each(|id| *id = number(TextKind::Ids, *id));
        ids.sort_unstable();
    }
    for (value, _) in &mut record.ratings {
        *value = number(TextKind::Ratings, *value);
    }
    for values in [&mut record.package_ratings, &mut record.package_vectors] {
        let values = values.iter_mut();
        values.for_each(|value| *value = number(TextKind::Ratings, *value));
    }
    record.package_ratings.sort_unstable();
    record.package_vectors.sort_unstable();
    let mut entries = Vec::new();
    let mut reader = Reader::new(&record.entries);
    while !reader.is_empty() {
        let (package, mut entry) = Entry::read(&mut reader)?;
        let package = number(TextKind::Packages, package);
        let spans = entry.ranges.iter_mut().chain(&mut entry.beside);
        for mark in spans.flat_map(|range| &mut range.events) {
            mark.version = mark
                .version
                .map(|version| number(TextKind::Versions, version));
        }
        for version in entry.versions.iter_mut().chain(&mut entry.other_fixes) {
            *version = number(TextKind::Versions, *version);
        }
        for (value, _) in &mut entry.ratings {
            *value = number(TextKind::Ratings, *value);
        }
        entry.write(package, &mut entries, &|version| version);
    }
    record.entries = entries.into();
    let position = u32::try_from(collector.records.len()).unwrap_or(u32::MAX);
    collector.by_id.entry(record.id).or_default().push(position);
    collector.records.push(record);
    Ok(())
}
