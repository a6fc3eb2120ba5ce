//! Where advisories come from. A source reads its own format and yields
//! normalised [`Advisory`] values one by one; it never holds all of them.
//! A source that cannot be read as a whole is an error that names the file;
//! a single bad record is a warning and the rest is kept.

use crate::advisory::Advisory;
use crate::problem::Warning;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) mod crates_index;
pub mod feeds;
pub mod osv;
pub mod rustsec;

/// What kind of source a record came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceKind {
    /// A directory or archive in OSV's export format.
    Osv,
    /// The RustSec advisory tree.
    RustSec,
}

impl SourceKind {
    /// The word used in the database and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Osv => "osv",
            Self::RustSec => "rustsec",
        }
    }
}

/// One record that a source found, or why it is none.
#[derive(Debug)]
pub struct SourceRecord {
    /// The source's name: its directory in the bucket, or the file's name.
    pub source: Arc<str>,
    /// What kind of source it is.
    pub kind: SourceKind,
    /// The advisory, unless the record was refused.
    pub advisory: Option<Box<Advisory>>,
    /// SHA-256 of the record's bytes, to tell copies from conflicts.
    pub digest: [u8; 32],
    /// What was doubtful about it.
    pub warnings: Vec<Warning>,
}

/// Takes one found record.
pub(crate) type Sink<'a> = dyn FnMut(SourceRecord) -> Result<(), SourceError> + 'a;

/// Why a whole input was refused.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file or directory could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// What was read.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The archive is no ZIP file or is cut off.
    #[error("{} is not a usable zip archive: {cause}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is missing or wrong.
        cause: String,
    },
    /// There is nothing in the input that can be used.
    #[error("{} holds no usable advisory{}", path.display(), first.as_ref().map(|first| format!(" (first problem: {first})")).unwrap_or_default())]
    Empty {
        /// The input.
        path: PathBuf,
        /// The first of the reasons why entries were refused.
        first: Option<Warning>,
    },
    /// A bound on the whole input was reached.
    #[error("{} holds more than {limit} {what}", path.display())]
    TooLarge {
        /// The input.
        path: PathBuf,
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
    /// The scratch file for texts could not be written.
    #[error("cannot write the scratch file for advisory texts")]
    Scratch(#[source] io::Error),
}
