//! Reading the layers of a target: as many at once as the machine has cores, or as they come out of a
//! compressed archive; out of the cache, by ranges, or whole.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Backing, Job, Store};
use crate::analyzer::Analyzers;
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::Location;
use crate::source::archive::Archive;
use crate::source::cache::LayerCache;
use crate::source::digest::Digest;
use crate::source::hashing::Cores;
use crate::source::kept::Kept;
use crate::source::limits::Budget;
use crate::source::partial::{self, Partially};
use crate::source::scanned::LayerScan;
use crate::source::stop::Stop;
use crate::source::stream::Shared;
use crate::source::totals::Totals;
use crate::source::{Cost, SourceError, invalid, layer, unpacked};

impl Store {
    /// The jobs by size, the largest first, and the sum of the sizes; refuses a blob of another length
    /// than promised.
    pub(in crate::source) fn sizes(&self, jobs: &[Job]) -> Result<(Order, u64), SourceError> {
        let mut order = Vec::new();
        let mut stored = 0_u64;
        for (number, job) in jobs.iter().enumerate() {
            let refused = |cause: String| invalid(&job.place, cause);
            let size = match &self.place {
                // What the manifest says is what the registry must send.
                Backing::Elsewhere(_) => job.promise.size.unwrap_or_default(),
                _ => self.size(&job.name).map_err(refused)?,
            };
            if let Some(promised) = job.promise.size.filter(|promised| *promised != size) {
                return Err(refused(format!(
                    "the blob has {size} bytes, the manifest says {promised}"
                )));
            }
            order.push((std::cmp::Reverse(size), number));
            stored = stored.saturating_add(size);
        }
        order.sort_unstable();
        Ok((order, stored))
    }

    /// Reads layers, as many at once as the machine has cores, the largest first so that none
    /// is left alone at the end. The answer is in the order of the jobs; of several faults the
    /// first one in that order counts, whichever was met first.
    pub(in crate::source) fn read_layers(
        &self,
        jobs: &[Job],
        analyzers: &Analyzers<'_>,
        budget: Budget,
        cache: Option<&LayerCache>,
    ) -> Result<(Vec<LayerScan>, Cost), SourceError> {
        let (order, stored) = self.sizes(jobs)?;
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        let shared = Shared {
            cores: Arc::new(Cores::new(count, jobs.len())),
            totals: Arc::new(Totals::new(budget, stored)),
        };
        let results = match &self.place {
            Backing::Archive(archive) if archive.is_compressed() => {
                in_order(archive, jobs, analyzers, &shared)?
            }
            _ => {
                let one = |job: &Job| self.layer(job, analyzers, cache, &shared);
                at_once(jobs, &order, budget.workers(count), &shared.cores, one)
            }
        };
        // A limit on all layers is the fault of none of them.
        let failed = |result: &Scanned| match result {
            Some(Err(Stop::Total(cause))) => Some(cause.clone()),
            _ => None,
        };
        if let Some(cause) = results.iter().find_map(failed) {
            return Err(invalid("layers", cause));
        }
        let broken = results
            .iter()
            .zip(jobs)
            .find_map(|(result, job)| match result {
                Some(Err(stop)) => Some(invalid(&job.place, stop.cause())),
                _ => None,
            });
        if let Some(error) = broken {
            return Err(error);
        }
        let mut scans = Vec::new();
        for (job, result) in jobs.iter().zip(results) {
            match result {
                Some(Ok(scan)) => scans.push(scan),
                _ => return Err(invalid(&job.place, "the layer could not be read")),
            }
        }
        Ok((scans, shared.totals.cost()))
    }

    /// Reads one layer, unless it was read before.
    fn layer(
        &self,
        job: &Job,
        analyzers: &Analyzers<'_>,
        cache: Option<&LayerCache>,
        shared: &Shared,
    ) -> Result<LayerScan, Stop> {
        if let Backing::Unpacked(root) = &self.place {
            return unpacked::scan(root, shared, analyzers, &job.selection);
        }
        let kept = cache.and_then(|cache| Kept::of(self, job, analyzers, cache));
        let (found, _turn) = kept.as_ref().map_or((None, None), Kept::find_or_turn);
        if let Some(scan) = found {
            shared.totals.unpack(scan.unpacked)?;
            shared.totals.keep(scan.kept)?;
            return Ok(scan);
        }
        let refused = match self.parts() {
            Some(blobs) => match partial::scan(blobs, job, shared, analyzers)? {
                Partially::Read(scan) => return Ok(*scan),
                Partially::Refused(gap) => gap,
            },
            None => None,
        };
        let blob = self.open(&job.name, job.promise.size);
        let blob = blob.map_err(Stop::Broken)?;
        let promise = job.promise.clone();
        let read = layer::scan(blob, promise, shared, analyzers, &job.selection);
        let mut scan = match read {
            Err(Stop::Late) => return Ok(late(job)),
            read => read?,
        };
        if let Some(kept) = kept {
            kept.put(&scan);
        }
        // The gap of this way to the layer, not of the layer.
        scan.gaps.extend(refused);
        Ok(scan)
    }
}

/// A layer for which there was no time: nothing is known of it.
fn late(job: &Job) -> LayerScan {
    let cause = format!("{}; the layer was not read", Stop::Late.cause());
    let gap = Gap::warning(Stage::Source, GapKind::Limit, Location::file("."), cause);
    let digest = job.promise.digest.as_ref();
    LayerScan {
        digest: digest.map(Digest::text).unwrap_or_default(),
        gaps: vec![gap.unjudged()],
        ..LayerScan::default()
    }
}

/// Numbers of jobs, the largest first.
type Order = Vec<(std::cmp::Reverse<u64>, usize)>;

type Scanned = Option<Result<LayerScan, Stop>>;

fn at_once(
    jobs: &[Job],
    order: &[(std::cmp::Reverse<u64>, usize)],
    workers: usize,
    cores: &Cores,
    one: impl Fn(&Job) -> Result<LayerScan, Stop> + Sync,
) -> Vec<Scanned> {
    let results: Mutex<Vec<Scanned>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let next = AtomicUsize::new(0);
    // Layers above one that is broken need not be read.
    let broken = AtomicUsize::new(usize::MAX);
    let work = || {
        while let Some((_, number)) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(job) = jobs.get(*number)
                && *number < broken.load(Ordering::Relaxed)
            {
                let result = one(job);
                if result.is_err() {
                    broken.fetch_min(*number, Ordering::Relaxed);
                }
                let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(place) = results.get_mut(*number) {
                    *place = Some(result);
                }
            }
            cores.finished();
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers.min(jobs.len()) {
            // Where no thread can be started, those that run do its work.
            if std::thread::Builder::new()
                .spawn_scoped(scope, work)
                .is_err()
            {
                break;
            }
        }
        work();
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the layers of a compressed archive as they come, as often as one of them is wanted in
/// different ways.
fn in_order(
    archive: &Archive,
    jobs: &[Job],
    analyzers: &Analyzers<'_>,
    shared: &Shared,
) -> Result<Vec<Scanned>, SourceError> {
    let mut results: Vec<Scanned> = jobs.iter().map(|_| None).collect();
    let mut left: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, job) in jobs.iter().enumerate() {
        let Some((_, entry)) = archive.resolve(&job.name) else {
            return Err(invalid(&job.place, "there is no such file in the archive"));
        };
        left.entry(entry.ordinal).or_default().push(number);
    }
    let mut broken = false;
    while !broken && left.values().any(|numbers| !numbers.is_empty()) {
        let mut progress = false;
        archive.stream(|ordinal, content| {
            let number = left.get_mut(&ordinal).and_then(Vec::pop);
            if let Some((number, job)) = number.and_then(|number| Some((number, jobs.get(number)?)))
            {
                progress = true;
                let promise = job.promise.clone();
                let selection = &job.selection;
                let result = layer::scan(content, promise, shared, analyzers, selection);
                let result = match result {
                    Err(Stop::Late) => Ok(late(job)),
                    result => result,
                };
                broken |= result.is_err();
                if let Some(place) = results.get_mut(number) {
                    *place = Some(result);
                }
                shared.cores.finished();
            }
        })?;
        if !progress {
            break;
        }
    }
    Ok(results)
}
