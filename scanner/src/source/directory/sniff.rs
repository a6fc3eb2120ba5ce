//! Says by its content what a file may be whose name does not decide: an image archive, an
//! executable, or a document of a kind that its name only allows.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::inventory::recognised::tree::{Looked, look};
use crate::inventory::recognised::{CONTENT_BYTES, Kind, executable};
use crate::source::{self, ImageKind, Unknown, tar};

/// What the content said.
pub(super) enum Sniffed {
    /// Nothing that we look for.
    Nothing,
    /// An image archive.
    Image(ImageKind),
    /// An executable of a language whose packages stand in it.
    Executable(&'static Kind),
    /// What the content of a document told.
    Looked(Looked),
    /// Perhaps an image archive; why it was not read so far.
    NotRead(String),
    /// It looks like an image archive and breaks off before it says what it is.
    Broken(String),
    /// It could not be opened or read.
    Unreadable(String),
}

/// Looks at a regular file; `kind` is what its name allows.
pub(super) fn sniff(path: &Path, kind: Option<&'static Kind>) -> Sniffed {
    read(path, kind).unwrap_or_else(|error| Sniffed::Unreadable(error.kind().to_string()))
}

fn read(path: &Path, kind: Option<&'static Kind>) -> io::Result<Sniffed> {
    let mut file = File::open(path)?;
    let mut magic = [0u8; source::FIRST_BYTES];
    let count = tar::fill(&mut file, &mut magic)?;
    let first = magic.get(..count).unwrap_or_default();
    if source::may_be_archive(first) {
        match source::recognise_or(path) {
            Ok(Some(image)) => return Ok(Sniffed::Image(image)),
            Ok(None) => {}
            Err(Unknown::Broken(cause)) => return Ok(Sniffed::Broken(cause)),
            Err(Unknown::NotRead(cause)) => return Ok(Sniffed::NotRead(cause)),
        }
    }
    if let Some(kind) = kind {
        let mut content = first.to_vec();
        let more = CONTENT_BYTES.saturating_sub(count) as u64;
        file.take(more).read_to_end(&mut content)?;
        return Ok(Sniffed::Looked(look(kind, &content)));
    }
    if executable::is_executable(first) {
        file.seek(SeekFrom::Start(0))?;
        let kind = executable::of_file(&mut file)?;
        return Ok(kind.map_or(Sniffed::Nothing, Sniffed::Executable));
    }
    Ok(Sniffed::Nothing)
}
