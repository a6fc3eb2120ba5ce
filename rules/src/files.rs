//! Access to the scanned files, behind a trait so that directories, archives and tests serve
//! the same evaluator. Implementations refuse every path that leaves the root (also through
//! symlinks) and bound the size of what they return.

use std::io;
use std::path::Path;

/// What lies in a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// File name without directory.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
}

/// Read-only files below one root. Paths are relative, with `/`, normalised (no `.` or `..`);
/// the root itself is the empty string.
pub trait Files: Sync {
    /// The whole content of a file.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
    /// The entries of a directory, sorted by name.
    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>>;
    /// Whether a regular file is there.
    fn is_file(&self, path: &str) -> bool {
        self.read(path).is_ok()
    }
    /// The path of what is there without links: two paths of one file or directory have one.
    fn real(&self, path: &str) -> io::Result<String> {
        Ok(path.to_owned())
    }
    /// Where a file of the machine lies below the root, without links; `None` if it does not.
    fn place_of(&self, _absolute: &Path) -> Option<String> {
        None
    }
}

/// One file, the only one of its tree.
pub(crate) struct OneFile<'a> {
    pub(crate) name: &'a str,
    pub(crate) content: &'a [u8],
}

impl Files for OneFile<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if path == self.name {
            Ok(self.content.to_vec())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        if path.is_empty() {
            Ok(vec![DirEntry {
                name: self.name.to_owned(),
                is_dir: false,
            }])
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

/// Joins and normalises a relative path; `None` if it is absolute or climbs above the root.
pub fn join(base: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            other => parts.push(other),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn join_normalises_and_refuses_to_climb_out() {
        assert_eq!(join("a/b", "../c/./d").as_deref(), Some("a/c/d"));
        assert_eq!(join("", "x").as_deref(), Some("x"));
        assert_eq!(join("a", "../.."), None);
        assert_eq!(join("a", "/etc/passwd"), None);
    }
}
