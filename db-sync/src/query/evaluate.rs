//! Whether one entry affects one version: the evaluation algorithm of the OSV
//! schema (section "Evaluation"), over events that the compiler has sorted.

use crate::advisory::{EventKind, order_of};
use crate::ecosystem;
use crate::store::ReadError;
use crate::store::entry::{Entry, Span};
use crate::store::read::Store;
use crate::version::{Order, Version};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::cmp::Ordering;

/// What an entry says about a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Affected,
    NotAffected,
    /// With the reason.
    Undecided(String),
}

/// The asked version, read in the orders that its ecosystem's ranges use.
pub(super) struct Asked<'a> {
    ecosystem: &'a str,
    text: &'a str,
    /// As given; listed versions are compared with this text.
    given: &'a str,
    /// Its number in the table of versions, if any record names it; looked up
    /// when the first entry lists versions.
    number: OnceCell<Option<u32>>,
    own: Reading<'a>,
    semver: Reading<'a>,
}

/// An order and a version in it, or why there is none.
type Reading<'a> = Result<(Order, Version<'a>), String>;

/// The text in which a version of a package is compared: Go's toolchain
/// writes `go1.21rc2` for what advisories call `1.21.0-rc2`.
pub(super) fn comparable<'a>(ecosystem: &str, name: &str, version: &'a str) -> Cow<'a, str> {
    if ecosystem != "Go" || !matches!(name, "stdlib" | "toolchain") {
        return Cow::Borrowed(version);
    }
    let plain = version.strip_prefix("go").unwrap_or(version);
    // A vendor's suffix (`go1.21.5 X:boringcrypto`, `go1.21.5-bigcorp`) is no pre-release.
    let plain = plain.split([' ', '-']).next().unwrap_or(plain);
    let end = plain
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(plain.len());
    let (numbers, rest) = plain.split_at_checked(end).unwrap_or((plain, ""));
    let dots = numbers.matches('.').count();
    if rest.is_empty() || numbers.is_empty() {
        return Cow::Borrowed(plain);
    }
    let padding = if dots < 2 { ".0" } else { "" };
    Cow::Owned(format!("{numbers}{padding}-{rest}"))
}

impl<'a> Asked<'a> {
    pub(super) fn new(ecosystem: &'a str, given: &'a str, text: &'a str) -> Self {
        let read = |semver: bool| -> Reading<'a> {
            let order = order_of(ecosystem, semver)
                .ok_or_else(|| format!("no version order is known for ecosystem {ecosystem:?}"))?;
            let version = order.parse(text).map_err(|invalid| invalid.to_string())?;
            Ok((order, version))
        };
        Self {
            number: OnceCell::new(),
            own: read(false),
            semver: read(true),
            ecosystem,
            text,
            given,
        }
    }

    /// Whether an entry lists the version by name.
    fn is_listed(&self, store: &Store, entry: &Entry) -> Result<bool, ReadError> {
        if entry.versions.is_empty() {
            return Ok(false);
        }
        let number = if let Some(number) = self.number.get() {
            *number
        } else {
            let number = store.version_number(self.given)?;
            *self.number.get_or_init(|| number)
        };
        Ok(number.is_some_and(|number| entry.versions.binary_search(&number).is_ok()))
    }

    fn reading(&self, semver: bool) -> &Reading<'a> {
        if semver { &self.semver } else { &self.own }
    }

    /// Evaluates one entry.
    pub(super) fn judge(&self, store: &Store, entry: &Entry) -> Result<Verdict, ReadError> {
        if self.is_listed(store, entry)? {
            return Ok(Verdict::Affected);
        }
        let mut doubt = None;
        for range in &entry.ranges {
            if let Some(cause) = &range.unusable {
                doubt.get_or_insert_with(|| cause.clone());
                continue;
            }
            match self.reading(range.semver) {
                Err(cause) if !range.events.is_empty() => {
                    doubt.get_or_insert_with(|| cause.clone());
                }
                Err(_) => {}
                Ok((order, version)) => {
                    if contains(store, range, *order, version)? {
                        return Ok(Verdict::Affected);
                    }
                }
            }
        }
        Ok(doubt.map_or(Verdict::NotAffected, Verdict::Undecided))
    }

    /// Whether a fixed version lies above the asked one.
    pub(super) fn is_below(&self, semver: bool, fixed: &str) -> bool {
        match self.reading(semver) {
            Ok((order, version)) => order.parse(fixed).is_ok_and(|fixed| fixed > *version),
            Err(_) => false,
        }
    }

    /// The module build that the asked version belongs to.
    fn module(&self) -> Option<&str> {
        ecosystem::module_build(self.text)
    }

    /// Leaves those entries of one record that speak about builds of the asked
    /// kind: module builds and ordinary ones are never compared, and where the
    /// record knows the asked module build's platform, only that one counts.
    pub(super) fn comparable_entries<'e>(
        &self,
        store: &Store,
        entries: Vec<&'e Entry>,
    ) -> Result<Vec<&'e Entry>, ReadError> {
        if !ecosystem::has_modules(self.ecosystem) {
            return Ok(entries);
        }
        let mut builds = Vec::with_capacity(entries.len());
        for entry in entries {
            builds.push((module_of(store, entry)?, entry));
        }
        let asked = self.module();
        let exact = asked.is_some() && builds.iter().any(|(build, _)| *build == asked);
        builds.retain(|(build, _)| match asked {
            None => build.is_none(),
            Some(_) if exact => *build == asked,
            Some(_) => build.is_some(),
        });
        Ok(builds.into_iter().map(|(_, entry)| entry).collect())
    }
}

/// The module build that an entry's bounds name.
fn module_of<'s>(store: &'s Store, entry: &Entry) -> Result<Option<&'s str>, ReadError> {
    for mark in entry.ranges.iter().flat_map(|range| &range.events) {
        if let Some(number) = mark.version
            && let Some(build) = ecosystem::module_build(store.version(number)?)
        {
            return Ok(Some(build));
        }
    }
    Ok(None)
}

fn contains(
    store: &Store,
    range: &Span,
    order: Order,
    version: &Version<'_>,
) -> Result<bool, ReadError> {
    let mut affected = false;
    let mut limited = false;
    for (number, mark) in range.events.iter().enumerate() {
        // How the asked version lies to the event's.
        let position = match mark.version {
            None if mark.kind == EventKind::Limit => Ordering::Less,
            None => Ordering::Greater,
            Some(number) => match order.parse(store.version(number)?) {
                Ok(bound) => version.cmp(&bound),
                // The compiler has parsed it; another program version may not.
                Err(_) => continue,
            },
        };
        if position == Ordering::Less {
            // All that follow lie above the version too: they change nothing,
            // except that it is below their limits.
            let above = range.events.get(number..).unwrap_or_default();
            let below_a_limit = above.iter().any(|mark| mark.kind == EventKind::Limit);
            return Ok(affected && (below_a_limit || !limited));
        }
        match mark.kind {
            EventKind::Introduced => affected = true,
            EventKind::Fixed => affected = false,
            EventKind::LastAffected if position == Ordering::Greater => affected = false,
            EventKind::LastAffected => {}
            EventKind::Limit => limited = true,
        }
    }
    Ok(affected && !limited)
}

#[cfg(test)]
mod tests {
    use super::comparable;

    #[test]
    fn the_toolchains_spelling_becomes_semver() {
        for (version, expected) in [
            ("go1.21.5", "1.21.5"),
            ("go1.21rc2", "1.21.0-rc2"),
            ("1.20", "1.20"),
            ("go1.21.5 X:boringcrypto", "1.21.5"),
        ] {
            assert_eq!(comparable("Go", "stdlib", version), expected);
        }
        assert_eq!(comparable("Go", "example.org/x", "v1.0.0"), "v1.0.0");
    }
}
