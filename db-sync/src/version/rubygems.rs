//! Owns the order of gems: `Gem::Version#<=>` of RubyGems. A version is a row of numbers and
//! words; it goes on with zeros without end, a word is older than a number, and zeros before the
//! first word do not count. Refuses what `Gem::Version::VERSION_PATTERN` cannot hold: other
//! characters, and a start that is no number.

use std::cmp::Ordering;

use super::text::{Number, digits, run};

/// A version of a gem.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a>(&'a [u8]);

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        (text.first()?.is_ascii_digit() && text.iter().all(known)).then_some(Self(text))
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        const ZERO: Segment<'_> = Segment::Number(Number(b""));
        let (mut left, mut right) = (Canonical::new(self.0), Canonical::new(other.0));
        loop {
            let (a, b) = match (left.next(), right.next()) {
                (None, None) => return Ordering::Equal,
                (a, b) => (a.unwrap_or(ZERO), b.unwrap_or(ZERO)),
            };
            let order = a.cmp(&b);
            if order.is_ne() {
                return order;
            }
        }
    }
}

ordered!(Version<'_>);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Segment<'a> {
    Word(&'a [u8]),
    Number(Number<'a>),
}

/// The segments in the order of the text.
struct Segments<'a>(&'a [u8]);

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let (_, start) = run(self.0, |byte| byte == b'.');
        let (number, tail) = digits(start);
        if !number.is_empty() {
            self.0 = tail;
            return Some(Segment::Number(Number(number)));
        }
        // RubyGems reads a hyphen as `.pre.`.
        if let Some(tail) = start.strip_prefix(b"-") {
            self.0 = tail;
            return Some(Segment::Word(b"pre"));
        }
        let (word, tail) = run(start, |byte| byte.is_ascii_alphabetic());
        self.0 = tail;
        (!word.is_empty()).then_some(Segment::Word(word))
    }
}

/// The segments without the zeros that end the leading numbers.
struct Canonical<'a> {
    segments: Segments<'a>,
    in_head: bool,
    /// Zeros that were read and turned out to count.
    zeros: usize,
    next: Option<Segment<'a>>,
}

impl<'a> Canonical<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            segments: Segments(text),
            in_head: true,
            zeros: 0,
            next: None,
        }
    }
}

impl<'a> Iterator for Canonical<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        if let Some(left) = self.zeros.checked_sub(1) {
            self.zeros = left;
            return Some(Segment::Number(Number(b"")));
        }
        if let Some(segment) = self.next.take() {
            return Some(segment);
        }
        if !self.in_head {
            return self.segments.next();
        }
        let mut zeros = 0_usize;
        loop {
            match self.segments.next() {
                Some(Segment::Number(number)) if number.is_zero() => {
                    zeros = zeros.saturating_add(1);
                }
                Some(number @ Segment::Number(_)) => {
                    let Some(left) = zeros.checked_sub(1) else {
                        return Some(number);
                    };
                    self.zeros = left;
                    self.next = Some(number);
                    return Some(Segment::Number(Number(b"")));
                }
                end => {
                    self.in_head = false;
                    return end;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_gem_version_is_refused() {
        for text in ["a1", "1_2", "1+2", "v1", ".1", "1.é"] {
            assert!(Version::parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
