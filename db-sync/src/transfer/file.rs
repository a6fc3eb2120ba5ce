//! Files that others wrote: only regular ones, so that a pipe or a device
//! cannot hold us up, and small ones only up to a limit.

use super::TransferError;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Opens a regular file; gives its length too.
pub(crate) fn open(path: &Path) -> Result<(File, u64), TransferError> {
    let name = path.display().to_string();
    let read = TransferError::read(&name);
    // Asked before opening: opening a pipe without a writer would wait for ever.
    if !std::fs::metadata(path).map_err(&read)?.is_file() {
        return Err(read(io::Error::other("not a regular file")));
    }
    let file = File::open(path).map_err(&read)?;
    let length = file.metadata().map_err(&read)?.len();
    Ok((file, length))
}

/// Reads a small text file.
pub(crate) fn text(path: &Path, limit: u64) -> Result<String, TransferError> {
    let name = path.display().to_string();
    let (file, _) = open(path)?;
    let mut text = String::new();
    file.take(limit.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(TransferError::read(&name))?;
    if text.len() as u64 > limit {
        return Err(TransferError::Limit {
            name,
            what: "the size in bytes",
            limit,
        });
    }
    Ok(text)
}
