//! One package's entries and the question about them: what one record says, and which records are
//! silent. Every step from entries to a match asks here, and nothing here knows matches.

use std::borrow::Cow;

use super::evaluate::{Asked, Builds, Judgement, comparable};
use super::head::{self, Head};
use super::{Db, Query, Segment};
use crate::store::ReadError;
use crate::store::read::Store;
use crate::store::view::{Ratings, View, Views};

/// One package's entries and the question about them.
pub(super) struct Package<'p, 'db> {
    pub(super) db: &'db Db,
    pub(super) segment: Segment<'db>,
    pub(super) query: &'p Query<'p>,
    pub(super) store: &'db Store,
    pub(super) ecosystem: &'p str,
    pub(super) views: &'p Views<'db>,
    pub(super) asked: Option<&'p Asked<'p>>,
}

/// Lists that every match of a package needs for a moment.
#[derive(Default)]
pub(super) struct Scratch<'p, 'db> {
    /// The entries of one vulnerability's records that could be compared with the
    /// version, those of one record side by side.
    pub(super) entries: Vec<&'p View<'db>>,
    /// Fixed versions by number, and whether a SEMVER range names them.
    pub(super) fixes: Vec<(bool, u32)>,
    /// The entries of the vulnerability's other records, which do not affect the asked
    /// version, but may affect one that another record calls fixed.
    pub(super) silent: Vec<&'p View<'db>>,
    /// Numbers of the vulnerability's records.
    members: Vec<u32>,
}

/// A record that matched.
#[derive(Clone, Debug)]
pub(super) struct Hit<'db> {
    pub(super) head: Head<'db>,
    /// What its first entry says of this package only.
    pub(super) ratings: Ratings<'db>,
    /// The same of its other entries.
    pub(super) more_ratings: Vec<Ratings<'db>>,
}

/// The version of a question as it is compared.
pub(super) fn compared<'q>(query: &Query<'q>) -> Option<Cow<'q, str>> {
    query
        .version
        .map(|version| comparable(query.ecosystem, query.name, version))
}

/// The question about a version, which `compared` is.
pub(super) fn asked<'q>(query: &Query<'q>, compared: Option<&'q str>) -> Option<Asked<'q>> {
    Some(Asked::new(query.ecosystem, query.version?, compared?))
}

/// Whether the record counts: not withdrawn, and known at the asked time.
pub(super) fn is_live(head: &Head<'_>, query: &Query<'_>) -> bool {
    match query.as_of {
        None => head.withdrawn.is_none(),
        Some(day) => {
            head.published
                .or(head.modified)
                .is_none_or(|known| known <= day)
                && head.withdrawn.is_none_or(|withdrawn| withdrawn > day)
        }
    }
}

/// Whether a record that speaks of module builds is about another stream than
/// the asked one. Where either is unknown, it is not.
pub(super) fn is_of_another_stream(
    head: &Head<'_>,
    builds: Builds,
    query: &Query<'_>,
) -> Result<bool, ReadError> {
    match query.module {
        Some(stream) if builds.are_modular() => {
            Ok(stream.ruled_out_by(head.title()?.summary).is_some())
        }
        _ => Ok(false),
    }
}

impl<'p, 'db> Package<'p, 'db> {
    pub(super) fn new(
        segment: Segment<'db>,
        query: &'p Query<'p>,
        views: &'p Views<'db>,
        asked: Option<&'p Asked<'p>>,
    ) -> Self {
        Self {
            db: segment.db,
            segment,
            query,
            store: segment.store,
            ecosystem: query.ecosystem,
            views,
            asked,
        }
    }

    /// The verdict of one record, and which of its entries can be compared.
    pub(super) fn judge(&self, record: &[View<'db>]) -> Result<(Judgement<'p>, Builds), ReadError> {
        let Some(asked) = self.asked else {
            return Ok((Judgement::Affected, Builds::All));
        };
        let builds = asked.builds(self.store, self.views, record.iter())?;
        let mut verdict = Judgement::NotAffected;
        for entry in record {
            let own = asked.judge(self.store, self.views, entry)?;
            // Comparing the builds costs more, and most entries do not matter.
            if own == Judgement::NotAffected
                || !asked.compares(self.store, self.views, builds, entry)?
            {
                continue;
            }
            if own == Judgement::Affected {
                return Ok((own, builds));
            }
            // What cannot be decided may be more than possible.
            if !matches!(verdict, Judgement::Undecided(_)) {
                verdict = own;
            }
        }
        Ok((verdict, builds))
    }

    /// Collects the entries of the live records in a vulnerability's group that do not match.
    pub(super) fn silent(
        &self,
        group: &[u8],
        scratch: &mut Scratch<'p, 'db>,
    ) -> Result<(), ReadError> {
        let Scratch {
            entries,
            silent,
            members,
            ..
        } = scratch;
        members.clear();
        head::members(group, members)?;
        members.retain(|number| !entries.iter().any(|entry| entry.record == *number));
        let all = self.views.entries();
        for number in members.iter().copied() {
            // Entries are sorted by record.
            let start = all.partition_point(|entry| entry.record < number);
            let own = all.get(start..).unwrap_or_default();
            let end = own.partition_point(|entry| entry.record == number);
            let own = own.get(..end).unwrap_or_default();
            if own.is_empty() || self.segment.masks(number)? {
                continue;
            }
            let head = Head::read(self.store, number)?;
            let (_, builds) = self.judge(own)?;
            if is_live(&head, self.query) && !is_of_another_stream(&head, builds, self.query)? {
                silent.extend(own);
            }
        }
        Ok(())
    }
}
