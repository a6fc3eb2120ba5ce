//! Entries in a folder of this machine: written whole or not at all, the oldest removed beyond a limit,
//! and one reader for each layer among the processes that share the folder.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::entry::MAX_ENTRY;

/// Kinds of entries, each with a folder. A lock is an empty file, left over where a process was killed.
const KINDS: [&str; 4] = ["blobs", "images", "layers", "locks"];

/// How long a process waits for another one that reads the same layer. Then it reads it itself.
const TURN: Duration = Duration::from_secs(120);

/// Between two looks whether the other one is done.
const LOOK: Duration = Duration::from_millis(5);

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Local {
    directory: PathBuf,
    limit: u64,
    /// Whether something was written since it was tidied.
    is_grown: Arc<AtomicBool>,
}

/// The right to read a layer, until it is dropped.
pub(in crate::source) enum Turn {
    /// Nobody else is reading it.
    Ours(#[expect(dead_code, reason = "held until it is dropped")] Held),
    /// Another process was; it is done, or took too long.
    Waited,
    /// Nobody can tell: there are no locks here.
    Free,
}

/// A lock. Who opened its file before it was removed gets it, too, and then finds what was kept.
pub(in crate::source) struct Held {
    path: PathBuf,
    _file: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        // What stays is empty and used again.
        let _ = fs::remove_file(&self.path);
    }
}

impl Local {
    pub(super) fn new(directory: PathBuf, limit: u64) -> Self {
        Self {
            directory,
            limit,
            is_grown: Arc::default(),
        }
    }

    pub(super) fn path(&self, kind: &str, name: &str) -> PathBuf {
        let (start, rest) = name.split_at_checked(2).unwrap_or((name, ""));
        self.directory.join(kind).join(start).join(rest)
    }

    /// An entry, whatever it holds.
    pub(super) fn read(&self, kind: &str, name: &str) -> Option<Vec<u8>> {
        let file = File::open(self.path(kind, name)).ok()?;
        let mut bytes = Vec::new();
        file.take(MAX_ENTRY).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Writes an entry, whole or not at all. Without it the next scan reads the layer again, no
    /// more, so that nobody needs to know why it failed.
    pub(super) fn write(&self, kind: &str, name: &str, entry: &[u8]) {
        if persist(&self.path(kind, name), entry).is_ok() {
            self.is_grown.store(true, Ordering::Relaxed);
        }
    }

    /// Waits until no other process reads the layer with this name.
    pub(super) fn turn(&self, name: &str) -> Turn {
        let path = self.path("locks", name);
        let opened = fs::create_dir_all(path.parent().unwrap_or(&path)).and_then(|()| {
            let mut options = File::options();
            options.create(true).truncate(false).write(true);
            options.open(&path)
        });
        let Ok(file) = opened else {
            return Turn::Free;
        };
        let start = Instant::now();
        let mut has_waited = false;
        loop {
            match file.try_lock() {
                // Who has waited finds what it waited for, or reads beside others: layers that are
                // never kept must not be read by one process after the other.
                Ok(()) if has_waited => return Turn::Waited,
                Ok(()) => return Turn::Ours(Held { path, _file: file }),
                Err(TryLockError::WouldBlock) if start.elapsed() < TURN => {
                    has_waited = true;
                    std::thread::sleep(LOOK);
                }
                Err(TryLockError::WouldBlock) => return Turn::Waited,
                Err(TryLockError::Error(_)) => return Turn::Free,
            }
        }
    }

    /// Removes the oldest entries beyond the limit, where something was added; once for all layers of
    /// a run, since it looks at every entry.
    pub(super) fn tidy(&self) {
        if !self.is_grown.swap(false, Ordering::Relaxed) {
            return;
        }
        let mut all = Vec::new();
        let mut total = 0_u64;
        for kind in KINDS {
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

pub(super) fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn persist(path: &Path, entry: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(entry)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
