//! Turns what was collected into the file: picks one record per id, numbers
//! everything in sorted order and writes the sections.

use super::collect::{ALL, Collector, Stored};
use super::flaw::Flaws;
use super::interner::Interner;
use super::rate::Loans;
use super::{BuildError, census, texts, yanked};
use crate::moment::Moment;
use crate::problem::Warning;
use crate::sources::SourceKind;
use crate::store::codec::{Reader, put, put_rising, put_text, put_texts, zigzag};
use crate::store::entry::Entry;
use crate::store::format::Section;
use crate::store::read::Store;
use crate::store::write::{Writer, directory};
use crate::store::{EcosystemInfo, Info, feed, hash};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

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

    let mut flaws = Flaws::of(records.iter().copied(), &collector.ids);
    let groups = groups(&records, &mut flaws, &collector.ids, &mut warnings)?;
    let rated = used_ratings(collector, &records)?;
    let heads = heads(collector, &records, &rated, &mut flaws, &groups, &sources)?;
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
            written.and_then(|()| writer.finish_above(output, below.segment()))
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
    rated: &Numbered,
    flaws: &mut Flaws,
    groups: &Groups,
    sources: &[u32],
) -> Result<(Table, Vec<u64>), BuildError> {
    let loans = Loans::of(records, flaws, &collector.ids, &collector.ratings);
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
        let root = flaws.root(record.id);
        put(
            out,
            u64::from(groups.by_root.get(&root).copied().unwrap_or(0)),
        );
        let ratings = loans.ratings(record, number, flaws);
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

fn places(sorted: &[u32]) -> Vec<u32> {
    let mut places = vec![0; sorted.len()];
    for (number, place) in sorted.iter().zip(0_u32..) {
        if let Some(slot) = places.get_mut(*number as usize) {
            *slot = place;
        }
    }
    places
}

/// Texts that the chosen records name, as a sorted table.
struct Numbered {
    table: Table,
    /// Place in the table by the collector's number.
    numbers: Vec<u32>,
}

impl Numbered {
    /// The texts of an interner that are marked as used.
    fn of_used(texts: &Interner, used: &[bool]) -> Result<Self, BuildError> {
        let mut numbers = vec![0; texts.len()];
        let mut table = Table::default();
        let is_used = |number: &u32| used.get(*number as usize).copied().unwrap_or(false);
        for (number, place) in texts.sorted().into_iter().filter(is_used).zip(0_u32..) {
            table.mark()?;
            table.bytes.extend_from_slice(texts.text(number).as_bytes());
            if let Some(slot) = numbers.get_mut(number as usize) {
                *slot = place;
            }
        }
        table.mark()?;
        Ok(Self { table, numbers })
    }

    fn of(&self, number: u32) -> u32 {
        self.numbers.get(number as usize).copied().unwrap_or(0)
    }
}

fn mark(used: &mut [bool], number: u32) {
    if let Some(slot) = used.get_mut(number as usize) {
        *slot = true;
    }
}

fn used_ratings(collector: &Collector, records: &[&Stored]) -> Result<Numbered, BuildError> {
    let mut used = vec![false; collector.ratings.len()];
    for record in records {
        let own = record.ratings.iter().map(|(value, _)| *value);
        for number in own.chain(record.package_ratings.iter().copied()) {
            mark(&mut used, number);
        }
    }
    Numbered::of_used(&collector.ratings, &used)
}

fn used_versions(collector: &Collector, records: &[&Stored]) -> Result<Numbered, BuildError> {
    let mut used = vec![false; collector.versions.len()];
    for record in records {
        let mut reader = Reader::new(&record.entries);
        while Entry::visit(&mut reader, &mut |version| mark(&mut used, version)).is_ok() {}
    }
    Numbered::of_used(&collector.versions, &used)
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
    rated: &Numbered,
) -> Result<Packages, BuildError> {
    let sorted = collector.packages.sorted();
    let places = places(&sorted);
    let mut claims = Vec::new();
    for (record, number) in records.iter().zip(0_u32..) {
        let mut reader = Reader::new(&record.entries);
        loop {
            let start = record.entries.len().saturating_sub(reader.left());
            let Ok(package) = Entry::visit(&mut reader, &mut |_| {}) else {
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
            let head = claim.record.saturating_sub(last);
            let version = |number: u32| versions.get(number as usize).copied().unwrap_or(0);
            let mut reader = Reader::new(bytes);
            if !Entry::copy_before(&mut reader, head, out, &version)
                && let Ok((_, mut entry)) = Entry::read(&mut reader)
            {
                for (value, _) in &mut entry.ratings {
                    *value = rated.of(*value);
                }
                entry.write(head, out, &version);
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
