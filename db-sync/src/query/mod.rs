//! Answers from an open database: which advisories concern a version of a
//! package. One flaw is one [`Match`], whatever number of records tell it;
//! what cannot be decided is an [`Undecided`] with the reason. Nothing here
//! is scored or judged: ratings are handed on with where they came from.

mod evaluate;
mod fixed;
mod found;
mod gather;
mod head;
mod yanked;

use crate::advisory::{Reference, Scope};
use crate::moment::Moment;
use crate::severity::Rating;
use crate::store::codec::{Damaged, Reader};
use crate::store::format::Section;
use crate::store::read::Store;
use crate::store::view::Views;
use crate::store::{Info, OpenError, ReadError, hash};
use crate::{ecosystem, id};
pub use found::Match;
use head::Head;
use std::path::Path;

/// An open database. Cheap to open, safe to share between threads; a newer
/// file that is put in its place does not disturb it.
pub struct Db {
    store: Store,
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
}

/// The answer to a [`Query`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome<'db> {
    /// The flaws that affect the version, sorted by id.
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
    /// All other ids of the flaw, sorted.
    pub aliases: Vec<String>,
    /// Flaws it is derived from, as the record lists them.
    pub upstream: Vec<String>,
    /// Flaws it has to do with, as the record lists them.
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
        Store::open(path.as_ref()).map(|store| Self { store })
    }

    /// What the database says about itself.
    pub fn info(&self) -> &Info {
        self.store.info()
    }

    /// Whether any advisory names this ecosystem, suffix included. Where not,
    /// an empty answer means "not known", not "clean".
    pub fn has_ecosystem(&self, ecosystem: &str) -> bool {
        self.info()
            .ecosystems
            .iter()
            .any(|known| known.name == ecosystem)
    }

    /// Reads the whole file and compares it with its root digest.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn verify(&self) -> Result<(), ReadError> {
        self.store.verify()
    }

    /// Finds the advisories that concern a package, or one version of it.
    ///
    /// # Errors
    /// The part of the file that holds the answer is damaged.
    pub fn query(&self, query: &Query<'_>) -> Result<Outcome<'_>, ReadError> {
        match self.package(query.ecosystem, query.name)? {
            Some(entries) => gather::outcome(&self.store, query, &entries),
            None => Ok(Outcome::default()),
        }
    }

    /// The entries of a package.
    fn package(&self, ecosystem: &str, name: &str) -> Result<Option<Views<'_>>, ReadError> {
        let name = ecosystem::normalise_name(ecosystem, name);
        let broken = damaged(Section::Packages);
        let hash = hash::of(&[ecosystem, &name]);
        for number in self.store.candidates(Section::PackageIndex, hash)? {
            let bytes = self
                .store
                .item(Section::Packages, Section::PackageOffsets, number)?;
            let mut reader = Reader::new(bytes);
            let place = reader.place().map_err(&broken)?;
            let known = self
                .info()
                .ecosystems
                .get(place)
                .map(|known| known.name.as_str());
            if known == Some(ecosystem) && reader.text().map_err(&broken)? == name {
                return Views::read(&mut reader).map(Some).map_err(broken);
            }
        }
        Ok(None)
    }

    /// All that is known about one record, found by its own id.
    ///
    /// # Errors
    /// The part of the file that holds the record is damaged.
    pub fn advisory(&self, id: &str) -> Result<Option<Details>, ReadError> {
        let Some(number) = self.record(id)? else {
            return Ok(None);
        };
        let head = Head::read(&self.store, number)?;
        let title = head.title()?;
        let broken = damaged(Section::Texts);
        let texts = self.store.texts(number)?;
        let mut reader = Reader::new(&texts);
        let details = reader.text().map_err(&broken)?.to_owned();
        let mut references = Vec::new();
        for _ in 0..reader.length().map_err(&broken)? {
            references.push(Reference {
                kind: reader.text().map_err(&broken)?.to_owned(),
                url: reader.text().map_err(&broken)?.to_owned(),
            });
        }
        Ok(Some(Details {
            aliases: head.aliases(&self.store)?,
            upstream: reader.texts().map_err(&broken)?,
            related: reader.texts().map_err(&broken)?,
            summary: title.summary.to_owned(),
            details,
            references,
            ratings: head.ratings(&self.store)?,
            published: head.published,
            modified: head.modified,
            withdrawn: head.withdrawn,
            informational: title.informational.map(str::to_owned),
            scope: head.scope()?,
            sources: head.sources(&self.store)?,
            url: id::url(head.id),
            id: head.id.to_owned(),
        }))
    }

    fn record(&self, id: &str) -> Result<Option<u32>, ReadError> {
        for number in self
            .store
            .candidates(Section::RecordIndex, hash::of(&[id]))?
        {
            if head::record_id(&self.store, number)? == id {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }
}
