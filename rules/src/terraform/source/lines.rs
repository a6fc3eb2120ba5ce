//! From byte offsets to lines and columns.

use std::ops::Range;
use std::sync::Arc;

use crate::Span;

/// The lines of one file.
pub(in crate::terraform) struct Lines<'a> {
    file: Arc<str>,
    text: &'a str,
    starts: Vec<usize>,
    /// Characters before each block of [`BLOCK`] bytes; empty for ASCII, where bytes count.
    characters: Vec<usize>,
}

/// Bytes between two entries of the table of characters: files may be one long line.
const BLOCK: usize = 1024;

impl<'a> Lines<'a> {
    pub(in crate::terraform) fn new(file: &str, text: &'a str) -> Self {
        let after = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at.saturating_add(1));
        Self {
            file: file.into(),
            text,
            starts: std::iter::once(0).chain(after).collect(),
            characters: if text.is_ascii() {
                Vec::new()
            } else {
                blocks(text)
            },
        }
    }

    /// Characters before an offset.
    fn before(&self, offset: usize) -> usize {
        let block = offset.checked_div(BLOCK).unwrap_or(0);
        let Some(before) = self.characters.get(block) else {
            return offset;
        };
        let from = block.saturating_mul(BLOCK);
        let bytes = self.text.as_bytes().get(from..offset).unwrap_or_default();
        before.saturating_add(bytes.iter().filter(|byte| begins(**byte)).count())
    }

    pub(in crate::terraform) fn text(&self) -> &'a str {
        self.text
    }

    pub(in crate::terraform) fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// Line and column of an offset, both from 1.
    pub(in crate::terraform) fn place(&self, offset: usize) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line
            .checked_sub(1)
            .and_then(|line| self.starts.get(line))
            .copied()
            .unwrap_or_default();
        let column = self.before(offset).saturating_sub(self.before(start));
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        (number(line), number(column.saturating_add(1)))
    }

    pub(in crate::terraform) fn span(&self, range: Range<usize>) -> Span {
        let (start_line, start_column) = self.place(range.start);
        let (end_line, end_column) = self.place(range.end);
        Span {
            file: self.file.clone(),
            start_line,
            start_column,
            end_line,
            end_column,
            pointer: None,
        }
    }
}

/// Whether a byte begins a character.
fn begins(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

fn blocks(text: &str) -> Vec<usize> {
    let mut count = 0_usize;
    let blocks = text.as_bytes().chunks(BLOCK).map(|block| {
        let before = count;
        count = count.saturating_add(block.iter().filter(|byte| begins(**byte)).count());
        before
    });
    let mut blocks: Vec<usize> = blocks.collect();
    blocks.push(count);
    blocks
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
