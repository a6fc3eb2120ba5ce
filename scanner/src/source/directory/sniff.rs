//! Says by its first bytes what a file may be whose name says nothing: an image archive, or
//! something that is recognised and not read.

use std::fs::File;
use std::path::Path;

use crate::source::{self, ImageKind, tar};

/// What the first bytes said.
pub(super) enum Sniffed {
    /// Nothing that we look for.
    Nothing,
    /// An image archive.
    Image(ImageKind),
    /// Something that is recognised and not read: what it is.
    NotRead(&'static str),
    /// It looks like an image archive and breaks off before it says what it is.
    Broken(String),
    /// It could not be opened.
    Unreadable(String),
}

/// Looks at a regular file.
pub(super) fn sniff(path: &Path) -> Sniffed {
    let mut first = [0u8; 265];
    let read = File::open(path).and_then(|mut file| tar::fill(&mut file, &mut first));
    let first = match read {
        Ok(count) => first.get(..count).unwrap_or_default(),
        Err(error) => return Sniffed::Unreadable(error.kind().to_string()),
    };
    if !may_be_archive(first) {
        return Sniffed::Nothing;
    }
    match source::recognise_or(path) {
        Ok(Some(kind)) => Sniffed::Image(kind),
        Ok(None) => Sniffed::Nothing,
        Err(cause) => Sniffed::Broken(cause),
    }
}

/// Whether the first bytes are those of a tar, gzip or zstd stream.
fn may_be_archive(first: &[u8]) -> bool {
    first.starts_with(&[0x1f, 0x8b])
        || first.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        || first.get(257..262) == Some(b"ustar".as_slice())
}
