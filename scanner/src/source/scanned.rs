//! All that is kept of one layer: the facts of the files that parsers want, and what the layer does
//! to the layers below it. Nothing else of a layer is held.
//!
//! It is a value of its own, independent of the image and of the other layers, so that layers are
//! read in parallel and can be kept under their verified digest and the versions of the analyzers;
//! [`super::merge`] puts them together. Within a layer the last member of a name wins, as when it
//! is unpacked.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::names::PathHash;
use crate::analyzer::Reading;
use crate::model::coverage::{Files, Part};
use crate::model::gap::Gap;

/// A file of which analyzers said something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannedFile {
    /// Its path in the layer.
    pub path: Arc<str>,
    /// One for each analyzer.
    pub readings: Vec<Reading>,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its path in the layer.
    pub path: Arc<str>,
    /// As written, for a symbolic link; the path in the image, for a hard link.
    pub target: Arc<str>,
    /// Whether it is a hard link.
    pub hard: bool,
}

/// All that is kept of one layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerScan {
    /// Digest of the blob, verified.
    pub digest: Arc<str>,
    /// Digest of the tar, computed; absent where a limit stopped the reading.
    pub diff_id: Option<Arc<str>>,
    /// Sorted by path.
    pub files: Vec<ScannedFile>,
    /// Files that another member of the layer replaces, as far as they count all the same; sorted by
    /// path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<ScannedFile>,
    /// Sorted by path.
    pub links: Vec<Link>,
    /// Paths of lower layers that are deleted; sorted.
    pub whiteouts: Vec<Arc<str>>,
    /// Directories whose content in lower layers is deleted; sorted.
    pub opaque: Vec<Arc<str>>,
    /// Paths that were, at any time in this layer, something else than a directory; sorted.
    #[serde(with = "hashes")]
    pub non_directories: Vec<PathHash>,
    /// Paths with a directory entry; sorted.
    #[serde(with = "hashes")]
    pub directories: Vec<PathHash>,
    /// Directories above other members, without an entry of their own; sorted.
    #[serde(with = "hashes")]
    pub implied: Vec<PathHash>,
    /// What could not be read, by path in the layer.
    pub gaps: Vec<Gap>,
    /// What became of its members that are no directories.
    pub coverage: Files,
    /// Bytes that it unpacks to.
    pub unpacked: u64,
    /// Bytes that this takes in memory, estimated.
    pub kept: u64,
    /// Where it was read by its table of contents: how much of it. Such a layer is never kept.
    #[serde(skip)]
    pub partial: Option<Part>,
}

/// Many hashes as one text of hexadecimal digits: a layer has a hundred thousand of them.
mod hashes {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    use super::PathHash;

    const BYTES: usize = size_of::<PathHash>();

    pub(super) fn serialize<S: Serializer>(all: &[PathHash], to: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = all.iter().flat_map(|hash| hash.to_le_bytes()).collect();
        to.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<PathHash>, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        let (whole, rest) = text.as_bytes().as_chunks::<{ BYTES * 2 }>();
        let all: Option<Vec<PathHash>> = whole.iter().map(hash).collect();
        all.filter(|_| rest.is_empty())
            .ok_or_else(|| de::Error::custom("not whole hashes"))
    }

    /// Of lower-case digits; the library asks of every digit whether it is one, and there are millions.
    fn hash(text: &[u8; BYTES * 2]) -> Option<PathHash> {
        let mut bytes = [0; BYTES];
        let mut bad = 0;
        let (pairs, _) = text.as_chunks::<2>();
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let (high, low) = (digit(*high), digit(*low));
            bad |= high | low;
            *byte = high << 4 | low & 15;
        }
        (bad < 16).then(|| PathHash::from_le_bytes(bytes))
    }

    /// What a digit is worth; 16 for what is none.
    const fn digit(of: u8) -> u8 {
        match of {
            b'0'..=b'9' => of & 15,
            b'a'..=b'f' => (of & 15).wrapping_add(9),
            _ => 16,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::hash;

        #[test]
        fn digits_are_read_and_nothing_else() {
            let text = hex::encode(0x0123_4567_89ab_cdef_u128.to_le_bytes());
            let whole: [u8; 32] = text.as_bytes().try_into().unwrap();
            assert_eq!(hash(&whole), Some(0x0123_4567_89ab_cdef));
            for bad in [b'g', b'A', b'/', b':', b'`', 0xff] {
                let mut other = whole;
                other[7] = bad;
                assert_eq!(hash(&other), None, "{bad}");
            }
        }
    }
}
