//! Tables of items by number, and the sorted texts that the chosen records name.

use crate::compile::BuildError;
use crate::compile::collect::{Collector, Stored};
use crate::compile::interner::Interner;
use crate::store::codec::Reader;
use crate::store::entry::Entry;

/// A table of items: their bytes and where each begins.
#[derive(Default)]
pub(super) struct Table {
    pub(super) bytes: Vec<u8>,
    pub(super) offsets: Vec<u8>,
}

impl Table {
    pub(super) fn mark(&mut self) -> Result<(), BuildError> {
        let offset = u32::try_from(self.bytes.len()).map_err(|_| BuildError::TooMany)?;
        self.offsets.extend_from_slice(&offset.to_le_bytes());
        Ok(())
    }
}

pub(super) fn places(sorted: &[u32]) -> Vec<u32> {
    let mut places = vec![0; sorted.len()];
    for (number, place) in sorted.iter().zip(0_u32..) {
        if let Some(slot) = places.get_mut(*number as usize) {
            *slot = place;
        }
    }
    places
}

/// Texts that the chosen records name, as a sorted table.
pub(super) struct Numbered {
    pub(super) table: Table,
    /// Place in the table by the collector's number.
    pub(super) numbers: Vec<u32>,
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

    pub(super) fn of(&self, number: u32) -> u32 {
        self.numbers.get(number as usize).copied().unwrap_or(0)
    }
}

fn mark(used: &mut [bool], number: u32) {
    if let Some(slot) = used.get_mut(number as usize) {
        *slot = true;
    }
}

pub(super) fn used_ratings(
    collector: &Collector,
    records: &[&Stored],
) -> Result<Numbered, BuildError> {
    let mut used = vec![false; collector.ratings.len()];
    for record in records {
        let own = record.ratings.iter().map(|(value, _)| *value);
        for number in own.chain(record.package_ratings.iter().copied()) {
            mark(&mut used, number);
        }
    }
    Numbered::of_used(&collector.ratings, &used)
}

pub(super) fn used_versions(
    collector: &Collector,
    records: &[&Stored],
) -> Result<Numbered, BuildError> {
    let mut used = vec![false; collector.versions.len()];
    for record in records {
        let mut reader = Reader::new(&record.entries);
        while Entry::visit(&mut reader, &mut |version| mark(&mut used, version)).is_ok() {}
    }
    Numbered::of_used(&collector.versions, &used)
}
