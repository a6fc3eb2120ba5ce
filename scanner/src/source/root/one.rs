//! A directory of which one file is the target: nothing else in it is seen by a walk. What the file
//! names, such as a module, a file of requirements or the manifest beside a lockfile, is read from
//! around it.

use std::io;
use std::path::{Path, PathBuf};

use super::{Astray, Blob, Directory, Item, Real, Root};

/// See the module.
#[derive(Debug)]
pub(crate) struct OneFile {
    around: Directory,
    name: PathBuf,
}

impl OneFile {
    /// The file of this name in a directory.
    pub(crate) fn new(around: Directory, name: impl Into<PathBuf>) -> Self {
        Self {
            around,
            name: name.into(),
        }
    }
}

impl Root for OneFile {
    fn list(&self, directory: &Path) -> io::Result<Vec<Item>> {
        let mut items = self.around.list(directory)?;
        if directory == Path::new("") {
            items.retain(|item| Path::new(&item.name) == self.name);
        }
        Ok(items)
    }

    fn follow(&self, path: &Path) -> Result<Real, Astray> {
        self.around.follow(path)
    }

    fn length(&self, real: &Path) -> io::Result<u64> {
        self.around.length(real)
    }

    fn open(&self, real: &Path) -> io::Result<Box<dyn Blob + '_>> {
        self.around.open(real)
    }

    fn place(&self) -> Option<&Path> {
        self.around.place()
    }
}
