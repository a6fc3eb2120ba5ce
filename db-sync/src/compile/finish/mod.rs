//! Turns what was collected into the file: picks one record per id, numbers
//! everything in sorted order and writes the sections.

mod groups;
mod packages;
mod table;

use self::groups::{Groups, groups};
use self::packages::packages;
use self::table::{Numbered, Table, used_ratings, used_versions};
use super::collect::{ALL, Collector, Stored};
use super::rate::Loans;
use super::vulnerability::Vulnerabilities;
use super::{BuildError, census, texts, yanked};
use crate::moment::Moment;
use crate::problem::Warning;
use crate::sources::SourceKind;
use crate::store::codec::{put, put_rising, put_text, put_texts, zigzag};
use crate::store::format::Section;
use crate::store::place::directory;
use crate::store::read::Store;
use crate::store::write::Writer;
use crate::store::{Info, feed, hash};
use std::io;
use std::path::Path;

/// What was written.
pub(super) struct Written {
    /// All warnings, sorted.
    pub(super) warnings: Vec<Warning>,
    /// Positions of the records in the file, in the order of their numbers.
    pub(super) chosen: Vec<u32>,
}

/// The segment that the records are written before.
pub(super) struct Over<'a> {
    pub(super) below: &'a Store,
    /// Its records that do not count any more, rising.
    pub(super) masked: Vec<u32>,
    /// The description of both.
    pub(super) info: Info,
}

/// Writes the database, or a segment of changes `over` another; texts that did
/// not change are taken from `old`.
pub(super) fn write(
    collector: &mut Collector,
    old: Option<&Store>,
    output: &Path,
    over: Option<Over<'_>>,
) -> Result<Written, BuildError> {
    let failed = |source| BuildError::Write {
        path: output.to_owned(),
        source,
    };
    let mut warnings = std::mem::take(&mut collector.warnings);
    let sources = number_sources(collector);
    let chosen = choose(collector, &mut warnings);
    let scratch = std::mem::replace(
        &mut collector.scratch,
        io::BufWriter::new(tempfile::tempfile_in(directory(output)).map_err(failed)?),
    );
    let mut scratch = scratch
        .into_inner()
        .map_err(io::IntoInnerError::into_error)
        .map_err(failed)?;
    let records: Vec<&Stored> = chosen
        .iter()
        .filter_map(|position| collector.records.get(*position as usize))
        .collect();

    let mut writer = Writer::create(output).map_err(failed)?;
    let mut feed = texts::Feed::new(&mut scratch, old);
    texts::write(&mut writer, &records, &mut feed).map_err(failed)??;

    let mut vulnerabilities = Vulnerabilities::of(records.iter().copied(), &collector.ids);
    let groups = groups(
        &records,
        &mut vulnerabilities,
        &collector.ids,
        &mut warnings,
    )?;
    let rated = used_ratings(collector, &records)?;
    let heads = heads(
        collector,
        &records,
        &rated,
        &mut vulnerabilities,
        &groups,
        &sources,
    )?;
    let versions = used_versions(collector, &records)?;
    let (packages, ecosystems) = packages(collector, &records, &versions.numbers, &rated)?;
    let (info, masked, below) = match over {
        None => {
            let info = census::of_all(collector, &records, &sources, ecosystems);
            (info, Vec::new(), None)
        }
        Some(over) => {
            let filed = ecosystems.into_iter().map(|known| known.name);
            let filed: Vec<String> = filed.collect();
            (over.info, over.masked, Some((over.below, filed)))
        }
    };
    let masked: Vec<u8> = masked
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let info = serde_json::to_vec(&info).map_err(|error| failed(error.into()))?;
    let mut write = || -> io::Result<()> {
        let w = &mut writer;
        w.section(Section::Info, &info)?;
        w.section(Section::Versions, &versions.table.bytes)?;
        w.section(Section::VersionOffsets, &versions.table.offsets)?;
        w.section(Section::Ratings, &rated.table.bytes)?;
        w.section(Section::RatingOffsets, &rated.table.offsets)?;
        w.section(Section::Groups, &groups.table.bytes)?;
        w.section(Section::GroupOffsets, &groups.table.offsets)?;
        w.section(Section::Records, &heads.0.bytes)?;
        w.section(Section::RecordOffsets, &heads.0.offsets)?;
        w.section(Section::RecordIndex, &hash::table(&heads.1))?;
        w.section(Section::Packages, &packages.0.bytes)?;
        w.section(Section::PackageOffsets, &packages.0.offsets)?;
        w.section(Section::PackageIndex, &hash::table(&packages.1))?;
        for (kind, feed) in &collector.feeds {
            w.section(feed::section(*kind), &feed.rows)?;
        }
        w.section(Section::Masked, &masked)
    };
    write().map_err(failed)?;
    if let Some(yanked) = &collector.yanked {
        yanked::write(&mut writer, yanked, output)?;
    }
    let finished = match below {
        None => writer.finish(output),
        Some((below, filed)) => {
            let mut of_below = Vec::new();
            put_text(&mut of_below, &below.info().root_digest);
            put_texts(&mut of_below, &filed);
            let written = writer.section(Section::Below, &of_below);
            written.and_then(|()| writer.finish_above(output, Some(below)))
        }
    };
    finished.map_err(failed)?;
    warnings.sort();
    warnings.dedup();
    Ok(Written { warnings, chosen })
}

/// One position per id, sorted by id; the losers' sources are noted as well.
pub(super) fn choose(collector: &Collector, warnings: &mut Vec<Warning>) -> Vec<u32> {
    let (records, ids) = (&collector.records, &collector.ids);
    let mut order: Vec<u32> = records
        .iter()
        .zip(0_u32..)
        .filter(|(record, _)| !record.sources.is_empty())
        .map(|(_, position)| position)
        .collect();
    let key = |position: u32| {
        records.get(position as usize).map(|record| {
            (
                ids.text(record.id),
                std::cmp::Reverse((record.modified, record.digest)),
            )
        })
    };
    // Stable, since it merges runs: the records of an update are nearly sorted.
    order.sort_by(|left, right| key(*left).cmp(&key(*right)));
    let same_id = |left: &u32, right: &u32| {
        let id = |position: u32| records.get(position as usize).map(|record| record.id);
        id(*left) == id(*right)
    };
    let mut chosen = Vec::new();
    for group in order.chunk_by(same_id) {
        let Some((winner, losers)) = group.split_first() else {
            continue;
        };
        chosen.push(*winner);
        if let (false, Some(record)) = (losers.is_empty(), records.get(*winner as usize)) {
            let when = record
                .modified
                .map_or_else(|| "unknown".to_owned(), |moment| moment.to_string());
            let cause = format!(
                "{} different records have this id: the newest is used (modified {when})",
                group.len()
            );
            warnings.push(Warning::new(ALL, ids.text(record.id), cause));
        }
    }
    chosen
}

/// The place of each source in the sorted list, by its number.
fn number_sources(collector: &Collector) -> Vec<u32> {
    let mut sorted: Vec<(&(SourceKind, String), usize)> = collector
        .sources
        .iter()
        .enumerate()
        .map(|(number, (name, _))| (name, number))
        .collect();
    sorted.sort();
    let mut places = vec![0; sorted.len()];
    for ((_, number), place) in sorted.into_iter().zip(0_u32..) {
        if let Some(slot) = places.get_mut(number) {
            *slot = place;
        }
    }
    places
}

/// Record heads and the hashes of their ids.
fn heads(
    collector: &Collector,
    records: &[&Stored],
    rated: &Numbered,
    vulnerabilities: &mut Vulnerabilities,
    groups: &Groups,
    sources: &[u32],
) -> Result<(Table, Vec<u64>), BuildError> {
    let loans = Loans::of(records, vulnerabilities, &collector.ids, &collector.ratings);
    let mut table = Table::default();
    let mut hashes = Vec::with_capacity(records.len());
    for (record, number) in records.iter().zip(0_u32..) {
        table.mark()?;
        let id = collector.ids.text(record.id);
        let out = &mut table.bytes;
        put_text(out, id);
        if record.context {
            // Its id is all that is asked for, and only by number.
            hashes.push(hash::of(&[id, "context"]));
            continue;
        }
        hashes.push(hash::of(&[id]));
        for moment in [record.published, record.modified, record.withdrawn] {
            put_moment(out, moment);
        }
        let root = vulnerabilities.root(record.id);
        put(out, groups.of(root));
        let ratings = loans.ratings(record, number, vulnerabilities);
        put(out, ratings.len() as u64);
        for (value, origin) in ratings {
            put(out, u64::from(rated.of(value)));
            put(out, origin.code());
        }
        let mut places: Vec<u32> = record
            .sources
            .iter()
            .filter_map(|source| sources.get(usize::from(*source)).copied())
            .collect();
        places.sort_unstable();
        put_rising(out, &places);
        put_text(out, &record.summary);
        if let Some(extras) = &record.extras {
            put_text(out, extras.informational.as_deref().unwrap_or_default());
            put_texts(out, &extras.scope.functions);
            put_texts(out, &extras.scope.arch);
            put_texts(out, &extras.scope.os);
        }
    }
    table.mark()?;
    Ok((table, hashes))
}

fn put_moment(out: &mut Vec<u8>, moment: Option<Moment>) {
    match moment {
        None => put(out, 0),
        Some(moment) if moment.nanos() == 0 => put(out, zigzag(moment.seconds()) << 2 | 1),
        Some(moment) => {
            put(out, zigzag(moment.seconds()) << 2 | 2);
            put(out, u64::from(moment.nanos()));
        }
    }
}
