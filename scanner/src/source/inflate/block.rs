//! Blocks (RFC 1951, 3.2.3): their headers, and the loop that decodes what is in them.

use std::io::{self, Read};

use super::input::{self, Input};
use super::output::{self, Output, WIDE};
use super::table::{
    self, DISTANCE_BITS, Distances, END, LENGTH_BITS, LITERAL, LITERAL_BITS, Lengths, Literals,
    RARE, SUBTABLE,
};
use super::{damaged, early};

/// The tables of the block that is being decoded.
pub(super) struct Tables {
    literals: Box<Literals>,
    distances: Box<Distances>,
}

/// What the next bits are.
pub(super) enum Block {
    /// The header of a block.
    Header,
    /// So many bytes as they are.
    Stored(usize),
    /// Codes.
    Codes,
}

/// The order in which the lengths of the codes for code lengths are stored.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// Symbols of literals and lengths, and of distances, that a block may use.
const LITERAL_SYMBOLS: usize = 286;
const DISTANCE_SYMBOLS: usize = 30;

impl Tables {
    pub(super) fn new() -> Self {
        Self {
            literals: Box::new([RARE; _]),
            distances: Box::new([RARE; _]),
        }
    }

    /// Reads the header of a block: what follows, and whether it is the last one.
    pub(super) fn header(&mut self, input: &mut Input<impl Read>) -> io::Result<(Block, bool)> {
        input.load()?;
        let is_last = input.take(1) == 1;
        let block = match input.take(2) {
            0 => {
                input.align()?;
                let [a, b, c, d] = input.array()?;
                let length = u16::from_le_bytes([a, b]);
                if length != !u16::from_le_bytes([c, d]) {
                    return Err(damaged("a stored block has two lengths"));
                }
                Block::Stored(usize::from(length))
            }
            1 => {
                self.fixed()?;
                Block::Codes
            }
            2 => {
                self.dynamic(input)?;
                Block::Codes
            }
            _ => return Err(damaged("a block of unknown kind")),
        };
        Ok((block, is_last))
    }

    fn build(&mut self, literals: &[u8], distances: &[u8]) -> io::Result<()> {
        let (of_literals, of_distances) = (&mut self.literals[..], &mut self.distances[..]);
        table::build(literals, of_literals, LITERAL_BITS, true, table::literal)?;
        table::build(
            distances,
            of_distances,
            DISTANCE_BITS,
            true,
            table::distance,
        )
    }

    /// The codes that need no description (3.2.6).
    fn fixed(&mut self) -> io::Result<()> {
        let literals: [&[u8]; 4] = [&[8; 144], &[9; 112], &[7; 24], &[8; 8]];
        self.build(&literals.concat(), &[5; 32])
    }

    /// Reads the codes of a block (3.2.7).
    fn dynamic(&mut self, input: &mut Input<impl Read>) -> io::Result<()> {
        let literals = input.take(5) as usize + 257;
        let distances = input.take(5) as usize + 1;
        let described = input.take(4) as usize + 4;
        if literals > LITERAL_SYMBOLS || distances > DISTANCE_SYMBOLS {
            return Err(damaged("more symbols than there are"));
        }
        let mut lengths = [0_u8; ORDER.len()];
        for place in ORDER.iter().take(described) {
            input.load()?;
            if let Some(length) = lengths.get_mut(*place) {
                *length = u8::try_from(input.take(3)).unwrap_or(0);
            }
        }
        let mut codes: Lengths = [RARE; _];
        table::build(&lengths, &mut codes, LENGTH_BITS, false, table::length)?;
        let mut all = Vec::with_capacity(LITERAL_SYMBOLS + DISTANCE_SYMBOLS);
        while all.len() < literals + distances {
            input.load()?;
            let entry = find(&codes, small(input.bits & 0x7f));
            if entry & RARE != 0 {
                return Err(damaged("no code length has this code"));
            }
            input.take(entry & 0x3f);
            let (length, times) = match entry >> 16 {
                16 => {
                    let last = all.last().copied();
                    let last = last.ok_or_else(|| damaged("nothing to repeat"))?;
                    (last, 3 + input.take(2))
                }
                17 => (0, 3 + input.take(3)),
                18 => (0, 11 + input.take(7)),
                length => (u8::try_from(length).unwrap_or(0), 1),
            };
            all.resize(all.len() + times as usize, length);
        }
        let (of_literals, of_distances) = match all.split_at_checked(literals) {
            Some((front, back)) if back.len() == distances => (front, back),
            _ => return Err(damaged("a repetition beyond the last code")),
        };
        if of_literals.get(256) == Some(&0) {
            return Err(damaged("a block without a code for its end"));
        }
        self.build(of_literals, of_distances)
    }

    /// Decodes until the block ends, which it tells, or the output is full.
    ///
    /// A turn of the loop begins with at least 56 bits and with the entry of the next code looked
    /// up: three literals take 33 bits at most, a length and a distance 48.
    pub(super) fn codes(
        &self,
        input: &mut Input<impl Read>,
        output: &mut Output,
    ) -> io::Result<bool> {
        let (literals, distances) = (&*self.literals, &*self.distances);
        loop {
            input.fill(2 * input::TURN)?;
            let behind = if input.is_whole { 0 } else { input::TURN };
            let last = input.end.saturating_sub(behind);
            let (mut bits, mut count, mut from) = (input.bits, input.count, input.at);
            let mut at = output.at;
            let (buffer, out) = (&*input.buffer, &mut *output.buffer);
            macro_rules! load {
                () => {
                    let word = buffer.get(from..).and_then(<[u8]>::first_chunk);
                    let word = u64::from_le_bytes(word.copied().unwrap_or_default());
                    bits |= word.wrapping_shl(count);
                    from = from
                        .wrapping_add(7)
                        .wrapping_sub(((count >> 3) & 7) as usize);
                    count |= 0x38;
                };
            }
            macro_rules! drop {
                ($entry:expr) => {
                    bits = bits.wrapping_shr($entry);
                    count = count.wrapping_sub($entry);
                };
            }
            // The next bits, few enough for an index.
            macro_rules! below {
                ($count:expr) => {
                    small(bits & ((1_u64 << ($count)) - 1))
                };
            }
            macro_rules! look {
                () => {
                    find(literals, below!(LITERAL_BITS))
                };
            }
            macro_rules! put {
                ($entry:expr) => {
                    drop!($entry);
                    if let Some(slot) = out.get_mut(at) {
                        *slot = $entry.to_le_bytes()[2];
                    }
                    at = at.wrapping_add(1);
                };
            }
            macro_rules! value {
                ($entry:expr) => {{
                    let extra = bits & 1_u64.wrapping_shl($entry).wrapping_sub(1);
                    drop!($entry);
                    ($entry >> 16) as usize + small(extra.wrapping_shr($entry >> 8 & 15))
                }};
            }
            load!();
            let mut entry = look!();
            let ended = 'turns: loop {
                if at + output::TURN > output::SIZE {
                    break 'turns Some(false);
                }
                if entry & LITERAL != 0 {
                    put!(entry);
                    entry = look!();
                    if entry & LITERAL != 0 {
                        put!(entry);
                        entry = look!();
                        if entry & LITERAL != 0 {
                            put!(entry);
                            if from > last {
                                break 'turns None;
                            }
                            load!();
                            entry = look!();
                            continue;
                        }
                    }
                    if from > last {
                        break 'turns None;
                    }
                    load!();
                }
                if entry & RARE != 0 {
                    if entry & SUBTABLE != 0 {
                        drop!(LITERAL_BITS);
                        let below = below!(entry >> 8 & 15);
                        entry = find(literals, ((entry >> 16) as usize + below) & 0xfff);
                    }
                    if entry & LITERAL != 0 {
                        put!(entry);
                        if from > last {
                            break 'turns None;
                        }
                        load!();
                        entry = look!();
                        continue;
                    }
                    if entry & RARE != 0 {
                        if entry & END == END {
                            drop!(entry);
                            break 'turns Some(true);
                        }
                        return Err(damaged("no literal or length has this code"));
                    }
                }
                let length = value!(entry);
                entry = find(distances, below!(DISTANCE_BITS));
                if entry & RARE != 0 {
                    if entry & SUBTABLE != 0 {
                        drop!(DISTANCE_BITS);
                        let below = below!(entry >> 8 & 15);
                        entry = find(distances, ((entry >> 16) as usize + below) & 0x3ff);
                    }
                    if entry & RARE != 0 {
                        return Err(damaged("no distance has this code"));
                    }
                }
                let distance = value!(entry);
                let is_loaded = from <= last;
                if is_loaded {
                    load!();
                    entry = look!();
                }
                let start = at.checked_sub(distance);
                let start = start.ok_or_else(|| damaged("a match before the beginning"))?;
                copy(out, start, at, length);
                at = at.wrapping_add(length);
                if !is_loaded {
                    break 'turns None;
                }
            };
            (input.bits, input.count, input.at) = (bits, count & 63, from);
            output.at = at;
            match ended {
                Some(ended) => return Ok(ended),
                None if input.at > input.end => return Err(early()),
                None => {}
            }
        }
    }
}

/// A number of at most 15 bits.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "no bits are lost")]
const fn small(bits: u64) -> usize {
    bits as usize
}

/// An entry; the index has no more bits than the table has.
#[inline]
fn find<const N: usize>(table: &[u32; N], index: usize) -> u32 {
    table.get(index).copied().unwrap_or(RARE)
}

/// Copies a match, and up to two words beyond it: what is there comes later.
#[inline]
fn copy(out: &mut [u8; output::SIZE], start: usize, at: usize, length: usize) {
    let end = at.wrapping_add(length);
    if at.wrapping_sub(start) < WIDE {
        return copy_near(out, start, at, end);
    }
    word::<WIDE>(out, start, at);
    word::<WIDE>(out, start.wrapping_add(WIDE), at.wrapping_add(WIDE));
    let (mut start, mut at) = (start.wrapping_add(2 * WIDE), at.wrapping_add(2 * WIDE));
    while at < end {
        word::<WIDE>(out, start, at);
        (start, at) = (start.wrapping_add(WIDE), at.wrapping_add(WIDE));
    }
}

/// Copies a match that overlaps its own beginning within a word.
fn copy_near(out: &mut [u8; output::SIZE], mut start: usize, mut at: usize, end: usize) {
    match at.wrapping_sub(start) {
        1 => {
            let byte = out.get(start).copied().unwrap_or_default();
            out.get_mut(at..end).unwrap_or_default().fill(byte);
        }
        8.. => {
            while at < end {
                word::<8>(out, start, at);
                (start, at) = (start.wrapping_add(8), at.wrapping_add(8));
            }
        }
        _ => {
            while at < end {
                word::<1>(out, start, at);
                (start, at) = (start.wrapping_add(1), at.wrapping_add(1));
            }
        }
    }
}

#[inline]
fn word<const N: usize>(out: &mut [u8; output::SIZE], from: usize, to: usize) {
    let word: Option<[u8; N]> = out.get(from..).and_then(<[u8]>::first_chunk).copied();
    let place = out.get_mut(to..).and_then(<[u8]>::first_chunk_mut);
    if let (Some(place), Some(word)) = (place, word) {
        *place = word;
    }
}
