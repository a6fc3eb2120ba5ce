//! Owns `NuGet`'s version order: NuGet docs, "Package versioning", a semantic version with up to
//! four numbers whose labels ignore case. Missing numbers are zero, metadata does not count.
//! Refuses more than four numbers, empty labels and what does not start with a number.

use std::cmp::Ordering;

use super::text::{Number, Word, compare_padded, is_number};

/// Most numbers a `NuGet` version has: major, minor, patch, revision.
const MAX_NUMBERS: usize = 4;

/// A version of a `NuGet` package.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a> {
    core: &'a [u8],
    labels: Option<&'a [u8]>,
}

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let release = text.split(|&byte| byte == b'+').next()?;
        let mut hyphen = release.splitn(2, |&byte| byte == b'-');
        let core = hyphen.next()?;
        let labels = hyphen.next();
        let mut count = 0_usize;
        for number in core.split(|&byte| byte == b'.') {
            count = count.saturating_add(1);
            if count > MAX_NUMBERS || !is_number(number) {
                return None;
            }
        }
        let empty = |labels: &[u8]| labels.split(|&byte| byte == b'.').any(<[u8]>::is_empty);
        (!labels.is_some_and(empty)).then_some(Self { core, labels })
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_padded(self.core, other.core).then_with(|| match (self.labels, other.labels) {
            (Some(a), Some(b)) => labels(a).cmp(labels(b)),
            (a, b) => a.is_none().cmp(&b.is_none()),
        })
    }
}

ordered!(Version<'_>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Label<'a> {
    Number(Number<'a>),
    Word(Word<'a>),
}

fn labels(text: &[u8]) -> impl Iterator<Item = Label<'_>> {
    text.split(|&byte| byte == b'.').map(|label| {
        if is_number(label) {
            Label::Number(Number(label))
        } else {
            Label::Word(Word(label))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_number_a_hole_or_a_word_is_refused() {
        for text in [
            "1.2.3.4.5",
            "1..2",
            "x",
            "v1",
            "1.0-",
            "1.0-a..b",
            "-1",
            "+1",
        ] {
            assert!(Version::parse(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Version::parse(b"1.2.3.4-a.b+c").is_some());
    }
}
