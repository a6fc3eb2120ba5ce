//! From entries to matches: the records of one vulnerability become one match.

use super::doubt::{self, Doubt};
use super::evaluate::{Builds, Judgement};
use super::fixed::fixed;
use super::found::Match;
use super::head::{self, Head};
use super::package::{Hit, Package, Scratch, asked, compared, is_live, is_of_another_stream};
use super::state;
use super::{FixState, Query, Response, Segment, Undecided};
use crate::id;
use crate::store::ReadError;
use crate::store::view::{Ratings, View, Views};

/// A record that matched, with its entries.
struct Candidate<'p, 'db> {
    head: Head<'db>,
    /// The ids of its vulnerability, if it has other records.
    group: &'db [u8],
    entries: &'p [View<'db>],
    builds: Builds,
    /// Whether it affects the version, and not just possibly.
    is_certain: bool,
}

impl Candidate<'_, '_> {
    /// By group number, or by record for those alone.
    fn vulnerability(&self) -> (u32, u32) {
        match self.head.group {
            0 => (0, self.head.record),
            group => (group, 0),
        }
    }
}

/// The records of one vulnerability.
struct Vulnerability<'c, 'p, 'db> {
    /// The one to show.
    first: &'c Candidate<'p, 'db>,
    others: Vec<&'c Candidate<'p, 'db>>,
}

/// Answers a query from the entries of its package in one segment.
pub(super) fn outcome<'db>(
    segment: Segment<'db>,
    query: &Query<'_>,
    views: &Views<'db>,
) -> Result<Response<'db>, ReadError> {
    let store = segment.store;
    let text = compared(query);
    let asked = asked(query, text.as_deref());
    let package = Package::new(segment, query, views, asked.as_ref());
    let mut outcome = Response::default();
    let mut judged = Vec::new();
    for entries in views
        .entries()
        .chunk_by(|left, right| left.record == right.record)
    {
        let Some(record) = entries.first().map(|entry| entry.record) else {
            continue;
        };
        let (verdict, builds) = package.judge(entries)?;
        if verdict != Judgement::NotAffected && !segment.masks(record)? {
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
        if let Judgement::Undecided(cause) = verdict {
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
            is_certain: verdict == Judgement::Affected,
        });
    }
    let groups = candidates.iter().map(|candidate| candidate.group);
    std::hint::black_box(groups.fold(0, touch));
    let vulnerabilities = vulnerabilities(&candidates, query.ecosystem);
    let mut scratch = Scratch::default();
    outcome.matches.reserve_exact(vulnerabilities.len());
    for vulnerability in &vulnerabilities {
        outcome
            .matches
            .push(package.one_match(vulnerability, &mut scratch)?);
    }
    outcome.undecided.sort();
    Ok(outcome)
}

/// The records of each vulnerability, the one to show first, in the order of those.
fn vulnerabilities<'c, 'p, 'db>(
    candidates: &'c [Candidate<'p, 'db>],
    ecosystem: &str,
) -> Vec<Vulnerability<'c, 'p, 'db>> {
    let mut by_vulnerability: Vec<_> = candidates
        .iter()
        .map(|candidate| (candidate.vulnerability(), candidate))
        .collect();
    by_vulnerability.sort_by_key(|(vulnerability, _)| *vulnerability);
    let mut vulnerabilities = Vec::with_capacity(by_vulnerability.len());
    for group in by_vulnerability.chunk_by(|left, right| left.0 == right.0) {
        match group {
            [] => {}
            [(_, first)] => vulnerabilities.push(Vulnerability {
                first,
                others: Vec::new(),
            }),
            [_, ..] => {
                let mut others: Vec<_> = group.iter().map(|(_, candidate)| *candidate).collect();
                others.sort_by(|left, right| id::compare(ecosystem, left.head.id, right.head.id));
                let first = others.remove(0);
                vulnerabilities.push(Vulnerability { first, others });
            }
        }
    }
    // Records are numbered in the order of their ids.
    vulnerabilities.sort_unstable_by_key(|vulnerability| vulnerability.first.head.record);
    vulnerabilities
}

impl<'p, 'db> Package<'p, 'db> {
    /// Makes one match of the records of one vulnerability.
    fn one_match(
        &self,
        vulnerability: &Vulnerability<'_, 'p, 'db>,
        scratch: &mut Scratch<'p, 'db>,
    ) -> Result<Match<'db>, ReadError> {
        scratch.entries.clear();
        let first = self.hit(vulnerability.first, scratch)?;
        let mut published = first.head.published;
        let mut modified = first.head.modified;
        let mut others = Vec::with_capacity(vulnerability.others.len());
        for other in &vulnerability.others {
            let hit = self.hit(other, scratch)?;
            published = [published, hit.head.published].into_iter().flatten().min();
            modified = modified.max(hit.head.modified);
            others.push(hit);
        }
        let fixed = fixed(self, vulnerability.first.group, scratch)?;
        let state = if fixed.is_empty() {
            let hits = std::iter::once(&first).chain(&others);
            state::unfixed(self, &scratch.entries, hits)?
        } else {
            FixState::Fixed
        };
        let mut candidates =
            std::iter::once(vulnerability.first).chain(vulnerability.others.iter().copied());
        let is_certain = candidates.any(|candidate| candidate.is_certain);
        let denied_by = doubt::denied_by(self, vulnerability.first.group, scratch)?;
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
