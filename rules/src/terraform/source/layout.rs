//! A light scan of native syntax: which brackets belong together, and where top-level blocks
//! begin and end. It serves two ends: bounding nesting before the recursive parser runs, and
//! reading the other blocks of a file of which one is broken. It judges no syntax.

use std::ops::Range;

/// A pair of brackets.
#[derive(Clone, Debug)]
pub(in crate::terraform) struct Group {
    pub(in crate::terraform) range: Range<usize>,
    /// How many pairs it stands in.
    pub(in crate::terraform) depth: usize,
    /// How many levels of pairs it holds, itself included.
    pub(in crate::terraform) height: usize,
    /// It is a whole operand, not arguments, an index, a block body or an interpolation.
    pub(in crate::terraform) operand: bool,
    /// Assignments directly inside: how many entries it has, if it is an object.
    pub(in crate::terraform) entries: u64,
}

/// What the scan saw.
#[derive(Debug, Default)]
pub(in crate::terraform) struct Layout {
    pub(in crate::terraform) groups: Vec<Group>,
    /// Top-level items in order.
    pub(in crate::terraform) items: Vec<Range<usize>>,
    pub(in crate::terraform) depth: usize,
    /// Line ends and comments between tokens that may be joined: inside `{for …}` and `${…}`.
    pub(in crate::terraform) gaps: Vec<Range<usize>>,
    pub(in crate::terraform) heredocs: Vec<Heredoc>,
    /// Comments with their signs, in order.
    pub(in crate::terraform) comments: Vec<Range<usize>>,
    /// Keys of objects: where the object begins, and the key.
    pub(in crate::terraform) keys: Vec<(usize, Range<usize>)>,
}

/// A heredoc: its word at both ends.
#[derive(Clone, Debug)]
pub(in crate::terraform) struct Heredoc {
    pub(in crate::terraform) open: Range<usize>,
    pub(in crate::terraform) close: Range<usize>,
}

enum Mode<'a> {
    /// Inside brackets: the closing one, where they began, levels below, operand or not.
    Brackets {
        close: u8,
        start: usize,
        height: usize,
        operand: bool,
        entries: u64,
        /// It is a `for` expression, in which lines do not end anything.
        joins: bool,
    },
    Interpolation,
    Quote,
    Heredoc(&'a str, Range<usize>),
}

/// Words that begin a top-level block in the first column.
const TOP_LEVEL: [&str; 13] = [
    "resource",
    "data",
    "module",
    "variable",
    "output",
    "locals",
    "provider",
    "terraform",
    "moved",
    "import",
    "removed",
    "check",
    "ephemeral",
];

/// Scans a text. With `resync`, a line that looks like the head of a top-level block begins
/// one even where an earlier bracket is still open.
pub(in crate::terraform) fn scan(text: &str, resync: bool) -> Layout {
    let mut scan = Scan {
        text,
        at: 0,
        modes: Vec::new(),
        layout: Layout::default(),
        item: 0,
        previous: None,
    };
    while let Some(byte) = scan.byte(0) {
        match scan.modes.last() {
            Some(Mode::Quote) => scan.quote(byte),
            Some(Mode::Heredoc(delimiter, _)) => {
                let delimiter = *delimiter;
                scan.heredoc(byte, delimiter);
            }
            _ => {
                if resync && scan.at_line_start() && scan.is_head() && scan.at > scan.item {
                    scan.modes.clear();
                    scan.end_item();
                }
                scan.code(byte);
            }
        }
    }
    scan.end_item();
    scan.layout
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    modes: Vec<Mode<'a>>,
    layout: Layout,
    item: usize,
    /// The last byte of code that is no space, on this level.
    previous: Option<u8>,
}

impl<'a> Scan<'a> {
    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text
            .as_bytes()
            .get(self.at.saturating_add(ahead))
            .copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn at_line_start(&self) -> bool {
        self.at
            .checked_sub(1)
            .and_then(|before| self.text.as_bytes().get(before))
            .is_none_or(|byte| *byte == b'\n')
    }

    fn is_head(&self) -> bool {
        let line = self.rest().lines().next().unwrap_or_default();
        let word = line.split([' ', '\t', '"', '{']).next().unwrap_or_default();
        TOP_LEVEL.contains(&word) && line.contains('{') && !line.contains('=')
    }

    fn end_item(&mut self) {
        let range = self.item..self.at.min(self.text.len());
        let text = self.text.get(range.clone()).unwrap_or_default();
        if !text.trim().is_empty() {
            self.layout.items.push(range);
        }
        self.item = self.at;
    }

    fn line(&mut self) {
        let length = self.rest().find('\n').unwrap_or(self.rest().len());
        self.skip(length);
    }

    fn code(&mut self, byte: u8) {
        let previous = self.previous;
        if !byte.is_ascii_whitespace() {
            self.previous = Some(byte);
        }
        match (byte, self.byte(1)) {
            (b'#', _) | (b'/', Some(b'/')) => {
                let start = self.at;
                self.line();
                if self.joins() {
                    self.layout.gaps.push(start..self.at);
                }
                self.layout.comments.push(start..self.at);
                self.previous = previous;
            }
            (b'/', Some(b'*')) => {
                let start = self.at;
                let length = self.rest().find("*/").map(|end| end.saturating_add(2));
                self.skip(length.unwrap_or(self.rest().len()));
                self.layout.comments.push(start..self.at);
                self.previous = previous;
            }
            (b'"', _) => {
                self.modes.push(Mode::Quote);
                self.skip(1);
            }
            (b'<', Some(b'<')) => self.heredoc_start(),
            (b'(' | b'[' | b'{', _) => {
                let operand = match previous {
                    None => false,
                    Some(before) => {
                        let in_name = before.is_ascii_alphanumeric() || before >= 0x80;
                        !in_name && !b"_)]}\"-".contains(&before)
                    }
                };
                let close = match byte {
                    b'(' => b')',
                    b'[' => b']',
                    _ => b'}',
                };
                self.modes.push(Mode::Brackets {
                    close,
                    start: self.at,
                    height: 1,
                    operand,
                    entries: 0,
                    joins: byte == b'{' && self.is_for(),
                });
                self.layout.depth = self.layout.depth.max(self.modes.len());
                self.skip(1);
            }
            (b')' | b']' | b'}', _) => {
                self.skip(1);
                self.close(byte);
            }
            (b'=' | b':', _) => {
                let key = self.key();
                if let Some(Mode::Brackets {
                    entries,
                    start,
                    operand: true,
                    ..
                }) = self.modes.last_mut()
                {
                    *entries = entries.saturating_add(1);
                    if let Some(key) = key {
                        self.layout.keys.push((*start, key));
                    }
                }
                self.skip(1);
            }
            (b'\n', _) => {
                if self.joins() {
                    self.layout.gaps.push(self.at..self.at.saturating_add(1));
                }
                self.skip(1);
                if self.modes.is_empty() {
                    self.end_item();
                    self.previous = None;
                }
            }
            _ => self.skip(1),
        }
    }

    /// Whether a line may end here without ending anything.
    fn joins(&self) -> bool {
        match self.modes.last() {
            Some(Mode::Brackets { joins, .. }) => *joins,
            Some(Mode::Interpolation) => true,
            _ => false,
        }
    }

    /// Whether the brace here begins a `for` expression.
    fn is_for(&self) -> bool {
        let inner = self.rest().get(1..).unwrap_or_default().trim_start();
        inner
            .strip_prefix("for")
            .is_some_and(|rest| rest.starts_with(char::is_whitespace))
    }

    /// The plain key before the sign here, if one stands there alone.
    fn key(&self) -> Option<Range<usize>> {
        let before = self.text.get(..self.at)?;
        let before = before.trim_end_matches([' ', '\t']);
        let end = before.len();
        let start = if let Some(inner) = before.strip_suffix('"') {
            inner
                .rfind(['"', '\n'])
                .filter(|at| inner.as_bytes().get(*at) == Some(&b'"'))?
        } else {
            let is_name = |character: char| character.is_alphanumeric() || "_-".contains(character);
            before.trim_end_matches(is_name).len()
        };
        let is_first = |before: &str| before.is_empty() || before.ends_with(['{', ',', '\n']);
        let alone = is_first(before.get(..start)?.trim_end_matches([' ', '\t']));
        (start < end && alone).then_some(start..end)
    }

    fn close(&mut self, byte: u8) {
        match self.modes.last() {
            Some(Mode::Interpolation) if byte == b'}' => {
                self.modes.pop();
            }
            Some(Mode::Brackets {
                close,
                start,
                height,
                operand,
                entries,
                ..
            }) if *close == byte => {
                let group = Group {
                    range: *start..self.at,
                    depth: self.modes.len(),
                    height: *height,
                    operand: *operand,
                    entries: *entries,
                };
                self.modes.pop();
                for mode in self.modes.iter_mut().rev() {
                    if let Mode::Brackets { height, .. } = mode {
                        *height = (*height).max(group.height.saturating_add(1));
                        break;
                    }
                }
                self.layout.groups.push(group);
            }
            // A bracket that closes nothing: the parser will say so.
            _ => {}
        }
    }

    fn quote(&mut self, byte: u8) {
        match (byte, self.byte(1)) {
            (b'\\', Some(_)) => self.skip(2),
            // Strings end on their line.
            (b'"' | b'\n', _) => {
                self.modes.pop();
                self.previous = Some(b'"');
                self.skip(usize::from(byte == b'"'));
            }
            _ => self.template(byte),
        }
    }

    fn template(&mut self, byte: u8) {
        match (byte, self.byte(1), self.byte(2)) {
            (b'$', Some(b'$'), Some(b'{')) | (b'%', Some(b'%'), Some(b'{')) => self.skip(3),
            (b'$' | b'%', Some(b'{'), _) => {
                self.modes.push(Mode::Interpolation);
                self.layout.depth = self.layout.depth.max(self.modes.len());
                // What follows `${` or `%{ if` is an operand of its own.
                self.previous = Some(b'$');
                self.skip(2);
            }
            _ => self.skip(1),
        }
    }

    fn heredoc_start(&mut self) {
        let line = self.rest().lines().next().unwrap_or_default();
        let name = line.trim_start_matches('<').trim_start_matches('-').trim();
        let is_name = |character: char| character.is_alphanumeric() || "_-".contains(character);
        if name.is_empty() || !name.chars().all(is_name) {
            self.skip(2);
            return;
        }
        let marks = line
            .len()
            .saturating_sub(line.trim_start_matches(['<', '-', ' ']).len());
        let start = self.at.saturating_add(marks);
        self.line();
        self.skip(1);
        let word = start..start.saturating_add(name.len());
        self.modes.push(Mode::Heredoc(name, word));
    }

    fn heredoc(&mut self, byte: u8, delimiter: &str) {
        if self.at_line_start() {
            let line = self.rest().split('\n').next().unwrap_or_default();
            // The word stands alone on its line.
            if line.trim() == delimiter {
                let indent = line.len().saturating_sub(line.trim_start().len());
                let start = self.at.saturating_add(indent);
                let close = start..start.saturating_add(delimiter.len());
                if let Some(Mode::Heredoc(_, open)) = self.modes.pop() {
                    self.layout.heredocs.push(Heredoc { open, close });
                }
                self.previous = Some(b'"');
                self.skip(indent.saturating_add(delimiter.len()));
                return;
            }
        }
        self.template(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::scan;

    fn items(text: &str) -> Vec<&str> {
        let layout = scan(text, true);
        layout
            .items
            .iter()
            .map(|range| text[range.clone()].trim())
            .collect()
    }

    #[test]
    fn items_end_with_their_block() {
        let text = "a = 1\nb {\n  c = \"}${d}\"\n}\n# }\ne = <<X\n}\n{ \n X\n";
        assert_eq!(
            items(text),
            [
                "a = 1",
                "b {\n  c = \"}${d}\"\n}",
                "# }",
                "e = <<X\n}\n{ \n X"
            ]
        );
    }

    #[test]
    fn a_head_in_the_first_column_begins_an_item() {
        let text = "resource \"a\" \"b\" {\n  x = (\n\nresource \"c\" \"d\" {\n}\n";
        assert_eq!(items(text).len(), 2);
    }

    #[test]
    fn groups_know_their_height() {
        let layout = scan("a = f([{b = (1)}])", false);
        assert_eq!(layout.depth, 4);
        let operands: Vec<_> = layout
            .groups
            .iter()
            .map(|group| (group.height, group.operand))
            .collect();
        assert_eq!(operands, [(1, true), (2, true), (3, true), (4, false)]);
    }
}
