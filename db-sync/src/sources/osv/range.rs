//! A range of the schema as we keep it.

use super::schema;
use crate::advisory::{Event, EventKind, Range};

/// A range that applies to package versions; GIT ranges do not.
pub(super) fn range(raw: schema::Range) -> Option<Range> {
    let semver = match raw.kind.as_deref() {
        Some("SEMVER") => true,
        Some("ECOSYSTEM") => false,
        Some("GIT") => return None,
        other => {
            let kind = other.unwrap_or("");
            return Some(Range {
                unusable: Some(format!("range of unknown type {kind:?}")),
                ..Range::default()
            });
        }
    };
    let mut range = Range {
        semver,
        ..Range::default()
    };
    for raw in raw.events.unwrap_or_default() {
        let mut keys = [
            (EventKind::Introduced, raw.introduced),
            (EventKind::Fixed, raw.fixed),
            (EventKind::LastAffected, raw.last_affected),
            (EventKind::Limit, raw.limit),
        ]
        .into_iter()
        .filter_map(|(kind, version)| version.map(|version| Event { kind, version }));
        match (keys.next(), keys.next()) {
            (Some(event), None) => range.events.push(event),
            (None, _) => range.unusable = Some("event without a known key".to_owned()),
            (Some(_), Some(_)) => range.unusable = Some("event with more than one key".to_owned()),
        }
    }
    Some(range)
}
