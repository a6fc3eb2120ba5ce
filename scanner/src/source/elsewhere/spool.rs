//! What comes in once and has to be read out of order: a temporary file, which vanishes with whoever
//! reads it.

use std::io::{self, Read, Write};

use tempfile::NamedTempFile;

use crate::source::{SourceError, invalid};

/// Bytes of an archive that an engine or a pipe sends.
pub const MAX_ARCHIVE_BYTES: u64 = 64 << 30;

/// How much is copied at once.
const CHUNK: usize = 256 << 10;

/// Keeps a stream; `place` is what it is called in errors.
pub(super) fn keep(place: &str, from: &mut dyn Read) -> Result<NamedTempFile, SourceError> {
    let failed = |what: &str, error: &io::Error| invalid(place, format!("{what}: {error}"));
    let mut file = tempfile::Builder::new()
        .prefix("portcullis-")
        .suffix(".tar")
        .tempfile()
        .map_err(|error| failed("cannot make a temporary file", &error))?;
    let mut chunk = vec![0; CHUNK];
    let mut kept = 0_u64;
    loop {
        let count = match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed("cannot be read", &error)),
        };
        kept = kept.saturating_add(count as u64);
        if kept > MAX_ARCHIVE_BYTES {
            let cause = format!("more than {MAX_ARCHIVE_BYTES} bytes");
            return Err(invalid(place, cause));
        }
        let bytes = chunk.get(..count).unwrap_or_default();
        file.write_all(bytes)
            .map_err(|error| failed("cannot be kept in a temporary file", &error))?;
    }
    if kept == 0 {
        return Err(invalid(place, "it is empty"));
    }
    Ok(file)
}
