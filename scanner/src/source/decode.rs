//! Decompression of one layer, recognised by its first bytes and never by its media type: gzip
//! of any number of members, zstd of any number of frames, or nothing.
//!
//! The gzip container is left to the inflater itself, which checks the CRC and the length of
//! each member while the data are in the cache.

use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::limits;

/// A decompressing reader.
pub(crate) enum Decoder<R: BufRead> {
    Plain(R),
    Gzip(Gzip<R>),
    Zstd(Box<zstd::stream::read::Decoder<'static, R>>),
}

/// What the first bytes of a stream say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
    Zstd,
}

impl Encoding {
    /// Looks at the first bytes; four are enough.
    pub(crate) fn of(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A skippable frame may come first (RFC 8878, 3.1.2).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

impl<R: BufRead> Decoder<R> {
    pub(crate) fn new(encoding: Encoding, input: R) -> io::Result<Self> {
        Ok(match encoding {
            Encoding::Plain => Self::Plain(input),
            Encoding::Gzip => Self::Gzip(Gzip {
                input,
                inflate: Decompress::new_gzip(15),
                state: State::Between { first: true },
            }),
            Encoding::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
                decoder.window_log_max(limits::ZSTD_WINDOW_LOG)?;
                Self::Zstd(Box::new(decoder))
            }
        })
    }

    pub(crate) fn get_ref(&self) -> &R {
        match self {
            Self::Plain(input) => input,
            Self::Gzip(gzip) => &gzip.input,
            Self::Zstd(decoder) => decoder.get_ref(),
        }
    }

    pub(crate) fn into_inner(self) -> R {
        match self {
            Self::Plain(input) => input,
            Self::Gzip(gzip) => gzip.input,
            Self::Zstd(decoder) => decoder.finish(),
        }
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(out),
            Self::Gzip(gzip) => gzip.read(out),
            Self::Zstd(decoder) => decoder.read(out),
        }
    }
}

/// A gzip stream (RFC 1952) with all its members.
pub(crate) struct Gzip<R> {
    input: R,
    inflate: Decompress,
    state: State,
}

enum State {
    /// In front of a member, or behind the last one.
    Between {
        first: bool,
    },
    Member,
    End,
}

fn invalid(cause: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

impl<R: BufRead> Gzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state {
                State::End => return Ok(0),
                State::Between { first } => {
                    let data = self.input.fill_buf()?;
                    match data.first() {
                        None => self.state = State::End,
                        Some(0x1f) => {
                            if !first {
                                self.inflate = Decompress::new_gzip(15);
                            }
                            self.state = State::Member;
                        }
                        // Padding of zeros is what tapes and some tools leave; anything else
                        // would be read by some engines and not by others.
                        Some(0) => {
                            if data.iter().any(|byte| *byte != 0) {
                                return Err(invalid("garbage behind the gzip stream"));
                            }
                            let count = data.len();
                            self.input.consume(count);
                        }
                        Some(_) => return Err(invalid("garbage behind the gzip stream")),
                    }
                }
                State::Member => {
                    let data = self.input.fill_buf()?;
                    if data.is_empty() {
                        return Err(io::Error::new(
                            io::ErrorKind::UnexpectedEof,
                            "the gzip stream ends early",
                        ));
                    }
                    let (before_in, before_out) =
                        (self.inflate.total_in(), self.inflate.total_out());
                    let status = self
                        .inflate
                        .decompress(data, out, FlushDecompress::None)
                        .map_err(|error| {
                            io::Error::new(
                                io::ErrorKind::InvalidData,
                                format!("the gzip stream is damaged: {error}"),
                            )
                        })?;
                    let read = self.inflate.total_in().saturating_sub(before_in);
                    let written = self.inflate.total_out().saturating_sub(before_out);
                    self.input.consume(usize::try_from(read).unwrap_or(0));
                    if status == Status::StreamEnd {
                        self.state = State::Between { first: false };
                    } else if read == 0 && written == 0 {
                        return Err(invalid("the gzip stream is damaged"));
                    }
                    if written > 0 {
                        return Ok(usize::try_from(written).unwrap_or(0));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn decode(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Decoder::new(Encoding::of(bytes), bytes)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn all_members_and_frames_count() {
        let two = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(decode(&two).unwrap(), b"one two");
        assert_eq!(decode(&[&two[..], &[0; 9]].concat()).unwrap(), b"one two");
        let frame = |data: &[u8]| zstd::stream::encode_all(data, 1).unwrap();
        let two = [frame(b"one "), frame(b"two")].concat();
        assert_eq!(decode(&two).unwrap(), b"one two");
        assert_eq!(decode(b"plain").unwrap(), b"plain");
    }

    #[test]
    fn damage_is_an_error() {
        let good = gzip(&[7; 5000]);
        let mut crc = good.clone();
        let at = crc.len() - 6;
        crc[at] ^= 1;
        assert!(decode(&crc).is_err());
        assert!(decode(&good[..good.len() - 9]).is_err());
        assert!(decode(&[&good[..], b"x"].concat()).is_err());
        let frame = zstd::stream::encode_all(&[7_u8; 5000][..], 1).unwrap();
        assert!(decode(&frame[..frame.len() - 1]).is_err());
    }

    #[test]
    fn a_zstd_window_above_the_limit_is_refused() {
        // Magic, a frame header descriptor without single segment, a window of 2^41 bytes.
        let bytes = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x01, 0x00, 0x00];
        assert!(decode(&bytes).is_err());
    }
}
