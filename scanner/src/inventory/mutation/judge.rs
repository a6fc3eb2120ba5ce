//! Whether a mutant lost an item of the good file in silence.
//!
//! The changes that are no loss, whatever the format:
//! - a letter of a name or version, or beside it, that became another letter, as long as the result
//!   can be a name or version: it is another package, and no reader can know better;
//! - a package whose whole entry was left out, be it the one line that names it with its version,
//!   an item of a list, or all that follows a cut: a shorter list is a good list. What the cut
//!   leaves of an entry is not excused;
//! - a line that became a comment.
//!
//! Those of single formats are in [`super::exceptions`].

use std::ops::Range;

use super::items::{Item, Items, Known, counts, keys, line_of};
use super::{Edit, Mutant, Source, exceptions, tree};

/// What became of the items.
pub(super) enum Loss {
    /// The mutant says so.
    Reported,
    Survives(String),
}

/// Compares what the good file told with what the mutant tells.
pub(super) fn judge(known: &Known<'_>, good: &Items, bad: &Items, mutant: &Mutant) -> Loss {
    if bad.internal {
        return Loss::Survives("the parser panicked".to_owned());
    }
    if bad.homeless {
        return Loss::Reported;
    }
    let gaps = counts(&good.gaps);
    if counts(&bad.gaps)
        .iter()
        .any(|(key, count)| gaps.get(key).is_none_or(|before| before < count))
    {
        return Loss::Reported;
    }
    let (before, after) = (keys(&good.packages), keys(&bad.packages));
    let added: Vec<_> = bad
        .packages
        .iter()
        .filter(|item| !before.contains(item.key.as_str()))
        .collect();
    if let Some(odd) = added.iter().find(|item| !plausible(item)) {
        return Loss::Survives(format!("not a name or version: {:?}", odd.key));
    }
    let mut lost: Vec<_> = good
        .packages
        .iter()
        .filter(|item| !after.contains(item.key.as_str()))
        .collect();
    let left = keys(&bad.gaps);
    // A gap may also become the package that it told of.
    if added.is_empty() {
        lost.extend(
            good.gaps
                .iter()
                .filter(|gap| gap.is_package && !left.contains(gap.key.as_str())),
        );
    }
    let fewer = added.len() < lost.len() && bad.packages.len() < good.packages.len();
    let context = Context {
        source: known.source,
        mutant,
        gone: added.is_empty() || fewer,
        added: &added,
        lost: lost.iter().filter(|item| !item.is_gap).count(),
    };
    let unexcused = lost
        .iter()
        .find(|item| !context.excuses(item) && !exceptions::hold(known, item, mutant));
    match unexcused {
        None => Loss::Reported,
        Some(item) => {
            let added: Vec<_> = added.iter().map(|item| item.key.as_str()).collect();
            Loss::Survives(format!("lost {:?}, got {added:?}", item.key))
        }
    }
}

/// Whether some ecosystem could have this name and version.
fn plausible(item: &Item) -> bool {
    let fine = |text: &str| {
        let odd = |c: char| !(c.is_ascii_alphanumeric() || "-._~+:@/!^*".contains(c));
        !text.is_empty() && !text.contains(odd)
    };
    item.is_gap || fine(&item.name) && (item.version.is_empty() || fine(&item.version))
}

/// What decides whether the loss of an item is none.
struct Context<'a> {
    source: &'a Source,
    mutant: &'a Mutant,
    /// Nothing came instead.
    gone: bool,
    added: &'a [&'a Item],
    lost: usize,
}

impl Context<'_> {
    fn excuses(&self, item: &Item) -> bool {
        let source = self.source;
        match &self.mutant.edit {
            Edit::Bytes(range) => {
                is_comment(source, &self.mutant.bytes, range, item)
                    || (item.is_gap || !self.gone) && in_token(source, range, item)
                    || self.is_longer(item)
                    || item.is_gap && on_line(source, range, item.line)
            }
            Edit::Line(line) => {
                item.line == Some(*line) && (item.is_gap || is_whole(source, *line, item))
            }
            Edit::Cut(at) => after(source, *at, item),
            Edit::Entry => self.lost <= 1,
            Edit::Key(key) => {
                !self.gone && (key.contains(&item.name) || key.contains(&item.version))
            }
            // The value that a mutator put there became the name or version.
            Edit::Value => {
                let put = |item: &&Item| item.name == tree::PUT || item.version == tree::PUT;
                self.added.iter().any(put)
            }
            Edit::Emptied(_) => false,
        }
    }

    /// Whether the name or version only grew: a character beside it became one of it.
    fn is_longer(&self, item: &Item) -> bool {
        let grew = |old: &str, new: &str| {
            !old.is_empty() && new.len() > old.len() && (new.starts_with(old) || new.ends_with(old))
        };
        self.added.iter().any(|new| {
            new.version == item.version && grew(&item.name, &new.name)
                || new.name == item.name && grew(&item.version, &new.version)
        })
    }
}

fn on_line(source: &Source, range: &Range<usize>, line: Option<u32>) -> bool {
    line_of(source, line).is_some_and(|line| line.start <= range.start && range.end <= line.end)
}

/// Whether the line names the package and its version, so that it is all of its entry.
fn is_whole(source: &Source, line: u32, item: &Item) -> bool {
    line_of(source, Some(line)).is_some_and(|line| {
        let text = String::from_utf8_lossy(&source.bytes[line.clone()]);
        let version = item.version.replace('+', "%2B");
        let versioned = text.contains(&item.version) || text.contains(&version);
        plain(&text).contains(&plain(&item.name)) && versioned
    })
}

/// Whether the entry begins after a cut, or has its name or version cut.
fn after(source: &Source, at: usize, item: &Item) -> bool {
    let Some(line) = line_of(source, item.line) else {
        return false;
    };
    at <= line.start || line.contains(&at) || in_token(source, &(at..at), item)
}

/// Whether what named the package now stands in a comment.
fn is_comment(source: &Source, bytes: &[u8], range: &Range<usize>, item: &Item) -> bool {
    let Some(good) = line_of(source, item.line) else {
        return false;
    };
    let start = bytes.get(..range.start).unwrap_or_default();
    let start = start
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    let line = bytes.get(start..).unwrap_or_default();
    let line = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let text = String::from_utf8_lossy(line);
    let mark = text
        .char_indices()
        .scan(' ', |before, (at, c)| {
            Some((std::mem::replace(before, c), at, c))
        })
        .find(|(before, at, c)| {
            (before.is_whitespace() || *before == '\u{feff}') && *c == '#'
                || text.get(*at..*at + 2) == Some("//")
        });
    let Some((_, mark, _)) = mark else {
        return false;
    };
    let mine = good.contains(&range.start) || good.start == range.end;
    let comment = text.get(mark..).unwrap_or_default();
    mine && (item.is_gap || mark == 0 || comment.contains(&item.version))
}

/// Names as their ecosystems compare them, byte for byte as long.
fn plain(text: &str) -> String {
    text.to_ascii_lowercase().replace(['_', '.'], "-")
}

/// Whether the bytes lie in a place where the name or version stands as a word.
fn in_token(source: &Source, range: &Range<usize>, item: &Item) -> bool {
    let text = plain(&String::from_utf8_lossy(&source.bytes));
    // Lossy text has other offsets: then bytes are compared as they are.
    let text = if text.len() == source.bytes.len() {
        text.into_bytes()
    } else {
        source.bytes.to_ascii_lowercase()
    };
    let parts = item.version.split([':', '-']).map(str::to_owned);
    let tokens = parts.chain([item.name.clone(), item.version.clone()]);
    let name_parts = item.name.split(['/', ':']).map(str::to_owned);
    tokens
        .chain(name_parts)
        .filter(|token| !token.is_empty())
        .any(|token| {
            let plain = plain(&token).into_bytes();
            let raw = token.to_ascii_lowercase().into_bytes();
            [plain, raw].iter().any(|token| {
                places(&text, token).any(|at| at <= range.start && range.end <= at + token.len())
            })
        })
}

/// Where a word stands with no letter or digit beside it.
fn places<'a>(text: &'a [u8], word: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    // Versions stand behind a `v` or `go`, too.
    let number = word.first().is_some_and(u8::is_ascii_digit);
    let joined = move |byte: Option<&u8>| {
        letter(byte) && !(number && matches!(byte, Some(b'v' | b'V' | b'o')))
    };
    (0..text.len().saturating_sub(word.len().saturating_sub(1))).filter(move |&at| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        text[at..].starts_with(word) && !joined(before) && !letter(text.get(at + word.len()))
    })
}
