//! Why a database was not moved. Names are those the user gave: a path, an
//! address or a reference, never a scratch file.

use std::io;
use std::path::PathBuf;

/// Why an export, import, push or pull did not happen. The database that was
/// there before is untouched in every case.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A file could not be read.
    #[error("cannot read {name}")]
    Read {
        /// The file or address.
        name: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another process writes there, or it is no file that can be replaced.
    #[error(transparent)]
    Place(#[from] crate::store::PlaceError),
    /// The export would replace the database that it is made of.
    #[error("{} is the database itself, which its export must not replace", path.display())]
    OntoItself {
        /// The file.
        path: PathBuf,
    },
    /// The content is something else.
    #[error("{name} is neither an exported database nor a database")]
    Foreign {
        /// The file or address.
        name: String,
    },
    /// Another program version wrote it.
    #[error("{name} has the {part} format {found}, this program reads {expected}")]
    Format {
        /// The file or address.
        name: String,
        /// `export` or `database`.
        part: &'static str,
        /// Its format.
        found: u32,
        /// Ours.
        expected: u32,
    },
    /// A checksum or a length does not match.
    #[error("{name} is damaged ({part})")]
    Damaged {
        /// The file or address.
        name: String,
        /// What does not match.
        part: &'static str,
    },
    /// It exceeds a limit.
    #[error("{name} is refused: {what} exceeds the limit of {limit}")]
    Limit {
        /// The file or address.
        name: String,
        /// What is too large.
        what: &'static str,
        /// The limit, in the unit of `what`.
        limit: u64,
    },
    /// A signature is required, and there is none.
    #[error("{name} carries no signature, and one is required")]
    Unsigned {
        /// The file or address.
        name: String,
    },
    /// The signature is not one of the required key over this content.
    #[error("the signature of {name} is refused: {cause}")]
    Signature {
        /// The file or address.
        name: String,
        /// The reason.
        cause: String,
    },
    /// The key to verify with cannot be used.
    #[error("{} is not a minisign public key: {cause}", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// The reason.
        cause: String,
    },
    /// The network side failed.
    #[cfg(feature = "registry")]
    #[error(transparent)]
    Remote(#[from] super::remote::RemoteError),
}

#[cfg(feature = "registry")]
impl From<remote::registry::RegistryError> for TransferError {
    fn from(error: remote::registry::RegistryError) -> Self {
        Self::Remote(error.into())
    }
}

impl TransferError {
    pub(crate) fn damaged(name: &str, part: &'static str) -> Self {
        Self::Damaged {
            name: name.to_owned(),
            part,
        }
    }

    pub(crate) fn read(name: &str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Read {
            name: name.to_owned(),
            source,
        }
    }

    pub(crate) fn write(path: &std::path::Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Write {
            path: path.to_owned(),
            source,
        }
    }
}
