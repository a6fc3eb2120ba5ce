//! Owns the order of Python packages: PEP 440 with the normalisations of its appendix B. Text that
//! is no PEP 440 version is not refused but older than all of them, by setuptools' old order (see
//! `pypi_legacy`): the registry still holds such versions.

use std::cmp::Ordering;

use super::pypi_legacy::Legacy;
use super::text::{Number, Word, compare_padded, digits, is_number, strip_prefix_any_case};

/// A version of a Python package; a legacy one is older than any other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version<'a> {
    Legacy(Legacy<'a>),
    Pep440(Pep440<'a>),
}

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Self {
        match Pep440::parse(text) {
            Some(version) => Self::Pep440(version),
            None => Self::Legacy(Legacy::parse(text)),
        }
    }
}

/// A version after PEP 440: `[epoch!]release[pre][.postN][.devN][+local]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pep440<'a> {
    epoch: Number<'a>,
    /// Dotted numbers.
    release: &'a [u8],
    pre: Pre<'a>,
    post: Option<Number<'a>>,
    dev: Dev<'a>,
    local: Option<&'a [u8]>,
}

/// The pre-release part, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pre<'a> {
    /// None, but the version is a development release of the release itself.
    BeforeAll,
    In(Phase, Number<'a>),
    None,
}

/// What a pre-release is called, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Alpha,
    Beta,
    Candidate,
}

/// The development part; a version without one is newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Dev<'a> {
    Number(Number<'a>),
    None,
}

/// Spellings of the pre-release part; where one starts another, the longer one comes first.
const PRE_RELEASES: [(&[u8], Phase); 8] = [
    (b"alpha", Phase::Alpha),
    (b"a", Phase::Alpha),
    (b"beta", Phase::Beta),
    (b"b", Phase::Beta),
    (b"preview", Phase::Candidate),
    (b"pre", Phase::Candidate),
    (b"rc", Phase::Candidate),
    (b"c", Phase::Candidate),
];

/// Spellings of the post-release part.
const POST_RELEASES: [&[u8]; 3] = [b"post", b"rev", b"r"];

impl<'a> Pep440<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let text = strip_prefix_any_case(text, b"v").unwrap_or(text);
        let (number, tail) = digits(text);
        let (epoch, rest) = match tail.strip_prefix(b"!") {
            Some(rest) if !number.is_empty() => (number, rest),
            _ => (&[][..], text),
        };
        let (release, rest) = release(rest)?;
        let mut version = Self {
            epoch: Number(epoch),
            release,
            pre: Pre::None,
            post: None,
            dev: Dev::None,
            local: None,
        };
        // Most versions end here.
        if !rest.is_empty() {
            version.read_parts(rest)?;
        }
        Some(version)
    }

    /// Reads what follows the release; all of it, or the version is none.
    fn read_parts(&mut self, mut rest: &'a [u8]) -> Option<()> {
        let pre = PRE_RELEASES.iter().find_map(|&(name, phase)| {
            let (number, tail) = part(rest, name)?;
            Some((Pre::In(phase, number), tail))
        });
        if let Some((pre, tail)) = pre {
            (self.pre, rest) = (pre, tail);
        }
        let post =
            implicit_post(rest).or_else(|| POST_RELEASES.iter().find_map(|name| part(rest, name)));
        if let Some((number, tail)) = post {
            (self.post, rest) = (Some(number), tail);
        }
        if let Some((number, tail)) = part(rest, b"dev") {
            (self.dev, rest) = (Dev::Number(number), tail);
            if pre.is_none() && post.is_none() {
                self.pre = Pre::BeforeAll;
            }
        }
        match rest.split_first() {
            None => {}
            Some((b'+', local)) if is_local(local) => self.local = Some(local),
            Some(_) => return None,
        }
        Some(())
    }
}

impl Ord for Pep440<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| compare_padded(self.release, other.release))
            .then_with(|| self.pre.cmp(&other.pre))
            .then_with(|| self.post.cmp(&other.post))
            .then_with(|| self.dev.cmp(&other.dev))
            .then_with(|| match (self.local, other.local) {
                (Some(a), Some(b)) => segments(a).cmp(segments(b)),
                (a, b) => a.is_some().cmp(&b.is_some()),
            })
    }
}

ordered!(Pep440<'_>);

/// Splits off `N(.N)*`; a dot without a number behind it belongs to what follows.
fn release(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, mut rest) = digits(text);
    if first.is_empty() {
        return None;
    }
    while let Some(after_dot) = rest.strip_prefix(b".") {
        let (number, tail) = digits(after_dot);
        if number.is_empty() {
            break;
        }
        rest = tail;
    }
    text.split_at_checked(text.len().checked_sub(rest.len())?)
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'.' | b'-' | b'_')
}

fn skip_separator(text: &[u8]) -> &[u8] {
    match text.split_first() {
        Some((&byte, rest)) if is_separator(byte) => rest,
        _ => text,
    }
}

/// Splits off `[sep]name[sep][N]`; without a number it is 0.
fn part<'a>(text: &'a [u8], name: &[u8]) -> Option<(Number<'a>, &'a [u8])> {
    let after = strip_prefix_any_case(skip_separator(text), name)?;
    let (number, rest) = digits(skip_separator(after));
    Some((Number(number), rest))
}

/// Splits off `-N`, the short form of `.postN`.
fn implicit_post(text: &[u8]) -> Option<(Number<'_>, &[u8])> {
    let (number, rest) = digits(text.strip_prefix(b"-")?);
    (!number.is_empty()).then_some((Number(number), rest))
}

fn is_local(text: &[u8]) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_alphanumeric();
    text.split(|&byte| is_separator(byte))
        .all(|segment| !segment.is_empty() && segment.iter().all(alphanumeric))
}

/// A segment of a local version: numbers are newer than words.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Segment<'a> {
    Word(Word<'a>),
    Number(Number<'a>),
}

fn segments(local: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    local.split(|&byte| is_separator(byte)).map(|segment| {
        if is_number(segment) {
            Segment::Number(Number(segment))
        } else {
            Segment::Word(Word(segment))
        }
    })
}
