//! Turns what was collected into the file: picks one record per id, numbers
//! everything in sorted order and writes the sections.

use super::BuildError;
use super::collect::{ALL, Collector, Source, Stored};
use super::flaw::Flaws;
use super::interner::Interner;
use super::rate::Loans;
use crate::moment::Moment;
use crate::problem::Warning;
use crate::sources::SourceKind;
use crate::store::codec::{Reader, put, put_rising, put_text, put_texts, zigzag};
use crate::store::entry::Entry;
use crate::store::format::{BLOCK, Section};
use crate::store::read::hex;
use crate::store::write::Writer;
use crate::store::{EcosystemInfo, Info, SourceInfo, hash};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Level of zstd for texts: higher ones cost more than they save here.
const LEVEL: i32 = 9;
/// Blocks that are compressed at once.
const BLOCKS_AT_ONCE: usize = 16;
/// Ids that are listed for one flaw; a hostile set of aliases must not make
/// every match carry all ids of the database.
const MAX_ALIASES: usize = 1000;

/// A table of items: their bytes and where each begins.
#[derive(Default)]
struct Table {
    bytes: Vec<u8>,
    offsets: Vec<u8>,
}

impl Table {
    fn mark(&mut self) -> Result<(), BuildError> {
        let offset = u32::try_from(self.bytes.len()).map_err(|_| BuildError::TooMany)?;
        self.offsets.extend_from_slice(&offset.to_le_bytes());
        Ok(())
    }
}

/// Writes the database and returns all warnings, sorted.
pub(super) fn write(mut collector: Collector, output: &Path) -> Result<Vec<Warning>, BuildError> {
    let failed = |source| BuildError::Write {
        path: output.to_owned(),
        source,
    };
    let mut warnings = std::mem::take(&mut collector.warnings);
    let sources = number_sources(&collector);
    let chosen = choose(&mut collector, &mut warnings);
    let scratch = std::mem::replace(
        &mut collector.scratch,
        io::BufWriter::new(tempfile::tempfile().map_err(failed)?),
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
    write_texts(&mut writer, &records, &mut scratch).map_err(failed)??;

    let mut flaws = Flaws::of(records.iter().copied(), &collector.ids);
    let groups = groups(&records, &mut flaws, &collector.ids, &mut warnings)?;
    let heads = heads(&collector, &records, &mut flaws, &groups, &sources)?;
    let versions = used_versions(&collector, &records)?;
    let (packages, ecosystems) = packages(&collector, &records, &versions.numbers)?;
    let ratings = ratings(&collector.ratings)?;
    let info = info(&collector, &records, &sources, ecosystems);
    let info = serde_json::to_vec(&info).map_err(|error| failed(error.into()))?;
    let write = || -> io::Result<()> {
        let w = &mut writer;
        w.section(Section::Info, &info)?;
        w.section(Section::Versions, &versions.table.bytes)?;
        w.section(Section::VersionOffsets, &versions.table.offsets)?;
        w.section(Section::Ratings, &ratings.bytes)?;
        w.section(Section::RatingOffsets, &ratings.offsets)?;
        w.section(Section::Groups, &groups.table.bytes)?;
        w.section(Section::GroupOffsets, &groups.table.offsets)?;
        w.section(Section::Records, &heads.0.bytes)?;
        w.section(Section::RecordOffsets, &heads.0.offsets)?;
        w.section(Section::RecordIndex, &hash::table(&heads.1))?;
        w.section(Section::Packages, &packages.0.bytes)?;
        w.section(Section::PackageOffsets, &packages.0.offsets)?;
        w.section(Section::PackageIndex, &hash::table(&packages.1))?;
        writer.finish(output)
    };
    write().map_err(failed)?;
    warnings.sort();
    warnings.dedup();
    Ok(warnings)
}

/// One position per id, sorted by id; the losers' sources are noted as well.
fn choose(collector: &mut Collector, warnings: &mut Vec<Warning>) -> Vec<u32> {
    let mut order: Vec<u32> = (0..).take(collector.records.len()).collect();
    let (records, ids) = (&collector.records, &collector.ids);
    let key = |position: u32| {
        records.get(position as usize).map(|record| {
            (
                ids.text(record.id),
                std::cmp::Reverse((record.modified, record.digest)),
            )
        })
    };
    order.sort_unstable_by(|left, right| key(*left).cmp(&key(*right)));
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

fn write_texts(
    writer: &mut Writer,
    records: &[&Stored],
    scratch: &mut File,
) -> io::Result<Result<(), BuildError>> {
    writer.begin(Section::Texts);
    let mut index = Vec::new();
    let mut offset: u64 = 0;
    let mut pending: Vec<(u32, Vec<u8>)> = Vec::new();
    let mut block: Vec<u8> = Vec::new();
    let mut first = 0_u32;
    let mut next = 0_u32;
    let mut position = u64::MAX;
    let mut file = io::BufReader::with_capacity(256 << 10, scratch);
    let mut text = Vec::new();
    loop {
        let record = records.get(next as usize);
        if let Some(record) = record {
            let (start, length) = record.texts;
            seek(&mut file, &mut position, start)?;
            text.resize(length as usize, 0);
            file.read_exact(&mut text)?;
            position = start.saturating_add(u64::from(length));
            put(&mut block, text.len() as u64);
            block.extend_from_slice(&text);
            next = next.saturating_add(1);
        }
        if block.len() >= BLOCK || (record.is_none() && !block.is_empty()) {
            pending.push((first, std::mem::take(&mut block)));
            first = next;
        }
        if pending.len() >= BLOCKS_AT_ONCE || record.is_none() {
            let packed: Vec<io::Result<Vec<u8>>> = pending
                .par_iter()
                .map(|(_, raw)| zstd::bulk::compress(raw, LEVEL))
                .collect();
            for ((first, raw), packed) in pending.drain(..).zip(packed) {
                let packed = packed?;
                let (Ok(start), Ok(length), Ok(raw)) = (
                    u32::try_from(offset),
                    u32::try_from(packed.len()),
                    u32::try_from(raw.len()),
                ) else {
                    return Ok(Err(BuildError::TooMany));
                };
                for field in [first, start, length, raw] {
                    index.extend_from_slice(&field.to_le_bytes());
                }
                offset = offset.saturating_add(u64::from(length));
                writer.append(Section::Texts, &packed)?;
            }
        }
        if record.is_none() {
            break;
        }
    }
    writer.section(Section::Blocks, &index)?;
    Ok(Ok(()))
}

fn seek(file: &mut io::BufReader<&mut File>, position: &mut u64, to: u64) -> io::Result<()> {
    if *position == to {
        return Ok(());
    }
    let distance = i64::try_from(to)
        .ok()
        .zip(i64::try_from(*position).ok())
        .and_then(|(to, from)| to.checked_sub(from));
    match distance {
        Some(distance) => file.seek_relative(distance),
        None => file.seek(SeekFrom::Start(to)).map(|_| ()),
    }
}

/// Groups of more than one id, and the group of each flaw.
struct Groups {
    table: Table,
    /// Group number plus one, by root.
    by_root: BTreeMap<u32, u32>,
}

fn groups(
    records: &[&Stored],
    flaws: &mut Flaws,
    ids: &Interner,
    warnings: &mut Vec<Warning>,
) -> Result<Groups, BuildError> {
    let mut members: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for id in 0..u32::try_from(ids.len()).unwrap_or(u32::MAX) {
        let root = flaws.root(id);
        if root != id {
            members.entry(root).or_default().push(id);
        }
    }
    let numbers: BTreeMap<u32, u32> = records
        .iter()
        .zip(0..)
        .map(|(record, number)| (record.id, number))
        .collect();
    let mut sorted: Vec<(u32, Vec<u32>)> = members
        .into_iter()
        .map(|(root, mut group)| {
            group.push(root);
            group.sort_unstable_by(|left, right| ids.text(*left).cmp(ids.text(*right)));
            (root, group)
        })
        .collect();
    let first = |group: &[u32]| group.first().map_or("", |id| ids.text(*id)).to_owned();
    sorted.sort_by_cached_key(|(_, group)| first(group));
    let mut groups = Groups {
        table: Table::default(),
        by_root: BTreeMap::new(),
    };
    for ((root, group), number) in sorted.into_iter().zip(1_u32..) {
        groups.table.mark()?;
        if group.len() > MAX_ALIASES {
            let cause = format!(
                "{} ids are linked as one flaw: {MAX_ALIASES} are listed",
                group.len()
            );
            warnings.push(Warning::new(ALL, &first(&group), cause));
        }
        for id in group.iter().take(MAX_ALIASES) {
            put_id(
                &mut groups.table.bytes,
                ids.text(*id),
                numbers.get(id).copied(),
            );
        }
        groups.by_root.insert(root, number);
    }
    groups.table.mark()?;
    Ok(groups)
}

/// An id as short as can be: a record's number, a CVE's numbers, or its text.
fn put_id(out: &mut Vec<u8>, id: &str, record: Option<u32>) {
    if let Some(record) = record {
        put(out, u64::from(record) << 2);
    } else if let Some((year, serial)) = cve(id) {
        put(out, (serial << 14 | year) << 2 | 1);
    } else {
        put(out, 2);
        put_text(out, id);
    }
}

/// Year and number of an id that is exactly `CVE-YYYY-NNNN…`.
fn cve(id: &str) -> Option<(u64, u64)> {
    let (year, serial) = id.strip_prefix("CVE-")?.split_once('-')?;
    let (year, serial): (u64, u64) = (year.parse().ok()?, serial.parse().ok()?);
    (year < 10_000 && serial < 1 << 40 && format!("CVE-{year:04}-{serial:04}") == id)
        .then_some((year, serial))
}

/// Record heads and the hashes of their ids.
fn heads(
    collector: &Collector,
    records: &[&Stored],
    flaws: &mut Flaws,
    groups: &Groups,
    sources: &[u32],
) -> Result<(Table, Vec<u64>), BuildError> {
    let values = rating_numbers(&collector.ratings);
    let loans = Loans::of(records, flaws, &collector.ids, &collector.ratings);
    let mut table = Table::default();
    let mut hashes = Vec::with_capacity(records.len());
    for (record, number) in records.iter().zip(0_u32..) {
        table.mark()?;
        let id = collector.ids.text(record.id);
        hashes.push(hash::of(&[id]));
        let out = &mut table.bytes;
        put_text(out, id);
        for moment in [record.published, record.modified, record.withdrawn] {
            put_moment(out, moment);
        }
        let root = flaws.root(record.id);
        put(
            out,
            u64::from(groups.by_root.get(&root).copied().unwrap_or(0)),
        );
        let ratings = loans.ratings(record, number, flaws);
        put(out, ratings.len() as u64);
        for (value, origin) in ratings {
            put(
                out,
                u64::from(values.get(value as usize).copied().unwrap_or(0)),
            );
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

/// The place of each rating value among the sorted ones, by its number.
fn rating_numbers(ratings: &Interner) -> Vec<u32> {
    places(&ratings.sorted())
}

fn places(sorted: &[u32]) -> Vec<u32> {
    let mut places = vec![0; sorted.len()];
    for (number, place) in sorted.iter().zip(0_u32..) {
        if let Some(slot) = places.get_mut(*number as usize) {
            *slot = place;
        }
    }
    places
}

fn ratings(ratings: &Interner) -> Result<Table, BuildError> {
    let mut table = Table::default();
    for number in ratings.sorted() {
        table.mark()?;
        table
            .bytes
            .extend_from_slice(ratings.text(number).as_bytes());
    }
    table.mark()?;
    Ok(table)
}

/// Versions that the chosen records name.
struct Versions {
    table: Table,
    /// Place in the table by the collector's number.
    numbers: Vec<u32>,
}

fn used_versions(collector: &Collector, records: &[&Stored]) -> Result<Versions, BuildError> {
    let mut used = vec![false; collector.versions.len()];
    for record in records {
        let mut reader = Reader::new(&record.entries);
        while let Ok((_, entry)) = Entry::read(&mut reader) {
            let events = entry.ranges.iter().flat_map(|range| &range.events);
            let named = events
                .filter_map(|mark| mark.version)
                .chain(entry.versions.iter().copied())
                .chain(entry.other_fixes.iter().copied());
            for number in named {
                if let Some(slot) = used.get_mut(number as usize) {
                    *slot = true;
                }
            }
        }
    }
    let sorted: Vec<u32> = collector
        .versions
        .sorted()
        .into_iter()
        .filter(|number| used.get(*number as usize).copied().unwrap_or(false))
        .collect();
    let mut numbers = vec![0; collector.versions.len()];
    let mut table = Table::default();
    for (number, place) in sorted.iter().zip(0_u32..) {
        table.mark()?;
        table
            .bytes
            .extend_from_slice(collector.versions.text(*number).as_bytes());
        if let Some(slot) = numbers.get_mut(*number as usize) {
            *slot = place;
        }
    }
    table.mark()?;
    Ok(Versions { table, numbers })
}

/// One entry of one record, before it is sorted to its package.
struct Claim {
    package: u32,
    record: u32,
    /// Where the entry lies in the record's bytes.
    start: u32,
}

type Packages = ((Table, Vec<u64>), Vec<EcosystemInfo>);

fn packages(
    collector: &Collector,
    records: &[&Stored],
    versions: &[u32],
) -> Result<Packages, BuildError> {
    let places = places(&collector.packages.sorted());
    let mut claims = Vec::new();
    for (record, number) in records.iter().zip(0_u32..) {
        let mut reader = Reader::new(&record.entries);
        loop {
            let start = record.entries.len().saturating_sub(reader.left());
            let Ok((package, _)) = Entry::read(&mut reader) else {
                break;
            };
            claims.push(Claim {
                package: places.get(package as usize).copied().unwrap_or(0),
                record: number,
                start: u32::try_from(start).map_err(|_| BuildError::TooMany)?,
            });
        }
    }
    claims.sort_unstable_by_key(|claim| (claim.package, claim.record, claim.start));
    let sorted = collector.packages.sorted();
    let rating_numbers = rating_numbers(&collector.ratings);
    let mut ecosystems: Vec<EcosystemInfo> = Vec::new();
    let mut touched: Vec<u32> = Vec::new();
    let mut table = Table::default();
    let mut hashes = Vec::new();
    for group in claims.chunk_by(|left, right| left.package == right.package) {
        let number = group.first().map_or(0, |claim| claim.package);
        let key = sorted
            .get(number as usize)
            .map_or("", |number| collector.packages.text(*number));
        let (ecosystem, name) = key.split_once('\0').unwrap_or((key, ""));
        if ecosystems.last().is_none_or(|last| last.name != ecosystem) {
            close(&mut ecosystems, &mut touched, records);
            ecosystems.push(EcosystemInfo {
                name: ecosystem.to_owned(),
                ..EcosystemInfo::default()
            });
        }
        if let Some(last) = ecosystems.last_mut() {
            last.packages = last.packages.saturating_add(1);
        }
        touched.extend(group.iter().map(|claim| claim.record));
        table.mark()?;
        hashes.push(hash::of(&[ecosystem, name]));
        let out = &mut table.bytes;
        put(out, ecosystems.len().saturating_sub(1) as u64);
        put_text(out, name);
        put(out, group.len() as u64);
        let mut last = 0;
        for claim in group {
            let bytes = records
                .get(claim.record as usize)
                .and_then(|record| record.entries.get(claim.start as usize..))
                .unwrap_or_default();
            if let Ok((_, mut entry)) = Entry::read(&mut Reader::new(bytes)) {
                for (value, _) in &mut entry.ratings {
                    *value = rating_numbers.get(*value as usize).copied().unwrap_or(0);
                }
                let version = |number: u32| versions.get(number as usize).copied().unwrap_or(0);
                entry.write(claim.record.saturating_sub(last), out, &version);
            }
            last = claim.record;
        }
    }
    table.mark()?;
    close(&mut ecosystems, &mut touched, records);
    Ok(((table, hashes), ecosystems))
}

/// Counts the different records of the ecosystem that ends here.
fn close(ecosystems: &mut [EcosystemInfo], touched: &mut Vec<u32>, records: &[&Stored]) {
    touched.sort_unstable();
    touched.dedup();
    if let Some(last) = ecosystems.last_mut() {
        last.records = touched.len() as u64;
        last.newest_modified = touched
            .iter()
            .filter_map(|record| records.get(*record as usize)?.modified)
            .max()
            .map(|moment| moment.to_string());
    }
    touched.clear();
}

fn info(
    collector: &Collector,
    records: &[&Stored],
    places: &[u32],
    ecosystems: Vec<EcosystemInfo>,
) -> Info {
    let mut sources: Vec<(u32, SourceInfo)> = collector
        .sources
        .iter()
        .zip(places)
        .map(|(((kind, name), source), place)| {
            (*place, source_info(*kind, name, source, &collector.ids))
        })
        .collect();
    sources.sort();
    Info {
        records: records.len() as u64,
        withdrawn: records
            .iter()
            .filter(|record| record.withdrawn.is_some())
            .count() as u64,
        sources: sources.into_iter().map(|(_, source)| source).collect(),
        ecosystems,
        ..Info::default()
    }
}

fn source_info(kind: SourceKind, name: &str, source: &Source, ids: &Interner) -> SourceInfo {
    let mut all: Vec<(&str, &[u8; 32])> = source
        .records
        .iter()
        .map(|(id, digest)| (ids.text(*id), digest))
        .collect();
    all.sort_unstable();
    all.dedup();
    let mut hasher = Sha256::new();
    for (id, digest) in &all {
        hasher.update(id.as_bytes());
        hasher.update([0]);
        hasher.update(digest);
    }
    let different = all.chunk_by(|left, right| left.0 == right.0).count();
    SourceInfo {
        kind: kind.as_str().to_owned(),
        name: name.to_owned(),
        digest: format!("sha256:{}", hex(&hasher.finalize())),
        records: different as u64,
        newest_modified: source.newest.map(|moment| moment.to_string()),
    }
}
