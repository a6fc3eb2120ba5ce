//! Detached minisign signatures over exported files: an Ed25519 signature of
//! the `BLAKE2b` hash of all bytes (minisign's default; the older form without
//! the hash is refused). Signing is minisign's own business.

use super::{TransferError, file};
use minisign_verify::{PublicKey, Signature, StreamVerifier};
use std::path::{Path, PathBuf};

/// The longest signature or key file that is read, in bytes.
pub(crate) const MAX_SIGNATURE: u64 = 8 << 10;

/// A public key that a database must be signed with.
#[derive(Clone, Debug)]
pub struct VerifyKey(PublicKey);

impl VerifyKey {
    /// Reads a `minisign.pub` file, or one with the bare key line.
    pub fn read(path: &Path) -> Result<Self, TransferError> {
        let text = file::text(path, MAX_SIGNATURE)?;
        let key = match text.trim().lines().count() {
            1 => PublicKey::from_base64(text.trim()),
            _ => PublicKey::decode(&text),
        };
        key.map(Self).map_err(|error| TransferError::Key {
            path: path.to_owned(),
            cause: lower(&error),
        })
    }
}

/// A key together with the signature that was found for the content.
pub(crate) struct Seal<'a> {
    key: &'a VerifyKey,
    signature: Signature,
}

impl<'a> Seal<'a> {
    pub(crate) fn new(key: &'a VerifyKey, text: &str, name: &str) -> Result<Self, TransferError> {
        let signature = decode(text, name)?;
        Ok(Self { key, signature })
    }

    /// Starts a check of content that is read piece by piece.
    pub(crate) fn verifier(&self, name: &str) -> Result<StreamVerifier<'_>, TransferError> {
        self.key
            .0
            .verify_stream(&self.signature)
            .map_err(|error| refused(name, &error))
    }
}

/// Ends a check.
pub(crate) fn judge(mut verifier: StreamVerifier<'_>, name: &str) -> Result<(), TransferError> {
    verifier.finalize().map_err(|error| refused(name, &error))
}

/// Parses a signature without judging it.
pub(crate) fn decode(text: &str, name: &str) -> Result<Signature, TransferError> {
    Signature::decode(text).map_err(|error| refused(name, &error))
}

/// `FILE.minisig`.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".minisig");
    name.into()
}

fn refused(name: &str, error: &minisign_verify::Error) -> TransferError {
    TransferError::Signature {
        name: name.to_owned(),
        cause: lower(error),
    }
}

fn lower(error: &minisign_verify::Error) -> String {
    use minisign_verify::Error;
    match error {
        Error::InvalidEncoding => "it is not a minisign text",
        Error::InvalidSignature => "it does not belong to this content",
        Error::IoError(_) => "it cannot be read",
        Error::UnexpectedAlgorithm | Error::UnsupportedAlgorithm => {
            "its algorithm is not supported"
        }
        Error::UnexpectedKeyId => "another key made it",
        Error::UnsupportedLegacyMode => "it has the old form without a hash",
    }
    .to_owned()
}
