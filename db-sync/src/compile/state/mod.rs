//! What an update needs to know of the build before it: all records in their
//! compact form and which of them name which ids, without texts, which lie in
//! the database itself. The file is mapped and single records are read from it.
//!
//! It belongs to one segment of one database (by root digest), one program
//! version and one set of inputs. It is a cache: where anything differs or is
//! damaged it is not used, and the database is built from the fetched records
//! again.

mod dump;

use super::collect::{Collector, Extras, Source, Sources, Storage, Stored, Texts};
use super::interner::{Interner, TextKind};
use crate::advisory::Scope;
use crate::moment::Moment;
use crate::sources::SourceKind;
use crate::store::codec::{Damaged, Reader, unzigzag};
use crate::store::format::{crc32, le32};
use crate::store::map;
pub(super) use dump::{dump, put_moment};
use memmap2::Mmap;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

const MAGIC: &[u8; 8] = b"PCSYNC2\n";
/// Longest state that is used.
const MAX_STATE: u64 = 2 << 30;

/// What the state was made for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Label {
    /// Root digest of the segment.
    pub(super) digest: String,
    /// What else the records depend on, in the caller's words.
    pub(super) inputs: String,
    /// Updates since the last build from nothing.
    pub(super) updates: u64,
}

const KINDS: [TextKind; 4] = [
    TextKind::Ids,
    TextKind::Versions,
    TextKind::Packages,
    TextKind::Ratings,
];

/// The parts of the file, in order; the first twelve are three of each kind of
/// texts: the bytes, where each ends, and the numbers in the order of texts.
const LABEL: usize = 12;
const SOURCES: usize = 13;
const SETS: usize = 14;
const ROWS: usize = 15;
const BODIES: usize = 16;
/// Per id, where its links begin.
const LINK_STARTS: usize = 17;
/// Records that name an id, by id.
const LINKS: usize = 18;
/// Per id, the record that counts for it.
const BY_ID: usize = 19;
const PARTS: usize = 20;

/// Bytes of a row: id, set of sources, start of the body, nanoseconds and
/// seconds of `modified`, digest.
const ROW: usize = 56;
/// Nanoseconds of a time that is not known.
const NO_TIME: u32 = u32::MAX;
/// The record of an id that has none.
const NONE: u32 = u32::MAX;

/// The fixed part of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) id: u32,
    /// The sources that hold it.
    pub(super) sources: &'a [u16],
    pub(super) modified: Option<Moment>,
    pub(super) digest: &'a [u8; 32],
    body: u32,
}

/// A mapped state.
pub(super) struct State {
    map: Mmap,
    parts: [(usize, usize); PARTS],
    pub(super) label: Label,
    pub(super) sources: Sources,
    sets: Vec<Vec<u16>>,
    /// Records that count, which come first and are numbered as in the database.
    pub(super) winners: u32,
    /// Records that lost to another one of their id, by id.
    losers: BTreeMap<u32, Vec<u32>>,
}

pub(super) fn take_moment(reader: &mut Reader<'_>) -> Result<Option<Moment>, Damaged> {
    match reader.number()?.checked_sub(1) {
        None => Ok(None),
        Some(seconds) => Moment::new(unzigzag(seconds), reader.small()?)
            .ok_or(Damaged)
            .map(Some),
    }
}

impl State {
    /// Opens a state; `None` where there is none that can be used.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let Ok(file) = File::open(path) else {
            return Ok(None);
        };
        if file.metadata()?.len() > MAX_STATE {
            return Ok(None);
        }
        Ok(Self::read(map::map(&file)?).ok())
    }

    fn read(map: Mmap) -> Result<Self, Damaged> {
        let (covered, crc) = split_end(&map, 4)?;
        let (body, ends) = split_end(covered, PARTS.saturating_mul(8))?;
        if !body.starts_with(MAGIC) || crc32(covered) != le32(crc) {
            return Err(Damaged);
        }
        let mut parts = [(0, 0); PARTS];
        let mut start = MAGIC.len();
        for (part, end) in parts.iter_mut().zip(ends.as_chunks::<8>().0) {
            let end = usize::try_from(u64::from_le_bytes(*end)).map_err(|_| Damaged)?;
            if end < start || end > body.len() {
                return Err(Damaged);
            }
            *part = (start, end);
            start = end;
        }
        let mut state = Self {
            map,
            parts,
            label: Label::default(),
            sources: Vec::new(),
            sets: Vec::new(),
            winners: 0,
            losers: BTreeMap::new(),
        };
        state.read_label()?;
        state.sources = state.read_sources()?;
        state.sets = state.read_sets()?;
        let rows = u32::try_from(state.part(ROWS).len() / ROW).map_err(|_| Damaged)?;
        let mut losers: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for number in state.winners..rows {
            let id = state.row(number)?.id;
            losers.entry(id).or_default().push(number);
        }
        state.losers = losers;
        Ok(state)
    }

    fn read_label(&mut self) -> Result<(), Damaged> {
        let mut reader = Reader::new(self.part(LABEL));
        if reader.text()? != env!("CARGO_PKG_VERSION") {
            return Err(Damaged);
        }
        let label = Label {
            digest: reader.text()?.to_owned(),
            inputs: reader.text()?.to_owned(),
            updates: reader.number()?,
        };
        let winners = reader.small()?;
        (self.label, self.winners) = (label, winners);
        Ok(())
    }

    fn read_sources(&self) -> Result<Sources, Damaged> {
        let mut reader = Reader::new(self.part(SOURCES));
        let mut sources = Vec::new();
        for _ in 0..reader.length()? {
            let kind = if reader.number()? == 0 {
                SourceKind::Osv
            } else {
                SourceKind::RustSec
            };
            let name = reader.text()?.to_owned();
            let mut source = Source {
                newest: take_moment(&mut reader)?,
                listed: take_moment(&mut reader)?,
                ..Source::default()
            };
            for _ in 0..reader.length()? {
                let id = reader.small()?;
                let digest = reader.bytes(32)?.try_into().map_err(|_| Damaged)?;
                source.records.push((id, digest));
            }
            sources.push(((kind, name), source));
        }
        Ok(sources)
    }

    fn read_sets(&self) -> Result<Vec<Vec<u16>>, Damaged> {
        let mut reader = Reader::new(self.part(SETS));
        let mut sets = Vec::new();
        for _ in 0..reader.length()? {
            let mut set = Vec::new();
            for _ in 0..reader.length()? {
                set.push(u16::try_from(reader.small()?).map_err(|_| Damaged)?);
            }
            sets.push(set);
        }
        Ok(sets)
    }

    fn part(&self, part: usize) -> &[u8] {
        let (start, end) = self.parts.get(part).copied().unwrap_or_default();
        self.map.get(start..end).unwrap_or_default()
    }

    fn word(&self, part: usize, place: usize) -> Option<u32> {
        let words: &[[u8; 4]] = self.part(part).as_chunks().0;
        words.get(place).map(|word| u32::from_le_bytes(*word))
    }

    /// How many texts of a kind there are.
    pub(super) fn count(&self, kind: TextKind) -> u32 {
        let ends = self.part((kind as usize).saturating_mul(3).saturating_add(1));
        u32::try_from(ends.len() / 4).unwrap_or(u32::MAX)
    }

    /// A text by its number; empty for one that was never given.
    pub(super) fn text(&self, kind: TextKind, number: u32) -> &str {
        let first = (kind as usize).saturating_mul(3);
        let ends = first.saturating_add(1);
        let place = number as usize;
        let start = place
            .checked_sub(1)
            .and_then(|before| self.word(ends, before))
            .unwrap_or(0);
        let Some(end) = self.word(ends, place) else {
            return "";
        };
        let bytes = self.part(first).get(start as usize..end as usize);
        std::str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
    }

    /// The number of a text.
    pub(super) fn find(&self, kind: TextKind, text: &str) -> Option<u32> {
        let order = (kind as usize).saturating_mul(3).saturating_add(2);
        let order: &[[u8; 4]] = self.part(order).as_chunks().0;
        let number = |word: &[u8; 4]| u32::from_le_bytes(*word);
        let place = order
            .binary_search_by(|word| self.text(kind, number(word)).cmp(text))
            .ok()?;
        order.get(place).map(number)
    }

    /// The fixed part of a record.
    pub(super) fn row(&self, number: u32) -> Result<Row<'_>, Damaged> {
        let start = (number as usize).checked_mul(ROW).ok_or(Damaged)?;
        let bytes = self.part(ROWS).get(start..).ok_or(Damaged)?;
        let (bytes, _) = bytes.split_at_checked(ROW).ok_or(Damaged)?;
        let (head, digest) = bytes.split_last_chunk().ok_or(Damaged)?;
        let (numbers, seconds) = head.split_last_chunk().ok_or(Damaged)?;
        let [id, set, body, nanos] = numbers.as_chunks::<4>().0 else {
            return Err(Damaged);
        };
        let number = |word: &[u8; 4]| u32::from_le_bytes(*word);
        let modified = match number(nanos) {
            NO_TIME => None,
            nanos => Some(Moment::new(i64::from_le_bytes(*seconds), nanos).ok_or(Damaged)?),
        };
        let sources = self.sets.get(number(set) as usize).ok_or(Damaged)?;
        Ok(Row {
            id: number(id),
            sources,
            modified,
            digest,
            body: number(body),
        })
    }

    /// All rows, those that count first, sorted by id.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..).map_while(|number| self.row(number).ok())
    }

    /// The records of an id: the one that counts, then the others.
    pub(super) fn copies(&self, id: u32) -> impl Iterator<Item = u32> {
        let winner = self.winner(id);
        let losers = self.losers.get(&id).into_iter().flatten().copied();
        winner.into_iter().chain(losers)
    }

    /// The record that counts for an id; its number is that in the database.
    pub(super) fn winner(&self, id: u32) -> Option<u32> {
        self.word(BY_ID, id as usize)
            .filter(|number| *number != NONE)
    }

    /// The records that name an id as alias, upstream or related.
    pub(super) fn links(&self, id: u32) -> impl Iterator<Item = u32> {
        let bound = |place: usize| self.word(LINK_STARTS, place).unwrap_or(0) as usize;
        let (start, end) = (bound(id as usize), bound((id as usize).saturating_add(1)));
        let links: &[[u8; 4]] = self.part(LINKS).as_chunks().0;
        let links = links.get(start..end).unwrap_or_default();
        links.iter().map(|word| u32::from_le_bytes(*word))
    }

    /// A record; its numbers are those of this state's texts.
    pub(super) fn record(&self, number: u32) -> Result<Stored, Damaged> {
        let row = self.row(number)?;
        let body = self.part(BODIES).get(row.body as usize..).ok_or(Damaged)?;
        let place = if number < self.winners {
            Storage::Old(number)
        } else {
            Storage::Gone
        };
        take_body(&mut Reader::new(body), &row, place)
    }

    /// Fills an empty collector with all records.
    pub(super) fn fill(&self, collector: &mut Collector) -> Result<(), Damaged> {
        for kind in KINDS {
            let first = (kind as usize).saturating_mul(3);
            let [bytes, ends, order] = [0, 1, 2].map(|more| self.part(first.saturating_add(more)));
            *collector.texts_mut(kind) = Interner::load(bytes, ends, order)?;
        }
        collector.sources = self.read_sources()?;
        let rows = self.part(ROWS).len() / ROW;
        for number in (0_u32..).take(rows) {
            let record = self.record(number)?;
            collector.by_id.entry(record.id).or_default().push(number);
            collector.records.push(record);
        }
        Ok(())
    }
}

fn split_end(bytes: &[u8], length: usize) -> Result<(&[u8], &[u8]), Damaged> {
    let at = bytes.len().checked_sub(length).ok_or(Damaged)?;
    bytes.split_at_checked(at).ok_or(Damaged)
}

fn take_body(reader: &mut Reader<'_>, row: &Row<'_>, place: Storage) -> Result<Stored, Damaged> {
    let (published, withdrawn) = (take_moment(reader)?, take_moment(reader)?);
    let mut numbers = || reader.rising().map(Vec::into_boxed_slice);
    let (aliases, upstream, related) = (numbers()?, numbers()?, numbers()?);
    let (package_ratings, package_vectors) = (numbers()?, numbers()?);
    let mut ratings = Vec::new();
    for _ in 0..reader.length()? {
        ratings.push((reader.small()?, reader.byte()?));
    }
    let summary = reader.text()?.into();
    let length = reader.small()?;
    let count = reader.length()?;
    let entries = reader.bytes(count)?.into();
    let mut extras = None;
    if reader.byte()? != 0 {
        extras = Some(Box::new(Extras {
            informational: Some(reader.text()?.to_owned()).filter(|kind| !kind.is_empty()),
            scope: Scope {
                functions: reader.texts()?,
                arch: reader.texts()?,
                os: reader.texts()?,
            },
        }));
    }
    Ok(Stored {
        id: row.id,
        digest: *row.digest,
        published,
        modified: row.modified,
        withdrawn,
        aliases,
        upstream,
        related,
        ratings: ratings.into(),
        package_ratings,
        package_vectors,
        summary,
        extras,
        entries,
        texts: Texts { place, length },
        sources: row.sources.to_vec(),
        context: false,
    })
}
