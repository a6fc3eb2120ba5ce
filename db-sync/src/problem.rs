//! What a build could not use, and the escaping that keeps hostile names out
//! of terminals. A warning always names the source and the entry it is about.

use std::fmt;

/// What became of the input that a warning is about. Those that lost something
/// come first in every list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// A record, an entry or a whole source is not in the database.
    Skipped,
    /// It is there, and something about it is odd.
    Doubtful,
}

/// One thing in the input that was skipped, replaced or doubtful.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// Whether it was lost.
    pub loss: Loss,
    /// The source directory or file, relative to the input (never absolute).
    pub source: String,
    /// The record id or the entry's file name; empty for the whole source.
    pub entry: String,
    /// What was wrong and what was done about it.
    pub cause: String,
}

impl Warning {
    /// A warning about what is used all the same; names and causes are escaped
    /// for printing.
    pub fn new(source: &str, entry: &str, cause: impl fmt::Display) -> Self {
        Self::of(Loss::Doubtful, source, entry, cause)
    }

    /// A warning about what is left out.
    pub fn skipped(source: &str, entry: &str, cause: impl fmt::Display) -> Self {
        Self::of(Loss::Skipped, source, entry, cause)
    }

    pub(crate) fn of(loss: Loss, source: &str, entry: &str, cause: impl fmt::Display) -> Self {
        Self {
            loss,
            source: printable(source),
            entry: printable(entry),
            cause: printable(&cause.to_string()),
        }
    }
}

/// What is wrong with one record, before it is known under which name.
#[derive(Debug, Default)]
pub(crate) struct Causes(Vec<(Loss, String)>);

impl Causes {
    /// Notes what is odd, but used.
    pub(crate) fn push(&mut self, cause: String) {
        self.0.push((Loss::Doubtful, cause));
    }

    /// Notes what is left out.
    pub(crate) fn skip(&mut self, cause: String) {
        self.0.push((Loss::Skipped, cause));
    }

    pub(crate) fn extend(&mut self, causes: impl IntoIterator<Item = String>) {
        for cause in causes {
            self.push(cause);
        }
    }

    /// The warnings, about an entry of a source.
    pub(crate) fn about(self, source: &str, entry: &str) -> Vec<Warning> {
        self.0
            .into_iter()
            .map(|(loss, cause)| Warning::of(loss, source, entry, cause))
            .collect()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.source)?;
        if !self.entry.is_empty() {
            write!(out, ": {}", self.entry)?;
        }
        write!(out, ": {}", self.cause)
    }
}

/// Longest text that is quoted from the input, in characters.
const MAX_QUOTED: usize = 300;

/// Escapes control characters and the invisible marks that reorder text, and
/// shortens what is longer than 300 characters.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_QUOTED));
    for (position, character) in text.chars().enumerate() {
        if position == MAX_QUOTED {
            out.push('…');
            break;
        }
        if character.is_control() || reorders(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

/// Bidirectional controls, zero-width characters and line separators.
fn reorders(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{061c}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn escapes_terminal_and_bidi_controls() {
        assert_eq!(printable("a\u{202e}b\u{1b}[31m"), "a\\u{202e}b\\u{1b}[31m");
        assert_eq!(printable(&"x".repeat(400)).chars().count(), 301);
    }
}
