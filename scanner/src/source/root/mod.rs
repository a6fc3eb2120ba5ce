//! A tree of files below one root, whatever keeps it: a directory of the machine, or the tree of a
//! commit. Owns how its entries are listed, opened and followed through links, and refuses every
//! path that leaves the root. Knows nothing of what is looked for.

use std::ffi::OsString;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

mod beside;
mod commit;
mod directory;
mod one;
mod terraform;

pub(crate) use self::beside::Neighbours;
pub(crate) use self::commit::CommitTree;
pub(crate) use self::directory::Directory;
pub(crate) use self::one::OneFile;
pub(crate) use self::terraform::Watched;

/// The largest file that Terraform code may name or be.
pub(crate) const MAX_TERRAFORM_FILE: u64 = 16 * 1024 * 1024;

/// What an entry of a directory is by itself; links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Directory,
    Link,
    /// A pipe, a socket or a device.
    Special,
    /// A commit of another repository, whose files are not here.
    Submodule,
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) name: OsString,
    pub(crate) kind: EntryKind,
}

/// Where a path leads, links followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Real {
    /// Without links, below the root.
    pub(crate) path: PathBuf,
    pub(crate) kind: EntryKind,
    /// Of a file.
    pub(crate) length: u64,
}

/// Why a path leads nowhere.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Astray {
    /// It leads out of the root, to something of this kind.
    #[error("a link that leaves the scanned directory")]
    Outside(EntryKind),
    /// It leads to something that is not a regular file, where one is needed.
    #[error("not a regular file")]
    NotAFile,
    /// It is not there, or cannot be looked at.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<Astray> for io::Error {
    fn from(astray: Astray) -> Self {
        match astray {
            Astray::Outside(_) | Astray::NotAFile => Self::other(astray.to_string()),
            Astray::Io(error) => error,
        }
    }
}

/// The content of a file.
pub(crate) trait Blob: Read + Seek + Send {}

impl<T: Read + Seek + Send> Blob for T {}

/// See the module. Paths are relative to the root, without `.` and `..`; the root is the empty one.
pub(crate) trait Root: Sync {
    /// What lies in a directory, sorted by name.
    fn list(&self, directory: &Path) -> io::Result<Vec<Item>>;

    /// Follows a path, which may have `..` in it.
    fn follow(&self, path: &Path) -> Result<Real, Astray>;

    /// The length of a file that lies at its real path.
    fn length(&self, real: &Path) -> io::Result<u64>;

    /// Opens a file that lies at its real path.
    fn open(&self, real: &Path) -> io::Result<Box<dyn Blob + '_>>;

    /// The directory of the machine, where the tree is one: images that lie in it can be opened.
    fn place(&self) -> Option<&Path>;
}

/// The real path of a regular file.
pub(crate) fn file(root: &dyn Root, path: &Path) -> Result<Real, Astray> {
    let real = root.follow(path)?;
    if real.kind != EntryKind::File {
        return Err(Astray::NotAFile);
    }
    Ok(real)
}
