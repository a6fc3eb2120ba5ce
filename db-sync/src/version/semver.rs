//! Owns Semantic Versioning 2.0.0, section 11, and reads the looser forms that registries and
//! advisories use: a leading `v`, one number or more than three (missing ones are zero), leading
//! zeros. Build metadata, also Go's `+incompatible`, does not count. Refuses what does not start
//! with dotted numbers and an empty pre-release.

use std::cmp::Ordering;

use super::text::{Number, compare_padded, digits, is_number};

/// A semantic version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a> {
    /// Dotted numbers.
    core: &'a [u8],
    pre_release: Option<&'a [u8]>,
    /// Without the plus sign.
    pub(super) build: Option<&'a [u8]>,
}

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let text = match text.split_first() {
            Some((b'v' | b'V', rest)) => rest,
            _ => text,
        };
        let core_end = end_of_numbers(text)?;
        let (core, rest) = text.split_at_checked(core_end)?;
        let mut plus = rest.splitn(2, |&byte| byte == b'+');
        let pre_release = match plus.next()? {
            [] => None,
            pre => Some(pre.strip_prefix(b"-").filter(|pre| !pre.is_empty())?),
        };
        Some(Self {
            core,
            pre_release,
            build: plus.next(),
        })
    }
}

/// Length of the dotted numbers that `text` starts with; none where a dot lacks a number.
fn end_of_numbers(text: &[u8]) -> Option<usize> {
    let mut rest = text;
    loop {
        let (number, tail) = digits(rest);
        if number.is_empty() {
            return None;
        }
        match tail.strip_prefix(b".") {
            Some(next) => rest = next,
            None => return text.len().checked_sub(tail.len()),
        }
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_padded(self.core, other.core).then_with(|| {
            match (self.pre_release, other.pre_release) {
                (Some(a), Some(b)) => identifiers(a).cmp(identifiers(b)),
                (a, b) => a.is_none().cmp(&b.is_none()),
            }
        })
    }
}

ordered!(Version<'_>);

/// One part between dots: numbers by value and before words, words by ASCII.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identifier<'a> {
    Number(Number<'a>),
    Word(&'a [u8]),
}

/// Dotted parts of a pre-release or of build metadata.
pub(super) fn identifiers(text: &[u8]) -> impl Iterator<Item = Identifier<'_>> {
    text.split(|&byte| byte == b'.').map(|part| {
        if is_number(part) {
            Identifier::Number(Number(part))
        } else {
            Identifier::Word(part)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_holes_are_refused() {
        for text in [
            "v",
            "x",
            "1.",
            "1..2",
            ".1",
            "1.2.x",
            "1.2.3-",
            "1.2.3-+1",
            "1.2.3a",
            "nightly.1.0",
            "*",
            "^1.2",
        ] {
            assert!(Version::parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
