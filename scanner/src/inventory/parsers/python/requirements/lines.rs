//! The text of a requirements file and its logical lines, as pip makes them: byte order marks and
//! the `coding:` comment, the line ends of Python's `str.splitlines`, continuations, comments.

use std::borrow::Cow;

use crate::inventory::ParseError;

/// A decoded file.
pub(super) struct Text<'a> {
    /// What is written in it.
    pub(super) text: Cow<'a, str>,
    /// It is not in the encoding that it should be in: what it says depends on the machine.
    pub(super) is_damaged: bool,
}

/// Decodes a file.
pub(super) fn decode(bytes: &[u8]) -> Result<Text<'_>, ParseError> {
    let whole = |text: Option<String>, name: &str| match text {
        Some(text) => Ok(Text {
            text: text.into(),
            is_damaged: false,
        }),
        None => Err(ParseError::new(format!("not {name}, as the file begins"))),
    };
    match bytes {
        [0xff, 0xfe, 0, 0, rest @ ..] => whole(utf32(rest, u32::from_le_bytes), "UTF-32"),
        [0, 0, 0xfe, 0xff, rest @ ..] => whole(utf32(rest, u32::from_be_bytes), "UTF-32"),
        [0xff, 0xfe, rest @ ..] => whole(utf16(rest, u16::from_le_bytes), "UTF-16"),
        [0xfe, 0xff, rest @ ..] => whole(utf16(rest, u16::from_be_bytes), "UTF-16"),
        [0xef, 0xbb, 0xbf, rest @ ..] => Ok(utf8(rest)),
        _ => match declared(bytes) {
            None => Ok(utf8(bytes)),
            Some(name) => by_name(bytes, &name),
        },
    }
}

fn utf8(bytes: &[u8]) -> Text<'_> {
    let text = String::from_utf8_lossy(bytes);
    let is_damaged = matches!(text, Cow::Owned(_));
    Text { text, is_damaged }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.ok().filter(|_| rest.is_empty())
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Option<String> {
    let (units, rest) = bytes.as_chunks::<4>();
    let text: Option<String> = units
        .iter()
        .map(|code| char::from_u32(unit(*code)))
        .collect();
    text.filter(|_| rest.is_empty())
}

/// The encoding that a comment in one of the first two lines names (PEP 263).
fn declared(bytes: &[u8]) -> Option<String> {
    let lines = bytes.split(|byte| *byte == b'\n').take(2);
    lines
        .filter(|line| line.first() == Some(&b'#'))
        .find_map(|line| {
            let line = String::from_utf8_lossy(line);
            let mut rest = &*line;
            while let Some((_, after)) = rest.split_once("coding") {
                rest = after;
                let Some(name) = after.strip_prefix([':', '=']) else {
                    continue;
                };
                let name = name.trim_start();
                let in_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
                let end = name.find(|c| !in_name(c)).unwrap_or(name.len());
                if let Some(name) = name.get(..end).filter(|name| !name.is_empty()) {
                    return Some(name.to_ascii_lowercase().replace('_', "-"));
                }
            }
            None
        })
}

/// Names, versions and options are ASCII, so that encodings that agree about it need no tables.
fn by_name<'a>(bytes: &'a [u8], name: &str) -> Result<Text<'a>, ParseError> {
    let single = |is_latin: bool| {
        let text = bytes.iter().map(|byte| match byte {
            // Control characters in some, letters in others.
            0x80..=0x9f if !is_latin => char::REPLACEMENT_CHARACTER,
            byte => char::from(*byte),
        });
        Ok(Text {
            text: text.collect::<String>().into(),
            is_damaged: false,
        })
    };
    match name {
        "utf-8" | "utf8" | "u8" | "utf" | "utf-8-sig" | "ascii" | "us-ascii" | "646" => {
            Ok(utf8(bytes))
        }
        "latin-1" | "latin1" | "l1" | "latin" | "8859" => single(true),
        _ if name.starts_with("iso-8859-") || name.starts_with("iso8859-") => single(true),
        _ if ["cp125", "windows-125", "koi8-"]
            .iter()
            .any(|start| name.starts_with(start)) =>
        {
            single(false)
        }
        _ => {
            let cause = format!(
                "the encoding {} is not read",
                crate::inventory::collect::shown(name)
            );
            Err(ParseError::unknown_format(None, cause))
        }
    }
}

/// White space as Python's `str.strip` and `\s` know it.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// The ends of lines for `str.splitlines`.
fn ends_line(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Calls `found` with every logical line that holds something, without its comment, and the number
/// of the line that it begins on, as editors count.
pub(super) fn logical(text: &str, mut found: impl FnMut(u32, &str)) {
    let mut open: Option<(u32, String)> = None;
    let mut number = 1_u32;
    let mut found = |number: u32, line: &str| {
        let line = without_comment(line);
        if !line.is_empty() {
            found(number, line);
        }
    };
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(ends_line).unwrap_or(rest.len());
        let (line, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let here = number;
        let mut ends = after.chars();
        let newline = match ends.next() {
            Some('\r') if after.starts_with("\r\n") => ends.next(),
            other => other,
        };
        rest = ends.as_str();
        if newline == Some('\n') {
            number = number.saturating_add(1);
        }
        let is_comment = line.trim_start_matches(is_space).starts_with('#');
        if line.ends_with('\\') && !is_comment {
            let (_, joined) = open.get_or_insert_with(|| (here, String::new()));
            joined.push_str(line.trim_matches('\\'));
            continue;
        }
        match open.take() {
            None => found(here, line),
            Some((first, mut joined)) => {
                // So that it is seen as a comment behind anything.
                joined.push_str(if is_comment { " " } else { "" });
                joined.push_str(line);
                found(first, &joined);
            }
        }
    }
    if let Some((first, joined)) = open {
        found(first, &joined);
    }
}

/// A `#` begins a comment at the start of the line or after white space.
fn without_comment(line: &str) -> &str {
    let starts = line.match_indices('#').find(|(at, _)| {
        let before = line.get(..*at).unwrap_or_default();
        before.is_empty() || before.ends_with(is_space)
    });
    let line = match starts {
        Some((at, _)) => line.get(..at).unwrap_or(line),
        None => line,
    };
    line.trim_matches(is_space)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(u32, String)> {
        let mut lines = Vec::new();
        logical(text, |number, line| lines.push((number, line.to_owned())));
        lines
    }

    #[test]
    fn every_line_end_of_python_ends_a_line() {
        for end in [
            "\n", "\r", "\r\n", "\u{b}", "\u{c}", "\u{1c}", "\u{1d}", "\u{1e}", "\u{85}",
            "\u{2028}", "\u{2029}",
        ] {
            let found = lines(&format!("# c{end}a==1{end}{end}b==2"));
            let texts: Vec<_> = found.iter().map(|(_, text)| text.as_str()).collect();
            assert_eq!(texts, ["a==1", "b==2"], "{end:?}");
        }
        assert_eq!(
            lines("a\r\nb\rc\nd\n"),
            [
                (1, "a".into()),
                (2, "b".into()),
                (2, "c".into()),
                (3, "d".into())
            ]
        );
    }

    #[test]
    fn lines_are_joined_and_lose_their_comments() {
        for (text, expected) in [
            (
                "a==1 \\\n  --hash=x # c \\\nb",
                vec![(1, "a==1   --hash=x")],
            ),
            ("a \\\n# c\nb", vec![(1, "a"), (3, "b")]),
            ("# c \\\nb", vec![(2, "b")]),
            ("  # c\n\ta#b\t#c", vec![(2, "a#b")]),
            ("a\\", vec![(1, "a")]),
            ("a \\\r\n==1", vec![(1, "a ==1")]),
            ("\u{a0}a\u{3000}", vec![(1, "a")]),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(n, t)| (n, t.to_owned()))
                .collect();
            assert_eq!(lines(text), expected, "{text:?}");
        }
    }

    #[test]
    fn encodings() {
        let text = "# é\na==1\n";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let wide: Vec<u8> = text
            .chars()
            .flat_map(|c| u32::from(c).to_le_bytes())
            .collect();
        let with = |bom: &[u8], rest: &[u8]| [bom, rest].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            with(&[0xef, 0xbb, 0xbf], text.as_bytes()),
            with(&[0xff, 0xfe], &le),
            with(&[0xfe, 0xff], &be),
            with(&[0xff, 0xfe, 0, 0], &wide),
        ] {
            let read = decode(&bytes).unwrap();
            assert_eq!((&*read.text, read.is_damaged), (text, false));
        }
        let read = decode(b"# -*- coding: latin-1 -*-\n# \xe9\x85a==1").unwrap();
        assert!(read.text.ends_with("é\u{85}a==1") && !read.is_damaged);
        let read = decode(b"# vim: set fileencoding=cp1252 :\n#\x85a==1").unwrap();
        assert_eq!(lines(&read.text), []);
        assert!(decode(b"# \xe9\na==1").unwrap().is_damaged);
        assert!(decode(b"# coding: utf-7\n+AGE-==1").is_err());
        assert!(decode(b"\xff\xfea").is_err());
    }
}
