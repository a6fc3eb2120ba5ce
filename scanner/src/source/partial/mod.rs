//! A layer in a registry, read by its table of contents: the table, and of the files only those that
//! somebody wants.
//!
//! ```text
//! manifest (verified) ─ annotation: digest of the table ─ find ─ table ─ digests of chunks ─ fetch ─ content
//! ```
//! What is fetched is covered by digests all the way down from the manifest; what is not is refused, and
//! so is a table that is not sound: the layer is then streamed whole, and verified as a whole. What is
//! trusted beyond that is the maker of the image: that the table lists what the tar holds. Only who reads
//! the whole layer can know, so that this is a mode that is asked for, and each layer says that it was
//! read so.
//!
//! Formats: zstd:chunked (`containers/storage`, docs/containers-storage-zstd-chunked.md) and eStargz
//! (`stargz-snapshotter`, docs/estargz.md).

mod content;
mod fetch;
mod find;
mod plan;
mod promise;
mod table;

use self::content::PartContent;
use self::fetch::Fetcher;
use self::plan::Plan;
pub(crate) use self::promise::Table;
pub(super) use self::promise::of as promised;
use self::table::Contents;
use super::elsewhere::Parts;
use super::limits;
use super::members::Members;
use super::scanned::LayerScan;
use super::stop::Stop;
use super::store::Job;
use super::stream::Shared;
use super::wanted::Selection;
use crate::analyzer::Analyzers;
use crate::model::coverage::Part;
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::Location;

/// What became of a layer.
pub(super) enum Partially {
    Read(Box<LayerScan>),
    /// It has to be read whole, with a gap where its table is not what it should be.
    Refused(Option<Gap>),
}

/// Why a layer is not read by its table.
#[derive(Debug)]
enum Refusal {
    /// Nothing is wrong with it, and reading it whole is better or the only way.
    Whole,
    /// Something is wrong.
    Unsound(String),
    /// It cannot be read at all.
    Stop(Stop),
}

impl From<String> for Refusal {
    fn from(cause: String) -> Self {
        Self::Unsound(cause)
    }
}

/// Reads a layer by its table of contents, if it has one.
pub(super) fn scan(
    blobs: &dyn Parts,
    job: &Job,
    shared: &Shared,
    analyzers: &Analyzers<'_>,
) -> Result<Partially, Stop> {
    match attempt(blobs, job, shared, analyzers) {
        Ok(scan) => Ok(Partially::Read(Box::new(scan))),
        Err(Refusal::Whole) => Ok(Partially::Refused(None)),
        Err(Refusal::Stop(stop)) => Err(stop),
        Err(Refusal::Unsound(cause)) => {
            let cause = format!(
                "the layer was read whole, because its table of contents cannot be used: {cause}"
            );
            let place = Location::file(".");
            let gap = Gap::warning(Stage::Source, GapKind::Malformed, place, cause);
            Ok(Partially::Refused(Some(gap)))
        }
    }
}

fn attempt(
    blobs: &dyn Parts,
    job: &Job,
    shared: &Shared,
    analyzers: &Analyzers<'_>,
) -> Result<LayerScan, Refusal> {
    let promise = &job.promise;
    let (Some(table), Some(digest), Some(size)) = (&promise.table, &promise.digest, promise.size)
    else {
        return Err(Refusal::Whole);
    };
    // Who sees all bytes needs all bytes.
    if analyzers.sees_all() {
        return Err(Refusal::Whole);
    }
    // Taken like the window of a decompressor: before any file is held.
    let _held = shared.totals.windows.hold(limits::PARTIAL_BYTES);
    let table = table.as_ref().map_err(Clone::clone)?;
    // What is made of a table takes about four times its length.
    let most = limits::TABLE_BYTES.min(shared.totals.budget.windows() / 4);
    let found = find::table(blobs, digest.as_str(), size, table, most)?;
    let contents = Contents::parse(&found.json, found.start)?;
    let budget = shared.totals.budget;
    let plan = Plan::of(&contents, analyzers, &job.selection, budget)?;
    // Where most of it is wanted, all of it is read, programs and all.
    let fetched = found.fetched.saturating_add(plan.bytes());
    if fetched > size / limits::PARTIAL_SHARE || plan.groups.len() > limits::PARTIAL_REQUESTS {
        return Err(Refusal::Whole);
    }
    let mut members = Members::new(analyzers);
    let fetcher = Fetcher::new(blobs, digest.as_str(), &plan.groups);
    let mut content = PartContent::new(fetcher, found.encoding, shared, size);
    if let Err(refusal) = members_of(&plan, &mut content, &mut members, job, shared, analyzers) {
        members.abandon(&shared.totals);
        return Err(refusal);
    }
    if plan.left_out > 0 && matches!(job.selection, Selection::Installed) {
        let cause = format!(
            "the layer was read partially: {} executable files, which may be Go or Rust programs, \
             were not looked at",
            plan.left_out
        );
        members.gap(GapKind::NotRead, ".", cause);
    }
    let unpacked = content.unpacked();
    let mut scan = members.finish(&shared.totals).map_err(Refusal::Stop)?;
    scan.unpacked = unpacked;
    scan.digest = digest.text();
    scan.diff_id = promise.diff_id.as_ref().map(super::digest::Digest::text);
    scan.partial = Some(Part {
        layers: 1,
        fetched,
        stored: size,
    });
    Ok(scan)
}

/// All entries of the table as the members that they stand for, in its order.
fn members_of<'a>(
    plan: &'a Plan<'_>,
    content: &mut PartContent<'a>,
    members: &mut Members,
    job: &Job,
    shared: &Shared,
    analyzers: &Analyzers<'_>,
) -> Result<(), Refusal> {
    for planned in &plan.members {
        content.begin(&planned.source);
        members.take(content, planned.member, shared, analyzers, &job.selection);
        content.finish()?;
        match members.limit(&shared.totals) {
            None => {}
            // The whole layer reaches it, too, and says how far it was read.
            Some(Stop::Limit(_)) => return Err(Refusal::Whole),
            Some(stop) => return Err(Refusal::Stop(stop)),
        }
    }
    Ok(())
}
