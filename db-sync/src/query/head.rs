//! The head of a record: all that a match shows, without the long texts.

use super::damaged;
use crate::advisory::Scope;
use crate::moment::Moment;
use crate::severity::{self, Rating, RatingKind};
use crate::store::ReadError;
use crate::store::codec::{Damaged, Reader, unzigzag};
use crate::store::format::Section;
use crate::store::read::Store;

/// The start of a record head, borrowed from the file; what only a match shows
/// is decoded when it is asked for.
#[derive(Clone, Debug)]
pub(super) struct Head<'a> {
    pub(super) record: u32,
    pub(super) id: &'a str,
    pub(super) published: Option<Moment>,
    pub(super) modified: Option<Moment>,
    pub(super) withdrawn: Option<Moment>,
    /// Number of the group of ids plus one; 0 for a record alone.
    pub(super) group: u32,
    /// Whether the group has other records.
    pub(super) is_shared: bool,
    rest: Reader<'a>,
}

/// The short texts of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Title<'a> {
    pub(super) summary: &'a str,
    pub(super) informational: Option<&'a str>,
}

impl<'a> Head<'a> {
    pub(super) fn read(store: &'a Store, record: u32) -> Result<Self, ReadError> {
        Self::decode(record, bytes(store, record)?)
    }

    /// Decodes the [`bytes`] of a head.
    pub(super) fn decode(record: u32, bytes: &'a [u8]) -> Result<Self, ReadError> {
        let read = || {
            let mut reader = Reader::new(bytes);
            let id = reader.text()?;
            let published = moment(&mut reader)?;
            let modified = moment(&mut reader)?;
            let withdrawn = moment(&mut reader)?;
            let group = reader.small()?;
            Ok(Self {
                record,
                id,
                published,
                modified,
                withdrawn,
                group: group >> 1,
                is_shared: group & 1 == 1,
                rest: reader,
            })
        };
        read().map_err(damaged(Section::Records))
    }

    /// Skips to what follows the ratings and sources.
    fn after_numbers(&self) -> Result<Reader<'a>, Damaged> {
        let mut reader = self.rest.clone();
        let ratings = reader.length()?;
        reader.skip_numbers(ratings.saturating_mul(2))?;
        let sources = reader.length()?;
        reader.skip_numbers(sources)?;
        Ok(reader)
    }

    pub(super) fn title(&self) -> Result<Title<'a>, ReadError> {
        let read = || {
            let mut reader = self.after_numbers()?;
            let summary = reader.text()?;
            let informational = if reader.is_empty() {
                None
            } else {
                Some(reader.text()?).filter(|kind| !kind.is_empty())
            };
            Ok(Title {
                summary,
                informational,
            })
        };
        read().map_err(damaged(Section::Records))
    }

    pub(super) fn scope(&self) -> Result<Scope, ReadError> {
        let read = || {
            let mut reader = self.after_numbers()?;
            reader.text()?;
            if reader.is_empty() {
                return Ok(Scope::default());
            }
            reader.text()?;
            Ok(Scope {
                functions: reader.texts()?,
                arch: reader.texts()?,
                os: reader.texts()?,
            })
        };
        read().map_err(damaged(Section::Records))
    }

    /// The names of the sources that hold the record.
    pub(super) fn sources(&self, store: &Store) -> Result<Vec<String>, ReadError> {
        let read = || {
            let mut reader = self.rest.clone();
            let ratings = reader.length()?;
            reader.skip_numbers(ratings.saturating_mul(2))?;
            reader.rising()
        };
        let places = read().map_err(damaged(Section::Records))?;
        Ok(places
            .into_iter()
            .filter_map(|place| store.info().sources.get(place as usize))
            .map(|source| source.name.clone())
            .collect())
    }

    /// All ids of the vulnerability except the record's own, sorted.
    pub(super) fn aliases(&self, store: &Store) -> Result<Vec<String>, ReadError> {
        let Some(group) = self.group.checked_sub(1) else {
            return Ok(Vec::new());
        };
        let broken = damaged(Section::Groups);
        let bytes = store.item(Section::Groups, Section::GroupOffsets, group)?;
        let mut reader = Reader::new(bytes);
        let mut ids = Vec::new();
        while !reader.is_empty() {
            let code = reader.number().map_err(&broken)?;
            let value = code >> 2;
            let id = match code & 3 {
                0 if value == u64::from(self.record) => continue,
                0 => {
                    record_id(store, u32::try_from(value).map_err(|_| broken(Damaged))?)?.to_owned()
                }
                1 => format!("CVE-{:04}-{:04}", value & 0x3fff, value >> 14),
                _ => reader.text().map_err(&broken)?.to_owned(),
            };
            ids.push(id);
        }
        ids.retain(|id| id != self.id);
        Ok(ids)
    }

    /// The bytes of the vulnerability's group of ids, if it has other records.
    pub(super) fn shared_group(&self, store: &'a Store) -> Result<&'a [u8], ReadError> {
        match self.group.checked_sub(1).filter(|_| self.is_shared) {
            Some(group) => store.item(Section::Groups, Section::GroupOffsets, group),
            None => Ok(&[]),
        }
    }

    /// The record's own ratings and those it was lent.
    pub(super) fn ratings(&self, store: &Store) -> Result<Vec<Rating>, ReadError> {
        let broken = damaged(Section::Records);
        let mut reader = self.rest.clone();
        let count = reader.length().map_err(&broken)?;
        let mut ratings = Vec::new();
        for _ in 0..count {
            let value = reader.small().map_err(&broken)?;
            let origin = reader.number().map_err(&broken)?;
            let lender = || u32::try_from(origin >> 2).map_err(|_| broken(Damaged));
            let source = match origin & 3 {
                0 => severity::field_name(u8::try_from(origin >> 2).unwrap_or(0)).to_owned(),
                1 => format!("alias {}", record_id(store, lender()?)?),
                2 => format!("upstream {}", record_id(store, lender()?)?),
                _ => format!("related {}", record_id(store, lender()?)?),
            };
            ratings.push(rating(store, value, source)?);
        }
        Ok(ratings)
    }
}

/// A rating by the number of its value.
pub(super) fn rating(store: &Store, value: u32, source: String) -> Result<Rating, ReadError> {
    let broken = damaged(Section::Ratings);
    let bytes = store.item(Section::Ratings, Section::RatingOffsets, value)?;
    let text = std::str::from_utf8(bytes).map_err(|_| broken(Damaged))?;
    let kind = text
        .bytes()
        .next()
        .and_then(|digit| RatingKind::from_code(digit.wrapping_sub(b'0')))
        .ok_or_else(|| broken(Damaged))?;
    Ok(Rating {
        kind,
        value: text.get(1..).unwrap_or_default().to_owned(),
        source,
    })
}

/// The numbers of the records in a group, into `members`.
pub(super) fn members(group: &[u8], members: &mut Vec<u32>) -> Result<(), ReadError> {
    let mut read = || {
        let mut reader = Reader::new(group);
        while !reader.is_empty() {
            let code = reader.number()?;
            match code & 3 {
                0 => members.push(u32::try_from(code >> 2).map_err(|_| Damaged)?),
                1 => {}
                _ => {
                    reader.text()?;
                }
            }
        }
        Ok(())
    };
    read().map_err(damaged(Section::Groups))
}

/// The bytes of a record's head.
pub(super) fn bytes(store: &Store, record: u32) -> Result<&[u8], ReadError> {
    store.item(Section::Records, Section::RecordOffsets, record)
}

/// The id of a record, without reading the rest of its head.
pub(crate) fn record_id(store: &Store, record: u32) -> Result<&str, ReadError> {
    Reader::new(bytes(store, record)?)
        .text()
        .map_err(damaged(Section::Records))
}

fn moment(reader: &mut Reader<'_>) -> Result<Option<Moment>, Damaged> {
    let code = reader.number()?;
    let seconds = unzigzag(code >> 2);
    match code & 3 {
        0 => Ok(None),
        1 => Moment::new(seconds, 0).ok_or(Damaged).map(Some),
        _ => Moment::new(seconds, reader.small()?)
            .ok_or(Damaged)
            .map(Some),
    }
}

/// Whether there is nothing of a record but its id.
pub(super) fn is_bare(store: &Store, record: u32) -> Result<bool, ReadError> {
    let mut reader = Reader::new(bytes(store, record)?);
    reader.text().map_err(damaged(Section::Records))?;
    Ok(reader.is_empty())
}
