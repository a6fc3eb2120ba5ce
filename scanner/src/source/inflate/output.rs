//! The uncompressed side: a buffer that starts with what matches may refer to.

use super::zeros;

/// How far back a match may reach (RFC 1951, 2).
const WINDOW: usize = 32 << 10;

/// The longest match.
const LONGEST: usize = 258;

/// What one turn of the decoder's loop may write: three literals, a match, and what is copied beyond
/// its end.
pub(super) const TURN: usize = 3 + LONGEST + 2 * WIDE;

/// Bytes that a match is copied by.
pub(super) const WIDE: usize = 16;

/// Window and fresh bytes: together they stay in the second-level cache.
pub(super) const SIZE: usize = WINDOW + (128 << 10);

/// Decoded bytes.
pub(super) struct Output {
    pub(super) buffer: Box<[u8; SIZE]>,
    /// The end of what was decoded.
    pub(super) at: usize,
    /// The beginning of what nobody has taken.
    taken: usize,
}

impl Output {
    pub(super) fn new() -> Self {
        Self {
            buffer: zeros(),
            at: 0,
            taken: 0,
        }
    }

    /// Forgets everything: matches of the next member cannot reach into this one.
    pub(super) fn reset(&mut self) {
        (self.at, self.taken) = (0, 0);
    }

    /// Room for another turn; all that was decoded must have been taken.
    pub(super) fn make_room(&mut self) {
        if self.is_full() {
            let from = self.at.saturating_sub(WINDOW);
            self.buffer.copy_within(from..self.at, 0);
            self.at = self.at.saturating_sub(from);
            self.taken = self.at;
        }
    }

    pub(super) const fn is_full(&self) -> bool {
        self.at + TURN > SIZE
    }

    /// What was decoded and not taken.
    pub(super) fn fresh(&self) -> &[u8] {
        self.buffer.get(self.taken..self.at).unwrap_or_default()
    }

    /// Takes as much as fits.
    pub(super) fn take(&mut self, out: &mut [u8]) -> usize {
        let count = self.fresh().len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), self.fresh().get(..count)) {
            to.copy_from_slice(from);
        }
        self.taken = self.taken.saturating_add(count);
        count
    }

    /// Adds bytes that are stored as they are; says how many.
    pub(super) fn store(&mut self, bytes: &[u8]) -> usize {
        let free = SIZE.saturating_sub(TURN).saturating_sub(self.at);
        let count = bytes.len().min(free.saturating_add(1));
        let end = self.at.saturating_add(count);
        if let (Some(to), Some(from)) = (self.buffer.get_mut(self.at..end), bytes.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at = end;
        count
    }
}
