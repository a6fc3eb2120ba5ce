//! The head of an exported file:
//!
//! ```text
//! magic 8 │ export format u32 │ database format u32 │ root digest 32 │ length of the database u64
//! │ length of the payload u64 │ SHA-256 of the payload 32 │ SHA-256 of all before 32 │ payload (zstd)
//! ```
//! Numbers are little-endian. Nothing of the payload is looked at before the
//! head was found whole and within the limits.

use super::TransferError;
use crate::store::format;
use sha2::{Digest, Sha256};

/// The first bytes of every exported file, whatever its version.
pub(crate) const MAGIC: [u8; 8] = *b"PORTCLEX";
/// The version of the exported file that this code writes and reads.
pub(crate) const VERSION: u32 = 1;
/// Bytes of the head.
pub(crate) const HEAD: usize = 128;
/// The largest database that is accepted from elsewhere, in bytes.
pub const MAX_DATABASE: u64 = 4 << 30;
/// How many times larger than the payload a database may be. Real ones are
/// two to three times; more is an attempt to fill the disk.
pub const MAX_RATIO: u64 = 64;
/// A database of no more bytes than this fills no disk, whatever its ratio: one
/// of few records that say the same is packed into almost nothing.
const ANY_RATIO: u64 = 64 << 20;

const CHECK_AT: usize = HEAD - 32;

/// A decoded head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) database_format: u32,
    pub(crate) root: [u8; 32],
    pub(crate) length: u64,
    pub(crate) payload: u64,
    pub(crate) payload_digest: [u8; 32],
}

impl Head {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.database_format.to_le_bytes());
        out.extend_from_slice(&self.root);
        out.extend_from_slice(&self.length.to_le_bytes());
        out.extend_from_slice(&self.payload.to_le_bytes());
        out.extend_from_slice(&self.payload_digest);
        let check = Sha256::digest(&out);
        out.extend_from_slice(&check);
        out
    }

    /// Decodes the head of the file `name` and holds it against the limits.
    pub(crate) fn decode(bytes: &[u8], name: &str) -> Result<Self, TransferError> {
        let damaged = || TransferError::damaged(name, "head");
        let mut fields = Fields(bytes);
        if fields.take() != Some(MAGIC) {
            return Err(TransferError::Foreign {
                name: name.to_owned(),
            });
        }
        let version = fields.u32().ok_or_else(damaged)?;
        if version != VERSION {
            return Err(TransferError::Format {
                name: name.to_owned(),
                part: "export",
                found: version,
                expected: VERSION,
            });
        }
        let head = Self {
            database_format: fields.u32().ok_or_else(damaged)?,
            root: fields.take().ok_or_else(damaged)?,
            length: fields.u64().ok_or_else(damaged)?,
            payload: fields.u64().ok_or_else(damaged)?,
            payload_digest: fields.take().ok_or_else(damaged)?,
        };
        let check: [u8; 32] = fields.take().ok_or_else(damaged)?;
        let covered = bytes.get(..CHECK_AT).ok_or_else(damaged)?;
        if <[u8; 32]>::from(Sha256::digest(covered)) != check {
            return Err(damaged());
        }
        head.limits(name)?;
        Ok(head)
    }

    fn limits(&self, name: &str) -> Result<(), TransferError> {
        let refused = |what, limit| {
            Err(TransferError::Limit {
                name: name.to_owned(),
                what,
                limit,
            })
        };
        if self.database_format != format::VERSION {
            return Err(TransferError::Format {
                name: name.to_owned(),
                part: "database",
                found: self.database_format,
                expected: format::VERSION,
            });
        }
        if self.length > MAX_DATABASE || self.payload > MAX_DATABASE {
            return refused("the size in bytes", MAX_DATABASE);
        }
        if self.length > ANY_RATIO.max(self.payload.saturating_mul(MAX_RATIO)) {
            return refused("the compression ratio", MAX_RATIO);
        }
        Ok(())
    }

    /// `sha256:…` of the database inside.
    pub(crate) fn root_digest(&self) -> String {
        digest_text(&self.root)
    }
}

/// `sha256:` and 64 digits.
pub(crate) fn digest_text(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(bytes))
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            database_format: format::VERSION,
            root: [7; 32],
            length: 6400,
            payload: 100,
            payload_digest: [9; 32],
        }
    }

    #[test]
    fn a_head_reads_back_and_any_flipped_bit_is_seen() {
        let bytes = head().encode();
        assert_eq!(bytes.len(), HEAD);
        assert_eq!(Head::decode(&bytes, "x").expect("whole"), head());
        for bit in 0..HEAD * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Head::decode(&flipped, "x").is_err(), "bit {bit}");
        }
        for length in 0..HEAD {
            assert!(
                Head::decode(&bytes[..length], "x").is_err(),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn limits_are_reached_where_they_say() {
        let mut large = head();
        (large.payload, large.length) = (1, ANY_RATIO);
        assert!(Head::decode(&large.encode(), "x").is_ok());
        large.payload = 2 * ANY_RATIO / MAX_RATIO;
        large.length = MAX_RATIO * large.payload;
        assert!(Head::decode(&large.encode(), "x").is_ok());
        large.length += 1;
        assert!(matches!(
            Head::decode(&large.encode(), "x"),
            Err(TransferError::Limit {
                limit: MAX_RATIO,
                ..
            })
        ));
        large.payload = MAX_DATABASE;
        large.length = MAX_DATABASE + 1;
        assert!(matches!(
            Head::decode(&large.encode(), "x"),
            Err(TransferError::Limit {
                limit: MAX_DATABASE,
                ..
            })
        ));
    }
}
