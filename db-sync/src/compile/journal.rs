//! The single records that changed since a database was last compiled as a
//! whole, as they came: what a segment of changes was made of, and what the
//! next one is made of with those that come then.
//!
//! The file belongs to one database by its root digest; it is a cache like the
//! state beside it.

use super::state::{put_moment, take_moment};
use crate::moment::Moment;
use crate::store::codec::{Damaged, Reader, put, put_text};
use crate::store::format::{crc32, le32};
use std::collections::BTreeMap;

const MAGIC: &[u8; 8] = b"PCSTEP2\n";
/// More changes than this are compiled into the database as a whole: every
/// update reads all of them.
const MAX_CHANGES: usize = 500;
/// The same for their bytes.
const MAX_BYTES: usize = 8 << 20;

/// A record that is newer than the compiled one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) modified: Option<Moment>,
    pub(super) digest: [u8; 32],
    /// The JSON, as it came.
    pub(super) bytes: Vec<u8>,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Removed,
    Replaced(Record),
}

impl Change {
    /// The record, if there is one.
    pub(super) fn record(&self) -> Option<&Record> {
        match self {
            Self::Removed => None,
            Self::Replaced(record) => Some(record),
        }
    }
}

/// Changes by source and id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Journal {
    pub(super) changes: BTreeMap<String, BTreeMap<String, Change>>,
    /// The newest time in the publisher's lists when a source was last synced.
    pub(super) listed: BTreeMap<String, Moment>,
}

impl Journal {
    /// What the journal says about a record of a source, if anything.
    pub(super) fn get(&self, source: &str, id: &str) -> Option<&Change> {
        self.changes.get(source)?.get(id)
    }

    pub(super) fn set(&mut self, source: &str, id: &str, change: Change) {
        let changes = self.changes.entry(source.to_owned()).or_default();
        changes.insert(id.to_owned(), change);
    }

    /// All changes: source, id and record.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str, Option<&Record>)> {
        self.changes.iter().flat_map(|(source, changes)| {
            let changes = changes.iter();
            changes.map(move |(id, change)| (source.as_str(), id.as_str(), change.record()))
        })
    }

    /// Whether there are so many changes that they had better be compiled.
    pub(super) fn is_long(&self) -> bool {
        let bytes = self.all().filter_map(|(_, _, record)| record);
        let bytes: usize = bytes.map(|record| record.bytes.len()).sum();
        self.all().count() > MAX_CHANGES || bytes > MAX_BYTES
    }

    /// The file, for the database with this root digest.
    pub(super) fn dump(&self, digest: &str) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        put_text(&mut out, env!("CARGO_PKG_VERSION"));
        put_text(&mut out, digest);
        put(&mut out, self.listed.len() as u64);
        for (source, listed) in &self.listed {
            put_text(&mut out, source);
            put_moment(&mut out, Some(*listed));
        }
        put(&mut out, self.all().count() as u64);
        for (source, id, record) in self.all() {
            put_text(&mut out, source);
            put_text(&mut out, id);
            out.push(u8::from(record.is_some()));
            if let Some(record) = record {
                put_moment(&mut out, record.modified);
                out.extend_from_slice(&record.digest);
                put(&mut out, record.bytes.len() as u64);
                out.extend_from_slice(&record.bytes);
            }
        }
        let crc = crc32(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads the file of the database with this root digest.
    pub(super) fn load(bytes: &[u8], digest: &str) -> Result<Self, Damaged> {
        let at = bytes.len().checked_sub(4).ok_or(Damaged)?;
        let (covered, crc) = bytes.split_at_checked(at).ok_or(Damaged)?;
        let body = covered.strip_prefix(MAGIC).ok_or(Damaged)?;
        let mut reader = Reader::new(body);
        if crc32(covered) != le32(crc)
            || reader.text()? != env!("CARGO_PKG_VERSION")
            || reader.text()? != digest
        {
            return Err(Damaged);
        }
        let mut journal = Self::default();
        for _ in 0..reader.length()? {
            let source = reader.text()?.to_owned();
            let listed = take_moment(&mut reader)?.ok_or(Damaged)?;
            journal.listed.insert(source, listed);
        }
        for _ in 0..reader.length()? {
            let (source, id) = (reader.text()?, reader.text()?);
            let mut change = Change::Removed;
            if reader.byte()? != 0 {
                change = Change::Replaced(Record {
                    modified: take_moment(&mut reader)?,
                    digest: reader.bytes(32)?.try_into().map_err(|_| Damaged)?,
                    bytes: {
                        let length = reader.length()?;
                        reader.bytes(length)?.to_vec()
                    },
                });
            }
            journal.set(source, id, change);
        }
        Ok(journal)
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Journal, MAX_CHANGES, Record};
    use crate::moment::Moment;

    #[test]
    fn a_journal_survives_and_belongs_to_one_database() {
        let mut journal = Journal::default();
        let listed = Moment::parse("2026-01-01T00:00:00.5Z").expect("a moment");
        journal.listed.insert("PyPI".to_owned(), listed);
        let record = Record {
            modified: None,
            digest: [7; 32],
            bytes: b"{}".to_vec(),
        };
        journal.set("PyPI", "A", Change::Replaced(record));
        journal.set("PyPI", "B", Change::Removed);
        let mut bytes = journal.dump("sha256:1");
        assert_eq!(Journal::load(&bytes, "sha256:1"), Ok(journal.clone()));
        assert!(Journal::load(&bytes, "sha256:2").is_err());
        bytes[30] ^= 1;
        assert!(Journal::load(&bytes, "sha256:1").is_err());
        assert!(Journal::load(&[], "sha256:1").is_err());
        assert!(!journal.is_long());
        for n in 0..MAX_CHANGES {
            journal.set("npm", &n.to_string(), Change::Removed);
        }
        assert!(journal.is_long());
    }
}
