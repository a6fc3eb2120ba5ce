//! One vulnerability that affects a version, as the caller gets it: what every reader
//! shows is there, borrowed from the file; the rest is read when asked for.

use super::doubt::Doubt;
use super::head;
use super::package::Hit;
use super::state::FixState;
use super::{Db, damaged, exploitation};
use crate::advisory::Scope;
use crate::feed::{Cve, Exploitation};
use crate::id;
use crate::moment::Moment;
use crate::severity::{self, Rating, RatingKind};
use crate::store::ReadError;
use crate::store::codec::Reader;
use crate::store::format::Section;
use crate::store::read::Store;
use crate::store::view::Ratings;
use std::collections::BTreeSet;
use std::fmt;

/// One vulnerability that affects the version. It borrows from the [`Db`](super::Db).
#[derive(Clone)]
pub struct Match<'db> {
    /// The id to show: of the matched records the ecosystem's own database
    /// first, then GHSA, then CVE.
    pub id: &'db str,
    /// Fixed versions above the asked one, lowest first, without those that
    /// another record of the vulnerability still calls affected.
    pub fixed: Vec<&'db str>,
    /// Whether a fix is known, and if not, why.
    pub state: FixState,
    /// Why the match is not certain, where it is not.
    pub doubt: Option<Doubt>,
    /// For a disputed match, the records of the ecosystem's own database that
    /// say that the version is not affected, sorted.
    pub denied_by: Vec<&'db str>,
    /// The earliest publication.
    pub published: Option<Moment>,
    /// The latest change.
    pub modified: Option<Moment>,
    pub(super) db: &'db Db,
    pub(super) store: &'db Store,
    /// The shown record.
    pub(super) first: Hit<'db>,
    /// The other records that matched, best first.
    pub(super) others: Vec<Hit<'db>>,
}

impl<'db> Match<'db> {
    fn hits(&self) -> impl Iterator<Item = &Hit<'db>> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The ids of all records that matched, sorted.
    pub fn merged(&self) -> Vec<&'db str> {
        let mut ids: Vec<&str> = self.hits().map(|hit| hit.head.id).collect();
        ids.sort_unstable();
        ids
    }

    /// All ids of the vulnerability except [`Match::id`], sorted.
    ///
    /// # Errors
    /// The part of the file that holds them is damaged.
    pub fn aliases(&self) -> Result<Vec<String>, ReadError> {
        self.first.head.aliases(self.store)
    }

    /// One line about it, of the first record that has one; may be empty.
    ///
    /// # Errors
    /// The part of the file that holds it is damaged.
    pub fn summary(&self) -> Result<&'db str, ReadError> {
        for hit in self.hits() {
            let title = hit.head.title()?;
            if !title.summary.is_empty() {
                return Ok(title.summary);
            }
        }
        Ok("")
    }

    /// `unmaintained`, `unsound`, `notice` …, for records that are no vulnerability.
    ///
    /// # Errors
    /// The part of the file that holds it is damaged.
    pub fn informational(&self) -> Result<Option<&'db str>, ReadError> {
        Ok(self.first.head.title()?.informational)
    }

    /// Severities, best first: vectors before words, the shown record's before
    /// the others', what it says of this package before the rest. Where the
    /// shown record is a distribution's own, its word comes before the vectors
    /// of others: it knows how it built its package.
    ///
    /// # Errors
    /// The part of the file that holds them is damaged.
    pub fn ratings(&self) -> Result<Vec<Rating>, ReadError> {
        let mut all: Vec<Rating> = Vec::new();
        for (position, hit) in self.hits().enumerate() {
            let mut own = Vec::new();
            let entries = std::iter::once(&hit.ratings).chain(&hit.more_ratings);
            for rating in entries.flat_map(Ratings::clone) {
                let (value, field) = rating.map_err(damaged(Section::Packages))?;
                let source = severity::field_name(field).to_owned();
                own.push(head::rating(self.store, value, source)?);
            }
            own.extend(hit.head.ratings(self.store)?);
            for mut rating in own {
                let is_field = !rating.source.contains(' ');
                if position > 0 && is_field {
                    rating.source = format!("alias {}", hit.head.id);
                }
                let known = all
                    .iter()
                    .any(|other| other.kind == rating.kind && other.value == rating.value);
                if !known {
                    all.push(rating);
                }
            }
        }
        let is_vendor = id::vendor(self.first.head.id).is_some();
        all.sort_by_key(|rating| {
            let is_own = !rating.source.contains(' ');
            match (rating.kind == RatingKind::Word, is_vendor, is_own) {
                (false, false, _) | (false, true, true) => 0,
                (true, true, true) => 1,
                (false, true, false) => 2,
                (true, _, _) => 3,
            }
        });
        Ok(all)
    }

    /// Functions and platforms it is limited to.
    ///
    /// # Errors
    /// The part of the file that holds them is damaged.
    pub fn scope(&self) -> Result<Scope, ReadError> {
        self.first.head.scope()
    }

    /// The names of the sources of the merged records, sorted.
    ///
    /// # Errors
    /// The part of the file that holds them is damaged.
    pub fn sources(&self) -> Result<Vec<String>, ReadError> {
        let mut names = Vec::new();
        for hit in self.hits() {
            names.extend(hit.head.sources(self.store)?);
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// What the exploitation feeds say of its CVEs as of a time: those of its
    /// id and aliases, else those that its records are derived from.
    ///
    /// # Errors
    /// The part of the file that holds them is damaged.
    pub fn exploitation(&self, as_of: Option<Moment>) -> Result<Exploitation, ReadError> {
        if self.db.info().feeds.is_empty() {
            return Ok(Exploitation::default());
        }
        exploitation::of_all(self.db, &self.cves()?, as_of)
    }

    /// The CVEs that it is about: its own id and all aliases. Where none of them is a CVE (a
    /// distribution's notice about several vulnerabilities), those that it is derived from count,
    /// and where it names none, those that it calls related: AlmaLinux lists what a notice fixes
    /// there.
    fn cves(&self) -> Result<BTreeSet<Cve>, ReadError> {
        let named = |ids: &[String]| -> BTreeSet<Cve> {
            ids.iter().filter_map(|id| Cve::named_by(id)).collect()
        };
        let mut cves = named(&self.aliases()?);
        cves.extend(Cve::named_by(self.id));
        if !cves.is_empty() {
            return Ok(cves);
        }
        let mut related = BTreeSet::new();
        for record in self.records() {
            let links = links(self.store, record)?;
            cves.extend(named(&links.upstream));
            related.extend(named(&links.related));
        }
        Ok(if cves.is_empty() { related } else { cves })
    }

    /// The numbers of the records that matched.
    pub(super) fn records(&self) -> impl Iterator<Item = u32> {
        self.hits().map(|hit| hit.head.record)
    }

    /// Where to read about it.
    pub fn url(&self) -> String {
        id::url(self.id)
    }
}

/// The vulnerabilities that a record names besides its aliases.
struct Links {
    upstream: Vec<String>,
    related: Vec<String>,
}

/// Reads past details and references, see `Db::advisory`.
fn links(store: &Store, record: u32) -> Result<Links, ReadError> {
    let texts = store.texts(record)?;
    let read = || {
        let mut reader = Reader::new(&texts);
        reader.text()?;
        for _ in 0..reader.length()? {
            reader.text()?;
            reader.text()?;
        }
        Ok(Links {
            upstream: reader.texts()?,
            related: reader.texts()?,
        })
    };
    read().map_err(damaged(Section::Texts))
}

impl fmt::Debug for Match<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Match")
            .field("id", &self.id)
            .field("merged", &self.merged())
            .field("aliases", &self.aliases())
            .field("summary", &self.summary())
            .field("ratings", &self.ratings())
            .field("fixed", &self.fixed)
            .field("state", &self.state)
            .field("doubt", &self.doubt)
            .field("denied_by", &self.denied_by)
            .field("published", &self.published)
            .field("modified", &self.modified)
            .field("informational", &self.informational())
            .field("scope", &self.scope())
            .field("sources", &self.sources())
            .finish_non_exhaustive()
    }
}

/// Equal where all that a reader can see is equal, also between two databases.
impl PartialEq for Match<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
            && self.summary() == other.summary()
            && self.fixed == other.fixed
            && self.state == other.state
            && self.doubt == other.doubt
            && self.denied_by == other.denied_by
            && self.published == other.published
            && self.modified == other.modified
            && self.informational() == other.informational()
            && self.merged() == other.merged()
            && self.aliases() == other.aliases()
            && self.ratings() == other.ratings()
            && self.scope() == other.scope()
            && self.sources() == other.sources()
    }
}

impl Eq for Match<'_> {}
