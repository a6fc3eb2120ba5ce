//! Other words of the same length for what Terraform parses and hcl-edit refuses, so that places
//! stay right: lines inside `{for …}` and `${…}` are joined, a heredoc gets a word that no line of
//! it begins with, and of the entries of an object with one key only the last is left.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::layout::{Heredoc, scan};

/// The text in other words; `None` if there is nothing to change.
pub(super) fn rewritten(text: &str) -> Option<String> {
    let layout = scan(text, false);
    let mut bytes = text.as_bytes().to_vec();
    let mut blank = |range: Range<usize>| {
        for byte in bytes.get_mut(range).unwrap_or_default() {
            *byte = b' ';
        }
    };
    layout.gaps.iter().cloned().for_each(&mut blank);
    replaced_entries(text, &layout.keys)
        .into_iter()
        .for_each(&mut blank);
    for heredoc in &layout.heredocs {
        let Some(word) = other_word(text, heredoc) else {
            continue;
        };
        for range in [&heredoc.open, &heredoc.close] {
            if let Some(place) = bytes.get_mut(range.clone()) {
                place.copy_from_slice(word.as_bytes());
            }
        }
    }
    let new = String::from_utf8(bytes).ok()?;
    (new != text).then_some(new)
}

/// A word of the same length, if a line of the heredoc begins with its own.
fn other_word(text: &str, heredoc: &Heredoc) -> Option<String> {
    let word = text.get(heredoc.open.clone())?;
    let body = text.get(heredoc.open.end..heredoc.close.start)?;
    let begins = |word: &str| {
        let mut lines = body.lines().skip(1);
        lines.any(|line| line.trim_start().starts_with(word))
    };
    if !begins(word) {
        return None;
    }
    let letters = ('A'..='Z').rev().chain('a'..='z');
    let words = letters.map(|letter| letter.to_string().repeat(word.len()));
    words.into_iter().find(|other| !begins(other))
}

/// The entries of objects that a later one of the same key replaces.
fn replaced_entries(text: &str, keys: &[(usize, Range<usize>)]) -> Vec<Range<usize>> {
    let mut objects: BTreeMap<usize, Vec<&Range<usize>>> = BTreeMap::new();
    for (object, key) in keys {
        objects.entry(*object).or_default().push(key);
    }
    let mut replaced = Vec::new();
    for keys in objects.into_values() {
        let mut later: BTreeSet<&str> = BTreeSet::new();
        let mut next: Option<usize> = None;
        for key in keys.into_iter().rev() {
            let name = text.get(key.clone()).unwrap_or_default().trim_matches('"');
            if let (false, Some(next)) = (later.insert(name), next) {
                replaced.push(key.start..next);
            }
            next = Some(key.start);
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_keep_their_length() {
        for (text, expected) in [
            (
                "a = { for x in y : x =>\n  x # no\n  ? 1\n  : 2 }\n",
                Some("a = { for x in y : x =>   x        ? 1   : 2 }\n"),
            ),
            (
                "a = {\n  b = 1\n  c = 2\n  \"b\" = 3\n}\n",
                Some("a = {\n          c = 2\n  \"b\" = 3\n}\n"),
            ),
            (
                "a = <<EOT\nEOT2\nZZZ\nEOT\n",
                Some("a = <<YYY\nEOT2\nZZZ\nYYY\n"),
            ),
            ("a = {\n  b = x ? y : z\n}\nb = <<-E\n  x\n  E\n", None),
        ] {
            assert_eq!(rewritten(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn odd_texts_do_no_harm() {
        for text in [
            "",
            "{",
            "${",
            "<<A",
            "a = \"${\n",
            "= = =",
            "{ for",
            "é = {é = 1, é = 2}",
        ] {
            let new = rewritten(text);
            assert!(new.is_none_or(|new| new.len() == text.len()), "{text}");
        }
    }
}
