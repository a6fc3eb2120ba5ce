//! A [`Root`] for the evaluator of infrastructure code, which reads what it needs by itself: each
//! file that it reads is remembered, and shown to the watchers when it is read for the first time.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rules::files::{DirEntry, Files};

use super::{EntryKind, MAX_TERRAFORM_FILE, Root, file};
use crate::analyzer::{Analyzers, Entry, Reading, Tee};

/// See the module.
pub(crate) struct Watched<'a> {
    root: &'a dyn Root,
    analyzers: &'a Analyzers<'a>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    read: BTreeSet<String>,
    /// By real path, what the watchers said.
    readings: Vec<(String, Reading)>,
    watched: BTreeSet<String>,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(root: &'a dyn Root, analyzers: &'a Analyzers<'a>) -> Self {
        Self {
            root,
            analyzers,
            seen: Mutex::default(),
        }
    }

    /// Those whose watchers see what is read.
    pub(crate) const fn analyzers(&self) -> &'a Analyzers<'a> {
        self.analyzers
    }

    /// The files below it.
    pub(crate) const fn root(&self) -> &'a dyn Root {
        self.root
    }

    /// The paths that were read, for the ledger.
    pub(crate) fn read_paths(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.seen().read)
    }

    /// What watchers said of the files that were read, and the real paths of these.
    pub(crate) fn watched(&self) -> (Vec<(String, Reading)>, BTreeSet<String>) {
        let mut seen = self.seen();
        (
            std::mem::take(&mut seen.readings),
            std::mem::take(&mut seen.watched),
        )
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self, path: &str, bytes: &[u8]) {
        if !self.analyzers.sees_all() || !self.seen().watched.insert(path.to_owned()) {
            return;
        }
        let entry = Entry {
            path,
            size: bytes.len() as u64,
            is_executable: false,
        };
        let tee = Tee::new(bytes, self.analyzers.watch(&entry));
        // A slice has no faults.
        let said = tee.finish().unwrap_or_default();
        let said = said.into_iter().map(|reading| (path.to_owned(), reading));
        self.seen().readings.extend(said);
    }
}

/// A path below the root as text with `/`; `None` where it is not UTF-8.
fn text(path: &Path) -> Option<String> {
    Some(path.to_str()?.replace(std::path::MAIN_SEPARATOR, "/"))
}

impl Files for Watched<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let real = file(self.root, Path::new(path))?;
        let blob = self.root.open(&real.path)?;
        {
            let mut seen = self.seen();
            if !seen.read.contains(path) {
                seen.read.insert(path.to_owned());
            }
        }
        let mut bytes = Vec::new();
        let most = MAX_TERRAFORM_FILE.saturating_add(1);
        blob.take(most).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_TERRAFORM_FILE {
            let cause = format!("larger than {MAX_TERRAFORM_FILE} bytes");
            return Err(io::Error::other(cause));
        }
        if let Some(real) = text(&real.path) {
            self.watch(&real, &bytes);
        }
        Ok(bytes)
    }

    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        let real = self.root.follow(Path::new(path))?;
        let mut entries = Vec::new();
        for item in self.root.list(&real.path)? {
            let is_dir = match item.kind {
                EntryKind::Directory => true,
                EntryKind::Link => {
                    let to = self.root.follow(&real.path.join(&item.name));
                    to.is_ok_and(|to| to.kind == EntryKind::Directory)
                }
                EntryKind::File | EntryKind::Special | EntryKind::Submodule => false,
            };
            if let Ok(name) = item.name.into_string() {
                entries.push(DirEntry { name, is_dir });
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn is_file(&self, path: &str) -> bool {
        file(self.root, Path::new(path)).is_ok()
    }

    fn real(&self, path: &str) -> io::Result<String> {
        let real = self.root.follow(Path::new(path))?;
        text(&real.path).ok_or_else(|| io::Error::other("a name that is not UTF-8"))
    }

    fn place_of(&self, absolute: &Path) -> Option<String> {
        let root = self.root.place()?.canonicalize().ok()?;
        text(absolute.strip_prefix(root).ok()?)
    }
}
