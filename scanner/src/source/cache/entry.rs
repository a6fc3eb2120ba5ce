//! The form of an entry: packed, with a sum that tells whether it is whole, and under a name that says
//! nothing about what it holds.
//!
//! With a key, the sum is a signature over the entry and its name: who does not know the key can
//! neither write an entry nor move one to another name. Names depend on the key, too, so that
//! users of different keys do not overwrite each other's entries.

use std::fmt;
use std::io::{self, Read};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// How an entry begins; grows whenever its shape changes.
const MAGIC: &[u8] = b"portcullis layer 3\n";

/// Bytes of an entry, packed and unpacked: facts are bounded where they are made.
pub(super) const MAX_ENTRY: u64 = 256 << 20;

/// Bytes of the sum.
const SUM: usize = 32;

/// What makes an entry one of this program, and of those who know the key.
#[derive(Clone, Default)]
pub(super) struct Seal {
    key: Option<Hmac<Sha256>>,
}

impl fmt::Debug for Seal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.key.is_some() {
            "signed"
        } else {
            "plain"
        };
        out.debug_tuple("Seal").field(&kind).finish()
    }
}

impl Seal {
    /// With a key; one of any length will do.
    pub(super) fn new(key: &str) -> Self {
        Self {
            // No length is refused.
            key: Hmac::new_from_slice(key.as_bytes()).ok(),
        }
    }

    fn sum(&self, parts: &[&[u8]]) -> [u8; SUM] {
        let mut hasher = Sha256::new();
        let mut mac = self.key.clone();
        for part in parts {
            let length = (part.len() as u64).to_le_bytes();
            for bytes in [&length[..], part] {
                match &mut mac {
                    Some(mac) => mac.update(bytes),
                    None => hasher.update(bytes),
                }
            }
        }
        match mac {
            Some(mac) => mac.finalize().into_bytes().into(),
            None => hasher.finalize().into(),
        }
    }

    /// The name of an entry, of hexadecimal digits.
    pub(super) fn name(&self, kind: &str, of: &str) -> String {
        hex::encode(self.sum(&[b"name", kind.as_bytes(), of.as_bytes()]))
    }

    /// An entry under a name of [`Seal::name`].
    pub(super) fn pack(&self, name: &str, content: &[u8]) -> io::Result<Vec<u8>> {
        let packed = zstd::bulk::compress(content, 1)?;
        let sum = self.sum(&[b"entry", name.as_bytes(), &packed]);
        Ok([MAGIC, &sum, &packed].concat())
    }

    /// The content of an entry; `None` if it is not whole, or not for this name and key.
    pub(super) fn unpack(&self, name: &str, entry: &[u8]) -> Option<Vec<u8>> {
        let rest = entry.strip_prefix(MAGIC)?;
        let (sum, packed) = rest.split_at_checked(SUM)?;
        let right = self.sum(&[b"entry", name.as_bytes(), packed]);
        // Without a branch on what is compared: how far it agrees would tell a forger more.
        let differ = right.iter().zip(sum).fold(0, |all, (a, b)| all | (a ^ b));
        if differ != 0 {
            return None;
        }
        let mut content = Vec::new();
        let decoder = zstd::stream::read::Decoder::new(packed).ok()?;
        decoder.take(MAX_ENTRY).read_to_end(&mut content).ok()?;
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_good_for_its_name_and_key_only() {
        let (plain, one, other) = (Seal::default(), Seal::new("a"), Seal::new("b"));
        let name = one.name("layers", "x");
        assert_ne!(name, one.name("images", "x"));
        assert_ne!(name, other.name("layers", "x"));
        assert_ne!(name, plain.name("layers", "x"));
        let entry = one.pack(&name, b"content").unwrap();
        assert_eq!(one.unpack(&name, &entry).as_deref(), Some(&b"content"[..]));
        for seal in [&plain, &other] {
            assert_eq!(seal.unpack(&name, &entry), None);
        }
        assert_eq!(one.unpack(&one.name("layers", "y"), &entry), None);
        assert_eq!(
            one.unpack(&name, &plain.pack(&name, b"content").unwrap()),
            None
        );
    }
}
