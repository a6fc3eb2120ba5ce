//! The content of one file after the other, out of its chunks, each verified. A fault is remembered,
//! also behind a reader that swallows it.

use std::io::{self, BufRead, Cursor, Read, Take};
use std::sync::Arc;

use super::Refusal;
use super::fetch::Fetcher;
use super::plan::{Piece, Source};
use crate::source::decode::{self, Decoder, Encoding};
use crate::source::digest::{Digest, Hasher};
use crate::source::limits;
use crate::source::members::Content;
use crate::source::stream::{Shared, check_limits};

/// Bytes unpacked at once.
const BUFFER: usize = 64 << 10;

type Stream = Decoder<Take<Cursor<Arc<[u8]>>>>;

/// The piece that is read.
enum Open {
    Zeros(u64),
    Stored(Box<Stored>),
}

/// A piece that is stored, as it is unpacked.
struct Stored {
    stream: Stream,
    left: u64,
    hasher: Hasher,
    digest: Digest,
}

/// See the module.
pub(super) struct PartContent<'a> {
    fetcher: Fetcher<'a>,
    encoding: Encoding,
    shared: &'a Shared,
    /// Bytes of the layer.
    stored: u64,
    unpacked: u64,
    source: &'a [Piece],
    state: State,
    open: Option<Open>,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    fault: Option<Refusal>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Nothing,
    LeftOut,
    Pieces,
}

#[expect(clippy::needless_pass_by_value, reason = "an error is mapped by value")]
fn broken(error: io::Error) -> Refusal {
    unsound(error.to_string())
}

fn unsound(cause: impl Into<String>) -> Refusal {
    Refusal::Unsound(cause.into())
}

impl Stored {
    /// Unpacks as much as there is, up to the whole buffer.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Refusal> {
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let buffer = buffer.get_mut(..most).unwrap_or_default();
        let count = self.stream.read(buffer).map_err(broken)?;
        if count == 0 {
            return Err(unsound("a chunk is shorter than it says"));
        }
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }

    /// Compares the digest, at the end.
    fn verify(&mut self) -> Result<(), Refusal> {
        let empty = Hasher::new(self.digest.algorithm());
        let found = std::mem::replace(&mut self.hasher, empty).finish();
        if found == self.digest {
            return Ok(());
        }
        let said = &self.digest;
        Err(unsound(format!(
            "digest mismatch: it says {said} of a chunk of a file, which has {found}"
        )))
    }
}

impl<'a> PartContent<'a> {
    pub(super) fn new(
        fetcher: Fetcher<'a>,
        encoding: Encoding,
        shared: &'a Shared,
        stored: u64,
    ) -> Self {
        Self {
            fetcher,
            encoding,
            shared,
            stored,
            unpacked: 0,
            source: &[],
            state: State::Nothing,
            open: None,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            fault: None,
        }
    }

    /// Bytes unpacked so far.
    pub(super) const fn unpacked(&self) -> u64 {
        self.unpacked
    }

    /// Begins a member.
    pub(super) fn begin(&mut self, source: &'a Source) {
        (self.start, self.end, self.open) = (0, 0, None);
        (self.state, self.source) = match source {
            Source::Nothing => (State::Nothing, &[][..]),
            Source::LeftOut => (State::LeftOut, &[][..]),
            Source::Pieces(pieces) => (State::Pieces, pieces.as_slice()),
        };
    }

    /// Reads what is left of it, so that all that was fetched of it is verified.
    pub(super) fn finish(&mut self) -> Result<(), Refusal> {
        while self.fault.is_none() && self.state == State::Pieces {
            self.start = self.end;
            // A fault is remembered.
            if matches!(self.fill_buf(), Ok([])) {
                break;
            }
        }
        match self.fault.take() {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }

    /// Unpacks more; nothing at the end.
    fn refill(&mut self) -> Result<(), Refusal> {
        (self.start, self.end) = (0, 0);
        while self.end == 0 {
            let Some(open) = &mut self.open else {
                let Some((next, rest)) = self.source.split_first() else {
                    return Ok(());
                };
                self.source = rest;
                self.open = Some(self.begin_piece(next)?);
                continue;
            };
            match open {
                Open::Zeros(0) => self.open = None,
                Open::Zeros(left) => {
                    let count = usize::try_from(*left).map_or(BUFFER, |left| left.min(BUFFER));
                    self.buffer.fill(0);
                    *left = left.saturating_sub(count as u64);
                    self.end = count;
                }
                Open::Stored(stored) if stored.left == 0 => {
                    stored.verify()?;
                    self.open = None;
                }
                Open::Stored(stored) => self.end = stored.read(&mut self.buffer)?,
            }
        }
        self.unpacked = self.unpacked.saturating_add(self.end as u64);
        self.check()?;
        let totals = &self.shared.totals;
        totals.unpack(self.end as u64).map_err(Refusal::Stop)
    }

    /// The whole layer reaches the limits, too, and says how far it was read.
    fn check(&self) -> Result<(), Refusal> {
        let budget = self.shared.totals.budget;
        if budget.is_late() {
            return Err(Refusal::Whole);
        }
        check_limits(self.unpacked, self.stored, budget).map_err(|_| Refusal::Whole)
    }

    fn begin_piece(&mut self, piece: &Piece) -> Result<Open, Refusal> {
        let (number, piece) = match piece {
            Piece::Zeros(size) => return Ok(Open::Zeros(*size)),
            Piece::Stored(number, piece) => (*number, piece),
        };
        let (start, group) = self.fetcher.group(number)?;
        let at = piece.start.saturating_sub(start);
        let from = usize::try_from(at).ok().and_then(|at| group.get(at..));
        let window = from.and_then(decode::window);
        if self.encoding == Encoding::Zstd
            && window.is_some_and(|window| window > limits::PARTIAL_WINDOW)
        {
            return Err(Refusal::Whole);
        }
        let mut cursor = Cursor::new(group);
        cursor.set_position(at);
        let packed = cursor.take(piece.end.saturating_sub(piece.start));
        let mut stream = Decoder::new(self.encoding, packed).map_err(broken)?;
        if piece.skip > 0 {
            let skipped = io::copy(&mut stream.by_ref().take(piece.skip), &mut io::sink());
            let skipped = skipped.map_err(broken)?;
            self.unpacked = self.unpacked.saturating_add(skipped);
            self.check()?;
            if skipped != piece.skip {
                return Err(unsound("a chunk is shorter than it says"));
            }
        }
        Ok(Open::Stored(Box::new(Stored {
            stream,
            left: piece.size,
            hasher: Hasher::new(piece.digest.algorithm()),
            digest: piece.digest.clone(),
        })))
    }
}

impl BufRead for PartContent<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.fault.is_none() && self.start >= self.end {
            let filled = if self.state == State::Pieces {
                self.refill()
            } else {
                Err(unsound("a file is read that was not asked for"))
            };
            self.fault = filled.err();
        }
        if self.fault.is_some() {
            return Err(io::Error::other("the file could not be read"));
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }
}

impl Read for PartContent<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), available.get(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

impl Content for PartContent<'_> {
    fn is_here(&self) -> bool {
        self.state != State::LeftOut
    }
}
