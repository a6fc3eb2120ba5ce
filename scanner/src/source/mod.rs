//! Reading targets: source trees, OCI layouts, image archives, layers.
//!
//! ```text
//! image ─ store (directory, archive) ─ oci | docker (which layers) ─ layer (one stream each,
//!         verified: stream, decode, tar; wanted files: wanted) ─ merge (tree) ─ Contents
//! ```
//!
//! Nothing is unpacked and no root file system is held. Structure that cannot be trusted is a
//! [`SourceError`]; what only could not be looked at is a gap. All limits are in [`limits`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::gap::Gap;
use crate::inventory::Facts;

pub use self::image::open_image;
pub use self::layer::{LayerScan, Link, Reading, ScannedFile};
pub use self::platform::Platform;

mod archive;
mod decode;
pub mod digest;
pub mod directory;
mod docker;
mod hashing;
mod image;
mod layer;
pub mod limits;
mod manifest;
mod merge;
mod names;
mod oci;
mod platform;
mod store;
mod stream;
mod tar;
mod tree;
mod wanted;

/// What holds an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageKind {
    /// A directory laid out by the OCI image-spec.
    OciLayout,
    /// The same as a tar: plain, gzip or zstd.
    OciArchive,
    /// What `docker save` writes, compressed or not.
    DockerArchive,
}

/// Says what kind of image a path holds, by looking at its content and never at its name; `None`
/// if it holds none. Of a plain tar only headers are read, of a compressed one as much as it
/// takes to see that it is none.
pub fn recognise(path: &Path) -> Option<ImageKind> {
    recognise_or(path).ok().flatten()
}

/// Like [`recognise`]; an archive that breaks off before it told what it is gives the reason.
pub fn recognise_or(path: &Path) -> Result<Option<ImageKind>, String> {
    let data = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if data.is_dir() {
        let is_layout = path.join("oci-layout").is_file()
            || path.join("index.json").is_file() && path.join("blobs").is_dir();
        return Ok(is_layout.then_some(ImageKind::OciLayout));
    }
    if data.is_file() {
        return archive::looks_like(path);
    }
    Ok(None)
}

/// Why a target cannot be scanned at all (exit code 2).
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file or directory that cannot be opened or read.
    #[error("cannot read {}", path.display())]
    Io {
        /// What was opened.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The target is not what its kind demands, or an integrity check failed: place and cause.
    #[error("{place}: {cause}")]
    Invalid {
        /// File, blob digest or archive member.
        place: String,
        /// What is wrong.
        cause: String,
    },
}

/// What an image or an installed root file system shows: the facts of its visible files.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Facts by path, sorted by path; locations name the layer that brought each package.
    pub files: Vec<(Arc<str>, Facts)>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// `os/arch` from the config.
    pub platform: Option<String>,
    /// Digest of the manifest.
    pub digest: Option<String>,
    /// The name under which the target holds it, such as `nginx:1.27`.
    pub reference: Option<String>,
}

#[cfg(test)]
mod tests;
