//! From entries to matches: the records of one flaw become one match.

use super::evaluate::{Asked, Verdict, comparable};
use super::head::{self, Head};
use super::{Match, Outcome, Query, Undecided};
use crate::advisory::{EventKind, order_of};
use crate::id;
use crate::severity::{self, Rating, RatingKind};
use crate::store::ReadError;
use crate::store::entry::Entry;
use crate::store::read::Store;
use std::collections::BTreeMap;

/// Fixed versions that are named for one match. Each is compared with all
/// records of the flaw, which a hostile record must not make quadratic.
const MAX_FIXED: usize = 64;

/// A record that matched.
struct Hit<'a> {
    head: Head<'a>,
    /// Its entries that could be compared with the version.
    entries: Vec<&'a Entry>,
}

/// Answers a query from the entries of its package.
pub(super) fn outcome(
    store: &Store,
    query: &Query<'_>,
    entries: &[(u32, Entry)],
) -> Result<Outcome, ReadError> {
    let text = query
        .version
        .map(|version| comparable(query.ecosystem, query.name, version));
    let asked = match (&text, query.version) {
        (Some(text), Some(given)) => Some(Asked::new(query.ecosystem, given, text)),
        _ => None,
    };
    let mut outcome = Outcome::default();
    // By group number, or by record for those alone.
    let mut flaws: BTreeMap<(u32, u32), Vec<Hit<'_>>> = BTreeMap::new();
    for of_record in entries.chunk_by(|left, right| left.0 == right.0) {
        let Some((record, _)) = of_record.first() else {
            continue;
        };
        let own: Vec<&Entry> = of_record.iter().map(|(_, entry)| entry).collect();
        let (verdict, compared) = judge(store, asked.as_ref(), own)?;
        if verdict == Verdict::NotAffected {
            continue;
        }
        let head = Head::read(store, *record)?;
        if !is_live(&head, query) {
            continue;
        }
        if let Verdict::Undecided(cause) = verdict {
            outcome.undecided.push(Undecided {
                id: head.id.to_owned(),
                cause,
            });
            continue;
        }
        let flaw = if head.group == 0 {
            (0, *record)
        } else {
            (head.group, 0)
        };
        flaws.entry(flaw).or_default().push(Hit {
            head,
            entries: compared,
        });
    }
    for hits in flaws.into_values() {
        outcome
            .matches
            .extend(one_match(store, query, asked.as_ref(), hits)?);
    }
    outcome
        .matches
        .sort_by(|left, right| left.id.cmp(&right.id));
    outcome.undecided.sort();
    Ok(outcome)
}

/// The verdict of one record, and its entries that were compared.
fn judge<'e>(
    store: &Store,
    asked: Option<&Asked<'_>>,
    entries: Vec<&'e Entry>,
) -> Result<(Verdict, Vec<&'e Entry>), ReadError> {
    let Some(asked) = asked else {
        return Ok((Verdict::Affected, entries));
    };
    let entries = asked.comparable_entries(store, entries)?;
    let mut verdict = Verdict::NotAffected;
    for entry in &entries {
        match asked.judge(store, entry)? {
            Verdict::Affected => return Ok((Verdict::Affected, entries)),
            Verdict::Undecided(cause) if verdict == Verdict::NotAffected => {
                verdict = Verdict::Undecided(cause);
            }
            _ => {}
        }
    }
    Ok((verdict, entries))
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

/// Makes one match of the records of one flaw.
fn one_match(
    store: &Store,
    query: &Query<'_>,
    asked: Option<&Asked<'_>>,
    mut hits: Vec<Hit<'_>>,
) -> Result<Option<Match>, ReadError> {
    hits.sort_by(|left, right| id::compare(query.ecosystem, left.head.id, right.head.id));
    let Some(first) = hits.first() else {
        return Ok(None);
    };
    let shown = first.head.id;
    let mut found = Match {
        id: shown.to_owned(),
        merged: hits.iter().map(|hit| hit.head.id.to_owned()).collect(),
        aliases: first.head.aliases(store)?,
        summary: hits
            .iter()
            .map(|hit| hit.head.summary)
            .find(|summary| !summary.is_empty())
            .unwrap_or_default()
            .to_owned(),
        ratings: ratings(store, &hits)?,
        fixed: fixed(store, query, asked, &hits)?,
        published: hits.iter().filter_map(|hit| hit.head.published).min(),
        modified: hits.iter().filter_map(|hit| hit.head.modified).max(),
        informational: first.head.informational.map(str::to_owned),
        scope: first.head.scope(),
        sources: hits
            .iter()
            .flat_map(|hit| hit.head.sources(store))
            .collect(),
        url: id::url(shown),
    };
    found.merged.sort();
    found.aliases.retain(|alias| *alias != found.id);
    found.sources.sort();
    found.sources.dedup();
    Ok(Some(found))
}

/// All ratings of the merged records: vectors before words, the shown record's
/// before the others', what it says of this package before the rest.
fn ratings(store: &Store, hits: &[Hit<'_>]) -> Result<Vec<Rating>, ReadError> {
    let mut all: Vec<Rating> = Vec::new();
    for (position, hit) in hits.iter().enumerate() {
        let mut own = Vec::new();
        for (value, field) in hit.entries.iter().flat_map(|entry| &entry.ratings) {
            own.push(head::rating(
                store,
                *value,
                severity::field_name(*field).to_owned(),
            )?);
        }
        own.extend(hit.head.ratings(store)?);
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
    all.sort_by_key(|rating| rating.kind == RatingKind::Word);
    Ok(all)
}

/// Fixed versions above the asked one, lowest first.
fn fixed(
    store: &Store,
    query: &Query<'_>,
    asked: Option<&Asked<'_>>,
    hits: &[Hit<'_>],
) -> Result<Vec<String>, ReadError> {
    let mut candidates: Vec<(bool, u32)> = Vec::new();
    for entry in hits.iter().flat_map(|hit| &hit.entries) {
        for range in &entry.ranges {
            let fixes = range
                .events
                .iter()
                .filter(|mark| mark.kind == EventKind::Fixed);
            candidates.extend(fixes.filter_map(|mark| Some((range.semver, mark.version?))));
        }
        candidates.extend(entry.other_fixes.iter().map(|number| (false, *number)));
    }
    candidates.sort_unstable();
    candidates.dedup();
    let mut texts: Vec<(bool, &str)> = Vec::new();
    for (semver, number) in candidates {
        let text = store.version(number)?;
        if asked.is_none_or(|asked| asked.is_below(semver, text)) {
            texts.push((semver, text));
        }
    }
    let semver = texts.iter().any(|(semver, _)| *semver);
    if let Some(order) = order_of(query.ecosystem, semver) {
        texts.sort_by(|(_, left), (_, right)| {
            let by_order = order
                .compare(left, right)
                .unwrap_or(std::cmp::Ordering::Equal);
            by_order.then_with(|| left.cmp(right))
        });
    }
    texts.dedup_by(|left, right| left.1 == right.1);
    texts.truncate(MAX_FIXED);
    let mut safe = Vec::new();
    // What one range calls fixed, only another range can call affected.
    let ranges: usize = hits
        .iter()
        .flat_map(|hit| &hit.entries)
        .map(|entry| entry.ranges.len())
        .sum();
    if ranges > 1 {
        for (_, text) in &texts {
            if !is_still_affected(store, query, hits, text)? {
                safe.push((*text).to_owned());
            }
        }
    }
    if safe.is_empty() {
        safe = texts.into_iter().map(|(_, text)| text.to_owned()).collect();
    }
    Ok(safe)
}

fn is_still_affected(
    store: &Store,
    query: &Query<'_>,
    hits: &[Hit<'_>],
    version: &str,
) -> Result<bool, ReadError> {
    let asked = Asked::new(query.ecosystem, version, version);
    for hit in hits {
        let (verdict, _) = judge(store, Some(&asked), hit.entries.clone())?;
        if verdict == Verdict::Affected {
            return Ok(true);
        }
    }
    Ok(false)
}
