//! The fixed part of a segment: magic, version, section table, checksums.
//!
//! A file is one segment, or two: a small one with what changed, and behind it
//! the one that it changes, byte for byte as it was.

use sha2::{Digest, Sha256};

/// The first bytes of every database, whatever its version.
pub(crate) const MAGIC: [u8; 8] = *b"PORTCLDB";
/// The version that this code writes and reads. It changes with every change
/// of the layout; the file is rebuilt, not converted.
pub(crate) const VERSION: u32 = 4;
/// Bytes of the header.
pub(crate) const HEADER: usize = 1024;
/// Bytes that share one checksum.
pub(crate) const PAGE: u64 = 8192;
/// Raw bytes of advisory texts that are compressed together.
pub(crate) const BLOCK: usize = 128 << 10;
/// The longest block that is read: one record may exceed [`BLOCK`].
pub(crate) const MAX_BLOCK: usize = 64 << 20;

/// The parts of the body, in file order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Section {
    /// Compressed texts.
    Texts,
    /// Where each block of texts lies: `first record, offset, length, raw length`, u32 each.
    Blocks,
    /// [`super::Info`] as JSON.
    Info,
    /// Version strings, sorted by bytes.
    Versions,
    /// Offsets into [`Section::Versions`], u32 each, one more than versions.
    VersionOffsets,
    /// Rating values: `kind, text`.
    Ratings,
    /// Offsets into [`Section::Ratings`].
    RatingOffsets,
    /// Groups of ids of one vulnerability.
    Groups,
    /// Offsets into [`Section::Groups`].
    GroupOffsets,
    /// Record heads, sorted by id.
    Records,
    /// Offsets into [`Section::Records`].
    RecordOffsets,
    /// Hash table from id to record.
    RecordIndex,
    /// Packages with their entries, sorted by ecosystem and name.
    Packages,
    /// Offsets into [`Section::Packages`].
    PackageOffsets,
    /// Hash table from ecosystem and name to package.
    PackageIndex,
    /// Records of the segment below that do not count any more: their numbers,
    /// rising, u32 each.
    Masked,
    /// The root digest of the segment below and the ecosystems that this
    /// segment's packages are filed under; empty where there is none.
    Below,
    /// Rows of the EPSS feed, see [`super::feed`].
    Epss,
    /// Rows of the KEV feed.
    Kev,
    /// Yanked versions by crate, sorted; this and the next two are empty where
    /// no index was given.
    Yanked,
    /// Offsets into [`Section::Yanked`].
    YankedOffsets,
    /// Hash table from crate to its yanked versions.
    YankedIndex,
}

impl Section {
    pub(crate) const COUNT: usize = 22;

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Texts => "texts",
            Self::Blocks => "blocks",
            Self::Info => "info",
            Self::Versions | Self::VersionOffsets => "versions",
            Self::Ratings | Self::RatingOffsets => "ratings",
            Self::Groups | Self::GroupOffsets => "groups",
            Self::Records | Self::RecordOffsets | Self::RecordIndex => "records",
            Self::Packages | Self::PackageOffsets | Self::PackageIndex => "packages",
            Self::Masked => "masked records",
            Self::Below => "lower segment",
            Self::Epss => "EPSS",
            Self::Kev => "KEV",
            Self::Yanked | Self::YankedOffsets | Self::YankedIndex => "yanked",
        }
    }
}

/// The decoded header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) digest: [u8; 32],
    pub(crate) body: u64,
    /// Bytes of the segment below, which follows this one; 0 where there is none.
    pub(crate) below: u64,
    /// Offset in the body and length of each section.
    pub(crate) sections: [(u64, u64); Section::COUNT],
    pub(crate) pages_crc: u32,
}

/// Why a header was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    Foreign,
    Version(u32),
    Damaged,
}

const CRC_AT: usize = HEADER - 4;

impl Header {
    pub(crate) fn pages(body: u64) -> u64 {
        body.div_ceil(PAGE)
    }

    /// The length of the segment with this header.
    pub(crate) fn length(&self) -> u64 {
        (HEADER as u64)
            .saturating_add(self.body)
            .saturating_add(Self::pages(self.body).saturating_mul(4))
    }

    /// The length of a whole file that begins with this header.
    pub(crate) fn file_length(&self) -> u64 {
        self.length().saturating_add(self.below)
    }

    pub(crate) fn section(&self, section: Section) -> (u64, u64) {
        self.sections
            .get(section as usize)
            .copied()
            .unwrap_or((0, 0))
    }

    /// The section table as bytes; it is part of the root digest.
    fn table(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.body.to_le_bytes());
        out.extend_from_slice(&self.below.to_le_bytes());
        for (offset, length) in &self.sections {
            out.extend_from_slice(&offset.to_le_bytes());
            out.extend_from_slice(&length.to_le_bytes());
        }
        out
    }

    /// The root digest: section table and digest of the body.
    pub(crate) fn root(&self, body_digest: &[u8]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.table());
        hasher.update(body_digest);
        hasher.finalize().into()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.table());
        out.extend_from_slice(&self.digest);
        out.extend_from_slice(&self.pages_crc.to_le_bytes());
        out.resize(CRC_AT, 0);
        let crc = crc32(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        if !bytes.starts_with(&MAGIC) {
            return Err(HeaderError::Foreign);
        }
        let mut at = MAGIC.len();
        let mut take = |length: usize| {
            let field = bytes.get(at..at.saturating_add(length));
            at = at.saturating_add(length);
            field.ok_or(HeaderError::Damaged)
        };
        let version = le32(take(4)?);
        if version != VERSION {
            return Err(HeaderError::Version(version));
        }
        let mut header = Self {
            body: le64(take(8)?),
            below: le64(take(8)?),
            ..Self::default()
        };
        for section in &mut header.sections {
            *section = (le64(take(8)?), le64(take(8)?));
        }
        header.digest.copy_from_slice(take(32)?);
        header.pages_crc = le32(take(4)?);
        let stored = bytes.get(CRC_AT..HEADER).ok_or(HeaderError::Damaged)?;
        let covered = bytes.get(..CRC_AT).ok_or(HeaderError::Damaged)?;
        if crc32(covered) != le32(stored) {
            return Err(HeaderError::Damaged);
        }
        let inside = header.sections.iter().all(|(offset, length)| {
            offset
                .checked_add(*length)
                .is_some_and(|end| end <= header.body)
        });
        if inside {
            Ok(header)
        } else {
            Err(HeaderError::Damaged)
        }
    }
}

/// A little-endian number; missing bytes are zero.
#[inline]
pub(crate) fn le32(bytes: &[u8]) -> u32 {
    if let Some(field) = bytes.first_chunk() {
        return u32::from_le_bytes(*field);
    }
    let mut field = [0; 4];
    for (to, from) in field.iter_mut().zip(bytes) {
        *to = *from;
    }
    u32::from_le_bytes(field)
}

fn le64(bytes: &[u8]) -> u64 {
    let mut field = [0; 8];
    for (to, from) in field.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_le_bytes(field)
}

pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}
