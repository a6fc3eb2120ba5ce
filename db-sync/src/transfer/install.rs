//! The only door for a foreign database. The content is read once; on its way
//! it is hashed, checked against the signature, unpacked into a scratch file
//! beside the target, then opened and verified as a whole. Only then does it
//! take the target's place.

use super::TransferError;
use super::export::opening;
use super::head::{HEAD, Head, MAGIC, MAX_DATABASE, digest_text};
use super::signature::{Seal, judge};
use crate::query::Db;
use crate::store::ReadError;
use crate::store::format;
use crate::store::place::{Place, scratch};
use crate::store::write::put_in_place;
use minisign_verify::StreamVerifier;
use sha2::{Digest, Sha256};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// The largest zstd window that is accepted, as a power of two: 128 MiB.
const MAX_WINDOW: u32 = 27;

/// A database that was put in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its root digest, `sha256:…`.
    pub root_digest: String,
    /// The digest of the exported file that it came from, `sha256:…`.
    pub file_digest: String,
    /// Bytes of the database.
    pub size: u64,
    /// Records in it.
    pub records: u64,
    /// Whether a required signature was checked.
    pub signed: bool,
}

/// Content that asks to become the database.
pub(crate) struct Incoming<'a, R> {
    /// As the user knows it.
    pub(crate) name: &'a str,
    pub(crate) content: R,
    /// Its length in bytes.
    pub(crate) length: u64,
}

/// Checks the content and puts it in its place.
pub(crate) fn install<R: Read>(
    incoming: Incoming<'_, R>,
    place: &Place,
    seal: Option<&Seal<'_>>,
) -> Result<Installed, TransferError> {
    let target = place.target();
    let name = incoming.name;
    if incoming.length > MAX_DATABASE {
        return Err(TransferError::Limit {
            name: name.to_owned(),
            what: "the size in bytes",
            limit: MAX_DATABASE,
        });
    }
    let read = TransferError::read(name);
    let mut content = Checked {
        inner: BufReader::with_capacity(1 << 16, incoming.content),
        hasher: Sha256::new(),
        verifier: seal.map(|seal| seal.verifier(name)).transpose()?,
    };
    let mut scratch = scratch(target).map_err(TransferError::write(target))?;
    let mut start = Vec::new();
    (&mut content)
        .take(MAGIC.len() as u64)
        .read_to_end(&mut start)
        .map_err(&read)?;
    let expected = if start == MAGIC {
        (&mut content)
            .take((HEAD.saturating_sub(MAGIC.len())) as u64)
            .read_to_end(&mut start)
            .map_err(&read)?;
        let head = Head::decode(&start, name)?;
        if head.payload.checked_add(HEAD as u64) != Some(incoming.length) {
            return Err(TransferError::damaged(name, "length"));
        }
        unpack(&head, &mut content, &mut scratch, name, target)?;
        Some(head)
    } else if start == format::MAGIC {
        copy(
            &start,
            &mut content,
            &mut scratch,
            incoming.length,
            name,
            target,
        )?;
        None
    } else {
        return Err(TransferError::Foreign {
            name: name.to_owned(),
        });
    };
    if content.read(&mut [0]).map_err(&read)? != 0 {
        return Err(TransferError::damaged(name, "length"));
    }
    let signed = content.verifier.is_some();
    if let Some(verifier) = content.verifier {
        judge(verifier, name)?;
    }
    let db = verified(scratch.path(), name)?;
    let info = db.info();
    if expected.is_some_and(|head| head.root_digest() != info.root_digest) {
        return Err(TransferError::damaged(name, "root digest"));
    }
    let installed = Installed {
        root_digest: info.root_digest.clone(),
        file_digest: digest_text(&content.hasher.finalize()),
        size: info.file_size,
        records: info.records,
        signed,
    };
    drop(db);
    put_in_place(scratch, target).map_err(TransferError::write(target))?;
    Ok(installed)
}

fn verified(path: &Path, name: &str) -> Result<Db, TransferError> {
    let db = Db::open(path).map_err(|error| opening(error, name))?;
    // Not the checksums alone: what decodes here never fails in a scan.
    db.check()
        .map_err(|ReadError::Damaged { part }| TransferError::damaged(name, part))?;
    Ok(db)
}

/// Unpacks exactly the payload that the head describes.
fn unpack<R: Read>(
    head: &Head,
    content: &mut R,
    scratch: &mut NamedTempFile,
    name: &str,
    target: &Path,
) -> Result<(), TransferError> {
    let damaged = |_| TransferError::damaged(name, "payload");
    let mut payload = Checked {
        inner: content.take(head.payload),
        hasher: Sha256::new(),
        verifier: None,
    };
    let mut decoder = zstd::stream::read::Decoder::new(&mut payload)
        .map_err(damaged)?
        .single_frame();
    decoder.window_log_max(MAX_WINDOW).map_err(damaged)?;
    let mut out = BufWriter::with_capacity(1 << 16, scratch.as_file_mut());
    let mut buffer = vec![0; 1 << 16];
    let mut unpacked: u64 = 0;
    loop {
        let count = decoder.read(&mut buffer).map_err(damaged)?;
        if count == 0 {
            break;
        }
        unpacked = unpacked.saturating_add(count as u64);
        if unpacked > head.length {
            return Err(TransferError::damaged(name, "payload"));
        }
        out.write_all(buffer.get(..count).unwrap_or_default())
            .map_err(TransferError::write(target))?;
    }
    out.flush().map_err(TransferError::write(target))?;
    let unread = !decoder.finish().buffer().is_empty();
    let behind = io::copy(&mut payload, &mut io::sink()).map_err(damaged)?;
    let right = <[u8; 32]>::from(payload.hasher.finalize()) == head.payload_digest;
    if unpacked == head.length && right && !unread && behind == 0 {
        Ok(())
    } else {
        Err(TransferError::damaged(name, "payload"))
    }
}

/// Copies a plain database.
fn copy<R: Read>(
    start: &[u8],
    content: &mut R,
    scratch: &mut NamedTempFile,
    length: u64,
    name: &str,
    target: &Path,
) -> Result<(), TransferError> {
    let out = scratch.as_file_mut();
    out.write_all(start).map_err(TransferError::write(target))?;
    let rest = length.saturating_sub(start.len() as u64);
    let copied = io::copy(&mut content.take(rest), out).map_err(TransferError::read(name))?;
    if copied == rest {
        Ok(())
    } else {
        Err(TransferError::damaged(name, "length"))
    }
}

/// Hashes what is read, and shows it to the signature check.
struct Checked<'a, R> {
    inner: R,
    hasher: Sha256,
    verifier: Option<StreamVerifier<'a>>,
}

impl<R: Read> Read for Checked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let seen = buffer.get(..count).unwrap_or_default();
        self.hasher.update(seen);
        if let Some(verifier) = &mut self.verifier {
            verifier.update(seen);
        }
        Ok(count)
    }
}
