//! Writes a database as one exported file. The same database gives the same
//! bytes, so that a signature of one export holds for the next.

use super::head::{HEAD, Head, MAX_DATABASE};
use super::{TransferError, file};
use crate::query::Db;
use crate::store::OpenError;
use crate::store::format::VERSION;
use crate::store::place::{LOCK_WAIT, Place, scratch};
use crate::store::write::put_in_place;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Measured on the database of 26,738 real records (8.0 MB, mostly texts that are
/// compressed already): 0.09 s for 59 %; level 19 takes 24 times as long for 56 %.
const LEVEL: i32 = 9;

/// What was exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The database's root digest, `sha256:…`.
    pub root_digest: String,
    /// Bytes of the exported file.
    pub size: u64,
}

/// Verifies the database and writes it to `target`, atomically.
pub fn export(database: &Path, target: &Path) -> Result<Exported, TransferError> {
    let write = TransferError::write(target);
    let place = Place::claim(target, LOCK_WAIT)?;
    let is_same = |other: PathBuf| database.canonicalize().is_ok_and(|own| own == other);
    if place.target().canonicalize().is_ok_and(is_same) {
        return Err(TransferError::OntoItself {
            path: target.to_owned(),
        });
    }
    let scratch = scratch(place.target()).map_err(&write)?;
    let (scratch, exported) = export_to(database, scratch)?;
    put_in_place(scratch, place.target()).map_err(&write)?;
    Ok(exported)
}

/// Verifies the database and packs it into `scratch`.
pub(crate) fn export_to(
    database: &Path,
    scratch: NamedTempFile,
) -> Result<(NamedTempFile, Exported), TransferError> {
    let name = database.display().to_string();
    // Opened first: what is packed is this very file, even if a newer one
    // takes its place meanwhile. The head is compared with what was verified.
    let (mut file, length) = file::open(database)?;
    if length > MAX_DATABASE {
        return Err(TransferError::Limit {
            name,
            what: "the size in bytes",
            limit: MAX_DATABASE,
        });
    }
    let db = Db::open(database).map_err(|error| opening(error, &name))?;
    db.verify()
        .map_err(|_| TransferError::damaged(&name, "body"))?;
    let root_digest = db.info().root_digest.clone();
    let root = root_of(&mut file, length, &name)?;
    if super::head::digest_text(&root) != root_digest {
        return Err(TransferError::damaged(&name, "replaced while it was read"));
    }
    let path = scratch.path().to_owned();
    let (scratch, size) = pack(file, length, root, scratch).map_err(TransferError::write(&path))?;
    Ok((scratch, Exported { root_digest, size }))
}

/// The digest in the header, and the file rewound.
fn root_of(file: &mut File, length: u64, name: &str) -> Result<[u8; 32], TransferError> {
    let read = TransferError::read(name);
    let mut header = Vec::new();
    file.take(crate::store::format::HEADER as u64)
        .read_to_end(&mut header)
        .map_err(&read)?;
    file.seek(SeekFrom::Start(0)).map_err(&read)?;
    crate::store::format::Header::decode(&header)
        .ok()
        .filter(|header| header.file_length() == length)
        .map(|header| header.digest)
        .ok_or_else(|| TransferError::damaged(name, "header"))
}

fn pack(
    file: File,
    length: u64,
    root: [u8; 32],
    scratch: NamedTempFile,
) -> io::Result<(NamedTempFile, u64)> {
    let mut out = Counted {
        out: BufWriter::with_capacity(1 << 20, scratch),
        hasher: Sha256::new(),
        length: 0,
    };
    out.out.write_all(&[0; HEAD])?;
    let mut encoder = zstd::stream::write::Encoder::new(&mut out, LEVEL)?;
    encoder.include_contentsize(true)?;
    encoder.set_pledged_src_size(Some(length))?;
    let copied = io::copy(&mut file.take(length), &mut encoder)?;
    encoder.finish()?;
    if copied != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let head = Head {
        database_format: VERSION,
        root,
        length,
        payload: out.length,
        payload_digest: out.hasher.finalize().into(),
    };
    let size = out.length.saturating_add(HEAD as u64);
    let mut scratch = out
        .out
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    scratch.seek(SeekFrom::Start(0))?;
    scratch.write_all(&head.encode())?;
    scratch.seek(SeekFrom::Start(0))?;
    Ok((scratch, size))
}

/// Counts and hashes what passes.
struct Counted<W> {
    out: W,
    hasher: Sha256,
    length: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or(bytes));
        self.length = self.length.saturating_add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// An error of opening, told about the file that the user named.
pub(crate) fn opening(error: OpenError, name: &str) -> TransferError {
    let name = name.to_owned();
    match error {
        OpenError::Missing { .. } => TransferError::Read {
            name,
            source: io::ErrorKind::NotFound.into(),
        },
        OpenError::Read { source, .. } => TransferError::Read { name, source },
        OpenError::Foreign { .. } => TransferError::Foreign { name },
        OpenError::OlderFormat { found, .. } | OpenError::NewerFormat { found, .. } => {
            TransferError::Format {
                name,
                part: "database",
                found,
                expected: VERSION,
            }
        }
        OpenError::Truncated { .. } => TransferError::Damaged {
            name,
            part: "length",
        },
        OpenError::Damaged { part, .. } => TransferError::Damaged { name, part },
    }
}
