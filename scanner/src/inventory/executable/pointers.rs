//! The version of the toolchain in programs of Go 1.17 and older: the header of the build information has the
//! address of a text's own header, which has the address of the text (package `debug/buildinfo`). Addresses
//! are those of memory; the tables at the start of an ELF, PE or Mach-O file say where in the file they lie.
//!
//! A program comes once and is not held. The text stands before the header of the build information, so
//! that all that may be a version is kept until it is known which one is meant.

use std::collections::BTreeMap;

use memchr::memmem;

use super::go::MAGIC;

/// How every version of a release begins.
const BEGINS: &[u8] = b"go1.";

/// Bytes of a version.
const MAX_VERSION: usize = 64;

/// Texts that are kept; the messages of Go's own tools name some hundreds.
const MAX_TEXTS: usize = 10_000;

/// Tables that are looked at.
const MAX_TABLES: usize = 128;

/// What is looked for, and what was found of it.
#[derive(Debug, Default)]
pub(super) struct Pointers {
    /// By their places in the file.
    texts: BTreeMap<u64, Vec<u8>>,
    /// Where the header of the text lies, and how addresses are written.
    header: Option<(u64, Words)>,
    /// Address and length of the text.
    text: Option<(u64, u64)>,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug)]
struct Words {
    is_big_endian: bool,
    /// Bytes of an address.
    size: usize,
}

impl Words {
    fn read(self, bytes: &[u8], at: u64, size: usize) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let bytes = bytes.get(at..at.checked_add(size)?)?;
        let join = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        Some(if self.is_big_endian {
            bytes.iter().fold(0, join)
        } else {
            bytes.iter().rev().fold(0, join)
        })
    }
}

impl Pointers {
    /// Looks at bytes that begin at a place in the file, whose first ones are in `head`.
    pub(super) fn search(&mut self, bytes: &[u8], begins: usize, base: u64, head: &[u8]) {
        if self.text.is_some() {
            return;
        }
        for at in memmem::find_iter(bytes, BEGINS).take_while(|at| *at < begins) {
            let text = bytes.get(at..).unwrap_or_default();
            let text = text.get(..MAX_VERSION.min(text.len())).unwrap_or_default();
            if self.texts.len() < MAX_TEXTS {
                let place = base.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
                self.texts.insert(place, text.to_vec());
            }
        }
        if self.header.is_none() {
            let mut all = memmem::find_iter(bytes, MAGIC).take_while(|at| *at < begins);
            self.header = all.find_map(|at| header(bytes.get(at..)?, head));
        }
        let Some((place, words)) = self.header else {
            return;
        };
        let size = words.size;
        let second = u64::try_from(size).unwrap_or(u64::MAX);
        self.text = place.checked_sub(base).and_then(|at| {
            let address = words.read(bytes, at, size)?;
            Some((address, words.read(bytes, at.checked_add(second)?, size)?))
        });
    }

    /// The version, such as `go1.15.2`.
    pub(super) fn version(&self, head: &[u8]) -> Option<String> {
        let (address, length) = self.text?;
        let text = self.texts.get(&place(head, address)?)?;
        let text = text.get(..usize::try_from(length).ok()?)?;
        let text = std::str::from_utf8(text).ok()?;
        text.bytes()
            .all(|byte| byte.is_ascii_graphic() || byte == b' ')
            .then(|| text.to_owned())
    }
}

/// The header of the build information: size of addresses, flags, and the address of the version's.
fn header(bytes: &[u8], head: &[u8]) -> Option<(u64, Words)> {
    let (size, flags) = (*bytes.get(14)?, *bytes.get(15)?);
    if flags & 2 != 0 || !matches!(size, 4 | 8) {
        return None;
    }
    let words = Words {
        is_big_endian: flags & 1 != 0,
        size: usize::from(size),
    };
    let address = words.read(bytes, 16, words.size)?;
    Some((place(head, address)?, words))
}

/// Where in a file an address lies.
fn place(head: &[u8], address: u64) -> Option<u64> {
    let segments = match head {
        [0x7f, b'E', b'L', b'F', ..] => elf(head)?,
        [b'M', b'Z', ..] => pe(head)?,
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] => mach_o(head)?,
        _ => return None,
    };
    segments.into_iter().take(MAX_TABLES).find_map(|segment| {
        let below = address.checked_sub(segment.address)?;
        (below < segment.size).then(|| segment.place.checked_add(below))?
    })
}

/// A part of a file that is put somewhere in memory.
struct Segment {
    address: u64,
    place: u64,
    size: u64,
}

fn elf(head: &[u8]) -> Option<Vec<Segment>> {
    let is_wide = *head.get(4)? == 2;
    let words = Words {
        is_big_endian: *head.get(5)? == 2,
        size: if is_wide { 8 } else { 4 },
    };
    // Where the table, the size of its rows and their number stand; and in a row place, address and size.
    let (table, row, count, fields) = if is_wide {
        (32, 54, 56, [8, 16, 32])
    } else {
        (28, 42, 44, [4, 8, 16])
    };
    let start = words.read(head, table, words.size)?;
    let (row, count) = (words.read(head, row, 2)?, words.read(head, count, 2)?);
    let rows = (0..count).map(|number| start.checked_add(number.checked_mul(row)?));
    let segment = |at: u64| {
        let [place, address, size] =
            fields.map(|field| words.read(head, at.checked_add(field)?, words.size));
        let is_loaded = words.read(head, at, 4)? == 1;
        is_loaded.then_some(())?;
        Some(Segment {
            address: address?,
            place: place?,
            size: size?,
        })
    };
    Some(
        rows.take(MAX_TABLES)
            .flatten()
            .filter_map(segment)
            .collect(),
    )
}

const LITTLE: Words = Words {
    is_big_endian: false,
    size: 4,
};

fn pe(head: &[u8]) -> Option<Vec<Segment>> {
    let start = LITTLE.read(head, 0x3c, 4)?;
    let count = LITTLE.read(head, start.checked_add(6)?, 2)?;
    let optional = start.checked_add(24)?;
    let base = match LITTLE.read(head, optional, 2)? {
        0x20b => LITTLE.read(head, optional.checked_add(24)?, 8)?,
        _ => LITTLE.read(head, optional.checked_add(28)?, 4)?,
    };
    let table = optional.checked_add(LITTLE.read(head, start.checked_add(20)?, 2)?)?;
    let rows = (0..count).map(|number| table.checked_add(number.checked_mul(40)?));
    let segment = |at: u64| {
        let field = |offset: u64| LITTLE.read(head, at.checked_add(offset)?, 4);
        Some(Segment {
            address: base.checked_add(field(12)?)?,
            place: field(20)?,
            size: field(16)?,
        })
    };
    Some(
        rows.take(MAX_TABLES)
            .flatten()
            .filter_map(segment)
            .collect(),
    )
}

fn mach_o(head: &[u8]) -> Option<Vec<Segment>> {
    let is_wide = *head.first()? == 0xcf;
    // The command of a segment, the size of its numbers, and where address, place and size stand.
    let (command, size, fields) = if is_wide {
        (0x19, 8, [24, 40, 48])
    } else {
        (0x1, 4, [24, 32, 36])
    };
    let mut at = if is_wide { 32 } else { 28 };
    let mut segments = Vec::new();
    for _ in 0..LITTLE
        .read(head, 16, 4)?
        .min(u64::try_from(MAX_TABLES).unwrap_or(0))
    {
        if LITTLE.read(head, at, 4)? == command {
            let [address, place, length] =
                fields.map(|field| LITTLE.read(head, at.checked_add(field)?, size));
            segments.push(Segment {
                address: address?,
                place: place?,
                size: length?,
            });
        }
        at = at.checked_add(LITTLE.read(head, at.checked_add(4)?, 4)?)?;
    }
    Some(segments)
}
