//! Decompression of one layer, recognised by its first bytes and never by its media type: gzip
//! of any number of members, zstd of any number of frames, or nothing.

use std::io::{self, BufRead, Read};

use super::inflate::Gzip;
use super::limits;

/// A decompressing reader.
pub(crate) enum Decoder<R: BufRead> {
    Plain(R),
    Gzip(Box<Gzip<R>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, R>>),
}

/// What the first bytes of a stream say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
    Zstd,
    /// A compression that some engines read and this reader does not.
    Unread(&'static str),
}

/// First bytes that are enough for [`Encoding::of`].
pub(crate) const MAGIC: usize = 10;

impl Encoding {
    /// Looks at the first bytes.
    pub(crate) fn of(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A skippable frame may come first (RFC 8878, 3.1.2). LZ4 has the same ones; a file that
            // begins so is zstd unless a frame of LZ4 follows, which zstd refuses.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Unread("xz"),
            [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => Self::Unread("lz4"),
            // The magic of a block, or of the end of an empty stream, follows the level.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, ..] => Self::Unread("bzip2"),
            [b'L', b'Z', b'I', b'P', 1, ..] => Self::Unread("lzip"),
            [0x5d, 0, 0, _, _, 0xff, 0xff, 0xff, 0xff, ..] => Self::Unread("lzma"),
            [0x1f, 0x9d, ..] => Self::Unread("compress"),
            _ => Self::Plain,
        }
    }
}

/// What to say of a compression that is not read.
pub(crate) fn unread(name: &str) -> io::Error {
    let cause = format!("it is compressed with {name}, which is not read");
    io::Error::new(io::ErrorKind::Unsupported, cause)
}

/// What the window of a zstd stream takes that begins so (RFC 8878, 3.1.1.1), behind skippable
/// frames; all that is allowed where that does not say. `None` where it is no matter of memory.
pub(crate) fn window(mut first: &[u8]) -> Option<u64> {
    let most = 1_u64 << limits::ZSTD_WINDOW_LOG;
    while let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, rest @ ..] = first {
        let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).ok();
        match length.and_then(|length| rest.get(length..)) {
            Some(rest) if !rest.is_empty() => first = rest,
            _ => return Some(most),
        }
    }
    let [0x28, 0xb5, 0x2f, 0xfd, descriptor, rest @ ..] = first else {
        return None;
    };
    // A single segment has no window of its own, but its length, behind the id of a dictionary.
    if descriptor & 0x20 != 0 {
        let id = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied()?;
        let width = 1_usize << (descriptor >> 6);
        let field = rest.get(id..)?.get(..width)?;
        let length = field
            .iter()
            .rev()
            .fold(0_u64, |sum, byte| sum.wrapping_shl(8) | u64::from(*byte));
        return Some(length.saturating_add(1 << 10).min(most));
    }
    let window = *rest.first()?;
    let base = 1_u64.checked_shl(u32::from(window >> 3).saturating_add(10))?;
    let eighth = base.checked_shr(3)?.saturating_mul(u64::from(window & 7));
    Some(base.saturating_add(eighth).min(most))
}

impl<R: BufRead> Decoder<R> {
    pub(crate) fn new(encoding: Encoding, input: R) -> io::Result<Self> {
        Ok(match encoding {
            Encoding::Plain => Self::Plain(input),
            Encoding::Gzip => Self::Gzip(Box::new(Gzip::new(input))),
            Encoding::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
                decoder.window_log_max(limits::ZSTD_WINDOW_LOG)?;
                Self::Zstd(Box::new(decoder))
            }
            Encoding::Unread(name) => return Err(unread(name)),
        })
    }

    pub(crate) fn get_ref(&self) -> &R {
        match self {
            Self::Plain(input) => input,
            Self::Gzip(gzip) => gzip.get_ref(),
            Self::Zstd(decoder) => decoder.get_ref(),
        }
    }

    pub(crate) fn into_inner(self) -> R {
        match self {
            Self::Plain(input) => input,
            Self::Gzip(gzip) => gzip.into_inner(),
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
    fn the_window_is_known_before_it_is_taken() {
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x68, 0x01];
        assert_eq!(window(&frame), Some(8 << 20));
        let behind = [&[0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 7, 7], &frame[..]].concat();
        assert_eq!(window(&behind), Some(8 << 20));
        assert_eq!(window(&behind[..10]), Some(1 << limits::ZSTD_WINDOW_LOG));
        assert_eq!(window(b"plain tar"), None);
        // One segment of 5 bytes, and one of 2^32.
        assert_eq!(window(&[0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 1]), Some(1029));
        let long = [0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 1, 0, 0, 0];
        assert_eq!(window(&long), Some(1 << limits::ZSTD_WINDOW_LOG));
    }

    #[test]
    fn other_compressions_are_named() {
        for (first, name) in [
            (&b"\xfd7zXZ\0\0\x04"[..], "xz"),
            (b"\x04\x22\x4d\x18\x64", "lz4"),
            (b"BZh91AY&SY", "bzip2"),
            (b"LZIP\x01", "lzip"),
            (b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff", "lzma"),
            (b"\x1f\x9d\x90", "compress"),
        ] {
            assert_eq!(Encoding::of(first), Encoding::Unread(name));
            assert!(decode(first).unwrap_err().to_string().contains(name));
        }
        assert_eq!(Encoding::of(b"BZhx"), Encoding::Plain);
    }

    #[test]
    fn a_zstd_window_above_the_limit_is_refused() {
        // Magic, a frame header descriptor without single segment, a window of 2^41 bytes.
        let bytes = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x01, 0x00, 0x00];
        assert!(decode(&bytes).is_err());
    }
}
