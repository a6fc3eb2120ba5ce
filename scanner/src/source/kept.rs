//! One layer, or all of an image, and their place in the cache: under which digest they are known, and
//! whether what is kept is what the manifest promises.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::cache::{self, Known, LayerCache, Turn};
use super::digest::{Digest, Hasher};
use super::image::{Image, LayerRef};
use super::limits::Budget;
use super::open::{self, Read};
use super::scanned::LayerScan;
use super::store::{Job, Store};
use super::stream::Promise;
use super::totals::Totals;
use super::wanted::Selection;
use super::whole::{self, Part, Shown, Whole};
use super::{Cost, SourceError, invalid};
use crate::analyzer::Analyzers;
use crate::model::location::Layer;

/// Bytes of a blob that are hashed at once.
const BUFFER: usize = 1 << 20;

/// By what a blob is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// Its digest, by which it is asked for.
    Digest(String),
    /// The file that it lies in, and its times.
    File(String),
}

/// See the module.
pub(super) struct Kept<'a> {
    store: &'a Store,
    job: &'a Job,
    cache: &'a LayerCache,
    analyzers: &'a Analyzers<'a>,
    /// Before it is read.
    identity: Identity,
}

impl<'a> Kept<'a> {
    /// `None` where nothing tells whether the blob is the one that was read before.
    pub(super) fn of(
        store: &'a Store,
        job: &'a Job,
        analyzers: &'a Analyzers<'a>,
        cache: &'a LayerCache,
    ) -> Option<Self> {
        Some(Self {
            identity: store.identity(job)?,
            store,
            job,
            cache,
            analyzers,
        })
    }

    /// What the layer said when it was read before, or else the right to read it: of the processes
    /// that share a folder one reads a layer, and the others find what it kept.
    pub(super) fn find_or_turn(&self) -> (Option<LayerScan>, Option<Turn>) {
        if let Some(scan) = self.find(LayerCache::get) {
            return (Some(scan), None);
        }
        let name = match (&self.job.promise.digest, &self.identity) {
            (Some(digest), _) => digest.as_str(),
            (None, Identity::Digest(name) | Identity::File(name)) => name,
        };
        let turn = self.cache.turn(&self.key(name));
        let found = match turn {
            Turn::Free => None,
            Turn::Ours(_) | Turn::Waited => self.find(LayerCache::get_here),
        };
        (found, Some(turn))
    }

    fn find(&self, get: fn(&LayerCache, &str) -> Option<LayerScan>) -> Option<LayerScan> {
        let of = |digest: &str| {
            let scan = get(self.cache, &self.key(digest))?;
            let fits = fits(&self.job.promise, &scan.digest, scan.diff_id.as_deref());
            (*scan.digest == *digest && fits).then_some(scan)
        };
        let identity = match &self.identity {
            Identity::Digest(digest) => return of(digest),
            Identity::File(identity) => identity,
        };
        let known = self.cache.known(identity);
        if let Some(known) = known.as_ref().filter(|_| !self.cache.verifies()) {
            return of(&known.digest);
        }
        // Hashing a blob is much less than reading it, and done only for one that was kept.
        let promised = self.job.promise.digest.as_ref().map(Digest::as_str);
        let scan = of(promised.or(known.as_ref().map(|known| known.digest.as_str()))?)?;
        self.has(&scan.digest).then(|| self.remember(&scan))?;
        Some(scan)
    }

    /// Whether the blob as it lies there has a digest.
    fn has(&self, digest: &str) -> bool {
        let Ok(wanted) = Digest::parse(digest) else {
            return false;
        };
        let Ok(mut blob) = self.store.open(&self.job.name, self.job.promise.size) else {
            return false;
        };
        let mut hasher = Hasher::new(wanted.algorithm());
        let mut buffer = vec![0; BUFFER];
        loop {
            match blob.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => hasher.update(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Whoever reads it says why.
                Err(_) => return false,
            }
        }
        let is_same = self.store.identity(self.job).as_ref() == Some(&self.identity);
        hasher.finish() == wanted && is_same
    }

    fn remember(&self, scan: &LayerScan) {
        if let Identity::File(identity) = &self.identity {
            let known = Known {
                digest: scan.digest.to_string(),
                diff_id: scan.diff_id.as_deref().map(str::to_owned),
            };
            self.cache.remember(identity, &known);
        }
    }

    /// The digest of the blob, where it is known without reading it.
    fn digest(&self) -> Option<String> {
        match &self.identity {
            Identity::Digest(digest) => Some(digest.clone()),
            Identity::File(identity) => {
                let known = self.cache.known(identity)?;
                let fits = fits(&self.job.promise, &known.digest, known.diff_id.as_deref());
                fits.then_some(known.digest)
            }
        }
    }

    /// Keeps what it says, if its blob is still what it was before it was read.
    pub(super) fn put(&self, scan: &LayerScan) {
        if self.store.identity(self.job).as_ref() != Some(&self.identity) {
            return;
        }
        self.cache.put(&self.key(&scan.digest), scan);
        self.remember(scan);
    }

    /// What was read of which blob by whom.
    fn key(&self, digest: &str) -> String {
        let selection = match &self.job.selection {
            Selection::Installed => "first".to_owned(),
            Selection::Again(again) => hex::encode(Sha256::digest(format!("{again:?}"))),
        };
        format!("{}/{selection}", self.analyzers.key(digest))
    }
}

/// Whether digests are those that a manifest and a config promise.
fn fits(promise: &Promise, digest: &str, diff_id: Option<&str>) -> bool {
    let is = |promised: &Option<Digest>, found: Option<&str>| {
        promised
            .as_ref()
            .is_none_or(|promised| Some(promised.as_str()) == found)
    };
    is(&promise.digest, Some(digest)) && is(&promise.diff_id, diff_id)
}

/// The digests of all jobs, where all are known without reading.
fn digests(
    store: &Store,
    jobs: &[Job],
    analyzers: &Analyzers<'_>,
    cache: &LayerCache,
) -> Option<Vec<String>> {
    let digest = |job| Kept::of(store, job, analyzers, cache)?.digest();
    jobs.iter().map(digest).collect()
}

/// The digests of the layers of one image.
fn of_image(all: &[String], numbers: &[Option<usize>]) -> Vec<Option<String>> {
    let digest = |number: &Option<usize>| all.get((*number)?).cloned();
    numbers.iter().map(digest).collect()
}

/// One image that was kept: its layers, what they are called, and what it shows.
type Found = (Vec<Option<Part>>, Vec<Arc<Layer>>, Shown);

/// The images of a target, where all of them were kept; `None` where layers have to be read. Limits on
/// all layers are the same as where they are read.
pub(super) fn images(
    store: &Store,
    jobs: &[Job],
    images: &[Image],
    used: &[Vec<Option<usize>>],
    budget: Budget,
    cache: &LayerCache,
    analyzers: &Analyzers<'_>,
) -> Result<Option<(Vec<Found>, Cost)>, SourceError> {
    let (_, stored) = store.sizes(jobs)?;
    let known = (!cache.verifies()).then(|| digests(store, jobs, analyzers, cache));
    let Some(known) = known.flatten() else {
        return Ok(None);
    };
    let totals = Totals::new(budget, stored);
    let mut counted = BTreeSet::new();
    let mut all = Vec::new();
    for (image, numbers) in images.iter().zip(used) {
        let digests = of_image(&known, numbers);
        let key = whole::key(&image.layers, &digests, analyzers, budget);
        let Some(mut whole) = cache.image(&key) else {
            return Ok(None);
        };
        let parts = std::mem::take(&mut whole.parts);
        let is_it = |((part, digest), layer): ((&Option<Part>, &Option<String>), &LayerRef)| {
            let Some(part) = part else {
                return digest.is_none();
            };
            let fits = fits(&layer.promise, &part.digest, part.diff_id.as_deref());
            fits && digest.as_deref() == Some(&*part.digest)
        };
        let is_same = parts.len() == digests.len() && digests.len() == image.layers.len();
        let layers = parts.iter().zip(&digests).zip(&image.layers);
        let places = open::places(image, &parts);
        let shown = whole.shown(&places);
        let (true, Some(shown)) = (is_same && layers.clone().all(is_it), shown) else {
            return Ok(None);
        };
        for (part, number) in parts.iter().zip(numbers) {
            if let Some(part) = part.as_ref().filter(|_| counted.insert(*number)) {
                let counts = totals.unpack(part.unpacked);
                let counts = counts.and_then(|()| totals.keep(part.kept));
                counts.map_err(|stop| invalid("layers", stop.cause()))?;
            }
        }
        all.push((parts, places, shown));
    }
    Ok(Some((all, totals.cost())))
}

/// Keeps what an image shows, where all of its layers are known again.
pub(super) fn keep_image(
    read: &Read<'_>,
    image: &Image,
    numbers: &[Option<usize>],
    parts: &[Option<Part>],
    shown: &Shown,
) {
    let Some(cache) = read.cache else {
        return;
    };
    if read.store.parts().is_some() {
        return; // what was read partially, and why not, is that of this run
    }
    let Some(known) = digests(read.store, read.jobs, read.analyzers, cache) else {
        return;
    };
    let digests = of_image(&known, numbers);
    let read_ones = parts
        .iter()
        .map(|part| part.as_ref().map(|part| &*part.digest));
    if !read_ones.eq(digests.iter().map(Option::as_deref)) {
        return;
    }
    let numbers = numbers.iter().flatten();
    if !numbers
        .filter_map(|number| read.scans.get(*number))
        .all(cache::is_whole)
    {
        return;
    }
    if let Some(whole) = Whole::of(parts.to_vec(), shown) {
        let key = whole::key(&image.layers, &digests, read.analyzers, read.budget);
        cache.put_image(&key, &whole);
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::path::Path;

    use super::super::store::directory;
    use super::super::tests::ANALYZERS;
    use super::*;

    fn scan(digest: &str) -> LayerScan {
        LayerScan {
            digest: digest.into(),
            ..LayerScan::default()
        }
    }

    /// A blob of the demo, which has been lying there for longer than a moment.
    fn blob() -> (Store, String) {
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/demo/image");
        let mut names: Vec<_> = std::fs::read_dir(demo.join("blobs/sha256"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        (directory(&demo), names.remove(0))
    }

    fn job(hex: &str, digest: Option<&str>) -> Job {
        Job {
            name: format!("blobs/sha256/{hex}"),
            place: String::new(),
            promise: Promise {
                digest: digest.map(|digest| Digest::parse(digest).unwrap()),
                ..Promise::default()
            },
            selection: Selection::Installed,
        }
    }

    #[test]
    fn a_blob_that_is_not_known_is_hashed_and_one_that_is_only_where_that_is_wanted() {
        let (store, hex) = blob();
        let (right, other) = (
            format!("sha256:{hex}"),
            format!("sha256:{}", "0".repeat(64)),
        );
        let folder = tempfile::tempdir().unwrap();
        let cache = LayerCache::new(folder.path().join("c"), cache::MAX_BYTES);
        let verifying = cache.clone().verifying();
        let (plain, promised) = (job(&hex, None), job(&hex, Some(&right)));
        let forged = job(&hex, Some(&other));
        let find = |job: &Job, cache: &LayerCache| {
            let kept = Kept::of(&store, job, &ANALYZERS, cache).unwrap();
            kept.find(LayerCache::get)
        };
        let kept = Kept::of(&store, &plain, &ANALYZERS, &cache).unwrap();
        for digest in [&right, &other] {
            cache.put(&kept.key(digest), &scan(digest));
        }
        // Nothing says which it is; what the manifest says is verified.
        assert_eq!(find(&plain, &cache), None);
        assert_eq!(find(&forged, &cache), None);
        assert_eq!(find(&plain, &cache), None);
        assert_eq!(find(&promised, &cache), Some(scan(&right)));
        assert_eq!(find(&plain, &cache), Some(scan(&right)));
        assert_eq!(find(&plain, &verifying), Some(scan(&right)));
        // A blob that was changed without a trace.
        let Identity::File(identity) = &kept.identity else {
            panic!("a file on this disk");
        };
        let known = Known {
            digest: other.clone(),
            diff_id: None,
        };
        cache.remember(identity, &known);
        assert_eq!(find(&plain, &cache), Some(scan(&other)));
        assert_eq!(find(&plain, &verifying), None);
        assert_eq!(find(&promised, &verifying), Some(scan(&right)));
    }
}
