//! Digests of the OCI image-spec (descriptor.md, "Digests"): strict parsing, and hashing.
//!
//! A digest is never a path: only a registered algorithm with the right number of lower-case
//! hexadecimal digits is accepted, so that `blobs/<algorithm>/<hex>` cannot leave the layout.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256, Sha512};

/// The algorithms that the specification registers and engines implement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// `sha256`.
    Sha256,
    /// `sha512`.
    Sha512,
}

impl Algorithm {
    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    const fn hex_length(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// A well-formed digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    text: Arc<str>,
}

impl Digest {
    /// Reads `algorithm:hex`. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refused = |why: &str| format!("`{}` is not a digest: {why}", shorten(text));
        let (name, hex) = text
            .split_once(':')
            .ok_or_else(|| refused("no algorithm"))?;
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            _ => return Err(refused("the algorithm is neither sha256 nor sha512")),
        };
        if hex.len() != algorithm.hex_length() {
            return Err(refused("wrong length"));
        }
        if !hex
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Err(refused("not lower-case hexadecimal"));
        }
        Ok(Self {
            algorithm,
            text: text.into(),
        })
    }

    /// The digest of some bytes, by the same algorithm.
    pub fn of_same_kind(&self, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(self.algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// Its algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Where an image layout keeps the blob: `blobs/sha256/…`.
    pub fn blob_name(&self) -> String {
        format!("blobs/{}", self.text.replacen(':', "/", 1))
    }

    /// `algorithm:hex`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `algorithm:hex`, shared.
    pub fn text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// A running hash.
pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Self::Sha256(hasher) => render(Algorithm::Sha256, &hasher.finalize()),
            Self::Sha512(hasher) => render(Algorithm::Sha512, &hasher.finalize()),
        }
    }
}

fn render(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let mut text = format!("{}:", algorithm.name());
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    Digest {
        algorithm,
        text: text.into(),
    }
}

/// At most the first 80 characters, for messages.
pub(crate) fn shorten(text: &str) -> String {
    shorten_to(text, 80)
}

/// At most the first `count` characters.
pub(crate) fn shorten_to(text: &str, count: usize) -> String {
    let mut short: String = text.chars().take(count).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_digests_are_accepted() {
        let zeros = "0".repeat(64);
        let digest = Digest::parse(&format!("sha256:{zeros}")).unwrap();
        assert_eq!(digest.blob_name(), format!("blobs/sha256/{zeros}"));
        for bad in [
            String::new(),
            "sha256".into(),
            "sha256:abc".into(),
            format!("md5:{}", "0".repeat(32)),
            format!("sha256:{}", "A".repeat(64)),
            format!("SHA256:{zeros}"),
            format!("sha512:{zeros}"),
            format!("sha256:{zeros} "),
            "sha256:../../../../../../etc/passwd".into(),
        ] {
            assert!(Digest::parse(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hashes_as_the_standard_says() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Hasher::new(Algorithm::Sha256).finish().as_str(), empty);
        let long = Digest::parse(&format!("sha512:{}", "0".repeat(128))).unwrap();
        assert!(
            long.of_same_kind(b"abc")
                .as_str()
                .starts_with("sha512:ddaf35a193617aba")
        );
    }
}
