//! The container (RFC 1952): headers, checksums, members.

use std::io::{self, Read};

use super::block::{Block, Tables};
use super::input::Input;
use super::output::Output;
use super::{damaged, early};

/// Flags of a header: its own checksum, extra fields, a name, a comment; the others are reserved.
const HEADER_CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0xe0;

/// A gzip stream with all its members.
pub(crate) struct Gzip<R> {
    input: Input<R>,
    output: Output,
    tables: Tables,
    state: State,
    checksum: crc32fast::Hasher,
    /// Uncompressed bytes of this member.
    length: u32,
    /// What stopped the decoding, told behind what was decoded before.
    failure: Option<io::Error>,
}

enum State {
    /// In front of a member, or behind the last one.
    Between {
        first: bool,
    },
    Member {
        block: Block,
        is_last: bool,
    },
    End,
    /// Nothing is right behind what was damaged.
    Broken,
}

impl<R: Read> Gzip<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            input: Input::new(inner),
            output: Output::new(),
            tables: Tables::new(),
            state: State::Between { first: true },
            checksum: crc32fast::Hasher::new(),
            length: 0,
            failure: None,
        }
    }

    pub(crate) const fn get_ref(&self) -> &R {
        self.input.get_ref()
    }

    pub(crate) fn into_inner(self) -> R {
        self.input.into_inner()
    }

    /// Decodes on, until there are bytes or the stream is over.
    fn advance(&mut self) -> io::Result<()> {
        while self.output.fresh().is_empty() {
            self.output.make_room();
            match self.state {
                State::End => return Ok(()),
                State::Broken => return Err(damaged("it was read on")),
                State::Between { first } => self.between(first)?,
                State::Member { .. } => {
                    let ended = self.member();
                    let fresh = self.output.fresh();
                    self.checksum.update(fresh);
                    // Of long members, only the low bits are stored.
                    self.length = self
                        .length
                        .wrapping_add(u32::try_from(fresh.len()).unwrap_or(0));
                    if ended? {
                        self.trailer()?;
                        self.state = State::Between { first: false };
                    }
                }
            }
        }
        Ok(())
    }

    /// Decodes blocks until the output is full, or the last one ends, which it tells.
    fn member(&mut self) -> io::Result<bool> {
        while let State::Member { block, is_last } = &mut self.state {
            if self.output.is_full() {
                return Ok(false);
            }
            let has_ended = match block {
                Block::Header => {
                    (*block, *is_last) = self.tables.header(&mut self.input)?;
                    false
                }
                Block::Stored(0) => true,
                Block::Stored(left) => {
                    let bytes = self.input.bytes()?;
                    let bytes = bytes.get(..*left).unwrap_or(bytes);
                    if bytes.is_empty() {
                        return Err(early());
                    }
                    let count = self.output.store(bytes);
                    self.input.consume(count);
                    *left = left.saturating_sub(count);
                    false
                }
                Block::Codes => self.tables.codes(&mut self.input, &mut self.output)?,
            };
            if has_ended {
                if *is_last {
                    return Ok(true);
                }
                *block = Block::Header;
            }
        }
        Ok(false)
    }

    /// In front of a member: its header. Padding of zeros is what tapes and some tools leave;
    /// anything else would be read by some engines and not by others.
    fn between(&mut self, first: bool) -> io::Result<()> {
        let garbage =
            || io::Error::new(io::ErrorKind::InvalidData, "garbage behind the gzip stream");
        let bytes = self.input.bytes()?;
        match bytes.first() {
            None => self.state = State::End,
            Some(0) if !first => {
                if bytes.iter().any(|byte| *byte != 0) {
                    return Err(garbage());
                }
                let count = bytes.len();
                self.input.consume(count);
            }
            Some(0x1f) => {
                self.header()?;
                self.output.reset();
                self.checksum = crc32fast::Hasher::new();
                self.length = 0;
                self.state = State::Member {
                    block: Block::Header,
                    is_last: false,
                };
            }
            Some(_) => return Err(garbage()),
        }
        Ok(())
    }

    fn header(&mut self) -> io::Result<()> {
        let mut checksum = crc32fast::Hasher::new();
        let fixed: [u8; 10] = self.input.array()?;
        checksum.update(&fixed);
        let [0x1f, 0x8b, 8, flags, ..] = fixed else {
            return Err(damaged("no header of gzip"));
        };
        if flags & RESERVED != 0 {
            return Err(damaged("a header with unknown flags"));
        }
        if flags & EXTRA != 0 {
            let length: [u8; 2] = self.input.array()?;
            checksum.update(&length);
            for _ in 0..u16::from_le_bytes(length) {
                checksum.update(&self.input.array::<1>()?);
            }
        }
        let texts = [NAME, COMMENT].iter().filter(|text| flags & *text != 0);
        for _ in texts {
            loop {
                let byte = self.input.array::<1>()?;
                checksum.update(&byte);
                if byte == [0] {
                    break;
                }
            }
        }
        if flags & HEADER_CRC != 0 {
            let [a, b, ..] = checksum.finalize().to_le_bytes();
            if self.input.array()? != [a, b] {
                return Err(damaged("the checksum of the header is wrong"));
            }
        }
        Ok(())
    }

    fn trailer(&mut self) -> io::Result<()> {
        self.input.align()?;
        if self.input.array()? != self.checksum.clone().finalize().to_le_bytes() {
            return Err(damaged("the checksum is wrong"));
        }
        if self.input.array()? != self.length.to_le_bytes() {
            return Err(damaged("the length is wrong"));
        }
        Ok(())
    }
}

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if self.output.fresh().is_empty() {
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            if let Err(error) = self.advance() {
                self.state = State::Broken;
                if self.output.fresh().is_empty() {
                    return Err(error);
                }
                self.failure = Some(error);
            }
        }
        Ok(self.output.take(out))
    }
}
