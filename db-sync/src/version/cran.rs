//! Owns R's version order: `package_version` in R's base package ("numeric versions"), which
//! compares the numbers between dots and hyphens one by one; where one version ends it is older.
//! Refuses anything but numbers with one separator between them.

use std::cmp::Ordering;

use super::text::{Number, is_number};

/// A version of an R package.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a>(&'a [u8]);

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let version = Self(text);
        version
            .numbers()
            .all(|number| is_number(number.0))
            .then_some(version)
    }

    fn numbers(&self) -> impl Iterator<Item = Number<'a>> + use<'a> {
        self.0
            .split(|&byte| byte == b'.' || byte == b'-')
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
        for text in ["1.a", "1..2", ".1", "1.", "1_2", "v1"] {
            assert!(Version::parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
