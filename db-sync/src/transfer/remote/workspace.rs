//! A private folder of the system's temporary directory, for what is packed
//! before it is pushed. A process that is killed leaves its folder behind, as
//! large as a database: the next push removes folders whose owner is gone.
//! Owners hold a lock in theirs, which the system lets go of when they end.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;
use tempfile::TempDir;

const PREFIX: &str = "portcullis-push-";
const LOCK: &str = "lock";

/// The folder; it goes with this value.
pub(super) struct Workspace {
    folder: TempDir,
    _lock: File,
}

impl Workspace {
    pub(super) fn new() -> io::Result<Self> {
        Self::within(&std::env::temp_dir())
    }

    fn within(root: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(root)?;
        sweep(root, folder.path());
        // Locked before it has the name that a sweep looks for.
        let unnamed = folder.path().join("unnamed");
        let lock = File::create_new(&unnamed)?;
        lock.try_lock()?;
        fs::rename(&unnamed, folder.path().join(LOCK))?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the folders that killed processes of this user left. What cannot be
/// removed does no harm.
fn sweep(root: &Path, own: &Path) {
    let (Ok(entries), Ok(own)) = (fs::read_dir(root), fs::symlink_metadata(own)) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let is_ours = name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
            && entry
                .metadata()
                .is_ok_and(|data| data.is_dir() && is_same_user(&data, &own));
        if !is_ours {
            continue;
        }
        let lock = OpenOptions::new().write(true).open(entry.path().join(LOCK));
        if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(unix)]
fn is_same_user(left: &Metadata, right: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    left.uid() == right.uid()
}

/// Elsewhere everybody has a temporary directory of their own.
#[cfg(not(unix))]
fn is_same_user(_: &Metadata, _: &Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::{LOCK, PREFIX, Workspace};
    use std::fs;
    use tempfile::TempDir;

    #[test]
    fn folders_of_the_dead_go_and_those_of_the_living_stay() {
        let root = TempDir::new().expect("directory");
        let at = |name: &str| root.path().join(format!("{PREFIX}{name}"));
        for name in ["dead", "just-begun"] {
            fs::create_dir(at(name)).expect("folder");
            fs::write(at(name).join("advisories.pcdb"), "large").expect("write");
        }
        fs::write(at("dead").join(LOCK), "").expect("write");
        fs::write(at("file"), "").expect("write");
        let living = Workspace::within(root.path()).expect("workspace");
        fs::write(living.path().join("database"), "").expect("write");
        let other = Workspace::within(root.path()).expect("workspace");
        assert!(living.path().join("database").exists());
        assert!(!at("dead").exists());
        assert!(at("just-begun").exists() && at("file").exists());
        drop((living, other));
        assert_eq!(fs::read_dir(root.path()).expect("list").count(), 2);
    }
}
