//! Answers from an open database: which advisories concern a version of a
//! package. One vulnerability is one [`Match`], whatever number of records tell it;
//! what cannot be decided is an [`Undecided`] with the reason. Nothing here
//! is scored or judged: ratings are handed on with where they came from.

mod check;
mod choice;
mod doubt;
mod evaluate;
mod explain;
mod exploitation;
mod fixed;
mod found;
mod gather;
mod head;
mod package;
mod state;
mod yanked;

use crate::advisory::{Reference, Scope};
use crate::feed::{Cve, Epss, FeedKind, Kev};
use crate::module_stream::ModuleStream;
use crate::moment::Moment;
use crate::severity::Rating;
use crate::store::codec::{Damaged, Reader};
use crate::store::format::Section;
use crate::store::read::{Segments, Store};
use crate::store::view::Views;
use crate::store::{Info, OpenError, ReadError, hash};
use crate::{ecosystem, id};
pub use choice::{Choice, Step, choose};
pub use doubt::Doubt;
pub use explain::{Answer, Bounds, EntryTold, Explanation, RangeTold, RecordTold, Standing};
pub use found::Match;
use head::Head;
pub(crate) use head::record_id;
pub use state::FixState;
use std::path::Path;

/// An open database. Cheap to open, safe to share between threads; a newer
/// file that is put in its place does not disturb it.
pub struct Db {
    segments: Segments,
}

/// One question.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<'a> {
    /// The ecosystem with its suffix: `Debian:12`, `crates.io`.
    pub ecosystem: &'a str,
    /// The package; for distributions the source package's name where the
    /// distribution's advisories use it (Debian, Ubuntu, Alpine).
    pub name: &'a str,
    /// The version, or `None` for all advisories about the package.
    pub version: Option<&'a str>,
    /// Answers as of this time: later records are left out, and later
    /// withdrawals ignored. (Earlier contents of a record are not known.)
    pub as_of: Option<Moment>,
    /// The module stream that an rpm belongs to, where its label tells.
    /// Errata about other streams of the module do not concern its version.
    pub module: Option<ModuleStream<'a>>,
}

/// The answer to a [`Query`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response<'db> {
    /// The vulnerabilities that affect the version, sorted by id.
    pub matches: Vec<Match<'db>>,
    /// Records that may affect it, sorted by id.
    pub undecided: Vec<Undecided>,
}

/// A record that names the package, but cannot be compared with the version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undecided {
    /// The record.
    pub id: String,
    /// Why it cannot be decided.
    pub cause: String,
}

/// All that is known about one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// The record's id.
    pub id: String,
    /// All other ids of the vulnerability, sorted.
    pub aliases: Vec<String>,
    /// The other ids that the record itself gives, in its order; the rest of
    /// `aliases` comes from other records of the vulnerability.
    pub stated: Vec<String>,
    /// Vulnerabilities it is derived from, as the record lists them.
    pub upstream: Vec<String>,
    /// Vulnerabilities it has to do with, as the record lists them.
    pub related: Vec<String>,
    /// One line.
    pub summary: String,
    /// Markdown.
    pub details: String,
    /// Links.
    pub references: Vec<Reference>,
    /// Record-level severities, best first.
    pub ratings: Vec<Rating>,
    /// When it was published.
    pub published: Option<Moment>,
    /// When it was last changed.
    pub modified: Option<Moment>,
    /// When it was withdrawn.
    pub withdrawn: Option<Moment>,
    /// `unmaintained`, `unsound`, `notice` …
    pub informational: Option<String>,
    /// Functions and platforms it is limited to.
    pub scope: Scope,
    /// The names of the sources that hold it.
    pub sources: Vec<String>,
    /// Where to read about it.
    pub url: String,
}

fn damaged(section: Section) -> impl Fn(Damaged) -> ReadError {
    move |Damaged| ReadError::Damaged {
        part: section.name(),
    }
}

impl Db {
    /// Opens a database file.
    ///
    /// # Errors
    /// Each reason to refuse a file is its own [`OpenError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let segments = Segments::open(path.as_ref())?;
        Ok(Self { segments })
    }

    /// What the database says about itself.
    pub fn info(&self) -> &Info {
        self.segments.top.info()
    }

    /// Whether the database has the advisories for this ecosystem, suffix
    /// included. Where not, an empty answer means "not known", not "clean".
    pub fn has_ecosystem(&self, ecosystem: &str) -> bool {
        self.info().covers(ecosystem)
    }

    /// Reads the whole file and compares it with all its checksums.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn verify(&self) -> Result<(), ReadError> {
        let mut segments = self.segments();
        segments.try_for_each(|segment| segment.store.verify())
    }

    /// Finds the advisories that concern a package, or one version of it.
    ///
    /// # Errors
    /// The part of the file that holds the answer is damaged.
    pub fn query(&self, query: &Query<'_>) -> Result<Response<'_>, ReadError> {
        let mut outcome = Response::default();
        for segment in self.segments() {
            if let Some(views) = package(segment.store, query.ecosystem, query.name)? {
                outcome.join(gather::outcome(segment, query, &views)?);
            }
        }
        Ok(outcome)
    }

    /// The parts of the file that answer; a vulnerability lies whole in one of them.
    fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        let Segments { top, below } = &self.segments;
        let below = below.as_ref().map(|store| Segment {
            db: self,
            store,
            above: Some(top),
        });
        let top = Segment {
            db: self,
            store: top,
            above: None,
        };
        std::iter::once(top).chain(below)
    }

    /// Explains what the database knows of one vulnerability, by any of its ids, and one
    /// version of a package. `None`: the database does not know the id. The
    /// answer is that of [`Db::query`], which this asks.
    ///
    /// # Errors
    /// The part of the file that holds the answer is damaged.
    pub fn explain(
        &self,
        query: &Query<'_>,
        id: &str,
    ) -> Result<Option<Explanation<'_>>, ReadError> {
        explain::explain(self, query, id)
    }

    /// All that is known about one record, found by its own id.
    ///
    /// # Errors
    /// The part of the file that holds the record is damaged.
    pub fn advisory(&self, id: &str) -> Result<Option<Details>, ReadError> {
        for segment in self.segments() {
            if let Some(number) = segment.record(id)? {
                return details(segment.store, number).map(Some);
            }
        }
        Ok(None)
    }

    /// The EPSS score of a CVE, where the database has the feed and that the
    /// CVE. Scores of a later day than `as_of` are not used.
    ///
    /// # Errors
    /// The part of the file that holds it is damaged.
    pub fn epss(&self, cve: &str, as_of: Option<Moment>) -> Result<Option<Epss>, ReadError> {
        match Cve::parse(cve) {
            Some(cve) => exploitation::epss(self, cve, as_of),
            None => Ok(None),
        }
    }

    /// The KEV entry of a CVE, unless it was added after `as_of`.
    ///
    /// # Errors
    /// The part of the file that holds it is damaged.
    pub fn kev(&self, cve: &str, as_of: Option<Moment>) -> Result<Option<Kev>, ReadError> {
        match Cve::parse(cve) {
            Some(cve) => exploitation::kev(self, cve, as_of),
            None => Ok(None),
        }
    }

    /// All feeds, as an update hands them on.
    pub(crate) fn feeds(&self) -> Result<crate::store::feed::Feeds, ReadError> {
        crate::store::read::feeds::all(&self.segments)
    }

    /// Whether the database has a feed that can answer as of this time.
    pub fn has_feed(&self, kind: FeedKind, as_of: Option<Moment>) -> bool {
        match kind {
            FeedKind::Epss => exploitation::usable_epss(self, as_of).is_ok_and(|day| day.is_some()),
            FeedKind::Kev => self.info().feed(kind).is_some(),
        }
    }
}

/// A part of the file that answers by itself.
#[derive(Clone, Copy)]
struct Segment<'db> {
    db: &'db Db,
    store: &'db Store,
    /// The segment of changes that may have replaced some of its records.
    above: Option<&'db Store>,
}

impl Segment<'_> {
    /// Whether a record was replaced or removed since.
    fn masks(self, record: u32) -> Result<bool, ReadError> {
        self.above.map_or(Ok(false), |above| above.masks(record))
    }

    /// The number of a record, if it counts here.
    fn record(self, id: &str) -> Result<Option<u32>, ReadError> {
        match record(self.store, id)? {
            Some(number) if !self.masks(number)? => Ok(Some(number)),
            _ => Ok(None),
        }
    }

    /// The numbers of all records that count here.
    fn records(self) -> impl Iterator<Item = Result<u32, ReadError>> {
        (0..self.store.records()).filter_map(move |number| {
            let counts = || -> Result<bool, ReadError> {
                // Among changes, some records are there for their ids only.
                let stands = !self.store.is_above() || {
                    let id = head::record_id(self.store, number)?;
                    record(self.store, id)? == Some(number)
                };
                Ok(stands && !self.masks(number)?)
            };
            match counts() {
                Ok(counts) => counts.then_some(Ok(number)),
                Err(error) => Some(Err(error)),
            }
        })
    }
}

impl Response<'_> {
    /// Adds the answer of another segment, which has no vulnerability of this one.
    fn join(&mut self, other: Self) {
        if self.matches.is_empty() && self.undecided.is_empty() {
            *self = other;
            return;
        }
        self.matches.extend(other.matches);
        self.matches.sort_by(|left, right| left.id.cmp(right.id));
        self.undecided.extend(other.undecided);
        self.undecided.sort();
    }
}

/// The entries of a package in one segment.
pub(crate) fn package<'db>(
    store: &'db Store,
    ecosystem: &str,
    name: &str,
) -> Result<Option<Views<'db>>, ReadError> {
    let name = ecosystem::normalise_name(ecosystem, name);
    let broken = damaged(Section::Packages);
    let hash = hash::of(&[ecosystem, &name]);
    for number in store.candidates(Section::PackageIndex, hash)? {
        let bytes = store.item(Section::Packages, Section::PackageOffsets, number)?;
        let mut reader = Reader::new(bytes);
        let place = reader.place().map_err(&broken)?;
        if store.filed(place) == Some(ecosystem) && reader.text().map_err(&broken)? == name {
            return Views::read(&mut reader).map(Some).map_err(broken);
        }
    }
    Ok(None)
}

/// The number of a record in one segment.
fn record(store: &Store, id: &str) -> Result<Option<u32>, ReadError> {
    for number in store.candidates(Section::RecordIndex, hash::of(&[id]))? {
        if head::record_id(store, number)? == id {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

fn details(store: &Store, number: u32) -> Result<Details, ReadError> {
    let head = Head::read(store, number)?;
    let title = head.title()?;
    let broken = damaged(Section::Texts);
    let texts = store.texts(number)?;
    let mut reader = Reader::new(&texts);
    let details = reader.text().map_err(&broken)?.to_owned();
    let mut references = Vec::new();
    for _ in 0..reader.length().map_err(&broken)? {
        references.push(Reference {
            kind: reader.text().map_err(&broken)?.to_owned(),
            url: reader.text().map_err(&broken)?.to_owned(),
        });
    }
    Ok(Details {
        aliases: head.aliases(store)?,
        upstream: reader.texts().map_err(&broken)?,
        related: reader.texts().map_err(&broken)?,
        stated: reader.texts().map_err(&broken)?,
        summary: title.summary.to_owned(),
        details,
        references,
        ratings: head.ratings(store)?,
        published: head.published,
        modified: head.modified,
        withdrawn: head.withdrawn,
        informational: title.informational.map(str::to_owned),
        scope: head.scope()?,
        sources: head.sources(store)?,
        url: id::url(head.id),
        id: head.id.to_owned(),
    })
}
