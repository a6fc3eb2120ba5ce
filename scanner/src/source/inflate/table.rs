//! Tables of Huffman codes (RFC 1951, 3.2.2): an entry for every combination of the next bits, and
//! subtables for codes that are longer.
//!
//! An entry holds all that its symbol takes, so that decoding is one look-up, two shifts and an
//! addition:
//!
//! | bits | meaning |
//! |---|---|
//! | 0–5 | bits to drop: the code and the extra bits behind it |
//! | 8–11 | bits of the code alone; of a subtable the bits of its index |
//! | 13 | [`LITERAL`] |
//! | 14 | [`RARE`]: the end of the block, a subtable, or no code at all |
//! | 15 | [`SUBTABLE`], with `RARE` |
//! | 16–31 | the literal, the base of a length or distance, the place of the subtable; 1 for the end of the block |

use std::io;

use super::damaged;

pub(super) const LITERAL: u32 = 1 << 13;
pub(super) const RARE: u32 = 1 << 14;
pub(super) const SUBTABLE: u32 = 1 << 15;

/// The end of the block, without its code.
pub(super) const END: u32 = RARE | 1 << 16;

/// Bits of an index: literals and lengths, distances, lengths of codes.
pub(super) const LITERAL_BITS: u32 = 11;
pub(super) const DISTANCE_BITS: u32 = 8;
pub(super) const LENGTH_BITS: u32 = 7;

/// Codes have at most so many bits.
const LONGEST: u32 = 15;

/// Sizes: more than the most that complete codes need (2,342 for 286 symbols and 402 for 30, by
/// zlib's `enough`), as powers of two.
pub(super) type Literals = [u32; 4096];
pub(super) type Distances = [u32; 1024];
pub(super) type Lengths = [u32; 1 << LENGTH_BITS];

const LENGTH_BASE: [u16; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
];
const LENGTH_EXTRA: [u8; 29] = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];
const DISTANCE_BASE: [u16; 30] = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537,
    2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
];
const DISTANCE_EXTRA: [u8; 30] = [
    0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13,
    13,
];

fn based(base: &[u16], extra: &[u8], at: usize) -> u32 {
    match (base.get(at), extra.get(at)) {
        (Some(base), Some(extra)) => u32::from(*base) << 16 | u32::from(*extra),
        _ => RARE,
    }
}

/// The entry of a literal, the end of the block, or a length.
pub(super) fn literal(symbol: u16) -> u32 {
    match symbol {
        0..=255 => LITERAL | u32::from(symbol) << 16,
        256 => END,
        _ => based(&LENGTH_BASE, &LENGTH_EXTRA, usize::from(symbol) - 257),
    }
}

/// The entry of a distance.
pub(super) fn distance(symbol: u16) -> u32 {
    based(&DISTANCE_BASE, &DISTANCE_EXTRA, usize::from(symbol))
}

/// The entry of a code length.
pub(super) fn length(symbol: u16) -> u32 {
    u32::from(symbol) << 16
}

/// Fills a table whose index has `bits` bits, out of the lengths of the codes by symbol. A set of
/// codes may be empty, and, as in zlib, be a single code of one bit where `may_be_single` says so.
pub(super) fn build(
    lengths: &[u8],
    table: &mut [u32],
    bits: u32,
    may_be_single: bool,
    entry: impl Fn(u16) -> u32,
) -> io::Result<()> {
    let symbols = sorted(lengths);
    let mut next = first_codes(&symbols, may_be_single)?;
    table.fill(RARE);
    let main = 1_usize << bits;
    let mut free = main;
    let mut sub = Sub::default();
    for (place, &(length, symbol)) in symbols.iter().enumerate() {
        let Some(code) = next.get_mut(usize::from(length)) else {
            continue; // lengths are below 16
        };
        let length = u32::from(length);
        let reversed = (code.reverse_bits() >> (32 - length)) as usize;
        *code += 1;
        let entry = entry(symbol);
        let Some(longer) = length.checked_sub(bits).filter(|longer| *longer > 0) else {
            let entry = entry.wrapping_add(length << 8 | length);
            let all = table.get_mut(reversed..main).unwrap_or_default();
            all.iter_mut()
                .step_by(1 << length)
                .for_each(|slot| *slot = entry);
            continue;
        };
        let prefix = reversed & (main - 1);
        if sub.bits == 0 || sub.prefix != prefix {
            let bits_of_index = index_bits(symbols.get(place..).unwrap_or_default(), longer);
            sub = Sub {
                prefix,
                at: free,
                bits: bits_of_index,
            };
            free += 1 << bits_of_index;
            let at = u32::try_from(sub.at).unwrap_or(0);
            if let Some(slot) = table.get_mut(prefix) {
                *slot = RARE | SUBTABLE | at << 16 | bits_of_index << 8 | bits;
            }
        }
        let entry = entry.wrapping_add(longer << 8 | longer);
        let end = sub.at + (1 << sub.bits);
        let all = table
            .get_mut(sub.at + (reversed >> bits)..end)
            .ok_or_else(|| damaged("too many codes"))?;
        all.iter_mut()
            .step_by(1 << longer)
            .for_each(|slot| *slot = entry);
    }
    Ok(())
}

/// The subtable that is being filled.
#[derive(Default)]
struct Sub {
    prefix: usize,
    at: usize,
    bits: u32,
}

/// Symbols with a code, by its length.
fn sorted(lengths: &[u8]) -> Vec<(u8, u16)> {
    let mut symbols: Vec<(u8, u16)> = lengths.iter().copied().zip(0..).collect();
    symbols.retain(|(length, _)| *length > 0);
    symbols.sort_unstable();
    symbols
}

/// The first code of each length, if the codes are as many as they must be.
fn first_codes(symbols: &[(u8, u16)], may_be_single: bool) -> io::Result<[u32; 16]> {
    let mut counts = [0_u32; 16];
    for (length, _) in symbols {
        if let Some(count) = counts.get_mut(usize::from(*length)) {
            *count += 1;
        }
    }
    let mut next = [0; 16];
    let (mut code, mut left) = (0_u32, 1_u32);
    for (first, count) in next.iter_mut().zip(counts).skip(1) {
        *first = code << 1;
        code = *first + count;
        left = (left << 1)
            .checked_sub(count)
            .ok_or_else(|| damaged("too many codes of a length"))?;
    }
    let is_single = matches!(symbols, [(1, _)]);
    if left > 0 && !symbols.is_empty() && !(is_single && may_be_single) {
        return Err(damaged("an incomplete set of codes"));
    }
    Ok(next)
}

/// Bits of the index of a subtable whose first code, the first of `symbols`, is `longer` than the
/// index of the main table: as many as all codes with its beginning need.
fn index_bits(symbols: &[(u8, u16)], longer: u32) -> u32 {
    let mut bits = longer;
    let mut left = 1_usize << longer;
    let mut rest = symbols;
    while let Some(&(length, _)) = rest.first() {
        let same = rest.partition_point(|(other, _)| *other <= length);
        // The next length, even if no code has it, is one bit more.
        let next = rest.get(same).map(|(next, _)| u32::from(*next - length));
        let Some(step) = next.filter(|_| same < left) else {
            break;
        };
        left = (left - same) << step;
        bits += step;
        rest = rest.get(same..).unwrap_or_default();
    }
    bits.min(LONGEST)
}
