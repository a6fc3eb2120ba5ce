//! From places in a text to lines.

/// Lines of byte offsets, for many offsets in one text.
pub(crate) struct LineTable {
    ends: Vec<usize>,
}

impl LineTable {
    /// Notes where the lines of a text end.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            ends: text
                .bytes()
                .enumerate()
                .filter_map(|(at, byte)| (byte == b'\n').then_some(at))
                .collect(),
        }
    }

    /// The line of a byte offset, from 1.
    pub(crate) fn line(&self, offset: usize) -> u32 {
        let before = self.ends.partition_point(|&end| end < offset);
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::LineTable;

    #[test]
    fn offsets_have_lines() {
        let table = LineTable::new("a\nb\n\nc");
        let lines: Vec<_> = (0..6).map(|offset| table.line(offset)).collect();
        assert_eq!(lines, [1, 1, 2, 2, 3, 4]);
    }
}
