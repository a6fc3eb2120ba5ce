//! The place of a file that is replaced as a whole: who may write there, where
//! it really is, and what killed writers left beside it.
//!
//! Writers of one file take turns: each holds `<file>.sync/lock` until it is
//! done, and the system lets go of it when a process ends in whatever way.
//! Readers take no lock. A symbolic link stays as it is, and the file that it
//! points to is replaced. Scratch files carry the name of their file, so that
//! whoever holds its lock knows that those he finds belong to nobody any more.

pub(crate) use remote::fetch::{beside, replace};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// How long a writer waits for another one, unless it is told otherwise.
pub(crate) const LOCK_WAIT: Duration = Duration::from_secs(600);
/// How often a waiting writer looks for the lock.
const LOOK: Duration = Duration::from_millis(20);
/// Links from one to the next; as many as Linux follows.
const MAX_LINKS: usize = 40;
/// Letters and digits at the end of a scratch file's name.
const RANDOM: usize = 6;

/// Why nothing may be written at a place.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Another process writes there, and did not end in time.
    #[error("another process updates {}", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// There is something that is no file.
    #[error("{} is {what}, and no file that could be replaced", path.display())]
    NoFile {
        /// What was to be written.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// The lock or the directory cannot be used.
    #[error("cannot write {}", path.display())]
    Unusable {
        /// What was to be written.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// The right to replace one file; it ends with this value.
#[derive(Debug)]
pub(crate) struct Place {
    target: PathBuf,
    folder: PathBuf,
    lock: File,
}

impl Place {
    /// Waits for the lock of `path`, then removes what killed writers left.
    pub(crate) fn claim(path: &Path, wait: Duration) -> Result<Self, PlaceError> {
        let unusable = |source| PlaceError::Unusable {
            path: path.to_owned(),
            source,
        };
        let target = resolved(path).map_err(unusable)?;
        if let Ok(data) = fs::metadata(&target)
            && !data.is_file()
        {
            let what = if data.is_dir() {
                "a directory"
            } else {
                "a device, a pipe or a socket"
            };
            let path = path.to_owned();
            return Err(PlaceError::NoFile { path, what });
        }
        if target.file_name().is_none() {
            return Err(unusable(io::ErrorKind::InvalidFilename.into()));
        }
        let folder = beside(&target, ".sync");
        let file = folder.join("lock");
        let start = Instant::now();
        let lock = loop {
            let waited = start.elapsed() >= wait;
            if let Some(lock) = locked(&folder, &file).map_err(unusable)? {
                break lock;
            }
            if waited {
                let path = path.to_owned();
                return Err(PlaceError::Locked { path });
            }
            std::thread::sleep(LOOK);
        };
        let place = Self {
            target,
            folder,
            lock,
        };
        place.sweep();
        Ok(place)
    }

    /// The file itself, where no link leads on.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The folder beside the file; it holds the lock and what a writer keeps.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes scratch files: whoever made them held the lock, and has gone.
    /// What cannot be removed does no harm.
    fn sweep(&self) {
        let prefix = scratch_prefix(&self.target);
        let Ok(entries) = fs::read_dir(directory(&self.target)) else {
            return;
        };
        for entry in entries.filter_map(Result::ok) {
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_file && is_scratch(&entry.file_name(), &prefix) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

impl Drop for Place {
    /// Leaves nothing behind where nothing else is kept. The file goes while
    /// it is still locked: who waits for it sees that it is gone, and begins anew.
    fn drop(&mut self) {
        if cfg!(unix) {
            let _ = fs::remove_file(self.folder.join("lock"));
            let _ = fs::remove_dir(&self.folder);
        }
        let _ = self.lock.unlock();
    }
}

/// The lock, or `None` where another process has it or took the file away.
fn locked(folder: &Path, file: &Path) -> io::Result<Option<File>> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let opened = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(file);
    let lock = match opened {
        Ok(lock) => lock,
        // The last holder removed the folder at this moment.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match lock.try_lock() {
        Ok(()) if is_at(&lock, file) => Ok(Some(lock)),
        Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether this very file is still the one at the path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok((own, there)) = file
        .metadata()
        .and_then(|own| Ok((own, fs::symlink_metadata(path)?)))
    else {
        return false;
    };
    (own.dev(), own.ino()) == (there.dev(), there.ino())
}

/// Elsewhere the file stays where it is.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Where a chain of symbolic links ends, whether or not something is there.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut at = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&at) {
            // A relative link begins at the directory that it lies in.
            Ok(to) => at = directory(&at).join(to),
            Err(_) => return Ok(at),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

fn scratch_prefix(target: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(target.file_name().unwrap_or_default());
    prefix.push(".new-");
    prefix
}

/// Whether a name is one that [`scratch`] gives: the whole of it counts, so
/// that the scratch files of a file with a longer name are left alone.
fn is_scratch(name: &OsStr, prefix: &OsStr) -> bool {
    let random = name
        .as_encoded_bytes()
        .strip_prefix(prefix.as_encoded_bytes());
    random.is_some_and(|random| {
        random.len() == RANDOM && random.iter().all(u8::is_ascii_alphanumeric)
    })
}

/// A new file beside `target`, for whoever holds its [`Place`].
pub(crate) fn scratch(target: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(&scratch_prefix(target))
        .rand_bytes(RANDOM)
        .tempfile_in(directory(target))
}

/// The directory that a file lies in.
pub(crate) fn directory(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, PlaceError, scratch};
    use std::fs;
    use std::time::Duration;
    use tempfile::TempDir;

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn one_writer_at_a_time_and_nothing_stays() {
        let directory = TempDir::new().expect("directory");
        let path = directory.path().join("a.db");
        let place = Place::claim(&path, NOW).expect("free");
        let refused = Place::claim(&path, NOW).expect_err("held");
        assert!(matches!(refused, PlaceError::Locked { .. }));
        Place::claim(&directory.path().join("b.db"), NOW).expect("another file");
        let waiting = std::thread::spawn(move || Place::claim(&path, Duration::from_secs(20)));
        std::thread::sleep(Duration::from_millis(60));
        drop(place);
        drop(waiting.join().expect("thread").expect("free again"));
        assert_eq!(fs::read_dir(directory.path()).expect("list").count(), 0);
    }

    #[test]
    fn many_waiting_writers_never_overlap() {
        let directory = TempDir::new().expect("directory");
        let path = directory.path().join("a.db");
        let inside = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let place = Place::claim(&path, Duration::from_secs(60)).expect("turn");
                        let before = inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        assert_eq!(before, 0);
                        std::thread::yield_now();
                        inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        drop(place);
                    }
                });
            }
        });
    }

    #[test]
    fn only_own_scratch_files_are_swept() {
        let directory = TempDir::new().expect("directory");
        let path = directory.path().join("a.db");
        let (_, stale) = scratch(&path).expect("scratch").keep().expect("keep");
        let other = [
            ".a.db.new-abc",
            ".a.db.new-abcdefg",
            ".a.db.new-ab/def".replace('/', "_").as_str(),
            ".b.db.new-abcdef",
            ".a.db.new-x.new-abcdef",
            "a.db.new-abcdef",
        ]
        .map(|name| directory.path().join(name));
        for file in &other {
            fs::write(file, "x").expect("write");
        }
        fs::create_dir(directory.path().join(".a.db.new-folder")).expect("directory");
        drop(Place::claim(&path, NOW).expect("free"));
        assert!(!stale.exists());
        assert!(other.iter().all(|file| file.exists()));
        assert!(directory.path().join(".a.db.new-folder").exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_other_things_refused() {
        let directory = TempDir::new().expect("directory");
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("real")).expect("directory");
        std::os::unix::fs::symlink("real/a.db", at("link")).expect("link");
        std::os::unix::fs::symlink("link", at("link-to-link")).expect("link");
        let place = Place::claim(&at("link-to-link"), NOW).expect("free");
        assert_eq!(place.target(), at("real/a.db"));
        assert!(
            Place::claim(&at("real/a.db"), NOW).is_err(),
            "the same lock"
        );
        std::os::unix::fs::symlink("round", at("round")).expect("link");
        for wrong in ["round", "real", "nowhere/a.db/.."] {
            assert!(Place::claim(&at(wrong), NOW).is_err(), "{wrong}");
        }
        let device = Place::claim(std::path::Path::new("/dev/null"), NOW).expect_err("device");
        assert!(matches!(device, PlaceError::NoFile { .. }));
    }
}
