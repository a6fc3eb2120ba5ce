//! What publishers put beside a range that has no end, to say how far it is
//! known to reach. A version above that is possibly affected at most.
//!
//! - GitHub's `database_specific.last_known_affected_version_range`, such as
//!   `< 0.2`: where no fixed version is known, the end of the vulnerable range
//!   stands only there, and GitHub's own alerts end with it. Beside a range
//!   with a fix it is not used: the fix is the later bound.
//! - Go's `ecosystem_specific.custom_ranges`: the range says that every version
//!   of the module is affected, since none that the proxy lists is fixed; the
//!   custom one has the numbers of the project's tags. A version above a fix
//!   there can only be one with such a tag.
//!
//! What else stands beside ranges says the same as they do (Drupal's
//! `constraint`, opam's `opam_constraint`, Root's `all_fixed_versions`), speaks
//! of commits (OSS-Fuzz' `fixed_range`), or is no bound (Debian's `urgency`, which
//! is a rating: `unimportant` is one, `end-of-life` says that no fix will come).

use super::{range, schema};
use crate::advisory::{Affected, Event, EventKind, Range};
use crate::limits::Limits;
use crate::problem::Causes;

/// Adds to an entry that has a range without an end how far that is known to
/// reach: GitHub's text, and Go's ranges.
pub(super) fn add(
    affected: &mut Affected,
    known: Option<&str>,
    custom: Option<Vec<schema::Range>>,
    limits: &Limits,
    causes: &mut Causes,
) {
    let semver = crate::ecosystem::order(&affected.ecosystem).is_none();
    if let Some(text) = known {
        let mut range = last_known(text).unwrap_or_else(|| Range {
            unusable: Some("it names no upper bound".to_owned()),
            ..Range::default()
        });
        range.semver = semver;
        range.prepare(&affected.ecosystem, limits.version_length);
        match range.unusable {
            None => affected.beside.push(range),
            Some(cause) => causes.push(format!(
                "last_known_affected_version_range {text:?} is not used: {cause}"
            )),
        }
    }
    for raw in custom.unwrap_or_default() {
        let Some(mut range) = range::range(raw) else {
            continue;
        };
        range.semver = semver;
        range.prepare(&affected.ecosystem, limits.version_length);
        match range.unusable {
            None => affected.beside.push(range),
            Some(cause) => causes.push(format!("custom range is not used: {cause}")),
        }
    }
}

/// GitHub's notation: comparisons with commas between. All that matters is the
/// upper bound, of which there must be one.
fn last_known(text: &str) -> Option<Range> {
    let mut end = None;
    for comparison in text.split(',').map(str::trim) {
        let at = comparison.find(|c: char| !matches!(c, '<' | '>' | '='))?;
        let (sign, version) = comparison.split_at_checked(at)?;
        let kind = match sign {
            "<" => EventKind::Fixed,
            "<=" | "=" | "==" => EventKind::LastAffected,
            ">" | ">=" => continue,
            _ => return None,
        };
        let version = version.trim();
        if version.is_empty() || end.is_some() {
            return None;
        }
        end = Some(Event {
            kind,
            version: version.to_owned(),
        });
    }
    let from = Event {
        kind: EventKind::Introduced,
        version: "0".to_owned(),
    };
    Some(Range {
        events: vec![from, end?],
        ..Range::default()
    })
}

#[cfg(test)]
mod tests {
    use super::last_known;
    use crate::advisory::EventKind::{self, Fixed, LastAffected};

    #[test]
    fn the_upper_bound_is_read_in_every_notation() {
        let end = |text: &str| -> Option<(EventKind, String)> {
            let range = last_known(text)?;
            let [_, end] = range.events.as_slice() else {
                return None;
            };
            Some((end.kind, end.version.clone()))
        };
        for (text, kind, version) in [
            ("< 0.2", Fixed, "0.2"),
            ("<0.2", Fixed, "0.2"),
            ("<= 8.5.1", LastAffected, "8.5.1"),
            (">= 1.0, < 1.4", Fixed, "1.4"),
            ("= 1.2.3", LastAffected, "1.2.3"),
            (" <=2.13.2.0 ", LastAffected, "2.13.2.0"),
        ] {
            assert_eq!(end(text), Some((kind, version.to_owned())), "{text}");
        }
        for text in ["", "all", ">= 1.0", "<", "< 1, < 2", "~> 1.0", "<> 1", ","] {
            assert_eq!(end(text), None, "{text}");
        }
    }
}
