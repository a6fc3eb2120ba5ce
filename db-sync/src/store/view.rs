//! The entries of one package as answering needs them: read in one pass into
//! three flat lists, with texts and listed versions left where they lie in the
//! file. [`Entry`](super::entry::Entry) is the same data with everything owned.

use super::codec::{Damaged, Reader};
use super::entry::{BEFORE, BEFORE_SEMVER, GENERAL, Mark, SHAPES};
use crate::advisory::EventKind;
use std::ops::Range;

/// Items that are reserved before reading: what a file promises is not trusted
/// beyond this.
const MAX_RESERVED: usize = 1024;

/// All entries of a package, by record.
#[derive(Debug, Default)]
pub(crate) struct Views<'a> {
    entries: Vec<View<'a>>,
    spans: Vec<SpanView<'a>>,
    marks: Vec<Mark>,
}

/// One entry.
#[derive(Clone, Debug)]
pub(crate) struct View<'a> {
    pub(crate) record: u32,
    spans: Range<usize>,
    beside: Range<usize>,
    /// Numbers of the listed versions, rising.
    pub(crate) listed: Rising<'a>,
    pub(crate) ratings: Ratings<'a>,
    /// Fixed versions beside the ranges.
    pub(crate) other_fixes: Rising<'a>,
}

/// One range.
#[derive(Clone, Debug)]
pub(crate) struct SpanView<'a> {
    pub(crate) semver: bool,
    pub(crate) unusable: Option<&'a str>,
    marks: Range<usize>,
}

/// Rising numbers that are not decoded yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rising<'a> {
    left: usize,
    last: u32,
    bytes: Reader<'a>,
}

impl<'a> Rising<'a> {
    /// Takes the list off the reader.
    fn read(reader: &mut Reader<'a>) -> Result<Self, Damaged> {
        let left = reader.length()?;
        let bytes = reader.clone();
        reader.skip_numbers(left)?;
        Ok(Self {
            left,
            last: 0,
            bytes,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl Iterator for Rising<'_> {
    type Item = Result<u32, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let step = self.bytes.small();
        Some(step.and_then(|step| {
            self.last = self.last.checked_add(step).ok_or(Damaged)?;
            Ok(self.last)
        }))
    }
}

/// Numbers of rating values and their fields, not decoded yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ratings<'a> {
    left: usize,
    bytes: Reader<'a>,
}

impl<'a> Ratings<'a> {
    /// Takes the list off the reader.
    fn read(reader: &mut Reader<'a>) -> Result<Self, Damaged> {
        let left = reader.length()?;
        let bytes = reader.clone();
        for _ in 0..left {
            reader.skip_numbers(1)?;
            reader.byte()?;
        }
        Ok(Self { left, bytes })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl Iterator for Ratings<'_> {
    type Item = Result<(u32, u8), Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let value = self.bytes.small();
        Some(value.and_then(|value| Ok((value, self.bytes.byte()?))))
    }
}

impl<'a> Views<'a> {
    /// Reads the entries, with their number before them.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Damaged> {
        let count = reader.length()?;
        let reserved = count.min(MAX_RESERVED);
        let mut views = Self {
            entries: Vec::with_capacity(reserved),
            spans: Vec::with_capacity(reserved),
            marks: Vec::with_capacity(reserved.saturating_mul(2)),
        };
        let mut record: u32 = 0;
        for _ in 0..count {
            let first = reader.number()?;
            let step = u32::try_from(first / SHAPES).map_err(|_| Damaged)?;
            record = record.checked_add(step).ok_or(Damaged)?;
            views.entry(record, first % SHAPES, reader)?;
        }
        Ok(views)
    }

    fn entry(&mut self, record: u32, shape: u64, reader: &mut Reader<'a>) -> Result<(), Damaged> {
        let begin = self.spans.len();
        let mut view = View {
            record,
            spans: begin..begin,
            beside: begin..begin,
            listed: Rising::default(),
            ratings: Ratings::default(),
            other_fixes: Rising::default(),
        };
        match shape {
            BEFORE | BEFORE_SEMVER => {
                self.before(shape == BEFORE_SEMVER, reader.small()?);
                view.spans.end = self.spans.len();
            }
            GENERAL => {
                for _ in 0..reader.length()? {
                    self.span(reader)?;
                }
                view.spans.end = self.spans.len();
                view.listed = Rising::read(reader)?;
                view.ratings = Ratings::read(reader)?;
                view.other_fixes = Rising::read(reader)?;
                view.beside.start = self.spans.len();
                for _ in 0..reader.length()? {
                    self.span(reader)?;
                }
                view.beside.end = self.spans.len();
            }
            _ => return Err(Damaged),
        }
        self.entries.push(view);
        Ok(())
    }

    fn before(&mut self, semver: bool, fixed: u32) {
        let begin = self.marks.len();
        self.marks.push(Mark {
            kind: EventKind::Introduced,
            version: None,
        });
        self.marks.push(Mark {
            kind: EventKind::Fixed,
            version: Some(fixed),
        });
        self.spans.push(SpanView {
            semver,
            unusable: None,
            marks: begin..self.marks.len(),
        });
    }

    fn span(&mut self, reader: &mut Reader<'a>) -> Result<(), Damaged> {
        let first = reader.number()?;
        let unusable = if first & 2 == 0 {
            None
        } else {
            Some(reader.text()?)
        };
        let begin = self.marks.len();
        for _ in 0..first >> 2 {
            self.marks.push(Mark::from_code(reader.number()?)?);
        }
        self.spans.push(SpanView {
            semver: first & 1 != 0,
            unusable,
            marks: begin..self.marks.len(),
        });
        Ok(())
    }

    /// The entries, those of one record side by side.
    pub(crate) fn entries(&self) -> &[View<'a>] {
        &self.entries
    }

    /// The ranges of an entry of this package.
    pub(crate) fn spans(&self, view: &View<'_>) -> &[SpanView<'a>] {
        self.spans.get(view.spans.clone()).unwrap_or_default()
    }

    /// How far the ranges of an entry without an end are known to reach.
    pub(crate) fn beside(&self, view: &View<'_>) -> &[SpanView<'a>] {
        self.spans.get(view.beside.clone()).unwrap_or_default()
    }

    /// The events of a range of this package, sorted.
    pub(crate) fn marks(&self, span: &SpanView<'_>) -> &[Mark] {
        self.marks.get(span.marks.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Rising, Views};
    use crate::advisory::EventKind;
    use crate::store::codec::{Damaged, Reader, put};
    use crate::store::entry::{Entry, Mark, Span};

    fn entry() -> Entry {
        let mark = |kind, version| Mark { kind, version };
        Entry {
            ranges: vec![
                Span {
                    semver: true,
                    unusable: None,
                    events: vec![
                        mark(EventKind::Introduced, None),
                        mark(EventKind::Fixed, Some(7)),
                    ],
                },
                Span {
                    semver: false,
                    unusable: Some("cause".to_owned()),
                    events: Vec::new(),
                },
            ],
            versions: vec![1, 5, 900],
            ratings: vec![(3, 1)],
            other_fixes: vec![2],
            beside: vec![Span {
                semver: false,
                unusable: None,
                events: vec![
                    mark(EventKind::Introduced, None),
                    mark(EventKind::LastAffected, Some(8)),
                ],
            }],
        }
    }

    #[test]
    fn a_view_reads_what_an_entry_writes() {
        let mut before = entry();
        before.ranges.truncate(1);
        (before.versions, before.ratings, before.other_fixes) = (vec![], vec![], vec![]);
        before.beside.clear();
        let mut out = Vec::new();
        put(&mut out, 2);
        before.write(9, &mut out, &|number| number);
        entry().write(4, &mut out, &|number| number);
        let mut reader = Reader::new(&out);
        let views = Views::read(&mut reader).expect("views");
        assert!(reader.is_empty());
        for (view, (record, entry)) in views.entries().iter().zip([(9, before), (13, entry())]) {
            assert_eq!(view.record, record);
            assert_eq!(views.spans(view).len(), entry.ranges.len());
            assert_eq!(views.beside(view).len(), entry.beside.len());
            let spans = views.spans(view).iter().chain(views.beside(view));
            for (span, range) in spans.zip(entry.ranges.iter().chain(&entry.beside)) {
                assert_eq!(
                    (span.semver, span.unusable),
                    (range.semver, range.unusable.as_deref())
                );
                assert_eq!(views.marks(span), range.events);
            }
            let numbers = |list: &Rising<'_>| list.clone().collect::<Result<Vec<_>, _>>();
            assert_eq!(numbers(&view.listed), Ok(entry.versions));
            assert_eq!(numbers(&view.other_fixes), Ok(entry.other_fixes));
            assert_eq!(
                view.ratings.clone().collect::<Result<Vec<_>, _>>(),
                Ok(entry.ratings)
            );
        }
    }

    #[test]
    fn every_cut_is_refused() {
        let mut out = Vec::new();
        put(&mut out, 1);
        entry().write(4, &mut out, &|number| number);
        for end in 0..out.len() {
            let cut = out.get(..end).expect("shorter");
            assert_eq!(Views::read(&mut Reader::new(cut)).err(), Some(Damaged));
        }
    }
}
