//! Layers that were read before: what one said, kept under its verified digest and the versions of
//! everything that read it, so that a second scan reads only what is new.
//!
//! The digest of a blob in a registry is its name, and what has that name was verified when it was
//! read. A blob on this disk is known again by device, inode, length and times, and is hashed again
//! where one of them differs. Whoever may write to the folder decides what later
//! scans see: it is as much to be trusted as this program. What is broken in it is passed over and
//! written anew; what a limit cut is never kept.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::scanned::LayerScan;
use crate::model::gap::GapKind;

/// How an entry begins; grows whenever its shape changes.
const MAGIC: &[u8] = b"portcullis layer 2\n";

/// Bytes of an entry, packed and unpacked: facts are bounded where they are made.
const MAX_ENTRY: u64 = 256 << 20;

/// Bytes of all entries. Beyond them the oldest are removed.
pub const MAX_BYTES: u64 = 2 << 30;

/// A file that was changed so shortly before it was read may be changed again without a new time.
const SETTLED: Duration = Duration::from_secs(2);

/// A folder of layers that were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerCache {
    directory: PathBuf,
    limit: u64,
}

/// Digests of a blob that were verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) digest: String,
    pub(super) diff_id: Option<String>,
}

impl LayerCache {
    /// In a folder, which is made when something is kept.
    pub const fn new(directory: PathBuf, limit: u64) -> Self {
        Self { directory, limit }
    }

    fn path(&self, kind: &str, name: &str) -> PathBuf {
        let name = hex::encode(Sha256::digest(name.as_bytes()));
        let (start, rest) = name.split_at_checked(2).unwrap_or((&name, ""));
        self.directory.join(kind).join(start).join(rest)
    }

    /// The digests of a blob that is the same as when it was read.
    pub(super) fn known(&self, identity: &str) -> Option<Known> {
        let text = unpacked(&self.path("blobs", identity))?;
        let text = String::from_utf8(text).ok()?;
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
        // Without it the next scan reads the blob again, no more.
        let _ = keep(&self.path("blobs", identity), text.trim_end().as_bytes());
    }

    /// What a layer said.
    pub(super) fn get(&self, key: &str) -> Option<LayerScan> {
        serde_json::from_slice(&unpacked(&self.path("layers", key))?).ok()
    }

    /// Keeps what a layer said, unless a limit cut it.
    pub(super) fn put(&self, key: &str, scan: &LayerScan) {
        let files = scan.files.iter().chain(&scan.replaced);
        let readings = files.flat_map(|file| &file.readings);
        let mut gaps = readings.flat_map(|reading| &reading.facts.gaps);
        let is_cut = |kind: GapKind| matches!(kind, GapKind::Limit | GapKind::Internal);
        if gaps.any(|gap| is_cut(gap.kind)) || scan.gaps.iter().any(|gap| is_cut(gap.kind)) {
            return;
        }
        if let Ok(json) = serde_json::to_vec(scan) {
            // As above.
            let _ = keep(&self.path("layers", key), &json);
        }
    }

    /// Removes the oldest entries beyond the limit; once for all layers of a run, since it looks at
    /// every entry.
    pub(super) fn tidy(&self) {
        let mut all = Vec::new();
        let mut total = 0_u64;
        for kind in ["blobs", "layers"] {
            for folder in listed(&self.directory.join(kind)) {
                for path in listed(&folder) {
                    // One that another run removed meanwhile is none.
                    if let Ok(data) = fs::metadata(&path) {
                        total = total.saturating_add(data.len());
                        let time = data.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                        all.push((time, path, data.len()));
                    }
                }
            }
        }
        if total <= self.limit {
            return;
        }
        all.sort();
        for (_, path, length) in all {
            if total <= self.limit / 4 * 3 {
                break;
            }
            if fs::remove_file(path).is_ok() {
                total = total.saturating_sub(length);
            }
        }
    }
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// Writes an entry, whole or not at all.
fn keep(path: &Path, content: &[u8]) -> io::Result<()> {
    let packed = zstd::bulk::compress(content, 1)?;
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(MAGIC)?;
    file.write_all(&Sha256::digest(&packed))?;
    file.write_all(&packed)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The content of an entry; `None` if there is none, or none that is whole.
fn unpacked(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(MAX_ENTRY).read_to_end(&mut bytes).ok()?;
    let rest = bytes.strip_prefix(MAGIC)?;
    let (sum, packed) = rest.split_at_checked(32)?;
    if Sha256::digest(packed).as_slice() != sum {
        return None;
    }
    let mut content = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(packed).ok()?;
    decoder.take(MAX_ENTRY).read_to_end(&mut content).ok()?;
    Some(content)
}

/// By what a file is known again; `None` where the system does not say, or where it was changed a
/// moment ago.
pub(super) fn identity(path: &Path, part: &str) -> Option<String> {
    let data = fs::symlink_metadata(path)
        .ok()
        .filter(fs::Metadata::is_file)?;
    of_data(&data, part)
}

#[cfg(unix)]
fn of_data(data: &fs::Metadata, part: &str) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;

    let changed = u64::try_from(data.ctime()).ok()?;
    let changed = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(changed))?;
    let age = now().duration_since(changed).ok()?;
    (age > SETTLED).then(|| {
        format!(
            "{}:{}:{}:{}.{}:{}.{}:{part}",
            data.dev(),
            data.ino(),
            data.len(),
            data.mtime(),
            data.mtime_nsec(),
            data.ctime(),
            data.ctime_nsec()
        )
    })
}

#[cfg(unix)]
#[expect(
    clippy::disallowed_methods,
    reason = "whether a file may still change is a question to the clock, and no answer of it is in a report"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(not(unix))]
fn of_data(_data: &fs::Metadata, _part: &str) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gap::{Gap, Stage};
    use crate::model::location::Location;

    fn scan(digest: &str) -> LayerScan {
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
        let path = cache.path("layers", "a");
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
            let path = cache.path("layers", &number.to_string());
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
