//! A directory of the machine as a [`Root`]. Real paths of directories are kept: they are asked for
//! once for each file in them.

use std::collections::BTreeMap;
use std::fs::{File, FileType, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::{Astray, Blob, EntryKind, Item, Real, Root};

/// See the module.
#[derive(Debug)]
pub(crate) struct Directory {
    /// As it was named.
    named: PathBuf,
    /// Canonical.
    root: PathBuf,
    directories: Mutex<BTreeMap<PathBuf, PathBuf>>,
}

impl Directory {
    /// The directory at `path`.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        std::fs::read_dir(path)?;
        Ok(Self {
            named: path.to_path_buf(),
            root: path.canonicalize()?,
            directories: Mutex::default(),
        })
    }

    /// The real path of the directory that something lies in.
    fn directory(&self, path: &Path) -> io::Result<PathBuf> {
        let known = || {
            self.directories
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(real) = known().get(path) {
            return Ok(real.clone());
        }
        let real = self.root.join(path).canonicalize()?;
        known().insert(path.to_path_buf(), real.clone());
        Ok(real)
    }

    /// The real path of what lies at a path, and what it is.
    fn real(&self, path: &Path) -> io::Result<(PathBuf, Metadata)> {
        let plain = path
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        let (Some(parent), Some(name), true) = (path.parent(), path.file_name(), plain) else {
            let real = self.root.join(path).canonicalize()?;
            let data = std::fs::metadata(&real)?;
            return Ok((real, data));
        };
        let real = self.directory(parent)?.join(name);
        let data = std::fs::symlink_metadata(&real)?;
        // Only a link can lead anywhere else than to its own name.
        if data.is_symlink() {
            let real = real.canonicalize()?;
            let data = std::fs::metadata(&real)?;
            return Ok((real, data));
        }
        Ok((real, data))
    }
}

fn kind(kind: FileType) -> EntryKind {
    if kind.is_file() {
        EntryKind::File
    } else if kind.is_dir() {
        EntryKind::Directory
    } else if kind.is_symlink() {
        EntryKind::Link
    } else {
        EntryKind::Special
    }
}

impl Root for Directory {
    fn list(&self, directory: &Path) -> io::Result<Vec<Item>> {
        let mut items = Vec::new();
        for entry in std::fs::read_dir(self.root.join(directory))? {
            let entry = entry?;
            items.push(Item {
                kind: kind(entry.file_type()?),
                name: entry.file_name(),
            });
        }
        items.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(items)
    }

    fn follow(&self, path: &Path) -> Result<Real, Astray> {
        let (real, data) = self.real(path)?;
        let kind = kind(data.file_type());
        let below = real.strip_prefix(&self.root);
        let below = below.map_err(|_| Astray::Outside(kind))?;
        Ok(Real {
            path: below.to_path_buf(),
            kind,
            length: data.len(),
        })
    }

    fn length(&self, real: &Path) -> io::Result<u64> {
        Ok(std::fs::symlink_metadata(self.root.join(real))?.len())
    }

    fn open(&self, real: &Path) -> io::Result<Box<dyn Blob + '_>> {
        Ok(Box::new(File::open(self.root.join(real))?))
    }

    fn place(&self) -> Option<&Path> {
        Some(&self.named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_is_followed() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("root");
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::write(outer.path().join("secret"), "x").unwrap();
        std::fs::write(root.join("a/file"), "abc").unwrap();
        let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, root.join(at)).unwrap();
        link("../secret", "out");
        link("a", "inside");
        link("gone", "broken");
        let directory = Directory::new(&root).unwrap();
        let follow = |path: &str| directory.follow(Path::new(path));
        let real = follow("inside/file").unwrap();
        assert_eq!((real.path.as_path(), real.length), (Path::new("a/file"), 3));
        assert_eq!(real.kind, EntryKind::File);
        assert_eq!(follow("a/../a/b").unwrap().kind, EntryKind::Directory);
        assert_eq!(follow("").unwrap().path, Path::new(""));
        assert!(matches!(follow("out"), Err(Astray::Outside(_))));
        assert!(matches!(follow("../secret"), Err(Astray::Outside(_))));
        assert!(matches!(follow("broken"), Err(Astray::Io(_))));
        let items = directory.list(Path::new("")).unwrap();
        let items: Vec<_> = items
            .iter()
            .map(|item| (item.name.to_str().unwrap(), item.kind))
            .collect();
        assert_eq!(
            items,
            [
                ("a", EntryKind::Directory),
                ("broken", EntryKind::Link),
                ("inside", EntryKind::Link),
                ("out", EntryKind::Link)
            ]
        );
    }
}
