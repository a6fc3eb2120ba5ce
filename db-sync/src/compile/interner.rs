//! Texts to numbers, once each, in one buffer. Numbers follow the order of
//! arrival and never reach the file.

use std::hash::{BuildHasher, RandomState};

const EMPTY: u32 = u32::MAX;

/// A set of texts with a number each.
pub(super) struct Interner {
    bytes: String,
    ends: Vec<usize>,
    table: Vec<u32>,
    hasher: RandomState,
}

impl Interner {
    pub(super) fn new() -> Self {
        Self {
            bytes: String::new(),
            ends: Vec::new(),
            table: vec![EMPTY; 1024],
            hasher: RandomState::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of a number; empty for one that was never given.
    pub(super) fn text(&self, number: u32) -> &str {
        let position = number as usize;
        let start = position
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        let end = self.ends.get(position).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// The number of a text, a new one where it has none.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if self.ends.len().saturating_mul(2) >= self.table.len() {
            self.grow();
        }
        let slot = match self.slot(text) {
            (_, Some(number)) => return number,
            (slot, None) => slot,
        };
        // More than four thousand million texts do not fit in memory first.
        let number = u32::try_from(self.ends.len()).unwrap_or(EMPTY);
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        if let Some(place) = self.table.get_mut(slot) {
            *place = number;
        }
        number
    }

    /// Where a text is, or the free place where it belongs.
    fn slot(&self, text: &str) -> (usize, Option<u32>) {
        // The table's length is a power of two.
        let mask = self.table.len().wrapping_sub(1);
        let hash = self.hasher.hash_one(text);
        let mut slot = usize::try_from(hash & mask as u64).unwrap_or(0);
        loop {
            match self.table.get(slot).copied().unwrap_or(EMPTY) {
                EMPTY => return (slot, None),
                number if self.text(number) == text => return (slot, Some(number)),
                _ => slot = slot.wrapping_add(1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        self.table = vec![EMPTY; self.table.len().saturating_mul(2)];
        for number in 0..self.ends.len() {
            let number = u32::try_from(number).unwrap_or(EMPTY);
            let (slot, _) = self.slot(self.text(number));
            if let Some(place) = self.table.get_mut(slot) {
                *place = number;
            }
        }
    }

    /// All numbers, sorted by text.
    pub(super) fn sorted(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = (0..).take(self.len()).collect();
        numbers.sort_unstable_by(|left, right| self.text(*left).cmp(self.text(*right)));
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::Interner;

    #[test]
    fn equal_texts_have_one_number() {
        let mut interner = Interner::new();
        let numbers: Vec<u32> = (0..5000)
            .map(|n| interner.number(&format!("t{}", n % 2000)))
            .collect();
        assert_eq!(interner.len(), 2000);
        for (position, number) in numbers.iter().enumerate() {
            assert_eq!(interner.text(*number), format!("t{}", position % 2000));
        }
        assert_eq!(interner.text(interner.sorted()[0]), "t0");
    }
}
