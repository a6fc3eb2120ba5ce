//! Owns the order of FreeBSD's packages: `version[_revision][,epoch]`, as `pkg version -t` compares
//! them (the Porter's Handbook, "Versions"; pkg-version(8)). The epoch counts first, the revision
//! last; between them dotted components, each a number, a letter and a number. It refuses nothing:
//! advisories write bounds such as `3.*`, where the asterisk lies below every component.

use std::cmp::Ordering;

use super::text::{Number, digits, run, strip_prefix_any_case};

/// A version of a port or of the base system.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a> {
    epoch: Number<'a>,
    upstream: &'a [u8],
    revision: Number<'a>,
}

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Self {
        let (rest, revision) = cut(text, b'_');
        // The epoch stands behind the revision.
        let (revision, late) = match revision {
            Some(revision) => {
                let (revision, epoch) = cut(revision, b',');
                (revision, epoch)
            }
            None => (&[][..], None),
        };
        let (upstream, early) = cut(rest, b',');
        let upstream = if late.is_some() { rest } else { upstream };
        Self {
            epoch: number(late.or(early).unwrap_or_default()),
            upstream,
            revision: number(revision),
        }
    }
}

/// What is before the last `mark`, and what is after it.
fn cut(text: &[u8], mark: u8) -> (&[u8], Option<&[u8]>) {
    let mut parts = text.rsplitn(2, |&byte| byte == mark);
    let last = parts.next().unwrap_or_default();
    match parts.next() {
        Some(before) => (before, Some(last)),
        None => (last, None),
    }
}

fn number(text: &[u8]) -> Number<'_> {
    Number(digits(text).0)
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| components(self.upstream, other.upstream))
            .then_with(|| self.revision.cmp(&other.revision))
    }
}

ordered!(Version<'_>);

/// The first part of a component, oldest first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Lead<'a> {
    /// `*`.
    Any,
    /// Letters only: `beta` of `1.0.beta`.
    Stage,
    Number(Number<'a>),
}

/// A component; one that a version does not have is zero, with no letter.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Component<'a> {
    lead: Lead<'a>,
    /// The place of its letter in the alphabet, 0 for none.
    letter: u8,
    /// The number after the letter; a letter without one is older than with 0.
    patch: Option<Number<'a>>,
}

impl Component<'_> {
    const ZERO: Self = Self {
        lead: Lead::Number(Number(b"")),
        letter: 0,
        patch: Some(Number(b"")),
    };
}

/// Words that have a place of their own; any other word counts as its first letter.
const STAGES: [(&[u8], u8); 5] = [
    (b"pl", 0),
    (b"alpha", 1),
    (b"beta", 2),
    (b"pre", 16),
    (b"rc", 18),
];

/// The stage that a text begins with, and what follows it.
fn stage(text: &[u8]) -> Option<(u8, &[u8])> {
    STAGES.iter().find_map(|(word, letter)| {
        let rest = strip_prefix_any_case(text, word)?;
        let ends = !rest.first().is_some_and(u8::is_ascii_alphabetic);
        ends.then_some((*letter, rest))
    })
}

/// Splits off the first component of a text that is not empty.
fn component(text: &[u8]) -> (Component<'_>, &[u8]) {
    let (lead, mut rest) = match text.first() {
        Some(b'*') => (Lead::Any, run(text, |byte| byte != b'+').1),
        Some(first) if first.is_ascii_digit() => {
            let (number, rest) = digits(text);
            (Lead::Number(Number(number)), rest)
        }
        _ => (Lead::Stage, text),
    };
    let mut letter = 0;
    let mut patch = Some(Number(&b""[..]));
    if let Some(first) = rest.first().filter(|first| first.is_ascii_alphabetic()) {
        let word = rest
            .get(1)
            .is_some_and(u8::is_ascii_alphabetic)
            .then(|| stage(rest))
            .flatten();
        let with_patch = match word {
            Some((found, after)) if lead == Lead::Stage => {
                (letter, rest) = (found, after);
                true
            }
            // `1.0beta` is `1.0.beta`: the stage is a component of its own.
            Some(_) => false,
            None => {
                letter = first
                    .to_ascii_lowercase()
                    .saturating_sub(b'a')
                    .saturating_add(1);
                rest = run(rest, |byte| byte.is_ascii_alphabetic()).1;
                true
            }
        };
        if with_patch {
            let (number, after) = digits(rest);
            patch = (!number.is_empty()).then_some(Number(number));
            rest = after;
        }
    }
    let separates = |byte: u8| !byte.is_ascii_alphanumeric() && byte != b'+' && byte != b'*';
    let component = Component {
        lead,
        letter,
        patch,
    };
    (component, run(rest, separates).1)
}

/// Whether a version, or its part before a plus, is at its end.
fn ends(text: &[u8]) -> bool {
    matches!(text.first(), None | Some(b'+'))
}

/// The first component; one that is not there is zero.
fn next(text: &[u8]) -> (Component<'_>, &[u8]) {
    if ends(text) {
        (Component::ZERO, text)
    } else {
        component(text)
    }
}

/// Compares component by component; what follows a plus is compared with what follows a plus.
fn components(mut left: &[u8], mut right: &[u8]) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        if ends(left) && ends(right) {
            left = left.get(1..).unwrap_or_default();
            right = right.get(1..).unwrap_or_default();
            continue;
        }
        let (a, left_rest) = next(left);
        let (b, right_rest) = next(right);
        let order = a.cmp(&b);
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    Ordering::Equal
}
