//! Owns the orders that are of numbers alone, compared one by one; where one version ends it is
//! older, so that `1.0` is older than `1.0.0`. R's (`package_version` in R's base package, "numeric
//! versions") has dots and hyphens between them; Haskell's (Package Versioning Policy,
//! pvp.haskell.org) has dots, and the tags that `Data.Version` once had are obsolete. Refuses
//! anything but numbers with one separator between them.

use std::cmp::Ordering;

use super::text::{Number, is_number};

/// What stands between the numbers of an R package's version.
pub(super) const CRAN: &[u8] = b".-";

/// What stands between the numbers of a Haskell package's version.
pub(super) const HACKAGE: &[u8] = b".";

/// A version of numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a> {
    text: &'a [u8],
    separators: &'static [u8],
}

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a [u8], separators: &'static [u8]) -> Option<Self> {
        let version = Self { text, separators };
        let mut numbers = version.numbers();
        numbers.all(|number| is_number(number.0)).then_some(version)
    }

    fn numbers(&self) -> impl Iterator<Item = Number<'a>> + use<'a> {
        let separators = self.separators;
        self.text
            .split(move |byte| separators.contains(byte))
            .map(Number)
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers().cmp(other.numbers())
    }
}

ordered!(Version<'_>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_holes_are_refused() {
        for text in ["1.a", "1..2", ".1", "1.", "1_2", "v1", "1--2"] {
            for separators in [CRAN, HACKAGE] {
                let version = Version::parse(text.as_bytes(), separators);
                assert!(version.is_none(), "{text}");
            }
        }
        assert!(Version::parse(b"1-2", HACKAGE).is_none());
        assert!(Version::parse(b"1-2", CRAN).is_some());
    }
}
