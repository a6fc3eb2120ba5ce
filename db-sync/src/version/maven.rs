//! Owns the order of Maven versions: the POM reference, "Version Order Specification", and
//! `ComparableVersion` of maven-artifact 3.9. A version is a flat row of items here: the lists in
//! lists of the Java class give the same order and would nest as deep as the text is long. It
//! refuses nothing: Maven orders any text.

use super::text::{Number, Word, digits, run};

/// A version of a Maven artifact, as its items without those that do not count, and an end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version<'a>(Vec<Item<'a>>);

/// One number or qualifier with the separator before it, oldest kind first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item<'a> {
    Alpha,
    Beta,
    Milestone,
    Candidate,
    Snapshot,
    End,
    /// `ga`, `final` and `release`: the release itself.
    Release,
    ServicePack,
    Other(Word<'a>),
    HyphenNumber(Number<'a>),
    DotNumber(Number<'a>),
}

impl Item<'_> {
    /// Whether the item does not count where a version, or a part of it, ends.
    fn is_null(self) -> bool {
        match self {
            Self::Release => true,
            Self::HyphenNumber(number) | Self::DotNumber(number) => number.is_zero(),
            _ => false,
        }
    }
}

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Self {
        let mut items = split(text);
        items.push(Item::End);
        // From the end on: null items go, except before a number with a dot.
        let mut kept: Vec<Item<'a>> = Vec::with_capacity(items.len());
        for item in items.into_iter().rev() {
            let ends_part = !matches!(kept.last(), Some(Item::DotNumber(_)));
            if !(item.is_null() && ends_part) {
                kept.push(item);
            }
        }
        kept.reverse();
        Self(kept)
    }
}

/// Splits at dots, hyphens and between digits and other characters, which counts as a hyphen.
fn split(text: &[u8]) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    let mut rest = text;
    let mut hyphen = false;
    loop {
        let (mut field, tail) = run(rest, |byte| byte != b'.' && byte != b'-');
        if field.is_empty() {
            items.push(number(field, hyphen));
        }
        while !field.is_empty() {
            let (digits, after) = digits(field);
            if digits.is_empty() {
                let (word, after) = run(field, |byte| !byte.is_ascii_digit());
                items.push(qualifier(word, !after.is_empty()));
                field = after;
            } else {
                items.push(number(digits, hyphen));
                field = after;
            }
            hyphen = true;
        }
        let Some((&separator, after)) = tail.split_first() else {
            return items;
        };
        hyphen = separator == b'-';
        rest = after;
    }
}

fn number(digits: &[u8], hyphen: bool) -> Item<'_> {
    if hyphen {
        Item::HyphenNumber(Number(digits))
    } else {
        Item::DotNumber(Number(digits))
    }
}

fn qualifier(word: &[u8], before_digit: bool) -> Item<'_> {
    let known = |name: &[u8]| word.eq_ignore_ascii_case(name);
    match word {
        [b'a' | b'A'] if before_digit => Item::Alpha,
        [b'b' | b'B'] if before_digit => Item::Beta,
        [b'm' | b'M'] if before_digit => Item::Milestone,
        _ if known(b"alpha") => Item::Alpha,
        _ if known(b"beta") => Item::Beta,
        _ if known(b"milestone") => Item::Milestone,
        _ if known(b"rc") || known(b"cr") => Item::Candidate,
        _ if known(b"snapshot") => Item::Snapshot,
        _ if known(b"ga") || known(b"final") || known(b"release") => Item::Release,
        _ if known(b"sp") => Item::ServicePack,
        _ => Item::Other(Word(word)),
    }
}
