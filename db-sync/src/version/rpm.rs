//! Owns the order of rpm packages: `[epoch:]version[-release]`, each part compared as rpm's
//! `rpmvercmp` does (rpm manual, `rpm-version(7)`), with tilde and caret. Text before a colon that
//! is no number is part of the version. It refuses nothing: rpm orders any text.

use std::cmp::Ordering;
use std::iter;

use super::text::{Number, digits, run};

/// An epoch, version and release of an rpm package.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a> {
    epoch: Number<'a>,
    upstream: &'a [u8],
    /// A missing release is older than any other: a bound without release lies before all its builds.
    release: Option<&'a [u8]>,
}

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Self {
        let (number, tail) = digits(text);
        let (epoch, rest) = match tail.strip_prefix(b":") {
            Some(rest) => (number, rest),
            None => (&[][..], text),
        };
        let mut hyphen = rest.rsplitn(2, |&byte| byte == b'-');
        let last = hyphen.next().unwrap_or_default();
        let (upstream, release) = match hyphen.next() {
            Some(upstream) => (upstream, Some(last)),
            None => (last, None),
        };
        Self {
            epoch: Number(epoch),
            upstream,
            release,
        }
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| segments(self.upstream).cmp(segments(other.upstream)))
            .then_with(|| match (self.release, other.release) {
                (Some(a), Some(b)) => segments(a).cmp(segments(b)),
                (a, b) => a.is_some().cmp(&b.is_some()),
            })
    }
}

ordered!(Version<'_>);

/// What `rpmvercmp` compares, oldest kind first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Segment<'a> {
    Tilde,
    End,
    Caret,
    Letters(&'a [u8]),
    Number(Number<'a>),
}

/// Segments of a version or release and its end; every other character only separates.
fn segments(text: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut rest = Some(text);
    iter::from_fn(move || {
        let (_, start) = run(rest?, |byte| {
            !byte.is_ascii_alphanumeric() && byte != b'~' && byte != b'^'
        });
        let (segment, tail) = match start.split_first() {
            None => (Segment::End, None),
            Some((b'~', tail)) => (Segment::Tilde, Some(tail)),
            Some((b'^', tail)) => (Segment::Caret, Some(tail)),
            Some((first, _)) if first.is_ascii_digit() => {
                let (number, tail) = digits(start);
                (Segment::Number(Number(number)), Some(tail))
            }
            Some(_) => {
                let (letters, tail) = run(start, |byte| byte.is_ascii_alphabetic());
                (Segment::Letters(letters), Some(tail))
            }
        };
        rest = tail;
        Some(segment)
    })
}
