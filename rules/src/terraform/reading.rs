//! The scanned files as one evaluation sees them: every real file is read once, every directory
//! listed once, however many modules, links and functions ask for them.
//!
//! Owns what a run may read in all, and how much of it is kept.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::files::{DirEntry, Files};

/// Bytes of all files that one run reads.
pub const MAX_READ_BYTES: usize = 512 << 20;

/// Bytes of files that are kept for whoever asks again.
const MAX_KEPT_BYTES: usize = 32 << 20;

/// Entries of directories that are kept.
const MAX_KEPT_ENTRIES: usize = 500_000;

/// Files with memory.
pub(super) struct Reading<'a> {
    files: &'a dyn Files,
    // `Files` is asked from one thread, but promises more.
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    real: BTreeMap<String, Result<String, io::ErrorKind>>,
    contents: BTreeMap<String, Arc<[u8]>>,
    kept: usize,
    read: usize,
    lists: BTreeMap<String, Vec<DirEntry>>,
    entries: usize,
}

impl<'a> Reading<'a> {
    pub(super) fn new(files: &'a dyn Files) -> Self {
        Self {
            files,
            seen: Mutex::default(),
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files for Reading<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let real = self.real(path).unwrap_or_else(|_| path.to_owned());
        let mut seen = self.seen();
        if let Some(content) = seen.contents.get(&real) {
            return Ok(content.to_vec());
        }
        if seen.read > MAX_READ_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let bytes = self.files.read(path)?;
        seen.read = seen.read.saturating_add(bytes.len());
        let kept = seen.kept.saturating_add(bytes.len());
        if kept <= MAX_KEPT_BYTES {
            seen.kept = kept;
            seen.contents.insert(real, bytes.as_slice().into());
        }
        Ok(bytes)
    }

    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        let real = self.real(path).unwrap_or_else(|_| path.to_owned());
        let mut seen = self.seen();
        if let Some(entries) = seen.lists.get(&real) {
            return Ok(entries.clone());
        }
        let entries = self.files.list(path)?;
        let kept = seen.entries.saturating_add(entries.len());
        if kept <= MAX_KEPT_ENTRIES {
            seen.entries = kept;
            seen.lists.insert(real, entries.clone());
        }
        Ok(entries)
    }

    fn is_file(&self, path: &str) -> bool {
        self.files.is_file(path)
    }

    fn real(&self, path: &str) -> io::Result<String> {
        let mut seen = self.seen();
        if let Some(known) = seen.real.get(path) {
            return known.clone().map_err(io::Error::from);
        }
        let real = self.files.real(path);
        let known = match &real {
            Ok(real) => Ok(real.clone()),
            Err(error) => Err(error.kind()),
        };
        if seen.real.len() < MAX_KEPT_ENTRIES {
            seen.real.insert(path.to_owned(), known);
        }
        real
    }

    fn place_of(&self, absolute: &Path) -> Option<String> {
        self.files.place_of(absolute)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Two names of one file.
    #[derive(Default)]
    struct Linked(AtomicUsize);

    impl Files for Linked {
        fn read(&self, _path: &str) -> io::Result<Vec<u8>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(b"x".to_vec())
        }

        fn list(&self, _path: &str) -> io::Result<Vec<DirEntry>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(Vec::new())
        }

        fn real(&self, _path: &str) -> io::Result<String> {
            Ok("one".to_owned())
        }
    }

    #[test]
    fn a_file_of_two_names_is_read_once() {
        let files = Linked::default();
        let reading = Reading::new(&files);
        assert_eq!(reading.read("a").unwrap(), reading.read("b").unwrap());
        reading.list("a").unwrap();
        reading.list("b").unwrap();
        assert_eq!(files.0.load(Ordering::Relaxed), 2);
    }
}
