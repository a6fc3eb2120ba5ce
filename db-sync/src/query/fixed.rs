//! Which fixed versions a match names: those above the asked one that no
//! record of the vulnerability calls affected, lowest first. A version that is merely
//! unaffected is not a fix: RustSec writes `unaffected = 0.2.0` and
//! `patched >= 0.2.23` as two ends of one range, and what lies between them on
//! the release line 0.2 tells them apart.

use super::choice::is_one_line;
use super::damaged;
use super::evaluate::{Asked, Judgement};
use super::package::{Package, Scratch};
use crate::advisory::{EventKind, order_of};
use crate::store::ReadError;
use crate::store::format::Section;
use crate::store::view::View;
use crate::version::Version;
use std::cmp::Ordering;

/// Fixed versions that are named for one match. Each is compared with all
/// records of the vulnerability, which a hostile record must not make quadratic.
const MAX_FIXED: usize = 64;

/// Fixed versions above the asked one, lowest first, by the entries in `scratch`
/// of the matching records of a vulnerability, whose ids are in `group`.
pub(super) fn fixed<'p, 'db>(
    package: &Package<'p, 'db>,
    group: &[u8],
    scratch: &mut Scratch<'p, 'db>,
) -> Result<Vec<&'db str>, ReadError> {
    let (store, views) = (package.store, package.views);
    let Scratch {
        entries,
        fixes: candidates,
        ..
    } = scratch;
    candidates.clear();
    let mut ranges: usize = 0;
    let mut others = false;
    for entry in entries.iter() {
        let spans = views.spans(entry);
        ranges = ranges.saturating_add(spans.len());
        for span in spans {
            let fixes = views
                .marks(span)
                .iter()
                .filter(|mark| mark.kind == EventKind::Fixed);
            candidates.extend(fixes.filter_map(|mark| Some((span.semver, mark.version?))));
        }
        for number in entry.other_fixes.clone() {
            candidates.push((false, number.map_err(damaged(Section::Packages))?));
            others = true;
        }
    }
    // The events of one range are sorted by version.
    let is_sorted = ranges < 2 && !others;
    if !is_sorted {
        candidates.sort_unstable();
    }
    candidates.dedup();
    let mut semver = false;
    let mut texts: Vec<&str> = Vec::new();
    let mut listed: Vec<&str> = Vec::new();
    for (place, (of_semver, number)) in candidates.iter().copied().enumerate() {
        let is_above = match package.asked {
            None => true,
            // All that follow the first one above are above, too.
            Some(_) if is_sorted && !texts.is_empty() => true,
            Some(asked) => asked.position(store, of_semver, number)? == Some(Ordering::Less),
        };
        if is_above {
            if texts.is_empty() {
                texts.reserve_exact(candidates.len().saturating_sub(place));
            }
            semver |= of_semver;
            let text = store.version(number)?;
            if is_listed(entries, number)? {
                listed.push(text);
            }
            texts.push(text);
        }
    }
    if texts.len() > 1 {
        if !is_sorted {
            sort(&mut texts, package.ecosystem, semver);
        }
        texts.dedup();
        texts.truncate(MAX_FIXED);
    }
    if texts.is_empty() {
        return Ok(texts);
    }
    scratch.silent.clear();
    if package.asked.is_some() {
        package.silent(group, scratch)?;
    }
    let Scratch {
        entries, silent, ..
    } = &*scratch;
    // What one range calls fixed, only another range can call affected, be it in
    // a record that has nothing against the asked version, or a list; what is
    // named outside of the ranges, any of them.
    let is_doubtful = ranges > 1 || others;
    if is_doubtful || !listed.is_empty() || !silent.is_empty() {
        let mut safe = Vec::with_capacity(texts.len());
        for text in &texts {
            if !(listed.contains(text)
                || (is_doubtful && is_still_affected(package, entries, text)?)
                || is_still_affected(package, silent, text)?)
            {
                safe.push(*text);
            }
        }
        if !safe.is_empty() {
            texts = safe;
        }
    }
    patched(package, scratch, texts)
}

/// Without the versions whose own release line is affected again further on,
/// unless there are no others. A distribution has one line.
fn patched<'db>(
    package: &Package<'_, 'db>,
    scratch: &Scratch<'_, 'db>,
    texts: Vec<&'db str>,
) -> Result<Vec<&'db str>, ReadError> {
    let (store, views) = (package.store, package.views);
    let Some(order) = order_of(package.ecosystem, true) else {
        return Ok(texts);
    };
    if texts.len() < 2 || order.is_of_distributions() {
        return Ok(texts);
    }
    let mut starts = Vec::new();
    for entry in &scratch.entries {
        for mark in views.spans(entry).iter().flat_map(|span| views.marks(span)) {
            if let (EventKind::Introduced, Some(number)) = (mark.kind, mark.version) {
                starts.push(store.version(number)?);
            }
        }
    }
    let is_left_again = |text: &str| {
        let Ok(fixed) = order.parse(text) else {
            return false;
        };
        starts.iter().any(|start| {
            is_one_line(text, start) && order.parse(start).is_ok_and(|start| fixed < start)
        })
    };
    let kept = texts.iter().copied().filter(|text| !is_left_again(text));
    let kept: Vec<&str> = kept.collect();
    Ok(if kept.is_empty() { texts } else { kept })
}

/// Whether one of the entries lists a version. Equal texts have one number.
fn is_listed(entries: &[&View<'_>], version: u32) -> Result<bool, ReadError> {
    for entry in entries {
        for number in entry.listed.clone() {
            match number.map_err(damaged(Section::Packages))?.cmp(&version) {
                Ordering::Less => {}
                Ordering::Equal => return Ok(true),
                Ordering::Greater => break,
            }
        }
    }
    Ok(false)
}

/// Sorts by version, what is none last, and equal ones by text.
fn sort(texts: &mut Vec<&str>, ecosystem: &str, semver: bool) {
    let Some(order) = order_of(ecosystem, semver) else {
        return;
    };
    let mut read: Vec<(Option<Version<'_>>, &str)> = texts
        .iter()
        .map(|text| (order.parse(text).ok(), *text))
        .collect();
    read.sort_by(|(left, left_text), (right, right_text)| {
        left.is_none()
            .cmp(&right.is_none())
            .then_with(|| left.cmp(right))
            .then_with(|| left_text.cmp(right_text))
    });
    *texts = read.into_iter().map(|(_, text)| text).collect();
}

fn is_still_affected(
    package: &Package<'_, '_>,
    entries: &[&View<'_>],
    version: &str,
) -> Result<bool, ReadError> {
    if entries.is_empty() {
        return Ok(false);
    }
    let (store, views) = (package.store, package.views);
    let asked = Asked::new(package.ecosystem, version, version);
    for record in entries.chunk_by(|left, right| left.record == right.record) {
        let builds = asked.builds(store, views, record.iter().copied())?;
        for entry in record {
            if asked.judge(store, views, entry)? == Judgement::Affected
                && asked.compares(store, views, builds, entry)?
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
