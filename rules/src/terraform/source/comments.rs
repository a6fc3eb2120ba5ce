//! Comments of a source file and what each of them stands at. Owns which lines a comment covers by
//! its place; what it says is for whoever asked for it. Comments without one of the wanted words are
//! not kept: most comments concern nobody, and files have many.

use std::ops::Range;

use super::Body;
use super::lines::Lines;
use crate::Span;
use crate::input::{Comment, LineRange};

/// A comment by its lines.
struct Placed<'a> {
    start: u32,
    column: u32,
    end: u32,
    /// Nothing else stands on its first line before it.
    alone: bool,
    text: &'a str,
}

/// The comments that contain one of the words, in order.
pub(super) fn wanted(
    lines: &Lines<'_>,
    ranges: &[Range<usize>],
    words: &[&str],
    body: &Body,
) -> Vec<Comment> {
    let text = |range: &Range<usize>| lines.text().get(range.clone()).unwrap_or_default();
    let is_wanted = |range: &Range<usize>| {
        let text = text(range);
        words.iter().any(|word| text.contains(word))
    };
    if !ranges.iter().any(is_wanted) {
        return Vec::new();
    }
    let placed: Vec<Placed<'_>> = ranges
        .iter()
        .map(|range| {
            let before = lines.text().get(..range.start).unwrap_or_default();
            let before = before.trim_end_matches([' ', '\t', '\r']);
            let (start, column) = lines.place(range.start);
            // The last character: the place behind it may be on the next line.
            let end = lines.place(range.end.saturating_sub(1)).0;
            Placed {
                start,
                column,
                end,
                alone: before.is_empty() || before.ends_with('\n'),
                text: text(range),
            }
        })
        .collect();
    let attributes = body.attributes.iter().map(|one| one.span.start_line);
    let blocks = body.blocks.iter().map(|one| one.span.start_line);
    let first = attributes.chain(blocks).min();
    let mut comments = Vec::new();
    let all = ranges.iter().zip(&placed).zip(below(&placed));
    for ((_, one), below) in all.filter(|((range, _), _)| is_wanted(range)) {
        let next = if one.alone {
            starting(body, below)
        } else {
            None
        };
        comments.push(Comment {
            file: lines.file().clone(),
            line: one.start,
            column: one.column,
            text: bare(one.text).into(),
            covers: next.or_else(|| at(body, one.start)),
            block: around(&body.blocks, |block| &block.span, one.start).map(|(_, range)| range),
            of_file: one.alone && first.is_none_or(|first| one.end < first && below < first),
        });
    }
    comments
}

/// Of each comment the first line below that is not one of the comments right below it.
fn below(placed: &[Placed<'_>]) -> Vec<u32> {
    let mut lines = Vec::with_capacity(placed.len());
    let mut next: Option<(&Placed<'_>, u32)> = None;
    for one in placed.iter().rev() {
        let line = match next {
            Some((after, line)) if after.alone && after.start == one.end.saturating_add(1) => line,
            _ => one.end.saturating_add(1),
        };
        lines.push(line);
        next = Some((one, line));
    }
    lines.reverse();
    lines
}

/// What of a sorted list lies around a line, with its lines.
fn around<T>(all: &[T], span: impl Fn(&T) -> &Span, line: u32) -> Option<(&T, LineRange)> {
    let end = all.partition_point(|one| span(one).start_line <= line);
    let one = all.get(end.checked_sub(1)?)?;
    let range = (span(one).start_line, span(one).end_line);
    (line <= range.1).then_some((one, range))
}

/// The attribute or block that begins on a line, the outermost of them.
fn starting(body: &Body, line: u32) -> Option<LineRange> {
    let attribute = around(&body.attributes, |one| &one.span, line);
    let attribute = attribute.map(|(_, range)| range);
    if attribute.is_some_and(|range| range.0 == line) {
        return attribute;
    }
    let (block, range) = around(&body.blocks, |one| &one.span, line)?;
    if range.0 == line {
        return Some(range);
    }
    starting(&block.body, line)
}

/// What stands on a line: a block of which it is the first or last line, else an attribute.
fn at(body: &Body, line: u32) -> Option<LineRange> {
    if let Some((_, range)) = around(&body.attributes, |one| &one.span, line) {
        return Some(range);
    }
    let (block, range) = around(&body.blocks, |one| &one.span, line)?;
    if range.0 == line || range.1 == line {
        return Some(range);
    }
    at(&block.body, line)
}

/// What a comment says, without its signs.
fn bare(text: &str) -> &str {
    if let Some(inner) = text.strip_prefix("/*") {
        return inner.strip_suffix("*/").unwrap_or(inner).trim();
    }
    text.trim_start_matches(['#', '/']).trim()
}

#[cfg(test)]
mod tests {
    use super::super::parse_native;
    use super::*;

    fn comments(text: &str) -> Vec<Comment> {
        parse_native("m.tf", text, 0, &["mark"]).comments
    }

    fn places(text: &str) -> Vec<(u32, Option<LineRange>, Option<LineRange>, bool)> {
        let all = comments(text).into_iter();
        all.map(|one| (one.line, one.covers, one.block, one.of_file))
            .collect()
    }

    #[test]
    fn only_wanted_comments_are_kept_without_their_signs() {
        let text = "# mark 1\n// mark 2\n/* mark\n 3 */\n## other\nx = \"# mark\"\n";
        let found = comments(text);
        let texts: Vec<&str> = found.iter().map(|one| &*one.text).collect();
        assert_eq!(texts, ["mark 1", "mark 2", "mark\n 3"]);
        assert_eq!((found[2].line, found[2].column), (3, 1));
        assert_eq!(parse_native("m.tf", text, 0, &[]).comments, []);
    }

    #[test]
    fn a_comment_covers_what_it_stands_at() {
        let block = Some((2, 11));
        let text = "# mark\nresource \"a\" \"b\" { # mark\n  x = 1 # mark\n  # mark\n  # other\n  y = [\n    # mark\n    1, # mark\n  ]\n  # mark\n} # mark\n";
        assert_eq!(
            places(text),
            [
                (1, block, None, false),
                (2, block, block, false),
                (3, Some((3, 3)), block, false),
                (4, Some((6, 9)), block, false),
                (7, Some((6, 9)), block, false),
                (8, Some((6, 9)), block, false),
                (10, None, block, false),
                (11, block, block, false),
            ]
        );
        // Nested blocks.
        let text = "a \"b\" {\n  # mark\n  c {\n    x = 1\n    # mark\n    y = 2\n  }\n\n  # mark\n\n  z = 1\n}\n";
        assert_eq!(
            places(text),
            [
                (2, Some((3, 7)), Some((1, 12)), false),
                (5, Some((6, 6)), Some((1, 12)), false),
                (9, None, Some((1, 12)), false),
            ]
        );
    }

    #[test]
    fn a_comment_before_everything_is_of_the_file() {
        assert_eq!(places("# mark\n\na {}\n"), [(1, None, None, true)]);
        assert_eq!(places("# mark\n# b\n\na {}\n"), [(1, None, None, true)]);
        assert_eq!(places("# mark\na {}\n"), [(1, Some((2, 2)), None, false)]);
        assert_eq!(places("# mark"), [(1, None, None, true)]);
        assert_eq!(places("a {}\n\n# mark\n"), [(3, None, None, false)]);
    }

    #[test]
    fn comments_of_a_broken_file_are_kept() {
        let text = "# mark\na \"b\" {\n}\n\nresource \"x\" \"y\" {\n  z = = 1\n}\n";
        assert_eq!(places(text), [(1, Some((2, 3)), None, false)]);
    }
}
