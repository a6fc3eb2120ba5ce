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

use crate::model::coverage::Coverage;
use crate::model::facts::Facts;
use crate::model::gap::Gap;
pub use crate::model::target::ImageKind;
use crate::model::target::LayerInfo;

pub use self::about::BaseName;
pub use self::attached::Attached;
pub use self::cache::LayerCache;
pub use self::elsewhere::Access;
pub use self::merge::Hidden;
pub use self::open::{Described, describe_images, open_image};
pub use self::platform::Platform;
pub use self::recognise::{FIRST_BYTES, Unknown, is_part_of_image, may_be_archive};
pub use self::scanned::{LayerScan, Link, ScannedFile};
pub use self::unpacked::is_root_file_system;

mod about;
mod alias;
mod archive;
mod attached;
pub mod cache;
mod choice;
mod counts;
mod decode;
pub mod digest;
mod docker;
pub mod elsewhere;
mod hashing;
mod image;
mod inflate;
mod kept;
mod layer;
pub mod limits;
mod load;
mod locate;
mod manifest;
mod meaning;
mod members;
mod merge;
mod names;
mod oci;
mod open;
mod overlay;
mod partial;
mod plan;
mod platform;
mod recognise;
pub(crate) mod root;
mod scanned;
mod stop;
mod store;
mod stream;
mod tar;
mod totals;
pub mod tree;
mod unpacked;
mod wanted;
mod whole;

/// Says what kind of image a path holds, by looking at its content and never at its name; `None`
/// if it holds none. Of a plain tar only headers are read, of a compressed one as much as it
/// takes to see that it is none.
pub fn recognise(path: &Path) -> Option<ImageKind> {
    recognise_or(path).ok().flatten()
}

/// Like [`recognise`]; says why where nobody can know.
pub fn recognise_or(path: &Path) -> Result<Option<ImageKind>, Unknown> {
    let data = std::fs::metadata(path).map_err(|error| Unknown::Broken(error.to_string()))?;
    if data.is_dir() {
        return Ok(recognise::directory(path));
    }
    if data.is_file() {
        return recognise::looks_like(path);
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

/// Most characters of a place in an error: digests and names of members are foreign text.
const PLACE: usize = 200;

fn invalid(place: &str, cause: impl Into<String>) -> SourceError {
    SourceError::Invalid {
        place: digest::shorten_to(place, PLACE),
        cause: cause.into(),
    }
}

/// What it took to read the layers of a target.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Bytes as stored.
    pub stored: u64,
    /// Bytes that they unpack to.
    pub unpacked: u64,
}

/// What an image or an installed root file system shows: the facts of its visible files.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Facts by path, sorted by path; locations name the layer that brought each package.
    pub files: Vec<(Arc<str>, Facts)>,
    /// What analyzers that see all bytes say of files that the image does not show, sorted by
    /// layer and path.
    pub hidden: Vec<Hidden>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// What became of the members of its layers.
    pub coverage: Coverage,
    /// All platforms that the target has of it, as `os/arch`, sorted; the one that was scanned
    /// among them.
    pub platforms: Vec<String>,
    /// `os/arch` from the config.
    pub platform: Option<String>,
    /// Digest of the manifest.
    pub digest: Option<String>,
    /// The name under which the target holds it, such as `nginx:1.27`.
    pub reference: Option<String>,
    /// All names that the target has for it, sorted.
    pub names: Vec<String>,
    /// Its layers, the lowest first; a root file system has none.
    pub layers: Vec<LayerInfo>,
    /// The image that it says it was built on.
    pub base: Option<BaseName>,
    /// Documents that are attached to it, if they were asked for; sorted by digest.
    pub attached: Vec<Attached>,
    /// Bytes of all layers of the target, as stored and unpacked.
    pub cost: Cost,
}

#[cfg(test)]
mod tests;
