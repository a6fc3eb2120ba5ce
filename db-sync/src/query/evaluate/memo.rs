//! Remembers comparisons with bounds that many entries of a package share.

use std::cell::Cell;
use std::cmp::Ordering;

const MEMO: usize = 256;

/// Comparisons by number of the bound. Each number has one place, and the
/// last one to use it stays there.
pub(super) struct Memo([Cell<u64>; MEMO]);

impl Memo {
    pub(super) const fn new() -> Self {
        Self([const { Cell::new(0) }; MEMO])
    }

    fn place(&self, number: u32) -> Option<&Cell<u64>> {
        self.0.get(number as usize % MEMO)
    }

    #[inline]
    pub(super) fn recall(&self, number: u32) -> Option<Ordering> {
        let kept = self.place(number)?.get();
        // Where nothing was kept yet, not even the number 0 has been.
        (kept >> 2 == u64::from(number) && kept & 3 != 0).then(|| (kept & 3).cmp(&2))
    }

    pub(super) fn keep(&self, number: u32, position: Ordering) {
        let code = match position {
            Ordering::Less => 1,
            Ordering::Equal => 2,
            Ordering::Greater => 3,
        };
        if let Some(place) = self.place(number) {
            place.set(u64::from(number) << 2 | code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MEMO, Memo};
    use std::cmp::Ordering;

    #[test]
    fn a_memory_forgets_but_never_confuses() {
        let memo = Memo::new();
        let same_place = u32::try_from(MEMO).expect("small");
        assert_eq!(memo.recall(0), None);
        memo.keep(0, Ordering::Greater);
        assert_eq!(memo.recall(0), Some(Ordering::Greater));
        assert_eq!(memo.recall(same_place), None);
        memo.keep(same_place, Ordering::Less);
        assert_eq!(memo.recall(0), None);
        assert_eq!(memo.recall(same_place), Some(Ordering::Less));
    }
}
