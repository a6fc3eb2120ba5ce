//! The digest of content. SHA-256 is the only algorithm that is read: what has another one is
//! refused, never taken unverified.

use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

const ALGORITHM: &str = "sha256:";
/// Hexadecimal digits after the algorithm.
const DIGITS: usize = 64;

/// A SHA-256 digest, `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_hasher(Sha256::new_with_prefix(bytes))
    }

    pub(crate) fn from_hasher(hasher: Sha256) -> Self {
        Self(format!("{ALGORITHM}{}", hex::encode(hasher.finalize())))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits alone.
    pub fn hex(&self) -> &str {
        self.0.strip_prefix(ALGORITHM).unwrap_or_default()
    }
}

impl FromStr for Digest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_digest(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a digest is sha256: and 64 lower-case hexadecimal digits")
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Whether a text is a SHA-256 digest; content has no other here.
pub fn is_digest(text: &str) -> bool {
    let digits = text.strip_prefix(ALGORITHM).unwrap_or_default();
    let hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    digits.len() == DIGITS && digits.bytes().all(hex)
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn digests_are_computed_and_read() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let digest = Digest::of(b"");
        assert_eq!(digest.hex(), empty);
        assert_eq!(digest.to_string(), format!("sha256:{empty}"));
        assert_eq!(digest.as_str().parse(), Ok(digest.clone()));
        for bad in ["", "sha256:", empty, "sha256:E3", "sha512:00"] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}
