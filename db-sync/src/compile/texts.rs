//! The long texts of all records, in compressed blocks.
//!
//! A block ends where the digest of a record says so, with a chance that grows
//! with the record's length, so that blocks depend on the records around them
//! only: a changed record changes its own block, and an update copies all
//! others as they are from the database that it replaces. The result is the
//! same as of a build from nothing.

use super::BuildError;
use super::collect::{Storage, Stored};
use crate::store::ReadError;
use crate::store::codec::put;
use crate::store::format::{BLOCK, Section};
use crate::store::read::{Store, TextBlock};
use crate::store::write::Writer;
use rayon::prelude::*;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// Level of zstd for texts: higher ones cost more than they save here.
const LEVEL: i32 = 9;
/// Blocks that are compressed at once.
const BLOCKS_AT_ONCE: usize = 16;
/// Mean raw bytes of a block. Larger ones save little space, and each changed
/// record costs compressing one.
const MEAN: u64 = 24 << 10;

/// Where texts are read from.
pub(super) struct Feed<'a> {
    scratch: BufReader<&'a mut File>,
    position: u64,
    old: Option<&'a Store>,
    old_blocks: Vec<TextBlock>,
    /// The block of the old database that was decompressed last.
    unpacked: Option<(u32, Vec<u8>)>,
}

fn damaged(error: ReadError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl<'a> Feed<'a> {
    pub(super) fn new(scratch: &'a mut File, old: Option<&'a Store>) -> Self {
        Self {
            scratch: BufReader::with_capacity(256 << 10, scratch),
            position: u64::MAX,
            old,
            old_blocks: Vec::new(),
            unpacked: None,
        }
    }

    /// The old block that holds exactly these records.
    fn copied(&mut self, records: &[&Stored]) -> io::Result<Option<(TextBlock, &'a [u8])>> {
        let Some(old) = self.old else {
            return Ok(None);
        };
        if self.old_blocks.is_empty() {
            self.old_blocks = old.text_blocks().map_err(damaged)?;
        }
        let mut numbers = records.iter().map(|record| match record.texts.place {
            Storage::Old(number) => Some(number),
            _ => None,
        });
        let Some(Some(first)) = numbers.next() else {
            return Ok(None);
        };
        let follows = numbers
            .zip(first.saturating_add(1)..)
            .all(|(number, expected)| number == Some(expected));
        let Ok(place) = self
            .old_blocks
            .binary_search_by_key(&first, |block| block.first)
        else {
            return Ok(None);
        };
        let end = self
            .old_blocks
            .get(place.saturating_add(1))
            .map_or_else(|| old.records(), |next| next.first);
        match self.old_blocks.get(place) {
            Some(block)
                if follows && u64::from(end.saturating_sub(first)) == records.len() as u64 =>
            {
                Ok(Some((*block, old.packed(block).map_err(damaged)?)))
            }
            _ => Ok(None),
        }
    }

    /// Appends the texts of one record with their length.
    fn append(&mut self, record: &Stored, out: &mut Vec<u8>) -> io::Result<()> {
        put(out, u64::from(record.texts.length));
        if record.texts.length == 0 {
            return Ok(());
        }
        match record.texts.place {
            Storage::Scratch(start) => {
                let length = u64::from(record.texts.length);
                self.seek(start)?;
                let read = (&mut self.scratch).take(length).read_to_end(out)?;
                self.position = start.saturating_add(length);
                if read as u64 != length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Storage::Old(number) => {
                let old = self.old.ok_or(io::ErrorKind::NotFound)?;
                let block = old.text_block(number).map_err(damaged)?;
                if self.unpacked.as_ref().map(|(first, _)| *first) != Some(block.first) {
                    self.unpacked = Some((block.first, old.unpack(&block).map_err(damaged)?));
                }
                let (first, raw) = self.unpacked.as_ref().ok_or(io::ErrorKind::NotFound)?;
                let text = Store::text_in(raw, *first, number).map_err(damaged)?;
                out.extend_from_slice(text);
            }
            Storage::Gone => return Err(io::ErrorKind::NotFound.into()),
        }
        Ok(())
    }

    fn seek(&mut self, to: u64) -> io::Result<()> {
        if self.position == to {
            return Ok(());
        }
        let distance = i64::try_from(to)
            .ok()
            .zip(i64::try_from(self.position).ok())
            .and_then(|(to, from)| to.checked_sub(from));
        match distance {
            Some(distance) => self.scratch.seek_relative(distance),
            None => self.scratch.seek(SeekFrom::Start(to)).map(|_| ()),
        }
    }
}

/// Whether a block ends behind this record.
fn ends_block(record: &Stored) -> bool {
    let [a, b, c, d, ..] = record.digest;
    let chance = u64::from(u32::from_be_bytes([a, b, c, d]));
    chance < (u64::from(record.texts.length) << 32) / MEAN
}

/// The records of each block.
fn blocks<'r, 's>(records: &'r [&'s Stored]) -> impl Iterator<Item = (u32, &'r [&'s Stored])> {
    let mut rest = records;
    let mut first = 0_u32;
    std::iter::from_fn(move || {
        let mut size = 0_usize;
        let last = rest.iter().position(|record| {
            size = size.saturating_add(record.texts.length as usize);
            ends_block(record) || size >= BLOCK
        });
        let count = last.map_or(rest.len(), |last| last.saturating_add(1));
        let (block, after) = rest.split_at_checked(count)?;
        rest = after;
        let number = first;
        first = first.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        (!block.is_empty()).then_some((number, block))
    })
}

enum Pending<'a> {
    Raw(Vec<u8>),
    Packed(&'a [u8], u32),
}

/// Writes the texts and the table of their blocks.
pub(super) fn write(
    writer: &mut Writer,
    records: &[&Stored],
    feed: &mut Feed<'_>,
) -> io::Result<Result<(), BuildError>> {
    writer.begin(Section::Texts);
    let mut index = Vec::new();
    let mut offset: u64 = 0;
    let mut blocks = blocks(records).peekable();
    while blocks.peek().is_some() {
        let mut pending = Vec::new();
        for (first, block) in blocks.by_ref().take(BLOCKS_AT_ONCE) {
            if let Some((old, packed)) = feed.copied(block)? {
                pending.push((first, Pending::Packed(packed, old.raw)));
                continue;
            }
            let mut raw = Vec::new();
            for record in block {
                feed.append(record, &mut raw)?;
            }
            pending.push((first, Pending::Raw(raw)));
        }
        let compressed: Vec<io::Result<Option<Vec<u8>>>> = pending
            .par_iter()
            .map(|(_, one)| match one {
                Pending::Raw(raw) => zstd::bulk::compress(raw, LEVEL).map(Some),
                Pending::Packed(..) => Ok(None),
            })
            .collect();
        for ((first, one), compressed) in pending.iter().zip(compressed) {
            let compressed = compressed?;
            let (packed, raw) = match one {
                Pending::Raw(raw) => (compressed.as_deref().unwrap_or_default(), raw.len()),
                Pending::Packed(packed, raw) => (*packed, *raw as usize),
            };
            let (Ok(start), Ok(length), Ok(raw)) = (
                u32::try_from(offset),
                u32::try_from(packed.len()),
                u32::try_from(raw),
            ) else {
                return Ok(Err(BuildError::TooMany));
            };
            for field in [*first, start, length, raw] {
                index.extend_from_slice(&field.to_le_bytes());
            }
            offset = offset.saturating_add(u64::from(length));
            writer.append(Section::Texts, packed)?;
        }
    }
    writer.section(Section::Blocks, &index)?;
    Ok(Ok(()))
}
