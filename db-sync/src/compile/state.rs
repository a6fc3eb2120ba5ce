//! What an update needs to know of the build before it: all records in their
//! compact form, without texts, which lie in the database itself.
//!
//! The file belongs to one database (by root digest), one program version and
//! one set of inputs. It is a cache: where anything differs or is damaged it
//! is not used, and the database is built from the fetched records again.

use super::collect::{Collector, Extras, Place, Source, Stored, Texts};
use super::interner::Interner;
use crate::advisory::Scope;
use crate::moment::Moment;
use crate::sources::SourceKind;
use crate::store::codec::{
    Damaged, Reader, put, put_rising, put_text, put_texts, unzigzag, zigzag,
};
use crate::store::format::{crc32, le32};
use std::collections::BTreeMap;

const MAGIC: &[u8; 8] = b"PCSYNC1\n";

/// What the state was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// Root digest of the database.
    pub(super) digest: String,
    /// What else the records depend on, in the caller's words.
    pub(super) inputs: String,
    /// Updates since the last build from nothing.
    pub(super) updates: u64,
}

/// Writes the state; `chosen` are the positions of the records in the file.
pub(super) fn dump(collector: &Collector, chosen: &[u32], label: &Label) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    put_text(&mut out, env!("CARGO_PKG_VERSION"));
    put_text(&mut out, &label.digest);
    put_text(&mut out, &label.inputs);
    put(&mut out, label.updates);
    for interner in [
        &collector.ids,
        &collector.versions,
        &collector.packages,
        &collector.ratings,
    ] {
        interner.dump(&mut out);
    }
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
    let mut in_file = vec![false; collector.records.len()];
    for position in chosen {
        if let Some(slot) = in_file.get_mut(*position as usize) {
            *slot = true;
        }
    }
    let losers: Vec<&Stored> = collector
        .records
        .iter()
        .zip(&in_file)
        .filter(|(record, in_file)| !**in_file && !record.sources.is_empty())
        .map(|(record, _)| record)
        .collect();
    for count in [chosen.len(), losers.len()] {
        put(&mut out, count as u64);
    }
    for position in chosen {
        if let Some(record) = collector.records.get(*position as usize) {
            put_record(&mut out, record);
        }
    }
    for record in losers {
        put_record(&mut out, record);
    }
    let crc = crc32(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    out
}

fn put_moment(out: &mut Vec<u8>, moment: Option<Moment>) {
    match moment {
        None => put(out, 0),
        Some(moment) => {
            put(out, zigzag(moment.seconds()).saturating_add(1));
            put(out, u64::from(moment.nanos()));
        }
    }
}

fn take_moment(reader: &mut Reader<'_>) -> Result<Option<Moment>, Damaged> {
    match reader.number()?.checked_sub(1) {
        None => Ok(None),
        Some(seconds) => Moment::new(unzigzag(seconds), reader.small()?)
            .ok_or(Damaged)
            .map(Some),
    }
}

fn put_record(out: &mut Vec<u8>, record: &Stored) {
    put(out, u64::from(record.id));
    out.extend_from_slice(&record.digest);
    for moment in [record.published, record.modified, record.withdrawn] {
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
    put(out, record.sources.len() as u64);
    for source in &record.sources {
        put(out, u64::from(*source));
    }
    out.push(u8::from(record.extras.is_some()));
    if let Some(extras) = &record.extras {
        put_text(out, extras.informational.as_deref().unwrap_or_default());
        put_texts(out, &extras.scope.functions);
        put_texts(out, &extras.scope.arch);
        put_texts(out, &extras.scope.os);
    }
}

fn take_record(reader: &mut Reader<'_>, place: Place) -> Result<Stored, Damaged> {
    let id = reader.small()?;
    let digest: [u8; 32] = reader.bytes(32)?.try_into().map_err(|_| Damaged)?;
    let (published, modified, withdrawn) = (
        take_moment(reader)?,
        take_moment(reader)?,
        take_moment(reader)?,
    );
    let mut numbers = || reader.rising().map(Vec::into_boxed_slice);
    let (aliases, upstream, related) = (numbers()?, numbers()?, numbers()?);
    let (package_ratings, package_vectors) = (numbers()?, numbers()?);
    let mut ratings = Vec::new();
    for _ in 0..reader.length()? {
        ratings.push((reader.small()?, reader.byte()?));
    }
    let summary = reader.text()?.into();
    let length = reader.small()?;
    let count = reader.length()?;
    let entries = reader.bytes(count)?.into();
    let mut sources = Vec::new();
    for _ in 0..reader.length()? {
        sources.push(u16::try_from(reader.small()?).map_err(|_| Damaged)?);
    }
    let mut extras = None;
    if reader.byte()? != 0 {
        extras = Some(Box::new(Extras {
            informational: Some(reader.text()?.to_owned()).filter(|kind| !kind.is_empty()),
            scope: Scope {
                functions: reader.texts()?,
                arch: reader.texts()?,
                os: reader.texts()?,
            },
        }));
    }
    Ok(Stored {
        id,
        digest,
        published,
        modified,
        withdrawn,
        aliases,
        upstream,
        related,
        ratings: ratings.into(),
        package_ratings,
        package_vectors,
        summary,
        extras,
        entries,
        texts: Texts { place, length },
        sources,
    })
}

/// Fills an empty collector from a state; returns what the state is for.
pub(super) fn load(bytes: &[u8], collector: &mut Collector) -> Result<Label, Damaged> {
    let (covered, crc) = bytes
        .len()
        .checked_sub(4)
        .and_then(|end| bytes.split_at_checked(end))
        .ok_or(Damaged)?;
    let body = covered.strip_prefix(MAGIC).ok_or(Damaged)?;
    let mut reader = Reader::new(body);
    if reader.text()? != env!("CARGO_PKG_VERSION") || crc32(covered) != le32(crc) {
        return Err(Damaged);
    }
    let label = Label {
        digest: reader.text()?.to_owned(),
        inputs: reader.text()?.to_owned(),
        updates: reader.number()?,
    };
    collector.ids = Interner::load(&mut reader)?;
    collector.versions = Interner::load(&mut reader)?;
    collector.packages = Interner::load(&mut reader)?;
    collector.ratings = Interner::load(&mut reader)?;
    for _ in 0..reader.length()? {
        let kind = if reader.number()? == 0 {
            SourceKind::Osv
        } else {
            SourceKind::RustSec
        };
        let name = reader.text()?.to_owned();
        let mut source = Source {
            newest: take_moment(&mut reader)?,
            listed: take_moment(&mut reader)?,
            ..Source::default()
        };
        for _ in 0..reader.length()? {
            let id = reader.small()?;
            let digest = reader.bytes(32)?.try_into().map_err(|_| Damaged)?;
            source.records.push((id, digest));
        }
        collector.sources.push(((kind, name), source));
    }
    let (chosen, losers) = (reader.length()?, reader.length()?);
    collector.records.reserve(chosen.saturating_add(losers));
    for number in (0..u32::MAX).take(chosen) {
        let record = take_record(&mut reader, Place::Old(number))?;
        collector.records.push(record);
    }
    for _ in 0..losers {
        let record = take_record(&mut reader, Place::Gone)?;
        collector.records.push(record);
    }
    let mut by_id: BTreeMap<u32, Vec<u32>> = collector
        .records
        .iter()
        .zip(0_u32..)
        .take(chosen)
        .map(|(record, position)| (record.id, vec![position]))
        .collect();
    for (record, position) in collector.records.iter().zip(0_u32..).skip(chosen) {
        by_id.entry(record.id).or_default().push(position);
    }
    collector.by_id = by_id;
    Ok(label)
}
