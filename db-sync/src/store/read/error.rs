//! Why a database cannot be opened, or not answer.

use crate::store::format::VERSION;
use std::io;
use std::path::PathBuf;

/// Why a database was refused.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no file at the path.
    #[error("there is no advisory database at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("cannot read the advisory database {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{} is not an advisory database", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// An older program wrote the file.
    #[error("the advisory database {} has the old format {found}, this program reads {VERSION}: build it again", path.display())]
    OlderFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// A newer program wrote the file.
    #[error("the advisory database {} has the newer format {found}, this program reads {VERSION}: update the program", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The file is shorter or longer than it says.
    #[error("the advisory database {} has {found} bytes instead of {expected}: cut off while it was copied", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The length by the header.
        expected: u64,
        /// The real length.
        found: u64,
    },
    /// A checksum does not match.
    #[error("the advisory database {} is damaged ({part}): build it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The part that is damaged.
        part: &'static str,
    },
}

/// Why an answer could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A page's checksum does not match, or its content does not decode.
    #[error("the advisory database is damaged ({part}): build it again")]
    Damaged {
        /// The part that is damaged.
        part: &'static str,
    },
}
