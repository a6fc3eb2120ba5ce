//! A reader of `SQLite` tables in a file image (sqlite.org/fileformat2.html): enough to walk one
//! table without indexes, and no more. No SQL, no write-ahead log, no text encodings but UTF-8.
//! Every page is visited at most once, so that no circle of pages and no size in the file costs
//! more than the file itself.

use std::borrow::Cow;

use super::bytes::{Order, part};
use super::limits;

/// Why a database cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SqliteError {
    /// The first bytes are not those of `SQLite`, or its page size is impossible.
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

fn big16(bytes: &[u8], at: usize) -> Option<usize> {
    Order::Big.u16(bytes, at).map(usize::from)
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
        let page_size = match big16(bytes, 16) {
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

    /// Calls `row` with every record of a table, in the order of their row ids. A page that lost
    /// some is an error after all others were read.
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
            room: self.bytes.len(),
            row,
            lost: Vec::new(),
        };
        walk.page(root, 0)?;
        match walk.lost.first() {
            Some(page) => Err(SqliteError::Damaged(*page)),
            None => Ok(()),
        }
    }
}

struct Walk<'d, 'r> {
    database: &'d Database<'d>,
    /// By page number - 1.
    seen: Vec<bool>,
    /// Bytes that records may still have: they do not overlap, so that together they are no
    /// longer than the file.
    room: usize,
    row: &'r mut dyn FnMut(&[Column<'_>]),
    /// Pages that have not all of their cells.
    lost: Vec<u32>,
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
        let depth = depth.saturating_add(1);
        let page = self.take(number)?;
        let damaged = || SqliteError::Damaged(number);
        // The first page begins with the header of the file.
        let header = page.get(if number == 1 { 100 } else { 0 }..);
        let header = header.ok_or_else(damaged)?;
        let cells = big16(header, 3).ok_or_else(damaged)?;
        let (interior, start) = match header.first() {
            Some(5) => (true, 12),
            Some(13) => (false, 8),
            _ => return Err(damaged()),
        };
        let pointers = header.get(start..).unwrap_or_default().chunks_exact(2);
        if pointers.len() < cells {
            return Err(damaged());
        }
        let used = self.used(page, header, interior, pointers.clone().take(cells));
        let usable = self.database.usable;
        if used != Some(usable) {
            self.lost.push(number);
        }
        for pointer in pointers.take(cells) {
            let at = big16(pointer, 0).ok_or_else(damaged)?;
            if interior {
                let child = Order::Big.u32(page, at).ok_or_else(damaged)?;
                self.page(child, depth)?;
            } else {
                let payload = self.payload(page, at).ok_or_else(damaged)?;
                let columns = record(&payload).ok_or_else(damaged)?;
                (self.row)(&columns);
            }
        }
        if interior {
            let last = Order::Big.u32(header, 8).ok_or_else(damaged)?;
            self.page(last, depth)?;
        }
        Ok(())
    }

    /// Where the cells of a page begin, with all bytes that are accounted for after that: cells,
    /// free blocks and fragments. In a page that has all of its cells this is its size
    /// ("B-tree Pages").
    fn used<'p>(
        &self,
        page: &[u8],
        header: &[u8],
        interior: bool,
        pointers: impl Iterator<Item = &'p [u8]>,
    ) -> Option<usize> {
        let mut used = match big16(header, 5)? {
            0 => 65536,
            start => start,
        };
        used = used.checked_add(usize::from(*header.get(7)?))?;
        for pointer in pointers {
            let at = big16(pointer, 0)?;
            let after = if interior {
                varint(page, at.checked_add(4)?)?.1
            } else {
                let (length, at) = varint(page, at)?;
                let (_row_id, at) = varint(page, at)?;
                let length = usize::try_from(length).ok()?;
                let local = self.local(length)?;
                let pointer = if local < length { 4 } else { 0 };
                at.checked_add(local)?.checked_add(pointer)?
            };
            // Smaller cells take the room of a free block.
            used = used.checked_add(after.checked_sub(at)?.max(4))?;
        }
        let mut free = big16(header, 1)?;
        while free != 0 {
            used = used.checked_add(big16(page, free.checked_add(2)?)?)?;
            let next = big16(page, free)?;
            // They lie in ascending order.
            if next != 0 && next <= free {
                return None;
            }
            free = next;
        }
        Some(used)
    }

    /// How much of a payload lies in its cell ("Cell payload overflow pages": X, M and K).
    fn local(&self, length: usize) -> Option<usize> {
        let usable = self.database.usable;
        let most = usable.checked_sub(35)?;
        if length <= most {
            return Some(length);
        }
        let chunk = usable.checked_sub(4)?;
        let least = (usable.checked_sub(12)?.checked_mul(32)? / 255).checked_sub(23)?;
        let beyond = length.checked_sub(least)?.checked_rem(chunk)?;
        let fitting = least.checked_add(beyond)?;
        Some(if fitting <= most { fitting } else { least })
    }

    /// The payload of a leaf cell, with its overflow pages.
    fn payload(&mut self, page: &'d [u8], at: usize) -> Option<Cow<'d, [u8]>> {
        let (length, at) = varint(page, at)?;
        let (_row_id, at) = varint(page, at)?;
        let length = usize::try_from(length).ok()?;
        self.room = self.room.checked_sub(length)?;
        let local = self.local(length)?;
        if local == length {
            return part(page, at, length).map(Cow::Borrowed);
        }
        let chunk = self.database.usable.checked_sub(4)?;
        let mut payload = part(page, at, local)?.to_vec();
        let mut next = Order::Big.u32(page, at.checked_add(local)?)?;
        while let Some(rest) = length.checked_sub(payload.len()).filter(|&rest| rest > 0) {
            let overflow = self.take(next).ok()?;
            payload.extend_from_slice(part(overflow, 4, rest.min(chunk))?);
            next = Order::Big.u32(overflow, 0)?;
        }
        Some(Cow::Owned(payload))
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
            _ => usize::try_from(kind.checked_sub(12)? / 2).ok()?,
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
    let start = if negative { !0 } else { 0 };
    bytes
        .iter()
        .fold(start, |value, &byte| (value << 8) | i64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &[u8] =
        include_bytes!("../../../testdata/inventory/rpm-sqlite/small/var/lib/rpm/rpmdb.sqlite");

    fn rows(bytes: &[u8]) -> Result<usize, SqliteError> {
        let mut count = 0;
        Database::open(bytes)?.table("Packages", |_| count += 1)?;
        Ok(count)
    }

    #[test]
    fn numbers_of_all_lengths() {
        assert_eq!(varint(&[0x7F], 0), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0x00], 0), Some((128, 2)));
        assert_eq!(varint(&[0xFF; 9], 0), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0xFF; 8], 0), None);
        assert_eq!(integer(&[0xFF, 0xFE]), -2);
        assert_eq!(integer(&[1, 0, 0]), 65536);
    }

    #[test]
    fn tables_are_walked_and_missing_ones_named() {
        assert_eq!(rows(SMALL), Ok(18));
        let missing = Database::open(SMALL).unwrap().table("Nothing", |_| ());
        assert_eq!(missing, Err(SqliteError::Table("Nothing")));
        assert_eq!(rows(b"SQLite format 3"), Err(SqliteError::Header));
    }

    /// Pages of 512 bytes; each interior page has one right child, the next page.
    fn chain(pages: u8, last: u8) -> Vec<u8> {
        let mut bytes = vec![0; 512 * usize::from(pages)];
        bytes[..16].copy_from_slice(b"SQLite format 3\0");
        bytes[16] = 2;
        for page in 0..pages {
            let at = 512 * usize::from(page) + if page == 0 { 100 } else { 0 };
            bytes[at] = 5;
            bytes[at + 11] = if page + 1 == pages { last } else { page + 2 };
        }
        bytes
    }

    #[test]
    fn circles_and_depth_end() {
        assert_eq!(rows(&chain(3, 1)), Err(SqliteError::Page(1)));
        assert_eq!(rows(&chain(3, 9)), Err(SqliteError::Page(9)));
        assert_eq!(rows(&chain(40, 1)), Err(SqliteError::Depth));
    }

    #[test]
    fn cells_that_share_their_bytes_end() {
        // One leaf page whose 200 cells are the same 100 bytes.
        let mut bytes = chain(1, 0);
        bytes[100] = 13;
        bytes[104] = 200;
        for cell in 0..200 {
            bytes[108 + 2 * cell] = 1;
            bytes[109 + 2 * cell] = 0x90;
        }
        bytes[400..404].copy_from_slice(&[100, 1, 2, 0]);
        assert_eq!(rows(&bytes), Err(SqliteError::Damaged(1)));
    }

    #[test]
    fn no_cut_and_no_changed_byte_harms() {
        for cut in (0..SMALL.len()).step_by(7) {
            let _ = rows(&SMALL[..cut]);
        }
        let mut bytes = SMALL.to_vec();
        for at in (0..bytes.len()).step_by(3) {
            for value in [0, 1, 0x7F, 0xFF] {
                let old = std::mem::replace(&mut bytes[at], value);
                let _ = rows(&bytes);
                bytes[at] = old;
            }
        }
    }
}
