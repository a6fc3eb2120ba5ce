//! Why a repository on this disk, or something in it, cannot be read.

use std::io;
use std::path::PathBuf;

/// See the module. Names and causes may hold foreign text.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No repository is there.
    #[error("{} is not in a git repository", path.display())]
    NotThere {
        /// What was looked at.
        path: PathBuf,
    },
    /// A file of the repository cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A kind of repository that is not read here.
    #[error("{} uses {what}, which is not supported", path.display())]
    Unsupported {
        /// The repository.
        path: PathBuf,
        /// Git's name for it.
        what: String,
    },
    /// A name that no object has.
    #[error("{name} names nothing in the repository")]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// A name that several objects have.
    #[error("{name} names several objects")]
    Ambiguous {
        /// What was asked for.
        name: String,
    },
    /// An object that the repository names and does not have: its clone is shallow or partial, or
    /// it is damaged.
    #[error("object {id} is not in the repository (a shallow or partial clone?)")]
    Missing {
        /// In hexadecimal digits.
        id: String,
    },
    /// An object, index or pack is not what it has to be.
    #[error("{what} is damaged: {cause}")]
    Damaged {
        /// The object or file.
        what: String,
        /// What is wrong.
        cause: String,
    },
    /// A limit was reached.
    #[error("{what} exceeds the limit of {limit}")]
    Limit {
        /// What is too large or too many.
        what: String,
        /// The limit, in the unit of `what`.
        limit: u64,
    },
}

pub(super) fn io_error(path: &std::path::Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { path, source }
}

pub(super) fn damaged(what: impl Into<String>, cause: impl Into<String>) -> StoreError {
    StoreError::Damaged {
        what: what.into(),
        cause: cause.into(),
    }
}
