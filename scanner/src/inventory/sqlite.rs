//! A reader of SQLite tables in a file image (sqlite.org/fileformat2.html): enough to walk one
//! table without indexes, and no more. No SQL, no write-ahead log, no text encodings but UTF-8.
//! Every page is visited at most once, so that no circle of pages and no size in the file costs
//! more than the file itself.

use std::borrow::Cow;

use super::limits;

/// Why a database cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SqliteError {
    /// The first bytes are not those of SQLite, or its page size is impossible.
    #[error("not a SQLite 3 database")]
    Header,
    /// A page that the file does not have, or one used twice.
    #[error("page {0} is missing or used twice")]
    Page(u32),
    /// A page or record that is not formed as it should.
    #[error("page {0} is damaged")]
    Damaged(u32),
    /// Deeper than [`limits::SQLITE_DEPTH`].
    #[error("b-tree deeper than {} levels", limits::SQLITE_DEPTH)]
    Depth,
    /// No table of this name.
    #[error("no table {0}")]
    Table(&'static str),
}

/// A value of a record, as far as we need types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Column<'a> {
    /// NULL, or a floating point number.
    Other,
    /// An integer.
    Integer(i64),
    /// Text or blob.
    Bytes(&'a [u8]),
}

/// A database in memory.
pub(crate) struct Database<'a> {
    bytes: &'a [u8],
    page_size: usize,
    usable: usize,
}

/// `length` bytes at `at`.
fn part(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

fn be16(bytes: &[u8], at: usize) -> Option<usize> {
    let pair: [u8; 2] = part(bytes, at, 2)?.try_into().ok()?;
    Some(usize::from(u16::from_be_bytes(pair)))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let four: [u8; 4] = part(bytes, at, 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

/// A variable-length integer: value, and the offset after it.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for index in 0..9_usize {
        let offset = at.checked_add(index)?;
        let byte = *bytes.get(offset)?;
        let after = offset.checked_add(1)?;
        if index == 8 {
            return Some(((value << 8) | u64::from(byte), after));
        }
        value = (value << 7) | u64::from(byte & 0x7F);
        if byte < 0x80 {
            return Some((value, after));
        }
    }
    None
}

impl<'a> Database<'a> {
    /// Reads the header.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, SqliteError> {
        if !bytes.starts_with(b"SQLite format 3\0") || bytes.len() < 100 {
            return Err(SqliteError::Header);
        }
        let page_size = match be16(bytes, 16) {
            Some(1) => 65536,
            Some(size) if size >= 512 && size.is_power_of_two() => size,
            _ => return Err(SqliteError::Header),
        };
        let reserved = usize::from(bytes.get(20).copied().unwrap_or_default());
        let usable = page_size.saturating_sub(reserved);
        if usable < 480 {
            return Err(SqliteError::Header);
        }
        Ok(Self {
            bytes,
            page_size,
            usable,
        })
    }

    fn page(&self, number: u32) -> Option<&'a [u8]> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        part(
            self.bytes,
            index.checked_mul(self.page_size)?,
            self.page_size,
        )
    }

    /// Calls `row` with every record of a table, in the order of their row ids.
    pub(crate) fn table(
        &self,
        name: &'static str,
        mut row: impl FnMut(&[Column<'_>]),
    ) -> Result<(), SqliteError> {
        let mut root = None;
        // sqlite_schema: type, name, tbl_name, rootpage, sql.
        self.walk(1, &mut |columns| {
            if let [
                Column::Bytes(b"table"),
                Column::Bytes(have),
                _,
                Column::Integer(page),
                ..,
            ] = columns
                && *have == name.as_bytes()
            {
                root = u32::try_from(*page).ok();
            }
        })?;
        self.walk(root.ok_or(SqliteError::Table(name))?, &mut row)
    }

    fn walk(&self, root: u32, row: &mut dyn FnMut(&[Column<'_>])) -> Result<(), SqliteError> {
        let pages = self.bytes.len().checked_div(self.page_size).unwrap_or(0);
        let mut walk = Walk {
            database: self,
            seen: vec![false; pages],
            row,
        };
        walk.page(root, 0)
    }
}

struct Walk<'d, 'r> {
    database: &'d Database<'d>,
    /// By page number - 1.
    seen: Vec<bool>,
    row: &'r mut dyn FnMut(&[Column<'_>]),
}

impl<'d> Walk<'d, '_> {
    /// A page that was not used before.
    fn take(&mut self, number: u32) -> Result<&'d [u8], SqliteError> {
        let index = number
            .checked_sub(1)
            .and_then(|index| usize::try_from(index).ok());
        let seen = index.and_then(|index| self.seen.get_mut(index));
        let page = self.database.page(number);
        match (seen, page) {
            (Some(seen @ false), Some(page)) => {
                *seen = true;
                Ok(page)
            }
            _ => Err(SqliteError::Page(number)),
        }
    }

    fn page(&mut self, number: u32, depth: usize) -> Result<(), SqliteError> {
        if depth > limits::SQLITE_DEPTH {
            return Err(SqliteError::Depth);
        }
        let page = self.take(number)?;
        let damaged = || SqliteError::Damaged(number);
        let header = if number == 1 { 100 } else { 0 };
        let kind = page.get(header).copied().ok_or_else(damaged)?;
        let cells = be16(page, header + 3).ok_or_else(damaged)?;
        let (interior, pointers) = match kind {
            5 => (true, header + 12),
            13 => (false, header + 8),
            _ => return Err(damaged()),
        };
        for cell in 0..cells {
            let at = be16(page, pointers + 2 * cell).ok_or_else(damaged)?;
            if interior {
                let child = be32(page, at).ok_or_else(damaged)?;
                self.page(child, depth + 1)?;
            } else {
                let payload = self.payload(page, at, number)?;
                let columns = record(&payload).ok_or_else(damaged)?;
                (self.row)(&columns);
            }
        }
        if interior {
            let last = be32(page, header + 8).ok_or_else(damaged)?;
            self.page(last, depth + 1)?;
        }
        Ok(())
    }

    /// The payload of a leaf cell, with its overflow pages.
    fn payload(
        &mut self,
        page: &'d [u8],
        at: usize,
        number: u32,
    ) -> Result<Cow<'d, [u8]>, SqliteError> {
        let damaged = || SqliteError::Damaged(number);
        let (length, at) = varint(page, at).ok_or_else(damaged)?;
        let (_row_id, at) = varint(page, at).ok_or_else(damaged)?;
        let length = usize::try_from(length).map_err(|_| damaged())?;
        if length > self.database.bytes.len() {
            return Err(damaged());
        }
        // "Cell payload overflow pages": X, M and K of the specification.
        let usable = self.database.usable;
        let most = usable - 35;
        if length <= most {
            return part(page, at, length)
                .map(Cow::Borrowed)
                .ok_or_else(damaged);
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let fitting = least + (length - least) % (usable - 4);
        let local = if fitting <= most { fitting } else { least };
        let mut payload = part(page, at, local).ok_or_else(damaged)?.to_vec();
        let mut next = be32(page, at + local).ok_or_else(damaged)?;
        while payload.len() < length {
            let overflow = self.take(next)?;
            let rest = (length - payload.len()).min(usable - 4);
            payload.extend_from_slice(part(overflow, 4, rest).ok_or_else(damaged)?);
            next = be32(overflow, 0).ok_or_else(damaged)?;
        }
        Ok(Cow::Owned(payload))
    }
}

/// The columns of a record ("Record format").
fn record(payload: &[u8]) -> Option<Vec<Column<'_>>> {
    let (header, mut at) = varint(payload, 0)?;
    let mut body = usize::try_from(header).ok()?;
    let end = body;
    let mut columns = Vec::new();
    while at < end {
        let (kind, after) = varint(payload, at)?;
        at = after;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        let bytes = part(payload, body, length)?;
        body = body.checked_add(length)?;
        columns.push(match kind {
            8 => Column::Integer(0),
            9 => Column::Integer(1),
            1..=6 => Column::Integer(integer(bytes)),
            0 | 7 => Column::Other,
            _ => Column::Bytes(bytes),
        });
    }
    Some(columns)
}

/// A big-endian integer with sign.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|&byte| byte >= 0x80);
    let start = if negative { -1 } else { 0 };
    bytes
        .iter()
        .fold(start, |value, &byte| (value << 8) | i64::from(byte))
}
