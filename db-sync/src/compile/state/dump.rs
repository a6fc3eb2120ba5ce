//! Writing a state: the parts one after the other, then where each ends.

use super::{KINDS, Label, MAGIC, NO_TIME, NONE};
use crate::compile::collect::{Collector, Stored};
use crate::moment::Moment;
use crate::sources::SourceKind;
use crate::store::codec::{put, put_rising, put_text, put_texts, zigzag};
use crate::store::format::crc32;
use std::collections::BTreeMap;

/// Writes the state; `chosen` are the positions of the records in the file.
/// `None` where it would be too large to be of use.
pub(in crate::compile) fn dump(
    collector: &Collector,
    chosen: &[u32],
    label: &Label,
) -> Option<Vec<u8>> {
    let mut out = Dump {
        bytes: MAGIC.to_vec(),
        ends: Vec::new(),
    };
    for interner in KINDS.map(|kind| collector.texts(kind)) {
        interner.dump(|part| out.part(part));
    }
    let mut part = Vec::new();
    put_text(&mut part, env!("CARGO_PKG_VERSION"));
    put_text(&mut part, &label.digest);
    put_text(&mut part, &label.inputs);
    put(&mut part, label.updates);
    put(&mut part, chosen.len() as u64);
    out.part(&part);
    out.part(&sources(collector));

    let mut is_chosen = vec![false; collector.records.len()];
    for position in chosen {
        if let Some(slot) = is_chosen.get_mut(*position as usize) {
            *slot = true;
        }
    }
    let winners = chosen
        .iter()
        .filter_map(|position| collector.records.get(*position as usize));
    let losers = collector.records.iter().zip(&is_chosen);
    let losers = losers
        .filter(|(record, is_chosen)| !**is_chosen && !record.sources.is_empty())
        .map(|(record, _)| record);
    let records: Vec<&Stored> = winners.chain(losers).collect();

    let mut sets: BTreeMap<&[u16], u32> = BTreeMap::new();
    let (mut rows, mut bodies) = (Vec::new(), Vec::new());
    for record in &records {
        let next = u32::try_from(sets.len()).ok()?;
        let set = *sets.entry(&record.sources).or_insert(next);
        let start = u32::try_from(bodies.len()).ok()?;
        let time = record.modified;
        for number in [record.id, set, start, time.map_or(NO_TIME, Moment::nanos)] {
            rows.extend_from_slice(&number.to_le_bytes());
        }
        rows.extend_from_slice(&time.map_or(0, Moment::seconds).to_le_bytes());
        rows.extend_from_slice(&record.digest);
        put_body(&mut bodies, record);
    }
    let mut numbered: Vec<(u32, &[u16])> = sets.into_iter().map(|(set, n)| (n, set)).collect();
    numbered.sort_unstable();
    let mut part = Vec::new();
    put(&mut part, numbered.len() as u64);
    for (_, set) in numbered {
        put(&mut part, set.len() as u64);
        for source in set {
            put(&mut part, u64::from(*source));
        }
    }
    out.part(&part);
    out.part(&rows);
    out.part(&bodies);
    let (starts, links) = links(&records, collector.ids.len());
    out.words(&starts);
    out.words(&links);
    let mut by_id = vec![NONE; collector.ids.len()];
    for (record, number) in records.iter().zip(0_u32..).take(chosen.len()) {
        if let Some(slot) = by_id.get_mut(record.id as usize) {
            *slot = number;
        }
    }
    out.words(&by_id);
    Some(out.finish())
}

/// A file of parts in the making.
struct Dump {
    bytes: Vec<u8>,
    ends: Vec<u8>,
}

impl Dump {
    fn part(&mut self, part: &[u8]) {
        self.bytes.extend_from_slice(part);
        let end = self.bytes.len() as u64;
        self.ends.extend_from_slice(&end.to_le_bytes());
    }

    fn words(&mut self, words: &[u32]) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.part(&bytes);
    }

    fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&self.ends);
        let crc = crc32(&self.bytes);
        self.bytes.extend_from_slice(&crc.to_le_bytes());
        self.bytes
    }
}

fn sources(collector: &Collector) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, collector.sources.len() as u64);
    for ((kind, name), source) in &collector.sources {
        put(&mut out, u64::from(*kind == SourceKind::RustSec));
        put_text(&mut out, name);
        put_moment(&mut out, source.newest);
        put_moment(&mut out, source.listed);
        put(&mut out, source.records.len() as u64);
        for (id, digest) in &source.records {
            put(&mut out, u64::from(*id));
            out.extend_from_slice(digest);
        }
    }
    out
}

/// Per id, the records that name it as an alias, as upstream or as related.
fn links(records: &[&Stored], ids: usize) -> (Vec<u32>, Vec<u32>) {
    let named = |record: &Stored| {
        let mut all = [&*record.aliases, &record.upstream, &record.related].concat();
        all.sort_unstable();
        all.dedup();
        all
    };
    let mut pairs: Vec<(u32, u32)> = records
        .iter()
        .zip(0_u32..)
        .flat_map(|(record, number)| named(record).into_iter().map(move |id| (id, number)))
        .collect();
    pairs.sort_unstable();
    let mut starts = Vec::with_capacity(ids.saturating_add(1));
    let mut at = pairs.iter().zip(0_u32..).peekable();
    let mut start = 0;
    for id in 0..=u32::try_from(ids).unwrap_or(u32::MAX) {
        while let Some((_, place)) = at.next_if(|((other, _), _)| *other < id) {
            start = place.saturating_add(1);
        }
        starts.push(start);
    }
    (
        starts,
        pairs.into_iter().map(|(_, number)| number).collect(),
    )
}

pub(in crate::compile) fn put_moment(out: &mut Vec<u8>, moment: Option<Moment>) {
    match moment {
        None => put(out, 0),
        Some(moment) => {
            put(out, zigzag(moment.seconds()).saturating_add(1));
            put(out, u64::from(moment.nanos()));
        }
    }
}

/// What a row does not hold.
fn put_body(out: &mut Vec<u8>, record: &Stored) {
    for moment in [record.published, record.withdrawn] {
        put_moment(out, moment);
    }
    for numbers in [
        &record.aliases,
        &record.upstream,
        &record.related,
        &record.package_ratings,
        &record.package_vectors,
    ] {
        put_rising(out, numbers);
    }
    put(out, record.ratings.len() as u64);
    for (value, field) in &record.ratings {
        put(out, u64::from(*value));
        out.push(*field);
    }
    put_text(out, &record.summary);
    put(out, u64::from(record.texts.length));
    put(out, record.entries.len() as u64);
    out.extend_from_slice(&record.entries);
    out.push(u8::from(record.extras.is_some()));
    if let Some(extras) = &record.extras {
        put_text(out, extras.informational.as_deref().unwrap_or_default());
        put_texts(out, &extras.scope.functions);
        put_texts(out, &extras.scope.arch);
        put_texts(out, &extras.scope.os);
    }
}
