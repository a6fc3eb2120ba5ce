//! Where something is: a region of a file, a file in an image layer (with a `!/` chain into
//! archives), or a pointer into a JSON or YAML document. Never an absolute path.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One layer of an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Layer {
    /// Position in the manifest, from 0 (the base).
    pub index: u32,
    /// Digest of the blob as stored (compressed), `sha256:…`. In a docker-archive, whose layers
    /// are stored uncompressed, it equals the diff ID.
    pub digest: Arc<str>,
    /// Digest of the uncompressed tar, `sha256:…`.
    pub diff_id: Arc<str>,
}

/// Lines and columns, 1-based; columns count Unicode scalar values, the end is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Region {
    /// First line.
    pub start_line: u32,
    /// First column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_column: Option<u32>,
    /// Last line.
    pub end_line: u32,
    /// Column after the last character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_column: Option<u32>,
}

impl Region {
    /// A region of one whole line.
    pub const fn line(line: u32) -> Self {
        Self {
            start_line: line,
            start_column: None,
            end_line: line,
            end_column: None,
        }
    }
}

/// A place in a target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// Relative to the target's root, with `/`; archives inside are entered with `!/`.
    pub path: Arc<str>,
    /// The region, for text files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// JSON pointer (RFC 6901) for structured documents without lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<Arc<str>>,
    /// The image layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Arc<Layer>>,
}

impl Location {
    /// A whole file.
    pub fn file(path: impl Into<Arc<str>>) -> Self {
        Self {
            path: path.into(),
            region: None,
            pointer: None,
            layer: None,
        }
    }

    /// One line of a file.
    pub fn line(path: impl Into<Arc<str>>, line: u32) -> Self {
        Self {
            region: Some(Region::line(line)),
            ..Self::file(path)
        }
    }

    /// First line, where there is a region.
    pub fn start_line(&self) -> Option<u32> {
        self.region.map(|region| region.start_line)
    }
}
