//! Owns the order of Python versions from before PEP 440, as setuptools' `parse_version` had it and
//! `packaging` kept it in `LegacyVersion` until release 22. Numbers are compared by value, also
//! those with more than the eight digits that setuptools padded to.

use super::text::{Number, Word};
use super::text::{digits, run};

/// A version that is none after PEP 440, as its parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Legacy<'a>(Vec<Part<'a>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Word(Word<'a>),
    Number(Number<'a>),
}

/// The end of every version; words that sort before it mark a pre-release.
const FINAL: Word<'static> = Word(b"final");
/// A hyphen, which starts a patch.
const PATCH: Word<'static> = Word(b"final-");

impl<'a> Legacy<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (part, tail) = component(rest);
            rest = tail;
            if part.first().is_some_and(u8::is_ascii_digit) {
                parts.push(Part::Number(Number(part)));
            } else if part != b"." {
                push_word(&mut parts, spelling(part));
            }
        }
        push_word(&mut parts, FINAL);
        Self(parts)
    }
}

/// Adds a word after taking back what does not count before it: hyphens before a pre-release,
/// zeros before any word.
fn push_word<'a>(parts: &mut Vec<Part<'a>>, word: Word<'a>) {
    if word < FINAL {
        while parts.pop_if(|part| *part == Part::Word(PATCH)).is_some() {}
    }
    while parts
        .pop_if(|part| matches!(part, Part::Number(number) if number.is_zero()))
        .is_some()
    {}
    parts.push(Part::Word(word));
}

fn spelling(word: &[u8]) -> Word<'_> {
    let known = |name: &[u8]| word.eq_ignore_ascii_case(name);
    if word == b"-" {
        PATCH
    } else if known(b"pre") || known(b"preview") || known(b"rc") {
        Word(b"c")
    } else if known(b"dev") {
        Word(b"@")
    } else {
        Word(word)
    }
}

/// Splits off one component of a legacy version: digits, letters, one dot or hyphen, or the rest
/// up to the next of these.
fn component(text: &[u8]) -> (&[u8], &[u8]) {
    match text.first() {
        Some(byte) if byte.is_ascii_digit() => digits(text),
        Some(byte) if byte.is_ascii_alphabetic() => run(text, |byte| byte.is_ascii_alphabetic()),
        Some(b'.' | b'-') => text.split_at_checked(1).unwrap_or((text, &[])),
        _ => run(text, |byte| {
            !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'-')
        }),
    }
}
