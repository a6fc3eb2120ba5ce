//! Brings a database up to date from an OSV bucket: whole archives the first
//! time, single changed records after that.
//!
//! What was fetched is kept beside the database (`<database>.sync/`: archives,
//! lists, a log of single records, and the compiled records), so that a run
//! that failed goes on where it stopped, and a build without network is
//! possible. The database itself is replaced last, and only if all that was
//! asked for is there.
//!
//! Each list (`modified_id.csv`) is read whole and compared with the records
//! at hand by id and time: changes are found wherever they stand in it, and
//! what it does not name any more was removed.

mod apply;
mod cache;
mod feeds;
mod kept;
mod list;
mod loss;
mod old;
mod plan;
mod pool;
mod rustsec;

use crate::compile::{BuildError, BuildReport};
use crate::feed::FeedKind;
use crate::limits::Limits;
use crate::problem::Warning;
use crate::store::PlaceError;
use remote::fetch::{Access, FetchError};
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub use apply::run;

/// What to bring up to date, and from where.
#[derive(Clone, Debug, Default)]
pub struct SyncRequest {
    /// Buckets with the same content, http(s) addresses or folders, in order.
    pub from: Vec<String>,
    /// Ecosystems, with or without a release suffix, in any case. What else the
    /// database has stays as it is. Empty means those of the database that is
    /// there, else all that the bucket lists.
    pub ecosystems: Vec<String>,
    /// Ecosystems of the database that it shall not have any more. Nothing else
    /// takes one out.
    pub remove: Vec<String>,
    /// Ecosystems that were found somewhere, such as in the last scans: they are synced besides
    /// those of the database. What the bucket does not have is a warning.
    pub found: Vec<String>,
    /// Loads the archives again, whatever is at hand.
    pub full: bool,
    /// Takes nothing over from the database that is there, neither its
    /// ecosystems nor its other sources: the new one has what is named here.
    /// Goes with `full`.
    pub afresh: bool,
    /// Takes a source that lost so many of its records that it is doubtful.
    pub accept_removals: bool,
    /// Uses only what was fetched before.
    pub offline: bool,
    /// The database file.
    pub output: PathBuf,
    /// The RustSec advisory tree: a folder, git repositories (`git+https://…`,
    /// `https://….git`) or archives (`.tar`, `.tar.gz`, `.tar.zst`, a file or
    /// an address) with the same content, in order. Empty keeps what the
    /// database has of it.
    pub rustsec: Vec<String>,
    /// FIRST's EPSS file: files or addresses with the same content, in order.
    /// Empty keeps the scores that the database has.
    pub epss: Vec<String>,
    /// CISA's KEV catalogue, in the same way.
    pub kev: Vec<String>,
    /// A crates.io index, for yanked versions. `None` keeps those that the
    /// database has.
    pub crates_index: Option<PathBuf>,
    /// How to reach the mirrors.
    pub access: Access,
    /// How long to wait while another process updates the same database.
    pub lock_wait: Option<Duration>,
    /// Bounds on the records.
    pub limits: Limits,
}

/// What a sync did.
#[derive(Clone, Debug)]
pub struct SyncReport {
    /// The database, and what was skipped or doubtful.
    pub build: BuildReport,
    /// What changed, by directory of the bucket, sorted.
    pub ecosystems: Vec<EcosystemSync>,
    /// Whether the database was written; `false` where it was up to date.
    pub written: bool,
    /// Whether the database was compiled anew and not updated.
    pub rebuilt: bool,
}

/// What changed in one directory of the bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EcosystemSync {
    /// The directory's name.
    pub name: String,
    /// Whether its archive was loaded.
    pub archive: bool,
    /// Single records that were loaded.
    pub fetched: u64,
    /// Records that are new.
    pub added: u64,
    /// Records that changed.
    pub changed: u64,
    /// Records that the bucket does not have any more.
    pub removed: u64,
}

/// Why nothing was brought up to date; the database is as it was.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Something could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Some ecosystems could not be fetched.
    #[error("could not sync {}", names(failed))]
    Ecosystems {
        /// Which, sorted by name.
        failed: Vec<String>,
        /// The first one's reason.
        source: Box<Self>,
    },
    /// A file of the bucket is not there.
    #[error("the bucket has no {what}")]
    Missing {
        /// The file.
        what: String,
    },
    /// The address answers, and not as a bucket does.
    #[error("{address} has no {what} ({cause}): is this an OSV bucket?")]
    NotABucket {
        /// Where it was looked for, the mirrors with commas between.
        address: String,
        /// The file.
        what: String,
        /// What it answers instead.
        cause: &'static str,
    },
    /// An ecosystem shall be removed that the database does not have.
    #[error("the database has no ecosystem {name:?} that could be removed")]
    NotHeld {
        /// What was asked for.
        name: String,
        /// What there is, sorted.
        held: BTreeSet<String>,
    },
    /// A source that was named is not there.
    #[error("there is no {what}")]
    NotThere {
        /// The source as it was named.
        what: String,
    },
    /// A list cannot be trusted.
    #[error("the list of {ecosystem} cannot be used: {cause}")]
    List {
        /// The directory.
        ecosystem: String,
        /// What is wrong.
        cause: String,
    },
    /// A source lost too many of its records at once.
    #[error(
        "{ecosystem} had {before} records and has {after} now: too many are gone at once to be believed"
    )]
    Shrunk {
        /// The directory.
        ecosystem: String,
        /// Records in the database that is there.
        before: u64,
        /// Records that would be left.
        after: u64,
    },
    /// An ecosystem was asked for that the bucket does not list.
    #[error("the bucket has no ecosystem {name:?}")]
    UnknownEcosystem {
        /// What was asked for.
        name: String,
        /// What there is, sorted; empty where that is not known.
        offered: BTreeSet<String>,
    },
    /// Offline, and nothing is at hand.
    #[error("nothing was fetched before that could be used offline")]
    NothingFetched,
    /// There is nothing to sync.
    #[error("no ecosystem to sync is known")]
    NoEcosystem,
    /// Another process updates the same database, or it cannot be replaced.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The cache could not be used.
    #[error("cannot use {}", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// What was fetched before is not what it was.
    #[error("{} is damaged: sync without --offline, which fetches it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A feed could not be had.
    #[error("cannot sync the {kind} feed: {cause}")]
    Feed {
        /// Which.
        kind: FeedKind,
        /// What is missing.
        cause: String,
    },
    /// The RustSec archive or folder cannot be used.
    #[error("cannot take RustSec's advisories from {}: {cause}", path.display())]
    RustSec {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// The database could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
}

fn names(failed: &[String]) -> String {
    let shown: Vec<String> = failed
        .iter()
        .map(|name| crate::problem::printable(name))
        .collect();
    shown.join(", ")
}

/// A warning about one directory.
fn warning(ecosystem: &str, entry: &str, cause: impl std::fmt::Display) -> Warning {
    Warning::new(ecosystem, entry, cause)
}

/// A warning about what is left out.
fn skipped(ecosystem: &str, entry: &str, cause: impl std::fmt::Display) -> Warning {
    Warning::skipped(ecosystem, entry, cause)
}
