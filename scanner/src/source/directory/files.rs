//! Opens files below one root, and nothing outside it: links may lead to other files inside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rules::files::{DirEntry, Files};

use super::walk::Candidate;

/// The largest file that Terraform code may name or be.
pub const MAX_TERRAFORM_FILE: u64 = 16 * 1024 * 1024;

/// The real path of a regular file below the canonical `root`.
pub(super) fn real_inside(root: &Path, path: &Path) -> Result<PathBuf, String> {
    let real = root
        .join(path)
        .canonicalize()
        .map_err(|error| error.to_string())?;
    if !real.starts_with(root) {
        return Err("a link that leaves the scanned directory".to_owned());
    }
    let metadata = std::fs::metadata(&real).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("not a regular file".to_owned());
    }
    Ok(real)
}

/// Opens a regular file below the canonical `root`; a link may lead to another file inside it. The
/// walk follows no link, so that a file which is none lies where it was met.
pub(super) fn open_inside(root: &Path, file: &Candidate) -> Result<File, String> {
    let real = match file.length {
        Some(_) => root.join(&file.real),
        None => real_inside(root, &file.real)?,
    };
    File::open(real).map_err(|error| error.to_string())
}

/// The whole content, or `None` if it is longer than `limit`.
pub(super) fn read_limited(file: File, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// The files below one directory, for the evaluator of Terraform code.
#[derive(Debug)]
pub struct DirectoryFiles {
    root: PathBuf,
    read: Mutex<BTreeSet<String>>,
    /// Real paths of directories, which are asked for once for each file in them.
    directories: Mutex<BTreeMap<String, PathBuf>>,
}

impl DirectoryFiles {
    /// Files below `root`.
    pub fn new(root: &Path) -> io::Result<Self> {
        Ok(Self {
            root: root.canonicalize()?,
            read: Mutex::default(),
            directories: Mutex::default(),
        })
    }

    /// The real path of what lies below the root.
    fn resolve(&self, path: &str) -> io::Result<PathBuf> {
        let real = match path.rsplit_once('/') {
            _ if path.is_empty() => return Ok(self.root.clone()),
            Some((directory, name)) => self.directory(directory)?.join(name),
            None => self.root.join(path),
        };
        // Only a link can lead anywhere else than to its own name.
        let real = if std::fs::symlink_metadata(&real)?.is_symlink() {
            real.canonicalize()?
        } else {
            real
        };
        if !real.starts_with(&self.root) {
            return Err(io::Error::other("a link that leaves the scanned directory"));
        }
        Ok(real)
    }

    fn directory(&self, path: &str) -> io::Result<PathBuf> {
        let known = || {
            self.directories
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(real) = known().get(path) {
            return Ok(real.clone());
        }
        let real = self.root.join(path).canonicalize()?;
        known().insert(path.to_owned(), real.clone());
        Ok(real)
    }

    /// The paths that were read, for the ledger.
    pub fn read_paths(&self) -> BTreeSet<String> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *read)
    }
}

impl Files for DirectoryFiles {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let real = self.resolve(path)?;
        if !std::fs::metadata(&real)?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let file = File::open(real)?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if !read.contains(path) {
            read.insert(path.to_owned());
        }
        drop(read);
        read_limited(file, MAX_TERRAFORM_FILE)?
            .ok_or_else(|| io::Error::other(format!("larger than {MAX_TERRAFORM_FILE} bytes")))
    }

    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        let real = self.resolve(path)?;
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(real)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let kind = entry.file_type()?;
            let is_dir = kind.is_dir() || kind.is_symlink() && entry.path().is_dir();
            entries.push(DirEntry { name, is_dir });
        }
        entries.sort();
        Ok(entries)
    }

    fn is_file(&self, path: &str) -> bool {
        let real = self.resolve(path);
        real.is_ok_and(|real| real.is_file())
    }

    fn real(&self, path: &str) -> io::Result<String> {
        let below = self.place_of(&self.resolve(path)?);
        below.ok_or_else(|| io::Error::other("a path that leaves the scanned directory"))
    }

    fn place_of(&self, absolute: &Path) -> Option<String> {
        let below = absolute.strip_prefix(&self.root).ok()?.to_str()?;
        Some(below.replace(std::path::MAIN_SEPARATOR, "/"))
    }
}
