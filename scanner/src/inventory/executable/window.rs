//! The last bytes of a stream, so that what is looked for is found where it lies across two reads.

/// How many bytes are searched at once.
const SIZE: usize = 256 << 10;

/// How many bytes behind its first one a search may look at.
pub(super) const AHEAD: usize = 1 << 10;

/// See the module.
#[derive(Default)]
pub(super) struct Window {
    bytes: Vec<u8>,
}

impl Window {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) const fn is_full(&self) -> bool {
        self.bytes.len() >= SIZE
    }

    /// The bytes, and how many of them something may begin at: [`AHEAD`] bytes follow each of these,
    /// if this is not the end.
    pub(super) fn settled(&self, is_end: bool) -> (&[u8], usize) {
        let ahead = if is_end { 0 } else { AHEAD };
        (&self.bytes, self.bytes.len().saturating_sub(ahead))
    }

    /// Lets go of the bytes that were searched.
    pub(super) fn forget(&mut self, searched: usize) {
        self.bytes.drain(..searched.min(self.bytes.len()));
    }
}
