//! A damaged file never lists fewer packages in silence: every byte of good files is removed,
//! replaced and made the last one, every line is taken out, and what is missing then must be a gap.
//! What a format cannot notice stands in [`FILES`], with the reason.

use super::{Content, Facts, Need, Parser, dispatch};

/// What is done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    /// A byte less.
    Remove,
    /// Another byte.
    Replace(u8),
    /// The end of the file is missing.
    Cut,
    /// Up to three lines less.
    Lines,
}

/// Good files by parser, and what nobody could notice in them.
const FILES: &[(&str, &str, &[Damage])] = &[
    (
        "composer-lock",
        include_str!("../../../testdata/inventory/composer-lock/whole/composer.lock"),
        &[],
    ),
    (
        "gemfile-lock",
        include_str!("../../../testdata/inventory/gemfile-lock/whole/Gemfile.lock"),
        &[],
    ),
    (
        "pipfile-lock",
        include_str!("../../../testdata/inventory/pipfile-lock/whole/Pipfile.lock"),
        // An entry on one line, which nothing else in the file speaks of.
        &[Damage::Lines],
    ),
    (
        "poetry-lock",
        include_str!("../../../testdata/inventory/poetry-lock/v2/poetry.lock"),
        &[],
    ),
    (
        "python-metadata",
        include_str!("../../../testdata/inventory/python-metadata/whole/a-1.dist-info/METADATA"),
        &[],
    ),
    (
        "requirements",
        include_str!("../../../testdata/inventory/requirements/whole/requirements.txt"),
        // A list of lines, each for itself, in which `#` makes one a comment.
        &[Damage::Lines, Damage::Cut, Damage::Replace(b'#')],
    ),
    (
        "uv-lock",
        include_str!("../../../testdata/inventory/uv-lock/v1/uv.lock"),
        // A package without its dependencies, where what they name was cut off, too.
        &[Damage::Cut],
    ),
];

fn run(parser: &Parser, mut bytes: &[u8]) -> Facts {
    let content = match parser.need {
        Need::Stream => Content::Stream(&mut bytes),
        Need::Whole(_) => Content::Whole(bytes),
    };
    dispatch::run(parser, "file", content)
}

/// Calls `each` with every damaged form of a text.
fn damaged(text: &[u8], mut each: impl FnMut(Damage, usize, &[u8])) {
    for at in 0..text.len() {
        let mut less = text.to_vec();
        less.remove(at);
        each(Damage::Remove, at, &less);
        each(Damage::Cut, at, &text[..at]);
        for byte in *b"x #\n\":\0\xff" {
            let mut other = text.to_vec();
            other[at] = byte;
            each(Damage::Replace(byte), at, &other);
        }
    }
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    for first in 0..lines.len() {
        for count in 1..4 {
            let mut less = lines.clone();
            less.drain(first..(first + count).min(lines.len()));
            each(Damage::Lines, first + 1, &less.concat());
        }
    }
}

#[test]
fn nothing_is_lost_in_silence() {
    let mut silent = Vec::new();
    for (id, text, unnoticed) in FILES {
        let parser = dispatch::by_id(id).unwrap();
        let good = run(parser, text.as_bytes());
        assert!(!good.packages.is_empty(), "{id}");
        assert_eq!(good.gaps, [], "{id}");
        damaged(text.as_bytes(), |damage, at, bytes| {
            let facts = run(parser, bytes);
            let is_less = facts.packages.len() < good.packages.len();
            let is_reported = !facts.gaps.is_empty() || facts.includes.len() > good.includes.len();
            if is_less && !is_reported && !unnoticed.contains(&damage) {
                silent.push(format!("{id}: {damage:?} at {at}"));
            }
        });
    }
    assert_eq!(silent, Vec::<String>::new());
}
