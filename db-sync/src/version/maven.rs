//! Owns the order of Maven versions: the POM reference, "Version Order Specification", as Maven has
//! it since 3.9, where `.qualifier` and `-qualifier` are one (MNG-7644). A version is a flat row of
//! items here, after that text; the Java class nests lists as deep as the text has hyphens. It
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
    /// Whether the item does not count, given the one that counts after it.
    ///
    /// Zeros and release words end a version, or a part of it, without a difference. Before a number
    /// with a dot they hold a place, and a release word also tells `Final-redhat` from the newer
    /// `SP1-redhat` (MNG-7714).
    fn is_idle_before(self, next: Item<'_>) -> bool {
        match self {
            Self::Release => !matches!(
                next,
                Item::ServicePack | Item::Other(_) | Item::DotNumber(_)
            ),
            Self::HyphenNumber(number) | Self::DotNumber(number) => {
                number.is_zero() && !matches!(next, Item::DotNumber(_))
            }
            _ => false,
        }
    }
}

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Self {
        let items = split(text);
        let mut counting = Vec::with_capacity(items.len().saturating_add(1));
        let mut next = Item::End;
        counting.push(next);
        for item in items.into_iter().rev() {
            if !item.is_idle_before(next) {
                counting.push(item);
                next = item;
            }
        }
        counting.reverse();
        Self(counting)
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
