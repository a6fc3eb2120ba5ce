//! One pack and its index (gitformat-pack(5), index versions 1 and 2), read in place: an object costs
//! what it has, and not what the pack has.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::ZlibDecoder;

use super::error::{StoreError, damaged, io_error};
use crate::git::delta::Cursor;
use crate::git::object::{Format, Id, Kind};

/// Bytes of an index before its names: version 2 has a head of 8.
const FANOUT: u64 = 256 * 4;
/// The longest head of an object: kind and size, and the base.
const HEAD: usize = 64;
/// Bytes that are read from a pack at once.
const CHUNK: usize = 8 << 10;

/// A pack that is open.
#[derive(Debug)]
pub(super) struct Pack {
    path: PathBuf,
    content: File,
    index: File,
    format: Format,
    /// Whether the index is of version 1.
    is_old: bool,
    /// How many objects begin with a byte of at most this value.
    fanout: Vec<u32>,
}

/// An object as it lies in the pack.
pub(super) enum Raw {
    Whole(Kind),
    /// Against the object at this offset.
    Offset(u64),
    /// Against an object by its name.
    Named(Id),
}

/// The head of an object.
pub(super) struct Head {
    pub(super) raw: Raw,
    /// Bytes that it or its delta has.
    pub(super) size: u64,
    /// Where its content begins.
    content: u64,
}

/// A file, from a place on.
struct From<'f> {
    file: &'f File,
    at: u64,
}

impl Read for From<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = read_at(self.file, into, self.at)?;
        self.at = self.at.saturating_add(read as u64);
        Ok(read)
    }
}

#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, at)
}

#[cfg(windows)]
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, at)
}

impl Pack {
    /// Opens the pack of an index.
    pub(super) fn open(index_path: &Path, format: Format) -> Result<Self, StoreError> {
        let index = File::open(index_path).map_err(io_error(index_path))?;
        let path = index_path.with_extension("pack");
        let content = File::open(&path).map_err(io_error(&path))?;
        let mut this = Self {
            path,
            content,
            index,
            format,
            is_old: false,
            fanout: Vec::new(),
        };
        let head = this.index_bytes(0, 8)?;
        match head.as_slice() {
            [0xff, b't', b'O', b'c', 0, 0, 0, 2] => {}
            [0xff, b't', b'O', b'c', ..] => {
                return Err(this.broken("an index of an unknown version"));
            }
            _ => this.is_old = true,
        }
        let start = if this.is_old { 0 } else { 8 };
        let fanout = this.index_bytes(start, FANOUT)?;
        let (words, _) = fanout.as_chunks::<4>();
        this.fanout = words.iter().map(|word| u32::from_be_bytes(*word)).collect();
        if !this.fanout.is_sorted() {
            return Err(this.broken("an index whose counts are not sorted"));
        }
        Ok(this)
    }

    fn broken(&self, cause: &str) -> StoreError {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        damaged(name, cause)
    }

    fn index_bytes(&self, at: u64, length: u64) -> Result<Vec<u8>, StoreError> {
        self.bytes(&self.index, at, length)
    }

    /// Exactly so many bytes, of which there are few.
    fn bytes(&self, file: &File, at: u64, length: u64) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        let read = From { file, at }.take(length).read_to_end(&mut bytes);
        read.map_err(io_error(&self.path))?;
        if (bytes.len() as u64) < length {
            return Err(self.broken("it is cut off"));
        }
        Ok(bytes)
    }

    fn count(&self) -> u64 {
        self.fanout.last().copied().unwrap_or_default().into()
    }

    /// The name of the object with a number, in the order of names.
    fn name(&self, number: u64) -> Result<Id, StoreError> {
        let length = self.format.length() as u64;
        let (start, step, skip) = if self.is_old {
            (FANOUT, length.saturating_add(4), 4)
        } else {
            (FANOUT + 8, length, 0)
        };
        let at = number.saturating_mul(step).saturating_add(start + skip);
        self.index_bytes(at, length)
    }

    /// The numbers of the objects whose names begin with a byte.
    fn bucket(&self, first: u8) -> (u64, u64) {
        let first = usize::from(first);
        let end = self.fanout.get(first).copied().unwrap_or_default();
        let before = first
            .checked_sub(1)
            .and_then(|before| self.fanout.get(before));
        (before.copied().unwrap_or_default().into(), end.into())
    }

    /// The number of the first object whose name is not below the given one.
    fn lower(&self, name: &[u8]) -> Result<(u64, u64), StoreError> {
        let (mut low, end) = self.bucket(name.first().copied().unwrap_or_default());
        let mut high = end;
        while low < high {
            let middle = low.midpoint(high);
            if self.name(middle)?.as_slice() < name {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        Ok((low, end))
    }

    /// Where an object is.
    pub(super) fn find(&self, id: &[u8]) -> Result<Option<u64>, StoreError> {
        let (number, end) = self.lower(id)?;
        if number >= end || self.name(number)? != id {
            return Ok(None);
        }
        self.offset(number).map(Some)
    }

    /// Objects whose names begin so, at most `most`.
    pub(super) fn beginning(&self, prefix: &Prefix, most: usize) -> Result<Vec<Id>, StoreError> {
        let (mut number, end) = self.lower(&prefix.bytes)?;
        let mut found = Vec::new();
        while number < end && found.len() < most {
            let name = self.name(number)?;
            if !prefix.fits(&name) {
                break;
            }
            found.push(name);
            number = number.saturating_add(1);
        }
        Ok(found)
    }

    fn offset(&self, number: u64) -> Result<u64, StoreError> {
        let length = self.format.length() as u64;
        let word = |at| -> Result<u64, StoreError> {
            let bytes = self.index_bytes(at, 4)?;
            Ok(bytes
                .iter()
                .fold(0, |all, byte| all << 8 | u64::from(*byte)))
        };
        if self.is_old {
            return word(
                number
                    .saturating_mul(length.saturating_add(4))
                    .saturating_add(FANOUT),
            );
        }
        let names = self
            .count()
            .saturating_mul(length)
            .saturating_add(FANOUT + 8);
        let offsets = self.count().saturating_mul(4).saturating_add(names);
        let offset = word(number.saturating_mul(4).saturating_add(offsets))?;
        if offset & 0x8000_0000 == 0 {
            return Ok(offset);
        }
        // The large ones have a table of their own.
        let large = self.count().saturating_mul(4).saturating_add(offsets);
        let bytes = self.index_bytes(
            (offset & 0x7fff_ffff)
                .saturating_mul(8)
                .saturating_add(large),
            8,
        )?;
        Ok(bytes
            .iter()
            .fold(0, |all, byte| all << 8 | u64::from(*byte)))
    }

    /// The head of the object at an offset.
    pub(super) fn head(&self, offset: u64) -> Result<Head, StoreError> {
        let mut bytes = Vec::new();
        let start = From {
            file: &self.content,
            at: offset,
        };
        let read = start.take(HEAD as u64).read_to_end(&mut bytes);
        read.map_err(io_error(&self.path))?;
        let wrong = |cause: String| self.broken(&cause);
        let mut cursor = Cursor(&bytes, 0);
        let (kind, size) = cursor.head().map_err(wrong)?;
        let raw = match kind {
            1 => Raw::Whole(Kind::Commit),
            2 => Raw::Whole(Kind::Tree),
            3 => Raw::Whole(Kind::Blob),
            4 => Raw::Whole(Kind::Tag),
            6 => {
                let distance = cursor.distance().map_err(wrong)?;
                let base = offset.checked_sub(distance).filter(|base| *base < offset);
                Raw::Offset(base.ok_or_else(|| self.broken("a delta's base lies outside of it"))?)
            }
            7 => Raw::Named(cursor.take(self.format.length()).map_err(wrong)?.to_vec()),
            kind => return Err(self.broken(&format!("an object is of the unknown kind {kind}"))),
        };
        Ok(Head {
            raw,
            size,
            content: offset.saturating_add(cursor.1 as u64),
        })
    }

    /// The first bytes behind the head of a delta, which tell how long the object is.
    pub(super) fn beginning_of(&self, head: &Head) -> Result<Vec<u8>, StoreError> {
        let start = From {
            file: &self.content,
            at: head.content,
        };
        let mut bytes = Vec::new();
        let read = ZlibDecoder::new(BufReader::with_capacity(CHUNK, start))
            .take(head.size.min(HEAD as u64))
            .read_to_end(&mut bytes);
        read.map_err(|error| self.broken(&format!("an object cannot be inflated: {error}")))?;
        Ok(bytes)
    }

    /// The content behind a head.
    pub(super) fn content(&self, head: &Head) -> Result<Vec<u8>, StoreError> {
        let start = From {
            file: &self.content,
            at: head.content,
        };
        inflate(BufReader::with_capacity(CHUNK, start), head.size)
            .map_err(|cause| self.broken(&cause))
    }
}

/// Inflates exactly so many bytes.
pub(super) fn inflate(from: impl io::BufRead, size: u64) -> Result<Vec<u8>, String> {
    let mut data = Vec::new();
    let read = ZlibDecoder::new(from)
        .take(size.saturating_add(1))
        .read_to_end(&mut data)
        .map_err(|error| format!("an object cannot be inflated: {error}"))?;
    if read as u64 == size {
        Ok(data)
    } else {
        Err("an object has another size than it says".to_owned())
    }
}

/// The beginning of a name.
#[derive(Debug)]
pub(super) struct Prefix {
    /// The whole bytes, and the last half one with a zero.
    pub(super) bytes: Vec<u8>,
    digits: usize,
}

impl Prefix {
    /// From hexadecimal digits, four of them at least; `None` for anything else.
    pub(super) fn parse(text: &str, format: Format) -> Option<Self> {
        let digits = text.len();
        if digits < 4 || digits > format.length().saturating_mul(2) {
            return None;
        }
        let mut even = text.to_ascii_lowercase();
        if digits % 2 == 1 {
            even.push('0');
        }
        Some(Self {
            bytes: hex::decode(even).ok()?,
            digits,
        })
    }

    /// Whether a name begins so.
    pub(super) fn fits(&self, name: &[u8]) -> bool {
        let whole = self.digits / 2;
        name.get(..whole) == self.bytes.get(..whole)
            && (self.digits.is_multiple_of(2)
                || name.get(whole).map(|byte| byte >> 4)
                    == self.bytes.get(whole).map(|byte| byte >> 4))
    }
}
