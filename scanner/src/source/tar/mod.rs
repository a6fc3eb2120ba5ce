//! Reading tar as container engines do: ustar, v7, GNU and PAX headers, one member at a time.
//!
//! Own code, because the crate `tar` reads long names and PAX headers of any length into memory,
//! fails on bad PAX records instead of reporting them, cannot seek over members by position, and
//! reads a size where engines do not (headers of links and devices have none for them): a
//! scanner has to cut the stream exactly where the engine will. Refuses what engines refuse: bad
//! checksums, sizes that are no size, members cut off. Member content is read through the reader
//! itself; the rest is skipped by [`Tar::next`].

mod header;
mod pax;

use std::io::{self, BufRead, Read};

use self::header::{BLOCK, Raw};
pub(crate) use self::header::{Member, MemberKind};
use super::limits;
use crate::model::gap::GapKind;

/// A buffered stream that can pass over bytes.
pub(crate) trait Skip: BufRead {
    /// Passes over `count` bytes; fewer than these are an error.
    fn skip(&mut self, mut count: u64) -> io::Result<()> {
        while count > 0 {
            let have = self.fill_buf()?.len();
            if have == 0 {
                return Err(cut_off());
            }
            let step = usize::try_from(count).map_or(have, |count| count.min(have));
            self.consume(step);
            count = count.saturating_sub(step as u64);
        }
        Ok(())
    }
}

/// Why a tar cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TarError {
    /// The stream below failed, or ended early.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not tar here.
    #[error("{cause} (byte {offset} of the tar)")]
    Malformed {
        /// Of the header, in the uncompressed stream.
        offset: u64,
        /// What is wrong.
        cause: String,
    },
}

/// A trouble that does not stop the reading.
pub(crate) type Trouble = (GapKind, String);

/// The members of one tar stream. As a reader it gives the content of the current member.
pub(crate) struct Tar<R> {
    inner: R,
    /// Content of the current member that was not read yet.
    remaining: u64,
    /// Zeros between that and the next header.
    padding: u64,
    /// Bytes of the stream before `remaining`.
    offset: u64,
    ended: bool,
}

fn cut_off() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the tar ends in the middle of a member",
    )
}

impl<R: Skip> Tar<R> {
    pub(crate) const fn new(inner: R) -> Self {
        Self {
            inner,
            remaining: 0,
            padding: 0,
            offset: 0,
            ended: false,
        }
    }

    /// The stream, after [`Self::next`] has returned `None`.
    pub(crate) fn into_inner(self) -> R {
        self.inner
    }

    /// The stream, while reading.
    pub(crate) const fn inner_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// Position of the current member's content in the stream.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next member, with what was odd about its headers; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(Member, Vec<Trouble>)>, TarError> {
        let mut extra = pax::Extra::default();
        let mut troubles = Vec::new();
        loop {
            self.skip_rest()?;
            let start = self.offset;
            let Some(raw) = self.block()? else {
                return if extra.is_pending() {
                    Err(cut_off().into())
                } else {
                    Ok(None)
                };
            };
            let malformed = |cause: String| TarError::Malformed {
                offset: start,
                cause,
            };
            let mut member = raw.member().map_err(malformed)?;
            match member.kind {
                MemberKind::LongName
                | MemberKind::LongLink
                | MemberKind::Pax
                | MemberKind::GlobalPax => {
                    self.open(member.size)?;
                    if member.size > limits::META_BYTES {
                        troubles.push((
                            GapKind::Limit,
                            format!(
                                "a header of {} bytes for the next member was skipped: more than {}",
                                member.size,
                                limits::META_BYTES
                            ),
                        ));
                        troubles.truncate(limits::MEMBER_TROUBLES);
                        if member.kind != MemberKind::GlobalPax {
                            extra.begin(member.kind);
                        }
                        continue;
                    }
                    let mut text = Vec::new();
                    self.read_to_end(&mut text)?;
                    let read = match member.kind {
                        MemberKind::GlobalPax => extra.read_global(&text, &mut troubles),
                        kind => extra.read(kind, &text, &mut troubles),
                    };
                    read.map_err(malformed)?;
                    troubles.truncate(limits::MEMBER_TROUBLES);
                }
                _ => {
                    extra.apply(&mut member);
                    if raw.is_untyped() && member.path.ends_with(b"/") {
                        member.kind = MemberKind::Directory;
                    }
                    if member.kind.is_header_only() {
                        member.size = 0;
                    }
                    // Maps of old GNU sparse files come before the data.
                    let mut more = raw.is_extended(&member);
                    while more {
                        let mut map = [0; BLOCK];
                        if fill(&mut self.inner, &mut map)? < BLOCK {
                            return Err(cut_off().into());
                        }
                        self.offset = self.offset.saturating_add(BLOCK as u64);
                        more = Raw(map).continues();
                    }
                    self.open(member.size)?;
                    return Ok(Some((member, troubles)));
                }
            }
        }
    }

    /// Whether members follow the end of the tar, in the next `most` bytes: engines stop there, and
    /// some readers go on. Padding and garbage are nobody's.
    pub(crate) fn is_followed(&mut self, mut most: u64) -> io::Result<bool> {
        let mut block = [0; BLOCK];
        while most > 0 && fill(&mut self.inner, &mut block)? == BLOCK {
            if is_header(&block) {
                return Ok(true);
            }
            most = most.saturating_sub(BLOCK as u64);
        }
        Ok(false)
    }

    fn open(&mut self, size: u64) -> Result<(), TarError> {
        self.remaining = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
        if size.checked_add(self.padding).is_none() {
            return Err(cut_off().into());
        }
        Ok(())
    }

    fn skip_rest(&mut self) -> Result<(), TarError> {
        let remaining = std::mem::take(&mut self.remaining);
        let padding = std::mem::take(&mut self.padding);
        self.inner.skip(remaining)?;
        self.offset = self.offset.saturating_add(remaining);
        // A stream that ends inside the padding lacks nothing; the next block says so.
        let mut left = padding;
        while left > 0 {
            let have = self.inner.fill_buf()?.len() as u64;
            if have == 0 {
                break;
            }
            let step = left.min(have);
            self.inner.consume(usize::try_from(step).unwrap_or(0));
            left = left.saturating_sub(step);
        }
        self.offset = self.offset.saturating_add(padding);
        Ok(())
    }

    /// One header block; `None` at the end of the stream or at the end marker, two blocks of
    /// zeros. A lone block of zeros before more members is refused, as engines do: tools
    /// disagree about what follows.
    fn block(&mut self) -> Result<Option<Raw>, TarError> {
        if self.ended {
            return Ok(None);
        }
        let mut zero = false;
        loop {
            let mut block = [0; BLOCK];
            let start = self.offset;
            let got = fill(&mut self.inner, &mut block)?;
            self.offset = self.offset.saturating_add(got as u64);
            if got == 0 {
                self.ended = true;
                return Ok(None);
            }
            if block.iter().all(|byte| *byte == 0) {
                if zero || got < BLOCK {
                    self.ended = true;
                    return Ok(None);
                }
                zero = true;
            } else if zero {
                return Err(TarError::Malformed {
                    offset: start,
                    cause: "a single block of zeros in front of more data".into(),
                });
            } else if got < BLOCK {
                return Err(cut_off().into());
            } else {
                return Ok(Some(Raw(block)));
            }
        }
    }
}

/// Whether these bytes begin with the header of a member.
pub(crate) fn is_header(first: &[u8]) -> bool {
    first
        .first_chunk::<BLOCK>()
        .is_some_and(|block| Raw(*block).member().is_ok())
}

/// Reads as much as there is, up to the whole buffer.
pub(crate) fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

impl<R: Skip> Read for Tar<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), available.get(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

impl<R: Skip> BufRead for Tar<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.remaining == 0 {
            return Ok(&[]);
        }
        let available = self.inner.fill_buf()?;
        if available.is_empty() {
            return Err(cut_off());
        }
        let count =
            usize::try_from(self.remaining).map_or(available.len(), |max| max.min(available.len()));
        Ok(available.get(..count).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        let count = count.min(usize::try_from(self.remaining).unwrap_or(usize::MAX));
        self.remaining = self.remaining.saturating_sub(count as u64);
        self.offset = self.offset.saturating_add(count as u64);
        self.inner.consume(count);
    }
}

impl Skip for &[u8] {}

#[cfg(test)]
mod tests;
