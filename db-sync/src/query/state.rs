//! Why a match names no fixed version: nobody fixed it, somebody says that it
//! will not be fixed, or the records do not tell. Reads only what the matched
//! entries say about the interval that holds the version.

use super::damaged;
use super::head;
use super::package::{Hit, Package};
use crate::advisory::EventKind;
use crate::severity;
use crate::store::ReadError;
use crate::store::entry::Mark;
use crate::store::format::Section;
use crate::store::view::{Ratings, View};

/// RustSec's kind for a package that nobody looks after: no fix will come.
const UNMAINTAINED: &str = "unmaintained";
/// Debian's urgency for what its release no longer supports.
const END_OF_LIFE: &str = "end-of-life";

/// What is known about a fix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FixState {
    /// A fixed version above the asked one is known.
    Fixed,
    /// The range that holds the version ends nowhere.
    NotFixed,
    /// As [`FixState::NotFixed`], and a source says that it stays so: RustSec's
    /// `unmaintained`, Debian's urgency `end-of-life`.
    WontFix,
    /// Some later version may be free of it (`last_affected`, `limit`, listed
    /// versions, commits only), but no record says which one.
    #[default]
    Unknown,
}

impl FixState {
    /// The word used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::NotFixed => "not-fixed",
            Self::WontFix => "wont-fix",
            Self::Unknown => "unknown",
        }
    }
}

/// The state of a match without fixed versions, by the entries of its records.
pub(super) fn unfixed<'h, 'db: 'h>(
    package: &Package<'_, 'db>,
    entries: &[&View<'db>],
    hits: impl Iterator<Item = &'h Hit<'db>>,
) -> Result<FixState, ReadError> {
    for hit in hits {
        if hit.head.title()?.informational == Some(UNMAINTAINED) || is_over(package, hit)? {
            return Ok(FixState::WontFix);
        }
    }
    let mut state = FixState::Unknown;
    for entry in entries {
        for span in package.views.spans(entry) {
            match end(package, span.semver, package.views.marks(span))? {
                Some(FixState::NotFixed) => state = FixState::NotFixed,
                // One record knows of an end: there is more than the others say.
                Some(other) => return Ok(other),
                None => {}
            }
        }
    }
    Ok(state)
}

/// Whether a record calls the package's support over.
fn is_over(package: &Package<'_, '_>, hit: &Hit<'_>) -> Result<bool, ReadError> {
    let lists = std::iter::once(&hit.ratings).chain(&hit.more_ratings);
    for rating in lists.flat_map(Ratings::clone) {
        let (value, field) = rating.map_err(damaged(Section::Packages))?;
        if severity::field_name(field).ends_with("urgency") {
            let word = head::rating(package.store, value, String::new())?.value;
            if word.eq_ignore_ascii_case(END_OF_LIFE) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// How the interval that holds the version ends; `None` where none holds it.
/// Without a version the last interval counts.
fn end(
    package: &Package<'_, '_>,
    semver: bool,
    marks: &[Mark],
) -> Result<Option<FixState>, ReadError> {
    let mut inside = false;
    for mark in marks {
        let is_reached = match package.asked {
            None => Some(true),
            Some(asked) => asked.reaches(package.store, semver, mark)?,
        };
        // As in the evaluation: a bound that this program cannot read says nothing.
        let Some(is_reached) = is_reached else {
            continue;
        };
        match (is_reached, mark.kind) {
            (true, EventKind::Introduced) => inside = true,
            (true, _) if package.asked.is_none() => return Ok(Some(FixState::Unknown)),
            (true, _) => inside = false,
            (false, EventKind::Introduced) => {}
            (false, EventKind::Limit) if mark.version.is_none() => {}
            (false, _) => return Ok(inside.then_some(FixState::Unknown)),
        }
    }
    Ok(inside.then_some(FixState::NotFixed))
}
