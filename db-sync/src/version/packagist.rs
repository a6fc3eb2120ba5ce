//! Owns the order of Composer packages: PHP's `version_compare` (PHP manual), on which Composer's
//! `Comparator` rests, with what Composer's `VersionParser` ignores: a leading `v`, case, and the
//! word `stable`. Refuses text without any letter or digit.

use std::cmp::Ordering;

use super::text::{Number, Word, digits, run, strip_prefix_any_case};

/// A version of a Composer package.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a>(&'a [u8]);

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let version = strip_prefix_any_case(text, b"v").unwrap_or(text);
        version
            .iter()
            .any(u8::is_ascii_alphanumeric)
            .then_some(Self(version))
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        Forms(Some(self.0)).cmp(Forms(Some(other.0)))
    }
}

ordered!(Version<'_>);

/// What `version_compare` compares one by one, oldest first.
///
/// A number is newer than no number, but older than a patch, so `1.0.1 < 1.0-p1`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Form<'a> {
    /// Any other word; PHP does not tell them apart.
    Word,
    Dev,
    Alpha,
    Beta,
    Candidate,
    End,
    Number(Number<'a>),
    Patch,
}

/// A word counts by how it starts, so `alpha`, `a` and `abc` are the same.
fn form(word: &[u8]) -> Form<'static> {
    let starts = |prefix| strip_prefix_any_case(word, prefix).is_some();
    if starts(b"dev") {
        Form::Dev
    } else if starts(b"a") {
        Form::Alpha
    } else if starts(b"b") {
        Form::Beta
    } else if starts(b"rc") {
        Form::Candidate
    } else if starts(b"p") {
        Form::Patch
    } else {
        Form::Word
    }
}

/// Words and numbers of a version and its end; every other character only separates.
struct Forms<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Forms<'a> {
    type Item = Form<'a>;

    fn next(&mut self) -> Option<Form<'a>> {
        loop {
            let (_, start) = run(self.0?, |byte| !byte.is_ascii_alphanumeric());
            let (number, tail) = digits(start);
            if !number.is_empty() {
                self.0 = Some(tail);
                return Some(Form::Number(Number(number)));
            }
            let (word, tail) = run(start, |byte| byte.is_ascii_alphabetic());
            if word.is_empty() {
                self.0 = None;
                return Some(Form::End);
            }
            self.0 = Some(tail);
            if Word(word) != Word(b"stable") {
                return Some(form(word));
            }
        }
    }
}
