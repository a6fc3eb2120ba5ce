//! The head of a record: all that a match shows, without the long texts.

use super::damaged;
use crate::advisory::Scope;
use crate::moment::Moment;
use crate::severity::{self, Rating, RatingKind};
use crate::store::ReadError;
use crate::store::codec::{Damaged, Reader, unzigzag};
use crate::store::format::Section;
use crate::store::read::Store;

/// A record head that borrows from the file.
pub(super) struct Head<'a> {
    pub(super) id: &'a str,
    pub(super) published: Option<Moment>,
    pub(super) modified: Option<Moment>,
    pub(super) withdrawn: Option<Moment>,
    /// Number of the group of ids plus one; 0 for a record alone.
    pub(super) group: u32,
    /// Rating values and origins.
    ratings: Vec<(u32, u64)>,
    sources: Vec<u32>,
    pub(super) summary: &'a str,
    pub(super) informational: Option<&'a str>,
    functions: Vec<String>,
    arch: Vec<String>,
    os: Vec<String>,
}

impl<'a> Head<'a> {
    pub(super) fn read(store: &'a Store, record: u32) -> Result<Self, ReadError> {
        let bytes = store.item(Section::Records, Section::RecordOffsets, record)?;
        Self::decode(bytes).map_err(damaged(Section::Records))
    }

    fn decode(bytes: &'a [u8]) -> Result<Self, Damaged> {
        let mut reader = Reader::new(bytes);
        let mut head = Self {
            id: reader.text()?,
            published: moment(&mut reader)?,
            modified: moment(&mut reader)?,
            withdrawn: moment(&mut reader)?,
            group: reader.small()?,
            ratings: Vec::new(),
            sources: Vec::new(),
            summary: "",
            informational: None,
            functions: Vec::new(),
            arch: Vec::new(),
            os: Vec::new(),
        };
        for _ in 0..reader.length()? {
            head.ratings.push((reader.small()?, reader.number()?));
        }
        head.sources = reader.rising()?;
        head.summary = reader.text()?;
        if !reader.is_empty() {
            head.informational = Some(reader.text()?).filter(|kind| !kind.is_empty());
            head.functions = reader.texts()?;
            head.arch = reader.texts()?;
            head.os = reader.texts()?;
        }
        Ok(head)
    }

    pub(super) fn scope(&self) -> Scope {
        Scope {
            functions: self.functions.clone(),
            arch: self.arch.clone(),
            os: self.os.clone(),
        }
    }

    pub(super) fn sources(&self, store: &Store) -> Vec<String> {
        self.sources
            .iter()
            .filter_map(|place| store.info().sources.get(*place as usize))
            .map(|source| source.name.clone())
            .collect()
    }

    /// All ids of the flaw, the record's own among them, sorted.
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
            ids.push(match code & 3 {
                0 => {
                    record_id(store, u32::try_from(value).map_err(|_| broken(Damaged))?)?.to_owned()
                }
                1 => format!("CVE-{:04}-{:04}", value & 0x3fff, value >> 14),
                _ => reader.text().map_err(&broken)?.to_owned(),
            });
        }
        Ok(ids)
    }

    pub(super) fn ratings(&self, store: &Store) -> Result<Vec<Rating>, ReadError> {
        self.ratings
            .iter()
            .map(|(value, origin)| {
                let lender =
                    || u32::try_from(origin >> 2).map_err(|_| damaged(Section::Records)(Damaged));
                let source = match origin & 3 {
                    0 => severity::field_name(u8::try_from(origin >> 2).unwrap_or(0)).to_owned(),
                    1 => format!("alias {}", record_id(store, lender()?)?),
                    2 => format!("upstream {}", record_id(store, lender()?)?),
                    _ => format!("related {}", record_id(store, lender()?)?),
                };
                rating(store, *value, source)
            })
            .collect()
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

/// The id of a record, without reading the rest of its head.
pub(super) fn record_id(store: &Store, record: u32) -> Result<&str, ReadError> {
    let bytes = store.item(Section::Records, Section::RecordOffsets, record)?;
    Reader::new(bytes).text().map_err(damaged(Section::Records))
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
