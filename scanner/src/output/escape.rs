//! Makes untrusted text (package names, titles, paths, causes) harmless where it is shown: on a
//! terminal, in a SARIF message, in Markdown. It never decides what is shown; the JSON contract
//! keeps the text itself and only writes the same characters as `\u` escapes.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::inert::Marks;

/// Whether a character could move the cursor, reorder or hide its neighbours: C0 and C1
/// controls, line and paragraph separators, bidirectional marks, zero-width characters, tags.
pub const fn is_treacherous(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// One line of text with every treacherous character spelled out (`\n`, `\u{202e}`), and the
/// bracket of what a CI runner would take for a command (`##\u{5b}`).
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_treacherous) && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().saturating_add(8));
    let mut marks = Marks::default();
    for c in text.chars() {
        let completes = marks.completes(c);
        match c {
            '[' if completes => out.push_str("\\u{5b}"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_treacherous(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Text of several lines: line breaks become `\n`, tabs stay, the rest is spelled out.
pub fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, row) in text.lines().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        for (index, cell) in row.split('\t').enumerate() {
            if index > 0 {
                out.push('\t');
            }
            out.push_str(&line(cell));
        }
    }
    out
}

/// The first `limit` characters, with `…` in place of the last one where more were there.
pub fn truncate(text: &str, limit: usize) -> Cow<'_, str> {
    let Some((end, _)) = text.char_indices().nth(limit) else {
        return Cow::Borrowed(text);
    };
    let kept = text.get(..end).unwrap_or_default();
    let mut out: String = kept.to_owned();
    out.pop();
    out.push('…');
    Cow::Owned(out)
}

/// Text for a SARIF plain-text message, in which `[text](target)` is a link (SARIF 2.1.0,
/// section 3.11.6): the two brackets are pulled apart.
pub fn message(text: &str) -> String {
    line(text).replace("](", "] (")
}

/// One line of Markdown that renders as exactly this text. Every active punctuation mark is
/// escaped with a backslash; `@` stands in a code span, since mentions are found in the rendered
/// text, where a backslash no longer helps.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(8));
    push_markdown(&mut out, &line(text), r"\`*_{}[]<>()#+-.!|~&:$");
    out
}

fn push_markdown(out: &mut String, text: &str, active: &str) {
    let mut before = ' ';
    for c in text.chars() {
        // `www.` begins an address by itself in GitHub's Markdown.
        let address = c == '.' && matches!(before, 'w' | 'W');
        if c == '@' {
            out.push_str("`@`");
        } else {
            if address || active.contains(c) {
                out.push('\\');
            }
            out.push(c);
        }
        before = c;
    }
}

/// Foreign Markdown (the text of an advisory) made harmless but still readable: links, images,
/// HTML, references, bare addresses and mentions become text; headings, emphasis, lists, code
/// spans and fenced code stay. Only fences that begin in the first column are taken for fences:
/// nothing but their closing line ends those, whereas one inside a list ends with its item.
pub fn foreign_markdown(text: &str) -> String {
    let text = lines(text);
    let mut out = String::with_capacity(text.len().saturating_add(64));
    let mut fence: Option<(char, usize)> = None;
    for line in text.lines() {
        if let Some((mark, length)) = fence {
            out.push_str(line);
            if closes(line, mark, length) {
                fence = None;
            }
        } else {
            fence = opens(line);
            if fence.is_some() {
                out.push_str(line);
            } else {
                push_markdown(&mut out, line, r"\[]<>!|&:`~$");
            }
        }
        out.push('\n');
    }
    if let Some((mark, length)) = fence {
        out.extend(std::iter::repeat_n(mark, length));
        out.push('\n');
    }
    out
}

/// The mark and length of a code fence that begins in the first column.
fn opens(line: &str) -> Option<(char, usize)> {
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.chars().take_while(|c| *c == mark).count();
    let info = line.trim_start_matches(mark);
    (length >= 3 && !info.contains(['`', '@', '<', '['])).then_some((mark, length))
}

fn closes(line: &str, mark: char, length: usize) -> bool {
    let body = line.trim_start_matches(' ');
    let indent = line.len().saturating_sub(body.len());
    let marks = body.chars().take_while(|c| *c == mark).count();
    indent <= 3 && marks >= length && body.trim_start_matches(mark).trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_out_what_could_deceive() {
        assert_eq!(line("plain ünï 日本"), "plain ünï 日本");
        assert_eq!(line("a\x1b[2Jb\nc\u{202e}d"), "a\\u{1b}[2Jb\\nc\\u{202e}d");
        assert_eq!(lines("a\r\n\tb\x07"), "a\n\tb\\u{7}");
        assert_eq!(
            line("## a [b] ##[c] ##vso[d]"),
            "## a [b] ##\\u{5b}c] ##vso\\u{5b}d]"
        );
    }

    #[test]
    fn truncates_by_characters() {
        assert_eq!(truncate("äöü", 3), "äöü");
        assert_eq!(truncate("äöüß", 3), "äö…");
        assert_eq!(truncate("a", 0), "…");
    }

    #[test]
    fn titles_become_plain_markdown() {
        assert_eq!(
            markdown("<b>@team [x](https://e.org)"),
            "\\<b\\>`@`team \\[x\\]\\(https\\://e\\.org\\)"
        );
        assert_eq!(message("see [x](https://e.org)"), "see [x] (https://e.org)");
    }

    #[test]
    fn foreign_markdown_keeps_code_and_loses_links() {
        let text =
            "# Impact\n![x](http://t) <img src=x> @me\n```js\na[0](b) <c>\n````\nafter [l](m)";
        assert_eq!(
            foreign_markdown(text),
            "# Impact\n\\!\\[x\\](http\\://t) \\<img src=x\\> `@`me\n```js\na[0](b) <c>\n````\nafter \\[l\\](m)\n"
        );
    }

    #[test]
    fn fences_that_could_end_early_or_never_are_not_trusted() {
        assert_eq!(
            foreign_markdown("- www.a\n  ```\n[x](y)"),
            "- www\\.a\n  \\`\\`\\`\n\\[x\\](y)\n"
        );
        assert_eq!(foreign_markdown("~~~\ncode"), "~~~\ncode\n~~~\n");
        assert_eq!(
            foreign_markdown("``` a`b\n[x](y)"),
            "\\`\\`\\` a\\`b\n\\[x\\](y)\n"
        );
    }
}
