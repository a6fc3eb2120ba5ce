//! What one record says about one package, as bytes: ranges with sorted
//! events, listed versions, ratings that hold for this package only. Versions
//! are numbers in the table of versions. The commonest shape by far, "all
//! versions before one", takes two numbers.

use super::codec::{Damaged, Reader, put, put_rising, put_text};
use crate::advisory::EventKind;

/// One affected package of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) ranges: Vec<Span>,
    /// Numbers of the listed versions, rising.
    pub(crate) versions: Vec<u32>,
    /// Numbers of rating values and their fields.
    pub(crate) ratings: Vec<(u32, u8)>,
    /// Fixed versions beside the ranges.
    pub(crate) other_fixes: Vec<u32>,
    /// How far ranges without an end are known to reach.
    pub(crate) beside: Vec<Span>,
}

/// One range; unusable ones keep their cause and no events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) semver: bool,
    pub(crate) unusable: Option<String>,
    pub(crate) events: Vec<Mark>,
}

/// One event; `version` is `None` for the open bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) kind: EventKind,
    pub(crate) version: Option<u32>,
}

pub(super) const GENERAL: u64 = 0;
pub(super) const BEFORE: u64 = 1;
pub(super) const BEFORE_SEMVER: u64 = 2;
pub(super) const SHAPES: u64 = 4;

impl Entry {
    /// Appends the entry; `head` is a number that the caller wants with it.
    pub(crate) fn write(&self, head: u32, out: &mut Vec<u8>, version: &dyn Fn(u32) -> u32) {
        let head = u64::from(head).saturating_mul(SHAPES);
        if let Some((semver, fixed)) = self.is_before() {
            let shape = if semver { BEFORE_SEMVER } else { BEFORE };
            put(out, head | shape);
            put(out, u64::from(version(fixed)));
            return;
        }
        put(out, head | GENERAL);
        put_spans(out, &self.ranges, version);
        put_mapped(out, &self.versions, version);
        put(out, self.ratings.len() as u64);
        for (value, field) in &self.ratings {
            put(out, u64::from(*value));
            out.push(*field);
        }
        put_mapped(out, &self.other_fixes, version);
        put_spans(out, &self.beside, version);
    }

    fn is_before(&self) -> Option<(bool, u32)> {
        let [range] = self.ranges.as_slice() else {
            return None;
        };
        let plain = range.unusable.is_none()
            && self.versions.is_empty()
            && self.ratings.is_empty()
            && self.other_fixes.is_empty()
            && self.beside.is_empty();
        match range.events.as_slice() {
            [first, second]
                if plain
                    && first.kind == EventKind::Introduced
                    && first.version.is_none()
                    && second.kind == EventKind::Fixed =>
            {
                second.version.map(|fixed| (range.semver, fixed))
            }
            _ => None,
        }
    }

    /// Reads the head number and the entry.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<(u32, Self), Damaged> {
        let first = reader.number()?;
        let head = u32::try_from(first / SHAPES).map_err(|_| Damaged)?;
        let entry = match first % SHAPES {
            GENERAL => Self::read_general(reader)?,
            shape @ (BEFORE | BEFORE_SEMVER) => Self {
                ranges: vec![Span {
                    semver: shape == BEFORE_SEMVER,
                    unusable: None,
                    events: vec![
                        Mark {
                            kind: EventKind::Introduced,
                            version: None,
                        },
                        Mark {
                            kind: EventKind::Fixed,
                            version: Some(reader.small()?),
                        },
                    ],
                }],
                ..Self::default()
            },
            _ => return Err(Damaged),
        };
        Ok((head, entry))
    }

    /// Reads past one entry without keeping it, tells each version number that
    /// it names, and returns its head.
    pub(crate) fn visit(
        reader: &mut Reader<'_>,
        version: &mut dyn FnMut(u32),
    ) -> Result<u32, Damaged> {
        let first = reader.number()?;
        let head = u32::try_from(first / SHAPES).map_err(|_| Damaged)?;
        if matches!(first % SHAPES, BEFORE | BEFORE_SEMVER) {
            version(reader.small()?);
            return Ok(head);
        }
        visit_spans(reader, version)?;
        reader.rising()?.into_iter().for_each(&mut *version);
        for _ in 0..reader.length()? {
            reader.small()?;
            reader.byte()?;
        }
        reader.rising()?.into_iter().for_each(&mut *version);
        visit_spans(reader, version)?;
        Ok(head)
    }

    /// Copies an entry of the commonest shape with another head; `false`, with
    /// nothing read or written, where it has another shape.
    pub(crate) fn copy_before(
        reader: &mut Reader<'_>,
        head: u32,
        out: &mut Vec<u8>,
        version: &dyn Fn(u32) -> u32,
    ) -> bool {
        let mut ahead = reader.clone();
        let Ok(first) = ahead.number() else {
            return false;
        };
        let shape = first % SHAPES;
        if !matches!(shape, BEFORE | BEFORE_SEMVER) {
            return false;
        }
        let Ok(fixed) = ahead.small() else {
            return false;
        };
        put(out, u64::from(head).saturating_mul(SHAPES) | shape);
        put(out, u64::from(version(fixed)));
        *reader = ahead;
        true
    }

    fn read_general(reader: &mut Reader<'_>) -> Result<Self, Damaged> {
        let ranges = Span::read_all(reader)?;
        let versions = reader.rising()?;
        let mut ratings = Vec::new();
        for _ in 0..reader.length()? {
            ratings.push((reader.small()?, reader.byte()?));
        }
        Ok(Self {
            ranges,
            versions,
            ratings,
            other_fixes: reader.rising()?,
            beside: Span::read_all(reader)?,
        })
    }
}

impl Span {
    fn read_all(reader: &mut Reader<'_>) -> Result<Vec<Self>, Damaged> {
        let mut spans = Vec::new();
        for _ in 0..reader.length()? {
            spans.push(Self::read(reader)?);
        }
        Ok(spans)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Damaged> {
        let first = reader.number()?;
        let mut span = Self {
            semver: first & 1 != 0,
            ..Self::default()
        };
        if first & 2 != 0 {
            span.unusable = Some(reader.text()?.to_owned());
        }
        for _ in 0..first >> 2 {
            span.events.push(Mark::from_code(reader.number()?)?);
        }
        Ok(span)
    }
}

impl Mark {
    /// The reverse of how [`Entry::write`] puts a mark into one number.
    pub(super) fn from_code(code: u64) -> Result<Self, Damaged> {
        let number = code >> 2;
        let version = if number & 1 == 0 {
            None
        } else {
            Some(u32::try_from(number >> 1).map_err(|_| Damaged)?)
        };
        Ok(Self {
            kind: EventKind::from_code(code & 3),
            version,
        })
    }
}

fn put_spans(out: &mut Vec<u8>, spans: &[Span], version: &dyn Fn(u32) -> u32) {
    put(out, spans.len() as u64);
    for span in spans {
        let flags = u64::from(span.semver) | u64::from(span.unusable.is_some()) << 1;
        put(out, (span.events.len() as u64) << 2 | flags);
        if let Some(cause) = &span.unusable {
            put_text(out, cause);
        }
        for mark in &span.events {
            let number = mark
                .version
                .map_or(0, |number| u64::from(version(number)) << 1 | 1);
            put(out, number << 2 | mark.kind.code());
        }
    }
}

/// Reads past spans without keeping them, and tells each version number in them.
fn visit_spans(reader: &mut Reader<'_>, version: &mut dyn FnMut(u32)) -> Result<(), Damaged> {
    for _ in 0..reader.length()? {
        let first = reader.number()?;
        if first & 2 != 0 {
            reader.text()?;
        }
        for _ in 0..first >> 2 {
            let number = reader.number()? >> 2;
            if number & 1 != 0 {
                version(u32::try_from(number >> 1).map_err(|_| Damaged)?);
            }
        }
    }
    Ok(())
}

fn put_mapped(out: &mut Vec<u8>, versions: &[u32], version: &dyn Fn(u32) -> u32) {
    let mut mapped: Vec<u32> = versions.iter().map(|number| version(*number)).collect();
    mapped.sort_unstable();
    mapped.dedup();
    put_rising(out, &mapped);
}

#[cfg(test)]
mod tests {
    use super::{Entry, Mark, Span};
    use crate::advisory::EventKind;
    use crate::store::codec::Reader;

    #[test]
    fn every_shape_survives() {
        let before = Entry {
            ranges: vec![Span {
                semver: true,
                unusable: None,
                events: vec![
                    Mark {
                        kind: EventKind::Introduced,
                        version: None,
                    },
                    Mark {
                        kind: EventKind::Fixed,
                        version: Some(7),
                    },
                ],
            }],
            ..Entry::default()
        };
        let mut general = before.clone();
        general.versions = vec![1, 5];
        general.ratings = vec![(3, 1)];
        general.beside.clone_from(&before.ranges);
        general.ranges.push(Span {
            semver: false,
            unusable: Some("cause".to_owned()),
            events: Vec::new(),
        });
        let mut out = Vec::new();
        before.write(9, &mut out, &|number| number);
        assert!(out.len() <= 2);
        general.write(300, &mut out, &|number| number);
        let mut reader = Reader::new(&out);
        assert_eq!(Entry::read(&mut reader), Ok((9, before)));
        assert_eq!(Entry::read(&mut reader), Ok((300, general)));
        assert!(reader.is_empty());
    }
}
