//! From entries to matches: the records of one flaw become one match.

use super::doubt::{self, Doubt};
use super::evaluate::{Asked, Builds, Verdict, comparable};
use super::fixed::fixed;
use super::found::{Hit, Match};
use super::head::{self, Head};
use super::state;
use super::{Db, FixState, Outcome, Query, Segment, Undecided};
use crate::id;
use crate::store::ReadError;
use crate::store::read::Store;
use crate::store::view::{Ratings, View, Views};

/// A record that matched, with its entries.
struct Candidate<'p, 'db> {
    head: Head<'db>,
    /// The ids of its flaw, if it has other records.
    group: &'db [u8],
    entries: &'p [View<'db>],
    builds: Builds,
    /// Whether it affects the version, and not just possibly.
    is_certain: bool,
}

impl Candidate<'_, '_> {
    /// By group number, or by record for those alone.
    fn flaw(&self) -> (u32, u32) {
        match self.head.group {
            0 => (0, self.head.record),
            group => (group, 0),
        }
    }
}

/// The records of one flaw.
struct Flaw<'c, 'p, 'db> {
    /// The one to show.
    first: &'c Candidate<'p, 'db>,
    others: Vec<&'c Candidate<'p, 'db>>,
}

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
    /// The entries of one flaw's records that could be compared with the
    /// version, those of one record side by side.
    pub(super) entries: Vec<&'p View<'db>>,
    /// Fixed versions by number, and whether a SEMVER range names them.
    pub(super) fixes: Vec<(bool, u32)>,
    /// The entries of the flaw's other records, which do not affect the asked
    /// version, but may affect one that another record calls fixed.
    pub(super) silent: Vec<&'p View<'db>>,
    /// Numbers of the flaw's records.
    members: Vec<u32>,
}

/// Answers a query from the entries of its package in one segment.
pub(super) fn outcome<'db>(
    segment: Segment<'db>,
    query: &Query<'_>,
    views: &Views<'db>,
) -> Result<Outcome<'db>, ReadError> {
    let store = segment.store;
    let text = query
        .version
        .map(|version| comparable(query.ecosystem, query.name, version));
    let asked = match (&text, query.version) {
        (Some(text), Some(given)) => Some(Asked::new(query.ecosystem, given, text)),
        _ => None,
    };
    let package = Package {
        db: segment.db,
        segment,
        query,
        store,
        ecosystem: query.ecosystem,
        views,
        asked: asked.as_ref(),
    };
    let mut outcome = Outcome::default();
    let mut judged = Vec::new();
    for entries in views
        .entries()
        .chunk_by(|left, right| left.record == right.record)
    {
        let Some(record) = entries.first().map(|entry| entry.record) else {
            continue;
        };
        let (verdict, builds) = package.judge(entries)?;
        if verdict != Verdict::NotAffected && !segment.masks(record)? {
            judged.push((
                head::bytes(store, record)?,
                record,
                entries,
                verdict,
                builds,
            ));
        }
    }
    // Heads lie all over the file: touching them one after the other lets the
    // machine fetch many at once.
    let touch = |touched: u8, bytes: &[u8]| touched ^ bytes.first().copied().unwrap_or_default();
    let touched = judged.iter().fold(0, |touched, one| touch(touched, one.0));
    std::hint::black_box(touched);
    let mut candidates = Vec::with_capacity(judged.len());
    for (bytes, record, entries, verdict, builds) in judged {
        let head = Head::decode(record, bytes)?;
        if !is_live(&head, query) || is_of_another_stream(&head, builds, query)? {
            continue;
        }
        if let Verdict::Undecided(cause) = verdict {
            outcome.undecided.push(Undecided {
                id: head.id.to_owned(),
                cause: cause.to_owned(),
            });
            continue;
        }
        let group = if asked.is_some() {
            head.shared_group(store)?
        } else {
            &[]
        };
        candidates.push(Candidate {
            head,
            group,
            entries,
            builds,
            is_certain: verdict == Verdict::Affected,
        });
    }
    let groups = candidates.iter().map(|candidate| candidate.group);
    std::hint::black_box(groups.fold(0, touch));
    let flaws = flaws(&candidates, query.ecosystem);
    let mut scratch = Scratch::default();
    outcome.matches.reserve_exact(flaws.len());
    for flaw in &flaws {
        outcome.matches.push(package.one_match(flaw, &mut scratch)?);
    }
    outcome.undecided.sort();
    Ok(outcome)
}

/// The records of each flaw, the one to show first, in the order of those.
fn flaws<'c, 'p, 'db>(
    candidates: &'c [Candidate<'p, 'db>],
    ecosystem: &str,
) -> Vec<Flaw<'c, 'p, 'db>> {
    let mut by_flaw: Vec<_> = candidates
        .iter()
        .map(|candidate| (candidate.flaw(), candidate))
        .collect();
    by_flaw.sort_by_key(|(flaw, _)| *flaw);
    let mut flaws = Vec::with_capacity(by_flaw.len());
    for group in by_flaw.chunk_by(|left, right| left.0 == right.0) {
        match group {
            [] => {}
            [(_, first)] => flaws.push(Flaw {
                first,
                others: Vec::new(),
            }),
            [_, ..] => {
                let mut others: Vec<_> = group.iter().map(|(_, candidate)| *candidate).collect();
                others.sort_by(|left, right| id::compare(ecosystem, left.head.id, right.head.id));
                let first = others.remove(0);
                flaws.push(Flaw { first, others });
            }
        }
    }
    // Records are numbered in the order of their ids.
    flaws.sort_unstable_by_key(|flaw| flaw.first.head.record);
    flaws
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
    /// The verdict of one record, and which of its entries can be compared.
    pub(super) fn judge(&self, record: &[View<'db>]) -> Result<(Verdict<'p>, Builds), ReadError> {
        let Some(asked) = self.asked else {
            return Ok((Verdict::Affected, Builds::All));
        };
        let builds = asked.builds(self.store, self.views, record.iter())?;
        let mut verdict = Verdict::NotAffected;
        for entry in record {
            let own = asked.judge(self.store, self.views, entry)?;
            // Comparing the builds costs more, and most entries do not matter.
            if own == Verdict::NotAffected
                || !asked.compares(self.store, self.views, builds, entry)?
            {
                continue;
            }
            if own == Verdict::Affected {
                return Ok((own, builds));
            }
            // What cannot be decided may be more than possible.
            if !matches!(verdict, Verdict::Undecided(_)) {
                verdict = own;
            }
        }
        Ok((verdict, builds))
    }

    /// Collects the entries of the live records in a flaw's group that do not match.
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

    /// Makes one match of the records of one flaw.
    fn one_match(
        &self,
        flaw: &Flaw<'_, 'p, 'db>,
        scratch: &mut Scratch<'p, 'db>,
    ) -> Result<Match<'db>, ReadError> {
        scratch.entries.clear();
        let first = self.hit(flaw.first, scratch)?;
        let mut published = first.head.published;
        let mut modified = first.head.modified;
        let mut others = Vec::with_capacity(flaw.others.len());
        for other in &flaw.others {
            let hit = self.hit(other, scratch)?;
            published = [published, hit.head.published].into_iter().flatten().min();
            modified = modified.max(hit.head.modified);
            others.push(hit);
        }
        let fixed = fixed(self, flaw.first.group, scratch)?;
        let state = if fixed.is_empty() {
            let hits = std::iter::once(&first).chain(&others);
            state::unfixed(self, &scratch.entries, hits)?
        } else {
            FixState::Fixed
        };
        let mut candidates = std::iter::once(flaw.first).chain(flaw.others.iter().copied());
        let is_certain = candidates.any(|candidate| candidate.is_certain);
        let denied_by = doubt::denied_by(self, flaw.first.group, scratch)?;
        let doubt = match (denied_by.is_empty(), is_certain) {
            (false, _) => Some(Doubt::Disputed),
            (true, false) => Some(Doubt::Possible),
            (true, true) => None,
        };
        Ok(Match {
            id: first.head.id,
            fixed,
            state,
            doubt,
            denied_by,
            published,
            modified,
            db: self.db,
            store: self.store,
            first,
            others,
        })
    }

    /// Notes the entries of one record that could be compared with the version.
    fn hit(
        &self,
        candidate: &Candidate<'p, 'db>,
        scratch: &mut Scratch<'p, 'db>,
    ) -> Result<Hit<'db>, ReadError> {
        let mut hit = Hit {
            head: candidate.head.clone(),
            ratings: Ratings::default(),
            more_ratings: Vec::new(),
        };
        for entry in candidate.entries {
            if !self.compares(candidate, entry)? {
                continue;
            }
            scratch.entries.push(entry);
            if hit.ratings.is_empty() {
                hit.ratings = entry.ratings.clone();
            } else if !entry.ratings.is_empty() {
                hit.more_ratings.push(entry.ratings.clone());
            }
        }
        Ok(hit)
    }

    fn compares(
        &self,
        candidate: &Candidate<'_, 'db>,
        entry: &View<'db>,
    ) -> Result<bool, ReadError> {
        match self.asked {
            // It has been found to affect the version, and only what compares can.
            Some(_) if candidate.entries.len() == 1 => Ok(true),
            Some(asked) => asked.compares(self.store, self.views, candidate.builds, entry),
            None => Ok(true),
        }
    }
}
