//! Checksums of the archive that a package is fetched as, where its lockfile says them. Only what can
//! be one is taken: an algorithm that is known, and as many digits as it has. Checksums of anything
//! else (a directory, a manifest, a cache's own archive) are not those of a package.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// An algorithm, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// MD5 (RFC 1321).
    Md5,
    /// SHA-1 (FIPS 180).
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
    ];

    /// Its name as lockfiles write it; SPDX 3 does, too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The algorithm of a name, in whatever case, with dashes (`SHA-256`) or without.
    pub fn of(name: &str) -> Option<Self> {
        let name = name.replace(['-', '_'], "").to_ascii_lowercase();
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// Bytes of a checksum.
    const fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// One checksum.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Checksum {
    /// How it was computed.
    pub algorithm: Algorithm,
    /// In lower-case hexadecimal.
    pub value: Arc<str>,
}

impl Checksum {
    /// A checksum in hexadecimal; `None` if it cannot be one of the algorithm.
    pub fn hexadecimal(algorithm: Algorithm, digits: &str) -> Option<Self> {
        let whole = digits.len() == algorithm.bytes().saturating_mul(2);
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        (whole && is_hex).then(|| Self {
            algorithm,
            value: digits.to_ascii_lowercase().into(),
        })
    }

    /// Algorithm and hexadecimal digits with a colon or an equals sign between them: `sha256:…`,
    /// `sha256=…`.
    pub fn named(text: &str) -> Option<Self> {
        let (name, digits) = text.trim().split_once([':', '='])?;
        Self::hexadecimal(Algorithm::of(name)?, digits)
    }

    /// What the integrity metadata of npm and its kin says (w3.org/TR/SRI): algorithms with base64, of
    /// which each is one of the same archive.
    pub fn integrity(text: &str) -> Vec<Self> {
        let one = |word: &str| {
            let (name, base64) = word.split_once('-')?;
            let algorithm = Algorithm::of(name)?;
            // Options follow a question mark.
            let base64 = base64.split('?').next()?;
            Self::hexadecimal(algorithm, &hex::encode(decoded(base64)?))
        };
        text.split_ascii_whitespace().filter_map(one).collect()
    }

    /// Algorithm and digits as lockfiles write them: `sha256:…`.
    pub fn told(&self) -> String {
        format!("{}:{}", self.algorithm.as_str(), self.value)
    }
}

/// The bytes of standard base64 (RFC 4648), with padding or without.
pub(crate) fn decoded(base64: &str) -> Option<Vec<u8>> {
    let text = base64.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte.checked_sub(b'A')?,
            b'a'..=b'z' => byte.checked_sub(b'a')?.checked_add(26)?,
            b'0'..=b'9' => byte.checked_sub(b'0')?.checked_add(52)?,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = ((bits << 6) | u32::from(value)) & 0xFF_FFFF;
        count = count.saturating_add(6);
        if let Some(rest) = count.checked_sub(8) {
            count = rest;
            bytes.push(u8::try_from((bits >> rest) & 0xFF).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_checksum_is_one() {
        let zeros = |count: usize| "0".repeat(count);
        for (algorithm, digits) in Algorithm::ALL.into_iter().zip([32, 40, 64, 96, 128]) {
            let text = format!("{}:{}", algorithm.as_str(), zeros(digits));
            assert_eq!(Checksum::named(&text).unwrap().told(), text);
            let short = format!("{}:{}", algorithm.as_str(), zeros(digits - 1));
            assert_eq!(Checksum::named(&short), None);
        }
        let upper = Checksum::named(&format!("SHA-256={}", "A".repeat(64))).unwrap();
        assert_eq!(upper.told(), format!("sha256:{}", "a".repeat(64)));
        for bad in ["", "sha256", "sha256:", "blake2b:00", &zeros(64)] {
            assert_eq!(Checksum::named(bad), None, "{bad}");
        }
        let not_hex = format!("md5:{}g", zeros(31));
        assert_eq!(Checksum::named(&not_hex), None);
    }

    #[test]
    fn integrity_is_base64() {
        // Of no bytes at all.
        let text = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=?x md9-AA== sha512-AAAA";
        let told: Vec<String> = Checksum::integrity(text)
            .iter()
            .map(Checksum::told)
            .collect();
        assert_eq!(
            told,
            [
                "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ]
        );
        assert_eq!(decoded("QUJD").unwrap(), b"ABC");
        assert_eq!(decoded("Q*"), None);
    }
}
