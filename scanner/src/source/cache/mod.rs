//! Layers that were read before: what one said, kept under its verified digest and the versions of
//! everything that read it, so that a second scan reads only what is new; and what whole images show,
//! under the digests of their layers. In a folder of this machine, in a store that the jobs of a
//! company share, or in both: what comes from the store is kept in the folder, too.
//!
//! The digest of a blob in a registry is its name, and what has that name was verified when it was
//! read. A blob on this disk is known again by its device, inode, length and times, and is hashed
//! again where that differs or where the user wants it. Whoever may write to the folder or to the
//! store decides what later scans see, unless entries are signed (`entry`). What is broken is passed
//! over and written anew; what a limit cut is never kept.

use std::path::PathBuf;
use std::sync::Arc;

use super::scanned::LayerScan;
use super::whole::Whole;
use crate::model::facts::Facts;
use crate::model::gap::{Gap, GapKind};

mod entry;
mod identity;
mod local;
mod shared;

use entry::Seal;
pub(super) use identity::identity;
use local::Local;
pub(super) use local::Turn;
pub use shared::{Objects, Shared};

/// Bytes of all entries of the folder. Beyond them the oldest are removed.
pub const MAX_BYTES: u64 = 2 << 30;

/// Layers that were read.
#[derive(Clone, Debug, Default)]
pub struct LayerCache {
    local: Option<Local>,
    shared: Option<Arc<Shared>>,
    seal: Seal,
    verify: bool,
}

/// Digests of a blob that were verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) digest: String,
    pub(super) diff_id: Option<String>,
}

impl LayerCache {
    /// In a folder, which is made when something is kept.
    pub fn new(directory: PathBuf, limit: u64) -> Self {
        Self {
            local: Some(Local::new(directory, limit)),
            ..Self::default()
        }
    }

    /// In a store, too.
    pub fn shared(mut self, store: Shared) -> Self {
        self.shared = Some(Arc::new(store));
        self
    }

    /// With entries that are signed with a key.
    pub fn signed(mut self, key: &str) -> Self {
        self.seal = Seal::new(key);
        self
    }

    /// Hashes blobs on this disk again, whatever their times say.
    pub const fn verifying(mut self) -> Self {
        self.verify = true;
        self
    }

    /// Whether blobs on this disk are hashed again.
    pub(super) const fn verifies(&self) -> bool {
        self.verify
    }

    /// What became of the store, where it did not answer as it should.
    pub fn notes(&self) -> Vec<String> {
        self.shared
            .iter()
            .filter_map(|shared| shared.note())
            .collect()
    }

    /// The digests of a blob that is the same as when it was read.
    pub(super) fn known(&self, identity: &str) -> Option<Known> {
        // Inodes are those of this machine, and mean nothing in a store.
        let text = String::from_utf8(self.here("blobs", identity)?).ok()?;
        let mut lines = text.lines();
        let digest = lines.next()?.to_owned();
        Some(Known {
            digest,
            diff_id: lines.next().map(str::to_owned),
        })
    }

    /// Remembers the digests of a blob.
    pub(super) fn remember(&self, identity: &str, known: &Known) {
        let diff_id = known.diff_id.as_deref().unwrap_or_default();
        let text = format!("{}\n{diff_id}", known.digest);
        let name = self.seal.name("blobs", identity);
        if let (Some(local), Ok(entry)) = (
            &self.local,
            self.seal.pack(&name, text.trim_end().as_bytes()),
        ) {
            local.write("blobs", &name, &entry);
        }
    }

    /// What a layer said.
    pub(super) fn get(&self, key: &str) -> Option<LayerScan> {
        serde_json::from_slice(&self.load("layers", key)?).ok()
    }

    /// The same, without asking the store.
    pub(super) fn get_here(&self, key: &str) -> Option<LayerScan> {
        serde_json::from_slice(&self.here("layers", key)?).ok()
    }

    /// Waits until no other process of this machine reads a layer.
    pub(super) fn turn(&self, key: &str) -> Turn {
        match &self.local {
            Some(local) => local.turn(&self.seal.name("locks", key)),
            None => Turn::Free,
        }
    }

    /// Keeps what a layer said, unless a limit cut it.
    pub(super) fn put(&self, key: &str, scan: &LayerScan) {
        if is_whole(scan)
            && let Ok(json) = serde_json::to_vec(scan)
        {
            self.keep("layers", key, &json);
        }
    }

    /// What an image shows.
    pub(super) fn image(&self, key: &str) -> Option<Whole> {
        serde_json::from_slice(&self.load("images", key)?).ok()
    }

    /// Keeps what an image shows. Whoever calls this knows that no limit cut it.
    pub(super) fn put_image(&self, key: &str, image: &Whole) {
        if let Ok(json) = serde_json::to_vec(image) {
            self.keep("images", key, &json);
        }
    }

    /// Removes the oldest entries of the folder beyond its limit.
    pub(super) fn tidy(&self) {
        if let Some(local) = &self.local {
            local.tidy();
        }
    }

    /// The content of an entry of the folder; `None` if there is none, or none that is whole.
    fn here(&self, kind: &str, of: &str) -> Option<Vec<u8>> {
        let name = self.seal.name(kind, of);
        let entry = self.local.as_ref()?.read(kind, &name)?;
        self.seal.unpack(&name, &entry)
    }

    /// The content of an entry, wherever it is.
    fn load(&self, kind: &str, of: &str) -> Option<Vec<u8>> {
        if let Some(content) = self.here(kind, of) {
            return Some(content);
        }
        let shared = self.shared.as_ref()?;
        let name = self.seal.name(kind, of);
        let entry = shared.get(kind, &name)?;
        let content = self.seal.unpack(&name, &entry);
        match (&content, &self.local) {
            (None, _) => shared.is_broken(&name),
            (Some(_), Some(local)) => local.write(kind, &name, &entry),
            (Some(_), None) => {}
        }
        content
    }

    fn keep(&self, kind: &str, of: &str, content: &[u8]) {
        let name = self.seal.name(kind, of);
        // Without it the next scan reads the layer again, no more.
        let Ok(entry) = self.seal.pack(&name, content) else {
            return;
        };
        if let Some(local) = &self.local {
            local.write(kind, &name, &entry);
        }
        if let Some(shared) = &self.shared {
            shared.put(kind, &name, &entry);
        }
    }
}

/// Whether no limit cut what a layer said.
pub(super) fn is_whole(scan: &LayerScan) -> bool {
    let files = scan.files.iter().chain(&scan.replaced);
    let readings = files.flat_map(|file| &file.readings);
    are_whole(readings.map(|reading| &reading.facts), &scan.gaps)
}

/// Whether no limit cut any of these.
pub(super) fn are_whole<'a>(facts: impl Iterator<Item = &'a Facts>, gaps: &'a [Gap]) -> bool {
    let is_cut = |gap: &Gap| matches!(gap.kind, GapKind::Limit | GapKind::Internal);
    !facts.flat_map(|facts| &facts.gaps).chain(gaps).any(is_cut)
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    use super::local::listed;
    use super::*;
    use crate::model::gap::Stage;
    use crate::model::location::Location;

    /// Where the entry of a layer is.
    fn path(cache: &LayerCache, key: &str) -> PathBuf {
        let local = cache.local.as_ref().unwrap();
        local.path("layers", &cache.seal.name("layers", key))
    }

    pub(super) fn scan(digest: &str) -> LayerScan {
        LayerScan {
            digest: digest.into(),
            ..LayerScan::default()
        }
    }

    #[test]
    fn what_was_kept_is_found_and_what_is_broken_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let cache = LayerCache::new(folder.path().join("c"), MAX_BYTES);
        assert_eq!(cache.get("a"), None);
        cache.put("a", &scan("sha256:a"));
        assert_eq!(cache.get("a"), Some(scan("sha256:a")));
        assert_eq!(cache.get("b"), None);
        let path = path(&cache, "a");
        let whole = fs::read(&path).unwrap();
        for (at, byte) in whole.iter().enumerate() {
            let mut damaged = whole.clone();
            damaged[at] = byte ^ 1;
            fs::write(&path, damaged).unwrap();
            assert_eq!(cache.get("a"), None, "{at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(cache.get("a"), None, "{at}");
        }
        cache.put("a", &scan("sha256:a"));
        assert_eq!(cache.get("a"), Some(scan("sha256:a")));
        let known = Known {
            digest: "sha256:a".to_owned(),
            diff_id: None,
        };
        cache.remember("x", &known);
        assert_eq!(cache.known("x"), Some(known));
    }

    #[test]
    fn what_a_limit_cut_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = LayerCache::new(folder.path().to_owned(), MAX_BYTES);
        let mut cut = scan("sha256:a");
        let place = Location::file("x");
        cut.gaps.push(Gap::warning(
            Stage::Source,
            GapKind::Limit,
            place,
            "too long",
        ));
        cache.put("a", &cut);
        assert_eq!(cache.get("a"), None);
    }

    #[test]
    fn the_oldest_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = LayerCache::new(folder.path().to_owned(), 1000);
        for number in 0..20 {
            cache.put(&number.to_string(), &scan("sha256:a"));
            let path = path(&cache, &number.to_string());
            if let Ok(file) = File::options().write(true).open(path) {
                let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1000 + number);
                file.set_modified(time).unwrap();
            }
            cache.tidy();
        }
        assert_eq!(cache.get("0"), None);
        assert!(cache.get("19").is_some());
        let files = ["layers"]
            .iter()
            .flat_map(|kind| listed(&folder.path().join(kind)));
        let total: u64 = files
            .flat_map(|folder| listed(&folder))
            .map(|path| fs::metadata(path).unwrap().len())
            .sum();
        assert!(total <= 1000, "{total}");
    }
}
