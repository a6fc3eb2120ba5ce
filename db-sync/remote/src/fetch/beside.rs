//! Files beside the one that is fetched: what came so far, and what the mirror called its version.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The path beside a file whose name has a further suffix.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// Replaces a file as a whole. The caller holds the lock of its folder, so that the scratch file can
/// have a name of its own: what a killed run left there is written over.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let scratch = beside(path, ".new");
    fs::write(&scratch, bytes)?;
    fs::rename(&scratch, path)
}
