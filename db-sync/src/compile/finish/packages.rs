//! Files the entries of all records under their packages.

use super::table::{Numbered, Table, places};
use crate::compile::BuildError;
use crate::compile::collect::{Collector, Stored};
use crate::store::codec::{Reader, put, put_text};
use crate::store::entry::Entry;
use crate::store::{EcosystemInfo, hash};

/// One entry of one record, before it is sorted to its package.
struct Claim {
    package: u32,
    record: u32,
    /// Where the entry lies in the record's bytes.
    start: u32,
}

pub(super) type Packages = ((Table, Vec<u64>), Vec<EcosystemInfo>);

pub(super) fn packages(
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
