//! rpm's database before 2020, `Packages`: a Berkeley DB hash (`dbinc/db_page.h` of Berkeley DB
//! 5.3). All pages are read in order instead of bucket by bucket; headers are values in a page,
//! or on a chain of overflow pages. Every overflow page is used once, so that no circle and no
//! size costs more than the file. Whatever shows that an entry was lost is a gap: a page of a type
//! that no such database has, overflow pages that no entry leads to, fewer entries than the
//! database counts.

use std::borrow::Cow;
use std::sync::Arc;

use super::header;
use crate::inventory::bytes::{Order, part};
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;

/// The three places.
pub(crate) static PARSER: Parser = Parser {
    id: "rpm-bdb",
    version: 1,
    wants: &[
        Want::Path("var/lib/rpm/Packages"),
        Want::Path("usr/lib/sysimage/rpm/Packages"),
        Want::Path("usr/share/rpm/Packages"),
    ],
    accepts: None,
    need: Need::Whole(limits::RPM_DATABASE_BYTES),
    evidence: Evidence::Installed,
    database: true,
    parse,
};

/// `DB_HASHMAGIC`.
const HASH: u32 = 0x0006_1561;
/// Bytes before the data of every page.
const PAGE_HEADER: usize = 26;

/// `P_INVALID` (a free page), `P_HASH_UNSORTED`, `P_OVERFLOW`, `P_HASHMETA` and `P_HASH`.
const FREE: u8 = 0;
const UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const META: u8 = 8;
const SORTED: u8 = 13;

/// `H_KEYDATA` and `H_OFFPAGE`.
const INLINE: u8 = 1;
const OFF_PAGE: u8 = 3;

struct Database<'a> {
    bytes: &'a [u8],
    order: Order,
    page_size: usize,
    /// Overflow pages that were read, by number.
    seen: Vec<bool>,
    /// Bytes that headers may still have; they do not overlap.
    room: usize,
    /// Entries found, key 0 among them.
    entries: u32,
}

/// Notes damage that may have cost packages that nobody can name.
fn lost(facts: &mut Facts, path: &str, cause: impl Into<Arc<str>>) {
    facts.unjudged(path, None, GapKind::Malformed, cause);
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let bytes = input.content.whole()?;
    let path: Arc<str> = input.path.into();
    let orders = [Order::Little, Order::Big];
    let order = orders
        .into_iter()
        .find(|order| order.u32(bytes, 12) == Some(HASH));
    let order = order.ok_or_else(|| ParseError::new("not a Berkeley DB hash"))?;
    let page_size = order.size(bytes, 20).unwrap_or_default();
    if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
        return Err(ParseError::new("an impossible page size"));
    }
    if bytes.get(24) != Some(&0) {
        return Err(ParseError::unknown_format(None, "an encrypted database"));
    }
    let mut database = Database {
        bytes,
        order,
        page_size,
        seen: vec![false; bytes.chunks_exact(page_size).len()],
        room: bytes.len(),
        entries: 0,
    };
    let mut overflow = 0_usize;
    for page in bytes.chunks_exact(page_size).skip(1) {
        match page.get(25).copied().unwrap_or_default() {
            UNSORTED | SORTED => database.bucket(page, &path, facts),
            OVERFLOW => overflow = overflow.saturating_add(1),
            META => {}
            FREE if order.u16(page, 20) == Some(0) => {}
            FREE => lost(facts, &path, "a free page that has entries"),
            other => {
                let cause = format!("a page of type {other}, which such a database does not have");
                lost(facts, &path, cause);
            }
        }
    }
    if !bytes.chunks_exact(page_size).remainder().is_empty() {
        lost(facts, &path, "the last page is cut off");
    }
    let used = database.seen.iter().filter(|&&seen| seen).count();
    if overflow > used {
        let count = overflow.saturating_sub(used);
        lost(
            facts,
            &path,
            format!("{count} pages that no entry leads to"),
        );
    }
    // `nelem` of the first page.
    let counted = order.u32(bytes, 88).unwrap_or_default();
    if counted > database.entries {
        let found = database.entries;
        let cause = format!("the database counts {counted} entries, and {found} were found");
        lost(facts, &path, cause);
    }
    Ok(())
}

impl<'a> Database<'a> {
    /// A page of keys and values in turn. Key 0 holds the next free number, no package.
    fn bucket(&mut self, page: &'a [u8], path: &Arc<str>, facts: &mut Facts) {
        let entries = usize::from(self.order.u16(page, 20).unwrap_or_default());
        let indexes = page.get(PAGE_HEADER..).unwrap_or_default().chunks_exact(2);
        let mut end = page.len();
        // Items are stored from the end of the page downwards: each one ends where the one
        // before begins.
        let mut items = indexes.take(entries).map(|index| {
            let start = usize::from(self.order.u16(index, 0)?);
            page.get(start..std::mem::replace(&mut end, start))
        });
        let mut pairs = Vec::new();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            pairs.push((key, value));
        }
        let count = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
        self.entries = self.entries.saturating_add(count);
        if entries != pairs.len().saturating_mul(2) {
            lost(facts, path, "a page that has not all of its entries");
        }
        for (key, value) in pairs {
            let (Some(key), Some(value)) = (key, value) else {
                lost(facts, path, "an entry that is not in its page");
                continue;
            };
            if key
                .get(1..)
                .is_some_and(|key| key.iter().all(|&byte| byte == 0))
            {
                continue;
            }
            match self.value(value) {
                Some(blob) => header::read(&blob, path, facts),
                None => lost(facts, path, "an entry whose package cannot be read"),
            }
        }
    }

    /// The value of an item, which begins with its type.
    fn value(&mut self, item: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        match *item.first()? {
            INLINE => {
                self.room = self.room.checked_sub(item.len())?;
                Some(Cow::Borrowed(item.get(1..)?))
            }
            OFF_PAGE => {
                let first = self.order.size(item, 4)?;
                let length = self.order.size(item, 8)?;
                self.chain(first, length).map(Cow::Owned)
            }
            _ => None,
        }
    }

    fn chain(&mut self, first: usize, length: usize) -> Option<Vec<u8>> {
        let mut data = Vec::new();
        let mut number = first;
        while data.len() < length {
            let seen = self.seen.get_mut(number)?;
            if std::mem::replace(seen, true) {
                return None;
            }
            let page = part(
                self.bytes,
                number.checked_mul(self.page_size)?,
                self.page_size,
            )?;
            if page.get(25) != Some(&OVERFLOW) {
                return None;
            }
            let here = usize::from(self.order.u16(page, 22)?);
            data.extend_from_slice(part(page, PAGE_HEADER, here)?);
            number = self.order.size(page, 16)?;
        }
        (data.len() == length).then_some(data)
    }
}
