//! The compressed side: bytes of a reader, and the bits that were taken out of them.

use std::io::{self, Read};

use super::{early, zeros};

/// Bytes read at once.
const SIZE: usize = 64 << 10;

/// Zeros behind the last byte of the stream, so that eight bytes can be loaded wherever one begins.
const PADDING: usize = 16;

/// What one turn of the decoder's loop may load: two words.
pub(super) const TURN: usize = 16;

/// Bytes and bits, lowest bit first.
pub(super) struct Input<R> {
    inner: R,
    pub(super) buffer: Box<[u8; SIZE + PADDING]>,
    /// The next byte that is not in `bits`.
    pub(super) at: usize,
    pub(super) end: usize,
    /// The reader has no more than what is in the buffer.
    pub(super) is_whole: bool,
    pub(super) bits: u64,
    /// How many of `bits` count; those above may be set, and are the same as will be loaded again.
    pub(super) count: u32,
}

impl<R: Read> Input<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: zeros(),
            at: 0,
            end: 0,
            is_whole: false,
            bits: 0,
            count: 0,
        }
    }

    pub(super) const fn get_ref(&self) -> &R {
        &self.inner
    }

    pub(super) fn into_inner(self) -> R {
        self.inner
    }

    /// Reads on where less than `wanted` bytes are left, as far as there are more. An error where
    /// bits were taken from behind the end.
    pub(super) fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.at.saturating_add(wanted) > self.end && !self.is_whole {
            // Bytes whose bits are not taken yet may be given back.
            let from = self.at.saturating_sub(self.held());
            self.buffer.copy_within(from..self.end, 0);
            self.end = self.end.saturating_sub(from);
            self.at = self.at.saturating_sub(from);
            while let Some(free) = self.buffer.get_mut(self.end..SIZE)
                && !free.is_empty()
            {
                match self.inner.read(free) {
                    Ok(0) => {
                        self.is_whole = true;
                        break;
                    }
                    Ok(count) => self.end = self.end.saturating_add(count),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            if let Some(behind) = self.buffer.get_mut(self.end..) {
                behind.fill(0);
            }
        }
        if self.at > self.end {
            return Err(early());
        }
        Ok(())
    }

    /// Whole bytes among the bits in hand.
    const fn held(&self) -> usize {
        (self.count >> 3) as usize
    }

    /// At least 56 bits, zeros behind the end.
    pub(super) fn load(&mut self) -> io::Result<()> {
        self.fill(TURN)?;
        let word = self.buffer.get(self.at..).and_then(<[u8]>::first_chunk);
        self.bits |= u64::from_le_bytes(word.copied().unwrap_or_default()) << self.count;
        self.at = self.at.saturating_add(((63 - self.count) >> 3) as usize);
        self.count |= 0x38;
        Ok(())
    }

    /// Takes up to 32 bits that were loaded.
    pub(super) fn take(&mut self, count: u32) -> u32 {
        let mask = (1_u64 << count).wrapping_sub(1);
        let value = self.bits & mask;
        self.bits >>= count;
        self.count = self.count.saturating_sub(count);
        u32::try_from(value).unwrap_or(0)
    }

    /// Gives back all whole bytes: the next one follows the last bit that was taken.
    pub(super) fn align(&mut self) -> io::Result<()> {
        self.at = self.at.saturating_sub(self.held());
        (self.bits, self.count) = (0, 0);
        if self.at > self.end {
            return Err(early());
        }
        Ok(())
    }

    /// Bytes behind an aligned position, at least one unless the stream has ended.
    pub(super) fn bytes(&mut self) -> io::Result<&[u8]> {
        self.fill(1)?;
        Ok(self.buffer.get(self.at..self.end).unwrap_or_default())
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.end);
    }

    /// The next bytes of an aligned position.
    pub(super) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        self.fill(N)?;
        let rest = self.buffer.get(self.at..self.end).unwrap_or_default();
        let bytes = *rest.first_chunk().ok_or_else(early)?;
        self.consume(N);
        Ok(bytes)
    }
}
