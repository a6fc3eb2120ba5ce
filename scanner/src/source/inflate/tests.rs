//! Held to zlib: the same bytes out, the same streams refused.

use std::io::{self, Read, Write as _};

use flate2::{Compression, Decompress, FlushDecompress, Status};
use proptest::prelude::*;

use super::*;

/// A reader that gives few bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(out.len());
        self.0.read(&mut out[..count])
    }
}

fn decode(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    Gzip::new(bytes).read_to_end(&mut out)?;
    Ok(out)
}

/// A member around a stream that may be wrong, with the checksum and length of `content`.
fn member(deflate: &[u8], content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    bytes.extend(deflate);
    bytes.extend(crc32fast::hash(content).to_le_bytes());
    bytes.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
    bytes
}

fn deflate(content: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// What zlib makes of a stream, if it takes all of it.
fn zlib(stream: &[u8]) -> Option<Vec<u8>> {
    let mut inflate = Decompress::new(false);
    let mut out = Vec::with_capacity(1 << 20);
    let status = inflate.decompress_vec(stream, &mut out, FlushDecompress::Finish);
    let is_whole = inflate.total_in() == stream.len() as u64;
    (status.ok()? == Status::StreamEnd && is_whole).then_some(out)
}

/// Bytes without any pattern.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut byte = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_le_bytes()[7]
    };
    (0..length).map(|_| byte()).collect()
}

/// Text and binary, repeated near and far.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..600),
        prop::collection::vec(b'a'..=b'f', 0..2000),
        (any::<u8>(), 0..70_000_usize).prop_map(|(byte, count)| vec![byte; count]),
        // What does not compress is stored, across the ends of buffers.
        (any::<u64>(), 0..200_000_usize).prop_map(|(seed, length)| noise(seed, length)),
        (1..300_usize, 1..40_usize).prop_map(|(length, times)| {
            let word: Vec<u8> = (0..=250).cycle().step_by(7).take(length).collect();
            word.repeat(times)
        }),
    ];
    prop::collection::vec((piece, any::<bool>()), 0..8).prop_map(|pieces| {
        let mut all: Vec<u8> = Vec::new();
        for (piece, again) in pieces {
            all.extend(&piece);
            if again {
                all.extend(all.clone().iter().take(40_000));
            }
        }
        all
    })
}

/// How many streams of each kind are tried.
fn cases() -> u32 {
    let given = std::env::var("PORTCULLIS_MUTANTS").ok();
    given
        .and_then(|text| text.parse().ok())
        .unwrap_or(60)
        .min(50_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn what_was_packed_comes_out(content in content(), level in 0_u32..=9, step in 1_usize..5000) {
        let bytes = member(&deflate(&content, level), &content);
        prop_assert!(decode(&bytes).unwrap() == content);
        let mut slowly: Vec<u8> = Vec::new();
        let mut gzip = Gzip::new(Slow(&bytes, step));
        let mut buffer = vec![0; step];
        loop {
            match gzip.read(&mut buffer).unwrap() {
                0 => break,
                count => slowly.extend(&buffer[..count]),
            }
        }
        prop_assert!(slowly == content);
    }

    #[test]
    fn damaged_streams_are_refused_as_zlib_refuses_them(
        content in content(),
        level in 0_u32..=9,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut stream = deflate(&content, level);
        for (at, byte) in damage {
            let at = at.index(stream.len());
            stream[at] ^= byte;
        }
        if let Some(cut) = cut {
            stream.truncate(cut.index(stream.len()));
        }
        match zlib(&stream) {
            Some(out) => prop_assert!(decode(&member(&stream, &out)).unwrap() == out),
            None => prop_assert!(decode(&member(&stream, &content)).is_err()),
        }
    }

    #[test]
    fn random_bits_are_no_stream_unless_zlib_says_so(bits in prop::collection::vec(any::<u8>(), 1..400)) {
        // The header of a block with codes of its own is rare by chance.
        for kind in [bits[0], bits[0] & !7 | 5, bits[0] & !7 | 3] {
            let stream = [&[kind], &bits[1..]].concat();
            match zlib(&stream) {
                Some(out) => prop_assert!(decode(&member(&stream, &out)).unwrap() == out),
                None => prop_assert!(decode(&member(&stream, b"")).is_err()),
            }
        }
    }
}

/// Bits of a stream, written lowest first; codes are written with their highest bit first.
#[derive(Default)]
struct Bits(Vec<u8>, u32);

impl Bits {
    fn put(mut self, value: u32, count: u32) -> Self {
        for bit in 0..count {
            if self.1.is_multiple_of(8) {
                self.0.push(0);
            }
            *self.0.last_mut().unwrap() |= u8::from(value >> bit & 1 == 1) << (self.1 % 8);
            self.1 += 1;
        }
        self
    }

    fn code(self, value: u32, count: u32) -> Self {
        self.put(value.reverse_bits() >> (32 - count), count)
    }
}

#[test]
fn a_match_reaches_as_far_as_its_member() {
    // Fixed codes: "a", a match of three at distance one, the end.
    let near = Bits::default()
        .put(1, 1)
        .put(1, 2)
        .code(0x91, 8)
        .code(1, 7)
        .code(0, 5)
        .code(0, 7);
    assert_eq!(decode(&member(&near.0, b"aaaa")).unwrap(), b"aaaa");
    // The same at distance two: nothing is there, not even what another member left.
    let far = Bits::default()
        .put(1, 1)
        .put(1, 2)
        .code(0x91, 8)
        .code(1, 7)
        .code(1, 5)
        .code(0, 7);
    for front in [vec![], member(&near.0, b"aaaa")] {
        let bytes = [front, member(&far.0, b"aaaa")].concat();
        let error = decode(&bytes).unwrap_err().to_string();
        assert!(error.contains("before the beginning"), "{error}");
    }
}

#[test]
fn codes_that_no_symbol_has_are_refused() {
    let start = || Bits::default().put(1, 1).put(1, 2);
    for (stream, cause) in [
        (Bits::default().put(7, 3), "unknown kind"),
        (start().code(0xc6, 8), "no literal or length"), // symbol 286
        (start().code(0x91, 8).code(1, 7).code(30, 5), "no distance"),
        (
            Bits::default().put(5, 3).put(30, 5).put(0, 5).put(0, 4),
            "more symbols",
        ),
        (
            Bits::default().put(5, 3).put(0, 5).put(30, 5).put(0, 4),
            "more symbols",
        ),
        // Code lengths: 16, 17 and 18 with one bit each are one too many.
        (
            Bits::default()
                .put(5, 3)
                .put(0, 14)
                .put(1, 3)
                .put(1, 3)
                .put(1, 3)
                .put(0, 3),
            "too many",
        ),
        (
            Bits::default().put(5, 3).put(0, 14).put(2, 3).put(0, 9),
            "incomplete",
        ),
        (
            Bits::default().put(1, 3).put(0, 5).put(5, 16).put(5, 16),
            "two lengths",
        ),
    ] {
        let stream = [stream.0, vec![0; 40]].concat();
        let error = decode(&member(&stream, b"")).unwrap_err().to_string();
        assert!(error.contains(cause), "{cause}: {error}");
        assert_eq!(zlib(&stream), None, "{cause}");
    }
}

#[test]
fn headers_with_everything_are_read_and_checked() {
    let content = b"content";
    let header = [
        &[0x1f, 0x8b, 8, 0x1f, 1, 2, 3, 4, 0, 255][..],
        &[3, 0, 9, 9, 9],
        b"name\0comment\0",
    ]
    .concat();
    let [a, b, ..] = crc32fast::hash(&header).to_le_bytes();
    let plain = member(&deflate(content, 6), content);
    let whole = [&header[..], &[a, b], &plain[10..]].concat();
    assert_eq!(decode(&whole).unwrap(), content);
    let wrong = [&header[..], &[a, !b], &plain[10..]].concat();
    assert!(decode(&wrong).is_err());
    let reserved = [&[0x1f, 0x8b, 8, 0x20], &plain[4..]].concat();
    assert!(decode(&reserved).is_err());
    let method = [&[0x1f, 0x8b, 7], &plain[3..]].concat();
    assert!(decode(&method).is_err());
}

#[test]
fn every_cut_and_every_wrong_trailer_is_an_error() {
    let content: Vec<u8> = (0..3000_u32)
        .flat_map(|at| (at * at).to_le_bytes())
        .collect();
    for level in [0, 1, 9] {
        let whole = member(&deflate(&content, level), &content);
        for cut in 1..whole.len() {
            assert!(decode(&whole[..cut]).is_err(), "{cut}");
        }
        for at in whole.len() - 8..whole.len() {
            let mut wrong = whole.clone();
            wrong[at] ^= 1;
            assert!(decode(&wrong).is_err());
        }
    }
}

#[test]
fn what_is_right_in_front_of_damage_comes_out_and_then_the_error_for_good() {
    let content = vec![7; 400_000];
    let mut bytes = member(&deflate(&content, 6), &content);
    let at = bytes.len() - 6;
    bytes[at] ^= 1;
    let mut gzip = Gzip::new(&bytes[..]);
    let mut out = Vec::new();
    assert!(gzip.read_to_end(&mut out).is_err());
    assert_eq!(out, content);
    assert!(gzip.read(&mut [0; 9]).is_err());
}

#[test]
fn stored_blocks_begin_anywhere_in_a_buffer() {
    // Every flush writes an empty one: so many that each end of a buffer falls into one.
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::new(6));
    let content = noise(7, 200_000);
    for piece in content.chunks(3) {
        encoder.write_all(piece).unwrap();
        encoder.flush().unwrap();
    }
    let stream = encoder.finish().unwrap();
    assert!(decode(&member(&stream, &content)).unwrap() == content);
}

#[test]
fn members_padding_and_garbage() {
    let one = member(&deflate(b"one", 6), b"one");
    let two = [&one[..], &one].concat();
    assert_eq!(decode(&two).unwrap(), b"oneone");
    assert_eq!(
        decode(&[&two[..], &vec![0; 70_000]].concat()).unwrap(),
        b"oneone"
    );
    assert!(decode(&[&two[..], &[0, 0, 1]].concat()).is_err());
    assert!(decode(&[&two[..], b"x"].concat()).is_err());
    assert_eq!(decode(b"").unwrap(), b"");
}
