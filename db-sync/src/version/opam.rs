//! Owns opam's version order: the opam manual, "Version ordering", which is Debian's comparison of
//! alternating words and numbers over the whole text. There is no epoch and no revision, so a
//! colon or a hyphen is a character like any other.

use std::cmp::Ordering;

use super::debian::compare_part;

/// A version of an opam package.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a>(&'a [u8]);

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Self {
        Self(text)
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_part(self.0, other.0)
    }
}

ordered!(Version<'_>);
