//! Decompression of one layer, recognised by its first bytes and never by its media type: gzip
//! of any number of members, zstd of any number of frames, xz of any number of streams, or nothing.

use std::io::{self, BufRead, Read};

use lzma_rust2::XzReader;

use super::inflate::Gzip;
use super::limits;

/// A decompressing reader.
pub(crate) enum Decoder<R: BufRead> {
    Plain(R),
    Gzip(Box<Gzip<R>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, R>>),
    Xz(Box<XzReader<R>>),
}

/// What the first bytes of a stream say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
    Zstd,
    Xz,
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
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
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

/// What decompressing a stream takes that begins so; all that is allowed where that does not say.
/// `None` where it is no matter of memory.
pub(crate) fn window(first: &[u8]) -> Option<u64> {
    match Encoding::of(first) {
        Encoding::Zstd => zstd_window(first),
        // Each block has a dictionary of its own, and the largest may come last.
        Encoding::Xz => Some(u64::from(limits::XZ_MEMORY_KIB) << 10),
        Encoding::Plain | Encoding::Gzip | Encoding::Unread(_) => None,
    }
}

/// The window of a zstd stream (RFC 8878, 3.1.1.1), behind skippable frames.
fn zstd_window(mut first: &[u8]) -> Option<u64> {
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
            Encoding::Xz => {
                let most = limits::XZ_MEMORY_KIB;
                Self::Xz(Box::new(XzReader::new_mem_limit(input, true, most)))
            }
            Encoding::Unread(name) => return Err(unread(name)),
        })
    }

    pub(crate) fn get_ref(&self) -> &R {
        match self {
            Self::Plain(input) => input,
            Self::Gzip(gzip) => gzip.get_ref(),
            Self::Zstd(decoder) => decoder.get_ref(),
            Self::Xz(decoder) => decoder.inner(),
        }
    }

    pub(crate) fn into_inner(self) -> R {
        match self {
            Self::Plain(input) => input,
            Self::Gzip(gzip) => gzip.into_inner(),
            Self::Zstd(decoder) => decoder.finish(),
            Self::Xz(decoder) => decoder.into_inner(),
        }
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(out),
            Self::Gzip(gzip) => gzip.read(out),
            Self::Zstd(decoder) => decoder.read(out),
            Self::Xz(decoder) => read_xz(decoder, out),
        }
    }
}

/// Reads on in an xz stream.
fn read_xz<R: Read>(decoder: &mut XzReader<R>, out: &mut [u8]) -> io::Result<usize> {
    decoder.read(out).map_err(|error| {
        let cause = match error.kind() {
            io::ErrorKind::OutOfMemory => format!(
                "the xz stream asks for more than the {} MiB that decompressing one may take",
                limits::XZ_MEMORY_KIB >> 10
            ),
            io::ErrorKind::UnexpectedEof => "the xz stream ends early".to_owned(),
            _ => format!("the xz stream is damaged: {error}"),
        };
        io::Error::new(error.kind(), cause)
    })
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

    fn xz(data: &[u8], dictionary: u32) -> Vec<u8> {
        let mut options = lzma_rust2::XzOptions::with_preset(0);
        options.lzma_options.dict_size = dictionary;
        let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
        writer.write_all(data).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn xz_is_read_to_its_end_or_is_damaged() {
        let small = 1 << 16;
        let good = xz(&[7; 5000], small);
        assert_eq!(Encoding::of(&good), Encoding::Xz);
        assert_eq!(decode(&good).unwrap(), [7; 5000]);
        let two = [xz(b"one ", small), vec![0; 8], xz(b"two", small)].concat();
        assert_eq!(decode(&two).unwrap(), b"one two");
        for at in 0..good.len() {
            let mut damaged = good.clone();
            damaged[at] ^= 0x10;
            let all = decode(&damaged);
            assert!(
                all.is_err() || Encoding::of(&damaged) == Encoding::Plain,
                "{at}"
            );
            assert!(at < 6 || decode(&good[..at]).is_err(), "{at}");
        }
        for behind in [&b"garbage"[..], b"x", &[0; 3]] {
            let all = decode(&[&good[..], behind].concat());
            assert!(all.is_err(), "{behind:?}");
        }
    }

    #[test]
    fn an_xz_dictionary_above_the_limit_is_refused() {
        // The dictionary is declared in the first byte of properties; its header has a checksum.
        let mut large = xz(b"x", 1 << 16);
        let header = 12..24;
        let at = 12 + 4;
        assert_eq!(
            large[at - 2..at],
            [0x21, 1],
            "LZMA2 with one byte of properties"
        );
        large[at] = 38;
        let crc = crc32(&large[header.start..header.end - 4]);
        large[header.end - 4..header.end].copy_from_slice(&crc.to_le_bytes());
        let error = decode(&large).unwrap_err().to_string();
        assert!(error.contains("more than the"), "{error}");
        let most = u64::from(limits::XZ_MEMORY_KIB) << 10;
        assert_eq!(window(&large), Some(most));
    }

    fn crc32(bytes: &[u8]) -> u32 {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum()
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
            (&b"\x04\x22\x4d\x18\x64"[..], "lz4"),
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
