//! Mutators of bytes and lines, and of blocks of binary files.

use std::ops::Range;

use super::{Edit, Mutant, Mutator, Source};

pub(super) const ALL: &[Mutator] = &[
    Mutator {
        name: "delete byte",
        count: |source| source.bytes.len(),
        make: |source, at| Some(splice(source, at..at + 1, b"", "")),
    },
    Mutator {
        name: "flip byte",
        count: |source| source.bytes.len() * FLIPS.len(),
        make: flip,
    },
    Mutator {
        name: "insert",
        count: |source| source.lines.len().min(1) * source.bytes.len() * PIECES.len(),
        make: |source, index| {
            let (name, piece) = PIECES[index % PIECES.len()];
            let at = index / PIECES.len();
            Some(splice(source, at..at, piece, name))
        },
    },
    Mutator {
        name: "truncate",
        count: |source| source.bytes.len(),
        make: |source, at| {
            Some(Mutant {
                bytes: source.bytes[..at].to_vec(),
                edit: Edit::Cut(at),
                note: format!("cut at {at}{}", shown(source, at)),
            })
        },
    },
    Mutator {
        name: "delete line",
        count: |source| source.lines.len(),
        make: |source, index| {
            let range = source.lines[index].clone();
            Some(Mutant {
                edit: Edit::Line(number(index)),
                ..splice(source, range, b"", "line")
            })
        },
    },
    Mutator {
        name: "duplicate line",
        count: |source| source.lines.len(),
        make: |source, index| {
            let range = source.lines[index].clone();
            let line = source.bytes[range.clone()].to_vec();
            let at = range.start;
            Some(Mutant {
                edit: Edit::Value,
                ..splice(source, at..at, &line, "line twice")
            })
        },
    },
    Mutator {
        name: "move margin",
        count: |source| source.lines.len() * MARGINS.len(),
        make: margin,
    },
    Mutator {
        name: "keyword case",
        count: |source| source.lines.len() * 2,
        make: |source, index| {
            let word = keyword(source, index / 2);
            let text = std::str::from_utf8(&source.bytes[word.clone()]).unwrap();
            let other = match index % 2 {
                0 => text.to_uppercase(),
                _ => text.to_lowercase(),
            };
            (other != text).then(|| splice(source, word, other.as_bytes(), "case"))
        },
    },
    Mutator {
        name: "rename keyword",
        count: |source| source.lines.len(),
        make: |source, index| {
            let word = keyword(source, index);
            let renamed = [&source.bytes[word.clone()], b"x"].concat();
            (!word.is_empty()).then(|| splice(source, word, &renamed, "rename"))
        },
    },
    Mutator {
        name: "damage block",
        count: |source| BLOCKS.iter().map(|block| blocks(source, *block)).sum(),
        make: block,
    },
];

const FLIPS: &[fn(u8) -> u8] = &[
    |byte| byte ^ 1,
    |byte| byte ^ 0x20,
    |byte| byte ^ 0x80,
    |_| 0,
    |_| b' ',
    |_| b'\n',
    |_| b'#',
    |_| b'"',
    |_| b'-',
    |_| b'.',
];

const PIECES: &[(&str, &[u8])] = &[
    ("NUL", b"\0"),
    ("zero-width space", "\u{200b}".as_bytes()),
    ("byte order mark", "\u{feff}".as_bytes()),
    ("carriage return", b"\r"),
    ("tab", b"\t"),
    ("newline", b"\n"),
    ("form feed", b"\x0c"),
    ("no-break space", "\u{a0}".as_bytes()),
];

/// What comes before the text of a line instead of its blanks.
const MARGINS: &[&[u8]] = &[b"", b" ", b"\t", b"   ", b"     ", b"# "];

/// Size, and what the block becomes; `None`: it is left out.
const BLOCKS: &[(usize, Option<u8>)] = &[
    (16, Some(0)),
    (16, None),
    (64, Some(0xFF)),
    (512, Some(0)),
    (512, None),
    (4096, Some(0)),
    (4096, Some(0xFF)),
    (4096, None),
];

pub(super) fn ranges(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut start = 0;
    let lines = bytes.split_inclusive(|&byte| byte == b'\n').map(|line| {
        let range = start..start + line.len();
        start = range.end;
        range
    });
    lines.collect()
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap() + 1
}

/// The line of an offset, for a message.
fn shown(source: &Source, at: usize) -> String {
    let line = source.lines.iter().position(|line| line.contains(&at));
    line.map_or(String::new(), |index| {
        let line = String::from_utf8_lossy(&source.bytes[source.lines[index].clone()]);
        format!(", line {} {:?}", number(index), line.trim())
    })
}

fn splice(source: &Source, range: Range<usize>, with: &[u8], note: &str) -> Mutant {
    let mut bytes = source.bytes.clone();
    bytes.splice(range.clone(), with.iter().copied());
    Mutant {
        note: format!("{note} {range:?}{}", shown(source, range.start)),
        edit: Edit::Bytes(range),
        bytes,
    }
}

fn flip(source: &Source, index: usize) -> Option<Mutant> {
    let at = index / FLIPS.len();
    let old = source.bytes[at];
    let new = FLIPS[index % FLIPS.len()](old);
    let note = format!("{:?} for {:?}", char::from(new), char::from(old));
    (new != old).then(|| splice(source, at..at + 1, &[new], &note))
}

fn margin(source: &Source, index: usize) -> Option<Mutant> {
    let line = source.lines[index / MARGINS.len()].clone();
    let margin = MARGINS[index % MARGINS.len()];
    let bytes = &source.bytes[line.clone()];
    let blanks = bytes
        .iter()
        .take_while(|&&byte| byte == b' ' || byte == b'\t');
    let end = line.start + blanks.count();
    let old = &source.bytes[line.start..end];
    (old != margin && end + 1 < line.end).then(|| splice(source, line.start..end, margin, "margin"))
}

/// The first word of a line.
fn keyword(source: &Source, index: usize) -> Range<usize> {
    let line = source.lines[index].clone();
    let bytes = &source.bytes[line.clone()];
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'-';
    let skip = bytes.iter().take_while(|byte| !word(byte)).count();
    let length = bytes[skip..].iter().take_while(|byte| word(byte)).count();
    line.start + skip..line.start + skip + length
}

/// Blocks of a binary file.
fn blocks(source: &Source, (size, _): (usize, Option<u8>)) -> usize {
    if source.lines.is_empty() {
        source.bytes.len().div_ceil(size)
    } else {
        0
    }
}

fn block(source: &Source, mut index: usize) -> Option<Mutant> {
    for (size, fill) in BLOCKS {
        let count = blocks(source, (*size, *fill));
        if index < count {
            let start = index * size;
            let range = start..(start + size).min(source.bytes.len());
            let new = fill.map_or(Vec::new(), |byte| vec![byte; range.len()]);
            let same = source.bytes[range.clone()] == new;
            return (!same).then(|| splice(source, range, &new, &format!("{fill:?} in")));
        }
        index -= count;
    }
    None
}
