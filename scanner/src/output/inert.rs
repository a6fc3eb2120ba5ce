//! Keeps what we print from being obeyed by whoever reads the log. A runner of GitHub takes a line
//! that begins, after blanks, with `::` for a command to itself; it and Azure's agent (and
//! `TeamCity`'s, in its way) obey `##[…]`, `##vso[…]` wherever it stands in a line. Paths, names
//! and texts of the scanned tree must not get there. What is shown is never decided here.
//!
//! Text goes through [`Inert`], JSON through [`Marks`] in [`super::serial`].

use std::io::{self, Write};

/// Finds the bracket that would complete `##[` or `##word[`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    /// `#` in a row.
    run: u8,
    /// Letters after them.
    word: bool,
}

impl Marks {
    /// Takes the next character of a line; whether it is that bracket.
    pub const fn completes(&mut self, c: char) -> bool {
        match c {
            '#' => {
                self.run = if self.word {
                    1
                } else {
                    self.run.saturating_add(1)
                };
                self.word = false;
                false
            }
            'a'..='z' | 'A'..='Z' if self.run >= 2 => {
                self.word = true;
                false
            }
            _ => {
                let completes = c == '[' && self.run >= 2;
                self.run = 0;
                self.word = false;
                completes
            }
        }
    }
}

/// How far a line has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// Blanks, and escape sequences, which a runner may take away.
    Blank,
    /// An escape character, then its parameters.
    Escape,
    Parameters,
    /// One colon.
    Colon,
    /// Something else: the rest of the line is free.
    Over,
}

/// A writer that spells out the second colon of a `::` at the start of a line, and the bracket of
/// a mark.
pub struct Inert<W: Write> {
    out: W,
    start: Start,
    marks: Marks,
    /// The bytes of a character that the last write left open.
    open: Vec<u8>,
}

impl<W: Write> Inert<W> {
    /// Everything written to `out` passes through it.
    pub const fn new(out: W) -> Self {
        Self {
            out,
            start: Start::Blank,
            marks: Marks {
                run: 0,
                word: false,
            },
            open: Vec::new(),
        }
    }

    /// What stands for a character, if it must not stand itself.
    fn step(&mut self, c: char) -> Option<&'static str> {
        let completes = self.marks.completes(c);
        if c == '\n' || c == '\r' {
            self.start = Start::Blank;
            return None;
        }
        let second = self.start == Start::Colon && c == ':';
        self.start = match (self.start, c) {
            (Start::Blank, '\u{1b}') => Start::Escape,
            (Start::Parameters, '@'..='~') => Start::Blank,
            (Start::Escape, '[') | (Start::Parameters, _) => Start::Parameters,
            (Start::Blank, ':') => Start::Colon,
            (Start::Blank, c) if c.is_whitespace() => Start::Blank,
            _ => Start::Over,
        };
        if second {
            Some("\\u{3a}")
        } else if completes {
            Some("\\u{5b}")
        } else {
            None
        }
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        let mut kept = 0;
        for (at, c) in text.char_indices() {
            if let Some(spelled) = self.step(c) {
                let before = text.get(kept..at).unwrap_or_default();
                self.out.write_all(before.as_bytes())?;
                self.out.write_all(spelled.as_bytes())?;
                kept = at.saturating_add(c.len_utf8());
            }
        }
        self.out
            .write_all(text.get(kept..).unwrap_or_default().as_bytes())
    }
}

impl<W: Write> Write for Inert<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = std::mem::take(&mut self.open);
        rest.extend_from_slice(bytes);
        let mut rest = rest.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.text(text)?;
                    break;
                }
                Err(error) => {
                    let (good, bad) = rest
                        .split_at_checked(error.valid_up_to())
                        .unwrap_or_default();
                    self.text(std::str::from_utf8(good).unwrap_or_default())?;
                    let Some(length) = error.error_len() else {
                        self.open = bad.to_vec();
                        break;
                    };
                    self.text("\u{fffd}")?;
                    rest = bad.get(length..).unwrap_or_default();
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inert(pieces: &[&[u8]]) -> String {
        let mut out = Vec::new();
        let mut writer = Inert::new(&mut out);
        for piece in pieces {
            writer.write_all(piece).unwrap();
        }
        writer.flush().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn commands_are_spelled_out_and_nothing_else() {
        for (text, expected) in [
            ("::error::x", ":\\u{3a}error::x"),
            (" \t::x\n ::y", " \t:\\u{3a}x\n :\\u{3a}y"),
            ("\u{a0}\u{3000}::x", "\u{a0}\u{3000}:\\u{3a}x"),
            ("\r::x", "\r:\\u{3a}x"),
            ("\u{1b}[1m::x", "\u{1b}[1m:\\u{3a}x"),
            ("a ##[error]x", "a ##\\u{5b}error]x"),
            ("###vso[task]", "###vso\\u{5b}task]"),
            ("##a##[x", "##a##\\u{5b}x"),
            (
                "a::b :: # [x] ## [y] #[z] ##a-[b",
                "a::b :: # [x] ## [y] #[z] ##a-[b",
            ),
            ("crate::name ::x", "crate::name ::x"),
            (": :x", ": :x"),
        ] {
            assert_eq!(inert(&[text.as_bytes()]), expected, "{text:?}");
            let bytes: Vec<_> = text.as_bytes().chunks(1).collect();
            assert_eq!(inert(&bytes), expected, "{text:?} in bytes");
        }
        assert_eq!(
            inert(&[b"\xff::", b"\xe3\x80", b"\x80x"]),
            "\u{fffd}::\u{3000}x"
        );
    }
}
