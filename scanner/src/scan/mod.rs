//! Runs the pipeline: from a request to a report. The one place that knows the order of the
//! stages, each of which has a file of its own.

use std::path::PathBuf;

use db_sync::{Db, FeedKind, Moment};
use rules::input::Options;
use rules::language::Ruleset;

use self::plan::Plan;
use crate::accept::{self, Allowance};
use crate::eol;
use crate::model::report::Report;
use crate::prefer::Preference;
use crate::source::limits::Limits;
use crate::source::{Access, LayerCache, Platform, SourceError};
use crate::staleness::Staleness;
use crate::target::TargetSpec;
use crate::vex::{self, Statement};

mod attached;
mod base;
mod describe;
mod identify;
mod ignores;
mod images;
mod judge;
mod ledger;
mod matched;
mod merge;
mod named_images;
mod plan;
mod read;
mod sort;
mod support;
mod trace;

pub use base::Base;
pub use read::source_cause;

/// What the user asked for.
pub struct Request {
    /// What to scan, in the order given.
    pub targets: Vec<TargetSpec>,
    /// Relative paths in reports are relative to this directory.
    pub working_directory: PathBuf,
    /// The date of the run.
    pub date: String,
    /// Look for vulnerable packages.
    pub vulnerabilities: bool,
    /// Look for misconfigured infrastructure.
    pub misconfigurations: bool,
    /// How registries and container engines are reached; besides them only a shared cache opens a
    /// connection.
    pub access: Access,
    /// Where what layers said is kept between runs.
    pub cache: Option<LayerCache>,
    /// The platform of images with several.
    pub platform: Option<Platform>,
    /// The image that the others were built on.
    pub base: Option<Base>,
    /// Answer from the database as if it were this moment.
    pub as_of: Option<Moment>,
    /// Which of a vulnerability's ids to show.
    pub prefer: Preference,
    /// What to do about sources that were not updated for long.
    pub staleness: Staleness,
    /// The releases that are supported; `None`: nobody asks.
    pub supported: Option<eol::Table>,
    /// Feeds that the gate uses: their age matters, too.
    pub feeds: Vec<FeedKind>,
    /// VEX statements, of all documents.
    pub statements: Vec<Statement>,
    /// Some writer shows the advisories' own texts.
    pub texts: bool,
    /// Gaps that the user accepts.
    pub allow: Vec<Allowance>,
    /// Bytes of memory that the run may take; what does not fit is a gap.
    pub memory: u64,
    /// The limits of images, as far as the user may change them.
    pub limits: Limits,
    /// Read lockfiles of vendored trees, too.
    pub include_vendored: bool,
    /// `TF_VAR_…` and the workspace.
    pub terraform: Options,
}

/// Where packages get their advisories from; opened only when a package exists.
pub trait Advisories: Sync {
    /// The opened database.
    fn open(&self) -> Result<&Db, Error>;
}

/// Where the rules come from; loaded only when infrastructure code exists.
pub trait Rules: Sync {
    /// The rules of this run.
    fn load(&self) -> Result<&Ruleset, Error>;
}

/// Why a run gives no report at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be used.
    #[error("the advisory database {} cannot be used", path.display())]
    Database {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: db_sync::OpenError,
    },
    /// There is no database.
    #[error("there is no advisory database at {}", path.display())]
    NoDatabase {
        /// Where one was looked for.
        path: PathBuf,
    },
    /// The database broke while it was read.
    #[error("the advisory database is damaged")]
    Read(#[from] db_sync::ReadError),
    /// Another database than the one asked for.
    #[error("the advisory database is {found}, not {wanted}")]
    OtherDatabase {
        /// The digest asked for.
        wanted: String,
        /// The digest of the database at hand.
        found: String,
    },
    /// Rules that cannot be used.
    #[error("{0}")]
    Rules(String),
}

/// A target that could not be scanned: the run goes on with the others, and ends with 2.
#[derive(Debug)]
pub struct TargetFailure {
    /// As the user wrote it.
    pub target: String,
    /// Why.
    pub error: SourceError,
}

/// The report, and the targets that are not in it.
#[derive(Debug)]
pub struct Scanned {
    /// Everything found.
    pub report: Report,
    /// In the order given.
    pub failures: Vec<TargetFailure>,
}

/// Scans every target of a request; `progress` gets the name of each stage. The pipeline as a list:
/// read, tell bases apart, read what is attached, judge rules, apply ignores, merge, judge support, match, trace,
/// identify, suppress, apply the policy of gaps, describe, sort.
/// The gate decides over the result.
pub fn scan(
    request: &Request,
    advisories: &dyn Advisories,
    rules: &dyn Rules,
    progress: &dyn Fn(&str),
) -> Result<Scanned, Error> {
    let mut plan = Plan::new(&request.targets, &request.working_directory);
    let (mut works, mut failures) = read::targets(request, &mut plan, progress);
    failures.extend(base::mark(request, &mut works));
    let said = attached::read(&mut works);
    let mut judged = judge::targets(request, &mut works, rules)?;
    ignores::apply(&mut judged, &works, rules, &request.date)?;
    progress("matching");
    let mut merged = merge::targets(request, works, judged, &failures);
    support::targets(request, &mut merged);
    let (mut report, advised) = matched::packages(request, merged, advisories)?;
    trace::findings(&mut report);
    identify::findings(&mut report);
    vex::apply(&mut report, &attached::with(&request.statements, said));
    accept::mark(&mut report, &request.allow);
    describe::rules(&mut report, rules, advised)?;
    sort::report(&mut report);
    report.repeated_targets = plan.repeated;
    report.cache_notes = request
        .cache
        .as_ref()
        .map(LayerCache::notes)
        .unwrap_or_default();
    Ok(Scanned { report, failures })
}
