//! Where the blobs of an image are: a layout directory or an archive. Small documents come as a
//! whole; layers come as streams, several at once where the store can be read at positions.
//!
//! Only regular files count as blobs: a symbolic link, a pipe or a directory in the place of one
//! is refused before it is opened.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::archive::Archive;
use super::hashing::Cores;
use super::layer::{self, LayerScan, Totals};
use super::stream::{Promise, Stop};
use super::wanted::{Registry, Selection};
use super::{SourceError, limits};

/// See the module.
pub(super) enum Store {
    Directory(PathBuf),
    Archive(Archive),
}

/// A layer to read.
pub(super) struct Job {
    /// Name of the blob in the store.
    pub(super) name: String,
    /// What it is called in messages.
    pub(super) place: String,
    pub(super) promise: Promise,
    pub(super) selection: Selection,
}

fn invalid(place: &str, cause: impl Into<String>) -> SourceError {
    SourceError::Invalid {
        place: place.into(),
        cause: cause.into(),
    }
}

impl Store {
    /// Whether there is anything of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Directory(root) => fs::symlink_metadata(root.join(name)).is_ok(),
            Self::Archive(archive) => archive.has(name),
        }
    }

    /// Length of a blob. The error says why it cannot be read.
    pub(super) fn size(&self, name: &str) -> Result<u64, String> {
        match self {
            Self::Directory(root) => match fs::symlink_metadata(root.join(name)) {
                Ok(data) if data.is_file() => Ok(data.len()),
                Ok(data) if data.is_symlink() => Err("the blob is a symbolic link".into()),
                Ok(_) => Err("the blob is not a regular file".into()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err("the blob is not there".into())
                }
                Err(error) => Err(error.to_string()),
            },
            Self::Archive(archive) => archive
                .resolve(name)
                .map(|(_, entry)| entry.size)
                .ok_or_else(|| "there is no such file in the archive".into()),
        }
    }

    /// A document as a whole; `None` if it is not there.
    pub(super) fn document(&self, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
        match self {
            Self::Archive(archive) => archive.document(name),
            Self::Directory(_) if !self.has(name) => Ok(None),
            Self::Directory(root) => {
                let size = self.size(name).map_err(|cause| invalid(name, cause))?;
                if size > limits::DOCUMENT_BYTES {
                    let cause = format!(
                        "{size} bytes are more than the {} of a manifest",
                        limits::DOCUMENT_BYTES
                    );
                    return Err(invalid(name, cause));
                }
                let mut content = Vec::new();
                File::open(root.join(name))
                    .and_then(|file| file.take(limits::DOCUMENT_BYTES).read_to_end(&mut content))
                    .map_err(|error| invalid(name, error.to_string()))?;
                Ok(Some(content))
            }
        }
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read>, String> {
        self.size(name)?;
        let file: io::Result<Box<dyn Read>> = match self {
            Self::Directory(root) => File::open(root.join(name)).map(|file| Box::new(file) as _),
            Self::Archive(archive) => match archive.resolve(name) {
                Some((_, entry)) => archive.member(entry).map(|member| Box::new(member) as _),
                None => return Err("there is no such file in the archive".into()),
            },
        };
        file.map_err(|error| error.to_string())
    }

    /// Reads layers, as many at once as the machine has cores, the largest first so that none
    /// is left alone at the end. The answer is in the order of the jobs; of several faults the
    /// first one in that order counts, whichever was met first.
    pub(super) fn read_layers(
        &self,
        jobs: &[Job],
        registry: &Registry,
    ) -> Result<Vec<LayerScan>, SourceError> {
        let mut order = Vec::new();
        for (number, job) in jobs.iter().enumerate() {
            let refused = |cause: String| invalid(&job.place, cause);
            let size = self.size(&job.name).map_err(refused)?;
            if let Some(promised) = job.promise.size.filter(|promised| *promised != size) {
                return Err(refused(format!(
                    "the blob has {size} bytes, the manifest says {promised}"
                )));
            }
            order.push((std::cmp::Reverse(size), number));
        }
        order.sort_unstable();
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        let cores = Arc::new(Cores::new(count, jobs.len()));
        let totals = Totals::default();
        let results = match self {
            Self::Archive(archive) if archive.is_compressed() => {
                in_order(archive, jobs, registry, &cores, &totals)?
            }
            _ => {
                let one = |job: &Job| {
                    let blob = self.open(&job.name).map_err(Stop::Broken)?;
                    let promise = job.promise.clone();
                    layer::scan(blob, promise, &cores, registry, &job.selection, &totals)
                };
                at_once(jobs, &order, count.min(limits::WORKERS), &cores, one)
            }
        };
        let mut scans = Vec::new();
        for (job, result) in jobs.iter().zip(results) {
            scans.push(match result {
                Some(Ok(scan)) => scan,
                Some(Err(Stop::Broken(cause) | Stop::Limit(cause))) => {
                    return Err(invalid(&job.place, cause));
                }
                None => return Err(invalid(&job.place, "the layer could not be read")),
            });
        }
        Ok(scans)
    }
}

type Outcome = Option<Result<LayerScan, Stop>>;

fn at_once(
    jobs: &[Job],
    order: &[(std::cmp::Reverse<u64>, usize)],
    workers: usize,
    cores: &Cores,
    one: impl Fn(&Job) -> Result<LayerScan, Stop> + Sync,
) -> Vec<Outcome> {
    let results: Mutex<Vec<Outcome>> = Mutex::new(jobs.iter().map(|_| None).collect());
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
            scope.spawn(work);
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
    registry: &Registry,
    cores: &Arc<Cores>,
    totals: &Totals,
) -> Result<Vec<Outcome>, SourceError> {
    let mut results: Vec<Outcome> = jobs.iter().map(|_| None).collect();
    let mut left: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, job) in jobs.iter().enumerate() {
        let Some((_, entry)) = archive.resolve(&job.name) else {
            return Err(invalid(&job.place, "there is no such file in the archive"));
        };
        left.entry(entry.ordinal).or_default().push(number);
    }
    while left.values().any(|numbers| !numbers.is_empty()) {
        let mut progress = false;
        archive.stream(|ordinal, content| {
            let number = left.get_mut(&ordinal).and_then(Vec::pop);
            if let Some((number, job)) = number.and_then(|number| Some((number, jobs.get(number)?)))
            {
                progress = true;
                let promise = job.promise.clone();
                let selection = &job.selection;
                let result = layer::scan(content, promise, cores, registry, selection, totals);
                if let Some(place) = results.get_mut(number) {
                    *place = Some(result);
                }
                cores.finished();
            }
        })?;
        if !progress {
            break;
        }
    }
    Ok(results)
}

/// Opens a layout directory.
pub(super) fn directory(path: &Path) -> Store {
    Store::Directory(path.to_owned())
}

/// Opens an archive.
pub(super) fn archive(path: &Path) -> Result<Store, SourceError> {
    Archive::open(path).map(Store::Archive)
}
