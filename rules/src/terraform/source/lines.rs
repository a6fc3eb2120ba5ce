//! From byte offsets to lines and columns.

use std::ops::Range;
use std::sync::Arc;

use crate::Span;

/// The lines of one file.
pub(super) struct Lines<'a> {
    file: Arc<str>,
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(file: &str, text: &'a str) -> Self {
        let after = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at.saturating_add(1));
        Self {
            file: file.into(),
            text,
            starts: std::iter::once(0).chain(after).collect(),
        }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    pub(super) fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// Line and column of an offset, both from 1.
    pub(super) fn place(&self, offset: usize) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line
            .checked_sub(1)
            .and_then(|line| self.starts.get(line))
            .copied()
            .unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        let column = if before.is_ascii() {
            before.len()
        } else {
            before.chars().count()
        };
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        (number(line), number(column.saturating_add(1)))
    }

    pub(super) fn span(&self, range: Range<usize>) -> Span {
        let (start_line, start_column) = self.place(range.start);
        let (end_line, end_column) = self.place(range.end);
        Span {
            file: self.file.clone(),
            start_line,
            start_column,
            end_line,
            end_column,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn columns_count_characters() {
        let lines = Lines::new("a.tf", "é = 1\r\nab = 2\n");
        assert_eq!(lines.place(0), (1, 1));
        assert_eq!(lines.place(3), (1, 3));
        assert_eq!(lines.place(8), (2, 1));
        assert_eq!(lines.place(10), (2, 3));
        let span = lines.span(8..14);
        assert_eq!((span.start_line, span.end_line, span.end_column), (2, 2, 7));
    }
}
