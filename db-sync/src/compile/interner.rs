//! Texts to numbers, once each, in one buffer. Numbers follow the order of
//! arrival and never reach the file.

use crate::store::codec::Damaged;
use std::hash::{BuildHasher, RandomState};

const EMPTY: u32 = u32::MAX;

/// The texts that records name by number.
#[derive(Clone, Copy, Debug)]
pub(super) enum TextKind {
    Ids,
    Versions,
    Packages,
    Ratings,
}

/// A set of texts with a number each. Texts that were loaded are found by
/// binary search in their kept order, later ones by a hash table: an update
/// looks up few texts and shall not hash all of them.
pub(super) struct Interner {
    bytes: String,
    ends: Vec<usize>,
    /// The numbers of the loaded texts, sorted by text.
    loaded: Vec<u32>,
    table: Vec<u32>,
    hasher: RandomState,
}

impl Interner {
    pub(super) fn new() -> Self {
        Self {
            bytes: String::new(),
            ends: Vec::new(),
            loaded: Vec::new(),
            table: vec![EMPTY; 1024],
            hasher: RandomState::new(),
        }
    }

    /// Hands out all texts in three parts: their bytes, where each ends, and
    /// their numbers in the order of texts. [`Interner::load`] reads them.
    pub(super) fn dump(&self, mut part: impl FnMut(&[u8])) {
        part(self.bytes.as_bytes());
        // The bytes of one interner stay far below 4 GiB.
        let end = |end: &usize| u32::try_from(*end).unwrap_or(u32::MAX).to_le_bytes();
        let ends: Vec<u8> = self.ends.iter().flat_map(end).collect();
        part(&ends);
        let order: Vec<u8> = self
            .sorted()
            .into_iter()
            .flat_map(u32::to_le_bytes)
            .collect();
        part(&order);
    }

    /// Reads what [`Interner::dump`] wrote.
    pub(super) fn load(bytes: &[u8], ends: &[u8], order: &[u8]) -> Result<Self, Damaged> {
        let bytes = std::str::from_utf8(bytes).map_err(|_| Damaged)?.to_owned();
        let words = |bytes: &[u8]| -> Vec<u32> {
            let (words, _) = bytes.as_chunks::<4>();
            words.iter().map(|word| u32::from_le_bytes(*word)).collect()
        };
        let ends: Vec<usize> = words(ends).into_iter().map(|end| end as usize).collect();
        let loaded = words(order);
        let sound = ends.is_sorted()
            && ends.len() == loaded.len()
            && ends.iter().all(|end| bytes.is_char_boundary(*end))
            && loaded.iter().all(|number| (*number as usize) < ends.len());
        if !sound {
            return Err(Damaged);
        }
        Ok(Self {
            bytes,
            ends,
            loaded,
            ..Self::new()
        })
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
        let found = self
            .loaded
            .binary_search_by(|number| self.text(*number).cmp(text));
        if let Some(number) = found.ok().and_then(|place| self.loaded.get(place)) {
            return *number;
        }
        let hashed = self.ends.len().saturating_sub(self.loaded.len());
        if hashed.saturating_mul(2) >= self.table.len() {
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
        for number in self.loaded.len()..self.ends.len() {
            let number = u32::try_from(number).unwrap_or(EMPTY);
            let (slot, _) = self.slot(self.text(number));
            if let Some(place) = self.table.get_mut(slot) {
                *place = number;
            }
        }
    }

    /// All numbers, sorted by text.
    pub(super) fn sorted(&self) -> Vec<u32> {
        let new = u32::try_from(self.loaded.len()).unwrap_or(EMPTY);
        let mut numbers = self.loaded.clone();
        numbers.extend((new..).take(self.len().saturating_sub(self.loaded.len())));
        let compare = |left: &u32, right: &u32| self.text(*left).cmp(self.text(*right));
        if self.loaded.is_empty() {
            numbers.sort_unstable_by(compare);
        } else {
            // The stable sort merges runs: the loaded texts are one.
            numbers.sort_by(compare);
        }
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::Interner;

    #[test]
    fn a_loaded_interner_goes_on_where_it_stopped() {
        let mut interner = Interner::new();
        for text in ["b", "", "é", "a"] {
            interner.number(text);
        }
        let mut parts = Vec::new();
        interner.dump(|part| parts.push(part.to_vec()));
        let mut loaded = Interner::load(&parts[0], &parts[1], &parts[2]).expect("sound");
        assert_eq!(loaded.number("a"), 3);
        for n in 0..2000 {
            assert_eq!(loaded.number(&format!("n{n}")), 4 + n);
        }
        assert_eq!(loaded.number("n7"), 11);
        let texts: Vec<&str> = loaded.sorted().iter().map(|n| loaded.text(*n)).collect();
        assert!(texts.is_sorted() && texts.len() == 2004);
        assert!(Interner::load(&parts[0], &parts[1], &parts[2][4..]).is_err());
        assert!(Interner::load(b"", &parts[1], &parts[2]).is_err());
    }

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
