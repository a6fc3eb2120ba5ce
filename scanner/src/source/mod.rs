//! Reading targets: source trees, OCI layouts, image archives, layers.

use std::path::PathBuf;
use std::sync::Arc;

use crate::gap::Gap;
use crate::inventory::Facts;

pub mod directory;

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
}
