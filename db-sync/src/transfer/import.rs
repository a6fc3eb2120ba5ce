//! Takes a database from a file: an exported one, or a database as it is.

use super::install::{Incoming, install};
use super::signature::{MAX_SIGNATURE, Seal, beside};
use super::{Installed, TransferError, VerifyKey, file};
use crate::store::place::{LOCK_WAIT, Place};
use std::path::Path;

/// What to import, where to, and what to ask of it.
#[derive(Clone, Copy, Debug)]
pub struct ImportRequest<'a> {
    /// An exported file, or a plain database.
    pub file: &'a Path,
    /// Where the database goes.
    pub database: &'a Path,
    /// With a key, a file without its signature is refused.
    pub key: Option<&'a VerifyKey>,
    /// The signature; `FILE.minisig` beside the file where it is not given.
    pub signature: Option<&'a Path>,
}

/// Checks the file entirely and puts its database in place, atomically.
pub fn import(request: &ImportRequest<'_>) -> Result<Installed, TransferError> {
    let name = request.file.display().to_string();
    let (content, length) = file::open(request.file)?;
    let text = if request.key.is_some() {
        let beside = beside(request.file);
        let path = request.signature.unwrap_or(&beside);
        if !path.exists() {
            return Err(TransferError::Unsigned { name });
        }
        Some(file::text(path, MAX_SIGNATURE)?)
    } else {
        None
    };
    let seal = match (request.key, &text) {
        (Some(key), Some(text)) => Some(Seal::new(key, text, &name)?),
        _ => None,
    };
    let incoming = Incoming {
        name: &name,
        content,
        length,
    };
    let place = Place::claim(request.database, LOCK_WAIT)?;
    install(incoming, &place, seal.as_ref())
}
