//! Why a vulnerability affects a version, or does not: each record of the vulnerability with the
//! bounds that decided, in the words of the record. Verdicts are not made here:
//! they come from the evaluation that answers queries, so that an explanation
//! cannot say anything else.

use super::evaluate::{Asked, Builds, Judgement};
use super::head::Head;
use super::package::{Package, asked, compared, is_live, is_of_another_stream};
use super::{Db, Doubt, Match, Query, Segment};
use crate::advisory::{Event, EventKind};
use crate::moment::Moment;
use crate::store::ReadError;
use crate::store::entry::Mark;
use crate::store::read::Store;
use crate::store::view::{SpanView, View, Views};
use crate::version::Bound;
use std::collections::BTreeSet;

/// What is said about a version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It is affected.
    Affected,
    /// It lies above all that is known to be affected, in a range without an end.
    Possible,
    /// A record calls it affected and names no end, and the ecosystem's own
    /// database says that it is not.
    Disputed,
    /// It is not.
    NotAffected,
    /// It cannot be compared, with the reason.
    Undecided(String),
}

/// Whether a record counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It does; one that was withdrawn after the asked time does, too.
    Counts,
    /// It was withdrawn.
    Withdrawn,
    /// It was published after the asked time.
    Later,
    /// It is about another stream of the package's module.
    OtherStream,
}

/// One vulnerability and one version of a package.
#[derive(Debug)]
pub struct Explanation<'db> {
    /// All ids of the vulnerability, sorted.
    pub ids: Vec<String>,
    /// What [`Db::query`] says of this vulnerability.
    pub answer: Answer,
    /// The match, where it affects the version.
    pub found: Option<Match<'db>>,
    /// The records of the vulnerability, sorted by id; the vulnerability's other ids are only
    /// named.
    pub records: Vec<RecordTold>,
    /// Other ecosystems in which a record of the vulnerability names the package, sorted.
    pub elsewhere: Vec<String>,
    /// The version in the spelling that was compared, where it is another than
    /// the given one.
    pub compared: Option<String>,
}

/// What one record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordTold {
    /// Its id.
    pub id: String,
    /// Whether it counts.
    pub standing: Standing,
    /// Its own verdict, whether it counts or not.
    pub answer: Answer,
    /// When it was published.
    pub published: Option<Moment>,
    /// When it was last changed.
    pub modified: Option<Moment>,
    /// When it was withdrawn.
    pub withdrawn: Option<Moment>,
    /// The sources that hold it, by name.
    pub sources: Vec<String>,
    /// The ids of the same vulnerability that the record itself gives.
    pub aliases: Vec<String>,
    /// The vulnerabilities it is derived from, as it gives them.
    pub upstream: Vec<String>,
    /// What it says about the package; empty: it does not name it.
    pub entries: Vec<EntryTold>,
}

/// One `affected` entry of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryTold {
    /// Why it is not compared with the version (another module build), if it is not.
    pub skipped: Option<String>,
    /// Its ranges.
    pub ranges: Vec<RangeTold>,
    /// The events that say beside the ranges how far those are known to reach,
    /// where the version lies above them.
    pub beyond: Option<Bounds>,
    /// How many versions it lists one by one.
    pub listed: usize,
    /// Whether the version is one of them.
    pub is_listed: bool,
}

/// One range of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeTold {
    /// SEMVER, else ECOSYSTEM.
    pub semver: bool,
    /// What it says.
    pub answer: Answer,
    /// The events next to the version.
    pub bounds: Bounds,
}

/// The events of a range between which a version lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The last one that has taken effect at the version.
    pub below: Option<Event>,
    /// The first one that has not.
    pub above: Option<Event>,
}

impl Bounds {
    /// The version between its bounds: `introduced 1.0.0 ≤ 1.2.3 < fixed 1.2.5`.
    pub fn sentence(&self, version: &str) -> String {
        let word = |event: &Event| {
            let kind = match event.kind {
                EventKind::Introduced => "introduced",
                EventKind::Fixed => "fixed",
                EventKind::LastAffected => "last_affected",
                EventKind::Limit => "limit",
            };
            format!("{kind} {}", event.version)
        };
        let below = self.below.as_ref().map(|event| {
            let sign = match event.kind {
                EventKind::LastAffected => "<",
                _ => "≤",
            };
            format!("{} {sign} ", word(event))
        });
        let above = self.above.as_ref().map(|event| {
            let sign = match event.kind {
                EventKind::LastAffected => "≤",
                _ => "<",
            };
            format!(" {sign} {}", word(event))
        });
        format!(
            "{}{version}{}",
            below.unwrap_or_default(),
            above.unwrap_or_default()
        )
    }
}

/// Explains one vulnerability, which lies whole in one segment of the database.
pub(super) fn explain<'db>(
    db: &'db Db,
    query: &Query<'_>,
    id: &str,
) -> Result<Option<Explanation<'db>>, ReadError> {
    for segment in db.segments() {
        if let Some(vulnerability) = Vulnerability::find(segment, id)? {
            return told(segment, query, vulnerability).map(Some);
        }
    }
    Ok(None)
}

fn told<'db>(
    segment: Segment<'db>,
    query: &Query<'_>,
    vulnerability: Vulnerability,
) -> Result<Explanation<'db>, ReadError> {
    let (db, store) = (segment.db, segment.store);
    let views = super::package(store, query.ecosystem, query.name)?.unwrap_or_default();
    let text = compared(query);
    let asked = asked(query, text.as_deref());
    let package = Package::new(segment, query, &views, asked.as_ref());
    let mut records = Vec::new();
    for number in &vulnerability.records {
        records.push(record(db, &package, query, *number)?);
    }
    let is_ours = |id: &str| records.iter().any(|record| record.id == id);
    let outcome = db.query(query)?;
    let found = outcome
        .matches
        .into_iter()
        .find(|found| found.merged().into_iter().any(is_ours));
    let undecided = outcome
        .undecided
        .into_iter()
        .find(|undecided| is_ours(&undecided.id));
    let answer = match (&found, undecided) {
        (Some(found), _) => match found.doubt {
            None => Answer::Affected,
            Some(Doubt::Possible) => Answer::Possible,
            Some(Doubt::Disputed) => Answer::Disputed,
        },
        (None, Some(undecided)) => Answer::Undecided(undecided.cause),
        (None, None) => Answer::NotAffected,
    };
    Ok(Explanation {
        answer,
        found,
        records,
        elsewhere: elsewhere(db, store, query, &vulnerability.records)?,
        compared: text
            .filter(|text| Some(text.as_ref()) != query.version)
            .map(std::borrow::Cow::into_owned),
        ids: vulnerability.ids,
    })
}

/// The records that tell one vulnerability.
struct Vulnerability {
    /// All its ids, sorted.
    ids: Vec<String>,
    /// The numbers of those that are records.
    records: BTreeSet<u32>,
}

impl Vulnerability {
    /// By the id of a record, or by an id that records only name.
    fn find(segment: Segment<'_>, id: &str) -> Result<Option<Self>, ReadError> {
        let store = segment.store;
        if let Some(number) = segment.record(id)? {
            return Self::of(segment, &Head::read(store, number)?).map(Some);
        }
        // No index has those ids; who asks why can wait for the table of records.
        let mut seen = BTreeSet::new();
        for number in segment.records() {
            let head = Head::read(store, number?)?;
            if head.group != 0
                && seen.insert(head.group)
                && head.aliases(store)?.iter().any(|alias| alias == id)
            {
                return Self::of(segment, &head).map(Some);
            }
        }
        Ok(None)
    }

    fn of(segment: Segment<'_>, head: &Head<'_>) -> Result<Self, ReadError> {
        let mut ids = head.aliases(segment.store)?;
        ids.push(head.id.to_owned());
        ids.sort_unstable();
        let mut records = BTreeSet::from([head.record]);
        for id in &ids {
            records.extend(segment.record(id)?);
        }
        Ok(Self { ids, records })
    }
}

/// What one record of the vulnerability says about the package.
fn record(
    db: &Db,
    package: &Package<'_, '_>,
    query: &Query<'_>,
    number: u32,
) -> Result<RecordTold, ReadError> {
    let store = package.store;
    let head = Head::read(store, number)?;
    let entries = package
        .views
        .entries()
        .chunk_by(|left, right| left.record == right.record)
        .find(|entries| entries.first().is_some_and(|entry| entry.record == number))
        .unwrap_or_default();
    let mut told = Vec::new();
    let mut own = Answer::NotAffected;
    let mut of_stream = true;
    if !entries.is_empty() {
        let (verdict, builds) = package.judge(entries)?;
        own = answer(verdict);
        of_stream = !is_of_another_stream(&head, builds, query)?;
        for view in entries {
            told.push(entry(package, view, builds)?);
        }
    }
    let standing = if is_live(&head, query) {
        if of_stream {
            Standing::Counts
        } else {
            Standing::OtherStream
        }
    } else if head
        .withdrawn
        .is_some_and(|withdrawn| query.as_of.is_none_or(|day| withdrawn <= day))
    {
        Standing::Withdrawn
    } else {
        Standing::Later
    };
    let details = db.advisory(head.id)?;
    let (aliases, upstream) = details
        .map(|details| (details.stated, details.upstream))
        .unwrap_or_default();
    Ok(RecordTold {
        id: head.id.to_owned(),
        standing,
        answer: own,
        published: head.published,
        modified: head.modified,
        withdrawn: head.withdrawn,
        sources: head.sources(store)?,
        aliases,
        upstream,
        entries: told,
    })
}

fn entry(
    package: &Package<'_, '_>,
    view: &View<'_>,
    builds: Builds,
) -> Result<EntryTold, ReadError> {
    let (store, views) = (package.store, package.views);
    let mut told = EntryTold {
        skipped: None,
        ranges: Vec::new(),
        beyond: None,
        listed: view.listed.clone().count(),
        is_listed: false,
    };
    for span in views.spans(view) {
        told.ranges.push(match package.asked {
            Some(asked) => RangeTold {
                semver: span.semver,
                answer: answer(asked.judge_span(store, views, span)?),
                bounds: bounds(store, views, asked, span)?,
            },
            None => RangeTold {
                semver: span.semver,
                answer: Answer::Affected,
                bounds: Bounds::default(),
            },
        });
    }
    if let Some(asked) = package.asked {
        if asked.judge(store, views, view)? == Judgement::Possible {
            for span in views.beside(view) {
                let beyond = bounds(store, views, asked, span)?;
                if beyond.below.is_some() {
                    told.beyond = Some(beyond);
                }
            }
        }
        told.is_listed = told.listed > 0
            && (asked.is_listed(store, view)? || asked.is_listed_otherwise(store, view)?);
        if !asked.compares(store, views, builds, view)? {
            let kind = match builds {
                Builds::Ordinary => "it is about a module build, and the version is none",
                Builds::Modules => "the version is a module build, and it is not about one",
                Builds::All | Builds::OneModule => "it is about another module build",
            };
            told.skipped = Some(kind.to_owned());
        }
    }
    Ok(told)
}

fn answer(verdict: Judgement<'_>) -> Answer {
    match verdict {
        Judgement::Affected => Answer::Affected,
        Judgement::Possible => Answer::Possible,
        Judgement::NotAffected => Answer::NotAffected,
        Judgement::Undecided(cause) => Answer::Undecided(cause.to_owned()),
    }
}

/// The events of a range next to the version.
fn bounds(
    store: &Store,
    views: &Views<'_>,
    asked: &Asked<'_>,
    span: &SpanView<'_>,
) -> Result<Bounds, ReadError> {
    let mut bounds = Bounds::default();
    for mark in views.marks(span) {
        match asked.reaches(store, span.semver, mark)? {
            Some(true) => bounds.below = Some(event(store, mark)?),
            Some(false) => {
                bounds.above = Some(event(store, mark)?);
                break;
            }
            None => {}
        }
    }
    Ok(bounds)
}

fn event(store: &Store, mark: &Mark) -> Result<Event, ReadError> {
    let version = match (mark.version, mark.kind) {
        (Some(number), _) => store.version(number)?,
        (None, EventKind::Limit) => Bound::INFINITY,
        (None, _) => Bound::ORIGIN,
    };
    Ok(Event {
        kind: mark.kind,
        version: version.to_owned(),
    })
}

/// The other ecosystems in which one of the records names the package.
fn elsewhere(
    db: &Db,
    store: &Store,
    query: &Query<'_>,
    records: &BTreeSet<u32>,
) -> Result<Vec<String>, ReadError> {
    let mut names = Vec::new();
    for known in &db.info().ecosystems {
        if known.name == query.ecosystem {
            continue;
        }
        if let Some(views) = super::package(store, &known.name, query.name)?
            && views
                .entries()
                .iter()
                .any(|entry| records.contains(&entry.record))
        {
            names.push(known.name.clone());
        }
    }
    Ok(names)
}
