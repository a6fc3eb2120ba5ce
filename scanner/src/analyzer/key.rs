//! What the facts of a layer may be kept under: the verified digest of what was read, and the
//! version of everything that read it.

use std::collections::BTreeSet;
use std::fmt;

use sha2::{Digest, Sha256};

/// Grows whenever the shape of kept facts changes.
const SHAPE: u32 = 2;

/// The name of kept facts: the same digest and analyzers give the same key, in whatever order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// `digest` is the verified digest of the blob, as `sha256:…`.
    pub(super) fn new<'i>(digest: &str, analyzers: impl Iterator<Item = (&'i str, u32)>) -> Self {
        let analyzers: BTreeSet<(&str, u32)> = analyzers.collect();
        let mut hash = Sha256::new();
        hash.update(SHAPE.to_le_bytes());
        for (id, version) in analyzers {
            // Ids have no zero byte.
            hash.update(id.as_bytes());
            hash.update([0]);
            hash.update(version.to_le_bytes());
        }
        let analyzers = hash.finalize();
        let (analyzers, _) = analyzers.split_at(16);
        Self(format!("{digest}/{}", hex::encode(analyzers)))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digest: &str, analyzers: &[(&str, u32)]) -> String {
        Key::new(digest, analyzers.iter().copied()).to_string()
    }

    #[test]
    fn a_key_depends_on_the_digest_and_every_version_but_on_no_order() {
        let one = key("sha256:aa", &[("a", 1), ("b", 2)]);
        assert_eq!(one, "sha256:aa/5ed4040e110607ca9874e10c3bf981b0");
        assert_eq!(one, key("sha256:aa", &[("b", 2), ("a", 1)]));
        for other in [
            key("sha256:ab", &[("a", 1), ("b", 2)]),
            key("sha256:aa", &[("a", 1), ("b", 3)]),
            key("sha256:aa", &[("a", 1)]),
            key("sha256:aa", &[("a", 1), ("bc", 2)]),
        ] {
            assert_ne!(one, other);
        }
    }
}
