//! What lies beside a file of a root, for readers that ask for it.

use std::io::{self, Read as _};
use std::path::Path;

use super::{Astray, Root, file};
use crate::analyzer::Beside;

/// The neighbours of one file.
pub(crate) struct Neighbours<'r> {
    root: &'r dyn Root,
    /// Where the file really lies.
    directory: &'r Path,
}

impl<'r> Neighbours<'r> {
    /// Of the file at its real path.
    pub(crate) fn of(root: &'r dyn Root, real: &'r Path) -> Self {
        let directory = real.parent().unwrap_or(Path::new(""));
        Self { root, directory }
    }
}

impl Beside for Neighbours<'_> {
    fn read(&self, name: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let real = match file(self.root, &self.directory.join(name)) {
            Ok(real) => real,
            Err(Astray::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(astray) => return Err(astray.into()),
        };
        let too_long = || io::Error::other(format!("larger than {most} bytes"));
        if real.length > most {
            return Err(too_long());
        }
        let mut bytes = Vec::new();
        // A file may grow while it is read.
        let mut content = self.root.open(&real.path)?.take(most.saturating_add(1));
        content.read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(too_long());
        }
        Ok(Some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::root::Directory;

    #[test]
    fn neighbours_are_found_inside_the_root_only() {
        let outer = tempfile::tempdir().unwrap();
        std::fs::write(outer.path().join("secret"), "x").unwrap();
        let top = outer.path().join("top");
        std::fs::create_dir_all(top.join("a")).unwrap();
        std::fs::write(top.join("a/lock"), "").unwrap();
        std::fs::write(top.join("a/manifest"), "12345").unwrap();
        std::fs::write(top.join("parent"), "p").unwrap();
        let root = Directory::new(&top).unwrap();
        let beside = Neighbours::of(&root, Path::new("a/lock"));
        assert_eq!(beside.read("manifest", 5).unwrap().unwrap(), b"12345");
        assert_eq!(beside.read("../parent", 5).unwrap().unwrap(), b"p");
        assert_eq!(beside.read("nothing", 5).unwrap(), None);
        assert!(beside.read("manifest", 4).is_err(), "too long");
        assert!(beside.read("../../secret", 5).is_err(), "outside");
        assert!(beside.read("../a", 5).is_err(), "a directory");
    }
}
