//! Owns the order of apk packages: `number{.number}…{letter}{_suffix{number}}…{~hash}{-r#}`,
//! apk-package(5) and the comparison of apk-tools 2 (`apk version -t`). It refuses nothing: text
//! that breaks the form counts as older than the same version without it, so that a package with
//! a broken version is rather reported than missed.

use std::cmp::Ordering;

use super::text::{Number, digits, run};

/// A version of an apk package.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a>(&'a [u8]);

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Self {
        Self(text)
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        Tokens::new(self.0).cmp(Tokens::new(other.0))
    }
}

ordered!(Version<'_>);

/// What apk compares one by one, oldest kind first: where two versions part, the one that goes on
/// is newer, unless it goes on with a suffix of a pre-release.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Token<'a> {
    Early(Early),
    /// A hyphen without a well-formed revision behind it; what is there does not count.
    BrokenRevision,
    /// The rest of a version from where it breaks the form.
    Broken(&'a [u8]),
    End,
    Revision(Number<'a>),
    Hash(&'a [u8]),
    SuffixNumber(Number<'a>),
    Late(Late),
    Letter(u8),
    Part(Part<'a>),
    First(Number<'a>),
}

/// Suffixes of versions before the release.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Early {
    Alpha,
    Beta,
    Pre,
    Rc,
}

/// Suffixes of versions after the release.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Late {
    Cvs,
    Svn,
    Git,
    Hg,
    Patch,
}

/// A number after a dot: a leading zero makes it a decimal fraction, as in 1.05 < 1.1.
#[derive(Debug)]
struct Part<'a>(&'a [u8]);

impl Ord for Part<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.0.starts_with(b"0") || other.0.starts_with(b"0") {
            return self.0.cmp(other.0);
        }
        Number(self.0).cmp(&Number(other.0))
    }
}

ordered!(Part<'_>);

/// What was read last, which decides what may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Nothing,
    Number,
    Letter,
    Suffix,
    SuffixNumber,
    Hash,
    End,
}

struct Tokens<'a> {
    rest: &'a [u8],
    after: After,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            rest: text,
            after: After::Nothing,
        }
    }

    fn read(&mut self) -> Token<'a> {
        let Some((&first, tail)) = self.rest.split_first() else {
            return self.end(Token::End);
        };
        let before_letter = self.after == After::Number;
        let before_suffix = before_letter
            || matches!(
                self.after,
                After::Letter | After::Suffix | After::SuffixNumber
            );
        match first {
            b'0'..=b'9' if self.after == After::Nothing => {
                self.number(self.rest, After::Number, |text| Token::First(Number(text)))
            }
            b'0'..=b'9' if self.after == After::Suffix => {
                self.number(self.rest, After::SuffixNumber, |text| {
                    Token::SuffixNumber(Number(text))
                })
            }
            b'.' if before_letter && tail.first().is_some_and(u8::is_ascii_digit) => {
                self.number(tail, After::Number, |text| Token::Part(Part(text)))
            }
            b'a'..=b'z' if before_letter => {
                (self.rest, self.after) = (tail, After::Letter);
                Token::Letter(first)
            }
            b'_' if before_suffix => self.suffix(tail),
            b'~' if before_suffix => {
                let (hash, tail) = run(tail, |byte| {
                    byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')
                });
                (self.rest, self.after) = (tail, After::Hash);
                Token::Hash(hash)
            }
            b'-' => {
                let token = revision(tail).map_or(Token::BrokenRevision, Token::Revision);
                self.end(token)
            }
            _ => self.end(Token::Broken(self.rest)),
        }
    }

    fn number(
        &mut self,
        text: &'a [u8],
        after: After,
        token: impl Fn(&'a [u8]) -> Token<'a>,
    ) -> Token<'a> {
        let (number, tail) = digits(text);
        (self.rest, self.after) = (tail, after);
        token(number)
    }

    fn suffix(&mut self, text: &'a [u8]) -> Token<'a> {
        let (name, tail) = run(text, |byte| byte.is_ascii_lowercase());
        let token = match name {
            b"alpha" => Token::Early(Early::Alpha),
            b"beta" => Token::Early(Early::Beta),
            b"pre" => Token::Early(Early::Pre),
            b"rc" => Token::Early(Early::Rc),
            b"cvs" => Token::Late(Late::Cvs),
            b"svn" => Token::Late(Late::Svn),
            b"git" => Token::Late(Late::Git),
            b"hg" => Token::Late(Late::Hg),
            b"p" => Token::Late(Late::Patch),
            _ => return self.end(Token::Broken(self.rest)),
        };
        (self.rest, self.after) = (tail, After::Suffix);
        token
    }

    fn end(&mut self, token: Token<'a>) -> Token<'a> {
        self.after = After::End;
        token
    }
}

/// Reads what follows the hyphen; `r` alone is revision 0.
fn revision(text: &[u8]) -> Option<Number<'_>> {
    let (number, tail) = digits(text.strip_prefix(b"r")?);
    tail.is_empty().then_some(Number(number))
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        (self.after != After::End).then(|| self.read())
    }
}
