//! Compiles sources into one database file.
//!
//! Records are read in a stream and kept in a compact form (texts go to a
//! scratch file), so that memory grows with what matching needs and not with
//! the JSON. The result depends on the set of records alone: not on the order
//! of archives, entries or threads.
//!
//! Merging rules: of several records with one id the newest `modified` counts,
//! and of equally new ones the greater digest. Where the RustSec tree and an
//! OSV export have the same id, ranges, times and texts are OSV's, and
//! informational kind, functions, architectures and systems are RustSec's, as
//! is a withdrawal after OSV's last change; ranges that differ are a warning.

mod census;
mod collect;
mod finish;
mod interner;
mod journal;
mod overlay;
mod rate;
mod reach;
mod recount;
mod state;
mod steps;
mod texts;
pub(crate) mod update;
mod vulnerability;
mod yanked;

use crate::feed::FeedKind;
use crate::limits::Limits;
use crate::problem::{Loss, Warning};
use crate::sources::feeds::FeedError;
use crate::sources::{self, SourceError};
use crate::store::place::{LOCK_WAIT, Place};
use crate::store::{Info, OpenError, PlaceError, place};
use collect::Collector;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// What to compile, and where to.
#[derive(Clone, Debug, Default)]
pub struct BuildRequest {
    /// OSV exports: bucket directories, single directories or archives.
    pub osv: Vec<PathBuf>,
    /// The RustSec tree.
    pub rustsec: Option<PathBuf>,
    /// FIRST's EPSS file, CSV, plain or gzip.
    pub epss: Option<PathBuf>,
    /// CISA's KEV catalogue, JSON.
    pub kev: Option<PathBuf>,
    /// A crates.io index, for yanked versions.
    pub crates_index: Option<PathBuf>,
    /// The database file; replaced only when all went well.
    pub output: PathBuf,
    /// Bounds on the input.
    pub limits: Limits,
    /// How long to wait while another process writes the same database; ten
    /// minutes by default.
    pub lock_wait: Option<Duration>,
}

/// What was compiled.
#[derive(Clone, Debug)]
pub struct BuildReport {
    /// The new database's description.
    pub info: Info,
    /// What was skipped or doubtful, sorted.
    pub warnings: Vec<Warning>,
}

impl BuildReport {
    /// How many records, entries of records and sources were left out.
    pub fn skipped(&self) -> usize {
        self.warnings
            .iter()
            .filter(|warning| warning.loss == Loss::Skipped)
            .count()
    }
}

/// Why no database was made; the old one, if any, is untouched.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No source was given.
    #[error("no advisory source was given")]
    NoSource,
    /// A source was refused as a whole.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Nothing may be written at the database's place.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A feed was refused as a whole.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The database could not be written.
    #[error("cannot write the advisory database {}", path.display())]
    Write {
        /// The database file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The written file does not open: the disk changed it.
    #[error("the new advisory database does not open")]
    Unreadable(#[source] OpenError),
    /// A table of the file would not fit its format.
    #[error("there are too many advisories for the database format")]
    TooMany,
}

/// Compiles the sources of a request into its output file.
///
/// # Errors
/// A source that cannot be used as a whole refuses the build; the file that
/// was there before stays as it is.
pub fn build(request: &BuildRequest) -> Result<BuildReport, BuildError> {
    if request.osv.is_empty() && request.rustsec.is_none() {
        return Err(BuildError::NoSource);
    }
    let place = Place::claim(&request.output, request.lock_wait.unwrap_or(LOCK_WAIT))?;
    let output = place.target();
    let failed = |source| BuildError::Write {
        path: request.output.clone(),
        source,
    };
    let mut collector = Collector::new(place::directory(output)).map_err(failed)?;
    if let Some(index) = &request.crates_index {
        let (yanked, warnings) = sources::crates_index::read(index, &request.limits)?;
        collector.yanked = Some(yanked);
        collector.warnings.extend(warnings);
    }
    // RustSec first: its extras are added to OSV's records as they come.
    if let Some(tree) = &request.rustsec {
        sources::rustsec::read(tree, &request.limits, &mut |found| {
            collector.rustsec(found);
            Ok(())
        })?;
    }
    for path in &request.osv {
        sources::osv::read(path, &request.limits, &mut |found| collector.osv(found))?;
    }
    let feeds = [
        (FeedKind::Epss, &request.epss),
        (FeedKind::Kev, &request.kev),
    ];
    for (kind, path) in feeds {
        if let Some(path) = path {
            let (feed, warnings) = sources::feeds::read(kind, path)?;
            collector.feeds.insert(kind, feed);
            collector.warnings.extend(warnings);
        }
    }
    collector.add_rest()?;
    let warnings = finish::write(&mut collector, None, output, None)?.warnings;
    let info = crate::query::Db::open(output)
        .map_err(BuildError::Unreadable)?
        .info()
        .clone();
    Ok(BuildReport { info, warnings })
}
