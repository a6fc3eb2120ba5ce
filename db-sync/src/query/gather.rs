//! From entries to matches: the records of one flaw become one match.

use super::evaluate::{Asked, Builds, Verdict, comparable};
use super::fixed::fixed;
use super::found::{Hit, Match};
use super::head::Head;
use super::{Outcome, Query, Undecided};
use crate::id;
use crate::store::ReadError;
use crate::store::read::Store;
use crate::store::view::{Ratings, View, Views};

/// A record that matched, with its entries.
pub(super) struct Candidate<'p, 'db> {
    head: Head<'db>,
    entries: &'p [View<'db>],
    builds: Builds,
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

/// One package's entries and the question about them.
pub(super) struct Package<'p, 'db> {
    pub(super) store: &'db Store,
    pub(super) ecosystem: &'p str,
    pub(super) views: &'p Views<'db>,
    pub(super) asked: Option<&'p Asked<'p>>,
}

/// Lists that every match of a package needs for a moment.
#[derive(Default)]
pub(super) struct Scratch<'p, 'db> {
    /// The entries of one flaw's records that could be compared with the
    /// version, with the place of their record.
    pub(super) entries: Vec<(usize, &'p View<'db>)>,
    /// Fixed versions by number, and whether a SEMVER range names them.
    pub(super) fixes: Vec<(bool, u32)>,
}

/// Answers a query from the entries of its package.
pub(super) fn outcome<'db>(
    store: &'db Store,
    query: &Query<'_>,
    views: &Views<'db>,
) -> Result<Outcome<'db>, ReadError> {
    let text = query
        .version
        .map(|version| comparable(query.ecosystem, query.name, version));
    let asked = match (&text, query.version) {
        (Some(text), Some(given)) => Some(Asked::new(query.ecosystem, given, text)),
        _ => None,
    };
    let package = Package {
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
        if verdict != Verdict::NotAffected {
            judged.push((record, entries, verdict, builds));
        }
    }
    // Heads lie all over the file: touching them one after the other lets the
    // machine fetch many at once.
    let mut touched = 0_u8;
    for (record, ..) in &judged {
        touched ^= Head::touch(store, *record)?;
    }
    std::hint::black_box(touched);
    let mut candidates = Vec::with_capacity(judged.len());
    for (record, entries, verdict, builds) in judged {
        let head = Head::read(store, record)?;
        if !is_live(&head, query) {
            continue;
        }
        if let Verdict::Undecided(cause) = verdict {
            outcome.undecided.push(Undecided {
                id: head.id.to_owned(),
                cause: cause.to_owned(),
            });
            continue;
        }
        candidates.push(Candidate {
            head,
            entries,
            builds,
        });
    }
    // Entries lie by record: those of one flaw that are together stay sorted.
    candidates.sort_by_key(Candidate::flaw);
    let mut scratch = Scratch::default();
    outcome.matches.reserve_exact(candidates.len());
    for flaw in candidates.chunk_by_mut(|left, right| left.flaw() == right.flaw()) {
        if flaw.len() > 1 {
            flaw.sort_by(|left, right| id::compare(query.ecosystem, left.head.id, right.head.id));
        }
        outcome
            .matches
            .extend(package.one_match(flaw, &mut scratch)?);
    }
    // Records are numbered in the order of their ids.
    outcome
        .matches
        .sort_unstable_by_key(|found| found.first.head.record);
    outcome.undecided.sort();
    Ok(outcome)
}

/// Whether the record counts: not withdrawn, and known at the asked time.
fn is_live(head: &Head<'_>, query: &Query<'_>) -> bool {
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

impl<'p, 'db> Package<'p, 'db> {
    /// The verdict of one record, and which of its entries can be compared.
    fn judge(&self, record: &[View<'db>]) -> Result<(Verdict<'p>, Builds), ReadError> {
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
            if verdict == Verdict::NotAffected {
                verdict = own;
            }
        }
        Ok((verdict, builds))
    }

    /// Makes one match of the records of one flaw, the one to show first.
    fn one_match(
        &self,
        flaw: &[Candidate<'p, 'db>],
        scratch: &mut Scratch<'p, 'db>,
    ) -> Result<Option<Match<'db>>, ReadError> {
        scratch.entries.clear();
        let mut first = None;
        let mut others = Vec::new();
        for (place, candidate) in flaw.iter().enumerate() {
            let mut hit = Hit {
                head: candidate.head.clone(),
                ratings: Ratings::default(),
                more_ratings: Vec::new(),
            };
            for entry in candidate.entries {
                if !self.compares(candidate, entry)? {
                    continue;
                }
                scratch.entries.push((place, entry));
                if hit.ratings.is_empty() {
                    hit.ratings = entry.ratings.clone();
                } else if !entry.ratings.is_empty() {
                    hit.more_ratings.push(entry.ratings.clone());
                }
            }
            if first.is_none() {
                first = Some(hit);
            } else {
                others.push(hit);
            }
        }
        let Some(first) = first else {
            return Ok(None);
        };
        let heads = || flaw.iter().map(|candidate| &candidate.head);
        Ok(Some(Match {
            id: first.head.id,
            fixed: fixed(self, scratch)?,
            published: heads().filter_map(|head| head.published).min(),
            modified: heads().filter_map(|head| head.modified).max(),
            store: self.store,
            first,
            others,
        }))
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
