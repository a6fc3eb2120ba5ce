//! The normalised advisory: what every source is turned into before it is
//! compiled. Ecosystems are strings, bounds are checked and sorted, and a
//! range that cannot be evaluated stays in the record as unusable, so that a
//! question about it is answered "undecided" and not "clean".

use crate::moment::Moment;
use crate::severity::Rating;
use crate::strict;
use crate::version::{Bound, Order};

/// One advisory of any source, after checking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advisory {
    /// The id in its database, never empty.
    pub id: String,
    /// When it was published, where the record says so readably.
    pub published: Option<Moment>,
    /// When it was last changed; `None` sorts as the oldest.
    pub modified: Option<Moment>,
    /// When it was withdrawn, or `None` for a live record.
    pub withdrawn: Option<Moment>,
    /// Ids of the same vulnerability in other databases.
    pub aliases: Vec<String>,
    /// Ids of the vulnerabilities this record is derived from.
    pub upstream: Vec<String>,
    /// Ids of vulnerabilities that have to do with this one without being it.
    pub related: Vec<String>,
    /// One line.
    pub summary: String,
    /// Markdown, as the source wrote it.
    pub details: String,
    /// Links, in the source's order.
    pub references: Vec<Reference>,
    /// Record-level vectors and words, vectors first.
    pub ratings: Vec<Rating>,
    /// `RustSec`'s kind of a record that is no vulnerability: `unmaintained`,
    /// `unsound`, `notice`.
    pub informational: Option<String>,
    /// Where the vulnerability is, for sources that say so.
    pub scope: Scope,
    /// The affected packages.
    pub affected: Vec<Affected>,
}

/// A link of an advisory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// OSV's word for what the link leads to, such as `ADVISORY` or `FIX`.
    pub kind: String,
    /// The address, unchecked.
    pub url: String,
}

/// Limits of where in a package, or on which machines, a vulnerability exists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Affected functions by path.
    pub functions: Vec<String>,
    /// CPU architectures; empty means all.
    pub arch: Vec<String>,
    /// Operating systems; empty means all.
    pub os: Vec<String>,
}

impl Scope {
    /// Whether it limits nothing.
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty() && self.arch.is_empty() && self.os.is_empty()
    }
}

/// One affected package of an advisory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// The ecosystem with its suffix, as the record spells it.
    pub ecosystem: String,
    /// The package name, as the record spells it.
    pub name: String,
    /// Ranges that apply to package versions.
    pub ranges: Vec<Range>,
    /// Where a source says beside its ranges how far they are known to reach:
    /// above all of their ends a version in a range of `ranges` that has no end
    /// is possibly affected at most. Empty where every range has an end.
    pub beside: Vec<Range>,
    /// Versions named one by one.
    pub versions: Vec<String>,
    /// Ratings that hold for this package only.
    pub ratings: Vec<Rating>,
    /// Fixed versions that the source names outside of its ranges
    /// (Go's `custom_ranges`).
    pub other_fixes: Vec<String>,
}

/// A range of versions in one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Whether the range has the type SEMVER (else ECOSYSTEM).
    pub semver: bool,
    /// The events; sorted by version once `prepare` ran.
    pub events: Vec<Event>,
    /// Why the range cannot be evaluated, where it cannot.
    pub unusable: Option<String>,
}

/// What changes at a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happens at the version.
    pub kind: EventKind,
    /// The version, or the open bounds `0` (introduced) and `*` (limit).
    pub version: String,
}

/// The kinds of events of the OSV schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// From this version on, inclusive.
    Introduced,
    /// From this version on no longer.
    Fixed,
    /// After this version no longer.
    LastAffected,
    /// No version at or above this one is meant.
    Limit,
}

impl EventKind {
    pub(crate) fn code(self) -> u64 {
        match self {
            Self::Introduced => 0,
            Self::Fixed => 1,
            Self::LastAffected => 2,
            Self::Limit => 3,
        }
    }

    pub(crate) fn from_code(code: u64) -> Self {
        match code & 3 {
            0 => Self::Introduced,
            1 => Self::Fixed,
            2 => Self::LastAffected,
            _ => Self::Limit,
        }
    }
}

/// The order that a range's bounds follow: the ecosystem's own, or `SemVer` for
/// SEMVER ranges of ecosystems without one.
pub(crate) fn order_of(ecosystem: &str, semver: bool) -> Option<Order> {
    crate::ecosystem::order(ecosystem).or(if semver { Some(Order::Semver) } else { None })
}

impl Event {
    /// Reads the event's version as a point in the order.
    pub(crate) fn bound(&self, order: Order) -> Result<Bound<'_>, String> {
        let bound = match self.kind {
            EventKind::Introduced => Bound::introduced(order, &self.version),
            EventKind::Limit => Bound::limit(order, &self.version),
            EventKind::Fixed | EventKind::LastAffected => order.parse(&self.version).map(Bound::At),
        };
        bound.map_err(|invalid| invalid.to_string())
    }
}

impl Range {
    /// Whether nothing closes what its last `introduced` opened.
    pub(crate) fn is_open(&self) -> bool {
        let mut events = self.events.iter();
        let last = events.rfind(|event| event.kind != EventKind::Limit || event.version != "*");
        last.is_some_and(|event| event.kind == EventKind::Introduced)
    }

    /// Checks the events against the schema and the ecosystem's version order
    /// and sorts them, so that one pass over them answers for any version.
    pub(crate) fn prepare(&mut self, ecosystem: &str, longest: usize) {
        if self.unusable.is_none() {
            match self.sorted(ecosystem, longest) {
                Ok(events) => self.events = events,
                Err(cause) => self.unusable = Some(cause),
            }
        }
        if self.unusable.is_some() {
            self.events.clear();
        }
    }

    fn sorted(&self, ecosystem: &str, longest: usize) -> Result<Vec<Event>, String> {
        let has = |kind| self.events.iter().any(|event| event.kind == kind);
        if !has(EventKind::Introduced) {
            return Err("range without an introduced event".to_owned());
        }
        if has(EventKind::Fixed) && has(EventKind::LastAffected) {
            return Err("range with both fixed and last_affected events".to_owned());
        }
        let Some(order) = order_of(ecosystem, self.semver) else {
            return Err(format!(
                "no version order is known for ecosystem {ecosystem:?}"
            ));
        };
        let mut keyed = Vec::with_capacity(self.events.len());
        for event in &self.events {
            if event.version.len() > longest {
                return Err(format!("version of {} characters", event.version.len()));
            }
            let bound = event.bound(order)?;
            if matches!(bound, Bound::At(_))
                && let Some(cause) = strict::refusal(ecosystem, self.semver, &event.version)
            {
                return Err(format!(
                    "{:?} is not a version of {ecosystem}: {cause}",
                    event.version
                ));
            }
            keyed.push((bound, event));
        }
        keyed.sort_by(|(left, _), (right, _)| left.cmp(right));
        Ok(settle_ties(&keyed))
    }
}

/// Settles events that lie at one version, whichever way the record lists them:
/// what is open goes on (`1 to 2` and `2 to 3` are one interval, and 2 is no
/// fixed version), what was closed opens first (`introduced 2, fixed 2` is empty).
fn settle_ties(sorted: &[(Bound<'_>, &Event)]) -> Vec<Event> {
    let mut events = Vec::with_capacity(sorted.len());
    let mut open = false;
    for group in sorted.chunk_by(|(left, _), (right, _)| left == right) {
        let of = |opening: bool| {
            group
                .iter()
                .filter(move |(_, event)| (event.kind == EventKind::Introduced) == opening)
        };
        let goes_on = open && of(true).next().is_some();
        for (_, event) in of(true).chain(of(false)) {
            if goes_on && event.kind != EventKind::Limit {
                continue;
            }
            open = match event.kind {
                EventKind::Introduced => true,
                EventKind::Fixed | EventKind::LastAffected => false,
                EventKind::Limit => open,
            };
            events.push((*event).clone());
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::{Event, EventKind, Range};

    fn range(semver: bool, events: &[(EventKind, &str)]) -> Range {
        Range {
            semver,
            events: events
                .iter()
                .map(|(kind, version)| Event {
                    kind: *kind,
                    version: (*version).to_owned(),
                })
                .collect(),
            unusable: None,
        }
    }

    #[test]
    fn adjoining_intervals_are_one_and_empty_ones_empty() {
        use EventKind::{Fixed, Introduced};
        let mut adjoining = range(
            false,
            &[
                (Introduced, "2"),
                (Fixed, "3"),
                (Introduced, "1"),
                (Fixed, "2"),
            ],
        );
        adjoining.prepare("PyPI", 100);
        let events: Vec<_> = adjoining
            .events
            .iter()
            .map(|event| (event.kind, event.version.as_str()))
            .collect();
        assert_eq!(events, [(Introduced, "1"), (Fixed, "3")]);
        let mut empty = range(false, &[(Fixed, "1"), (Introduced, "1")]);
        empty.prepare("PyPI", 100);
        let kinds: Vec<_> = empty.events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [Introduced, Fixed]);
    }

    #[test]
    fn schema_violations_and_foreign_bounds_make_a_range_unusable() {
        use EventKind::{Fixed, Introduced, LastAffected};
        for (ecosystem, mut range) in [
            ("PyPI", range(false, &[])),
            ("PyPI", range(false, &[(Fixed, "1")])),
            (
                "PyPI",
                range(
                    false,
                    &[(Introduced, "0"), (Fixed, "1"), (LastAffected, "1")],
                ),
            ),
            (
                "crates.io",
                range(true, &[(Introduced, "0"), (Fixed, "1.2")]),
            ),
            (
                "crates.io",
                range(true, &[(Introduced, "*"), (Fixed, "1.2.0")]),
            ),
            ("Nowhere", range(false, &[(Introduced, "0")])),
        ] {
            range.prepare(ecosystem, 100);
            assert!(range.unusable.is_some(), "{ecosystem}");
        }
    }
}
