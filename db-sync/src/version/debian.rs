//! Owns Debian's version order: `[epoch:]upstream[-revision]`, Debian Policy 5.6.12, as dpkg's
//! `deb-version(7)` and its comparison have it. Refuses an epoch that is no number and an empty
//! upstream version; other characters than the Policy allows are ordered as dpkg orders them.

use std::cmp::Ordering;
use std::iter;

use super::text::{Number, digits, run};

/// A Debian version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a> {
    epoch: Number<'a>,
    upstream: &'a [u8],
    /// Empty where missing, which the Policy makes equal to `0`.
    revision: &'a [u8],
}

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let mut colon = text.splitn(2, |&byte| byte == b':');
        let (epoch, rest) = match (colon.next()?, colon.next()) {
            (epoch, Some(rest)) => {
                let (number, tail) = digits(epoch);
                if number.is_empty() || !tail.is_empty() {
                    return None;
                }
                (number, rest)
            }
            (rest, None) => (&[][..], rest),
        };
        // The revision starts after the last hyphen, so upstream may have hyphens of its own.
        let mut hyphen = rest.rsplitn(2, |&byte| byte == b'-');
        let (upstream, revision) = match (hyphen.next()?, hyphen.next()) {
            (revision, Some(upstream)) => (upstream, revision),
            (upstream, None) => (upstream, &[][..]),
        };
        (!upstream.is_empty()).then_some(Self {
            epoch: Number(epoch),
            upstream,
            revision,
        })
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_part(self.upstream, other.upstream))
            .then_with(|| compare_part(self.revision, other.revision))
    }
}

ordered!(Version<'_>);

/// Compares two upstream versions or two revisions: runs of non-digits and numbers in turn.
pub(super) fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !(a.is_empty() && b.is_empty()) {
        let (left_word, left) = run(a, |byte| !byte.is_ascii_digit());
        let (right_word, right) = run(b, |byte| !byte.is_ascii_digit());
        let (left_number, left) = digits(left);
        let (right_number, right) = digits(right);
        let order = weights(left_word)
            .cmp(weights(right_word))
            .then_with(|| Number(left_number).cmp(&Number(right_number)));
        if order.is_ne() {
            return order;
        }
        (a, b) = (left, right);
    }
    Ordering::Equal
}

/// Weight of each byte of a run and of its end: tilde, end, letters, everything else.
fn weights(word: &[u8]) -> impl Iterator<Item = (u8, u8)> {
    word.iter()
        .map(|&byte| match byte {
            b'~' => (0, 0),
            letter if letter.is_ascii_alphabetic() => (2, letter),
            other => (3, other),
        })
        .chain(iter::once((1, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_needs_a_numeric_epoch_and_an_upstream() {
        for text in ["a:1", ":1", "1:", "-1", "1:-1"] {
            assert!(Version::parse(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Version::parse(b"1:2:3-4-5").is_some());
    }
}
