//! The RustSec tree out of a git repository: the tip's advisories and nothing
//! else. What was fetched is noted with the tip's id and a digest, so that an
//! unchanged tip costs two small requests, and a tree that was changed on disk
//! is fetched again.

use super::{MAX_ADVISORY, NAME, Tree, digest_of, place};
use crate::problem::Warning;
use crate::store::place::replace;
use crate::sync::SyncError;
use crate::sync::cache::{self, Cache};
use remote::fetch::{Access, FetchError};
use remote::git::{Bounds, Entry, EntryKind, Remote, Snapshot};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

/// Advisory files of one tree, and their bytes: a small pack can name one
/// file in very many places.
const MAX_FILES: usize = 100_000;
const MAX_BYTES: u64 = 512 << 20;
/// Entries of trees that are looked at: one tree may stand in many places.
const MAX_ENTRIES: usize = 1_000_000;
/// Warnings about single entries.
const MAX_WARNINGS: usize = 100;
/// What was fetched last.
const NOTE: &str = "rustsec.git";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    url: String,
    tip: String,
    digest: String,
    warnings: Vec<String>,
}

impl Note {
    /// The tree, if it lies there unchanged.
    fn tree(&self, cache: &Cache) -> Option<Tree> {
        let path = cache.file(&folder(&self.tip)?);
        let unchanged = path.is_dir() && digest_of(&path).ok()? == self.digest;
        let warnings = self.warnings.iter();
        unchanged.then(|| Tree {
            path,
            digest: self.digest.clone(),
            from: String::new(),
            warnings: warnings
                .map(|cause| Warning::new(NAME, "", cause))
                .collect(),
        })
    }
}

/// The folder of a tip's tree.
fn folder(tip: &str) -> Option<String> {
    let start = tip.get(..16)?;
    let is_hex = start.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| format!("rustsec-{start}"))
}

pub(super) fn tree(
    url: &str,
    offline: bool,
    access: &Access,
    cache: &Cache,
) -> Result<Tree, SyncError> {
    let path = cache.file(NOTE);
    let note: Option<Note> =
        cache::read(&path)?.and_then(|text| serde_json::from_slice(&text).ok());
    if offline {
        let kept = note.and_then(|note| note.tree(cache));
        return kept.ok_or_else(|| SyncError::Missing {
            what: format!("{url} (nothing of it was fetched before)"),
        });
    }
    let remote = Remote::open(url, access, &Bounds::DEFAULT)?;
    let tip = remote.tip()?;
    if let Some(mut note) = note.filter(|note| note.tip == tip.hex())
        && let Some(tree) = note.tree(cache)
    {
        if note.url != url {
            url.clone_into(&mut note.url);
            write(&path, &note)?;
        }
        return Ok(tree);
    }
    let refused = |cause: String| FetchError::Server {
        url: url.to_owned(),
        cause,
    };
    let snapshot = remote.snapshot(&tip)?;
    let name = folder(&tip.hex()).ok_or_else(|| refused("its tip has no name".to_owned()))?;
    let (scratch, tree) = (cache.file("rustsec-unpacked"), cache.file(&name));
    for old in [&scratch, &tree] {
        let _ = fs::remove_dir_all(old);
    }
    let warnings = Unpacking::new(&snapshot, &scratch)
        .run()
        .map_err(|error| match error {
            Refusal::Tree(cause) => SyncError::from(refused(cause)),
            Refusal::Disk(source) => SyncError::Cache {
                path: scratch.clone(),
                source,
            },
        })?;
    fs::rename(&scratch, &tree).map_err(|source| SyncError::Cache {
        path: tree.clone(),
        source,
    })?;
    let note = Note {
        url: url.to_owned(),
        tip: tip.hex(),
        digest: digest_of(&tree)?,
        warnings,
    };
    write(&path, &note)?;
    note.tree(cache).ok_or_else(|| SyncError::Missing {
        what: url.to_owned(),
    })
}

fn write(path: &Path, note: &Note) -> Result<(), SyncError> {
    let failed = |source| SyncError::Cache {
        path: path.to_owned(),
        source,
    };
    let bytes = serde_json::to_vec(note).map_err(|error| failed(error.into()))?;
    replace(path, &bytes).map_err(failed)
}

/// Why a snapshot was not unpacked.
enum Refusal {
    Tree(String),
    Disk(std::io::Error),
}

impl From<String> for Refusal {
    fn from(cause: String) -> Self {
        Self::Tree(cause)
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

struct Unpacking<'a> {
    snapshot: &'a Snapshot,
    to: &'a Path,
    warnings: Vec<String>,
    files: usize,
    bytes: u64,
    seen: usize,
}

impl<'a> Unpacking<'a> {
    fn new(snapshot: &'a Snapshot, to: &'a Path) -> Self {
        Self {
            snapshot,
            to,
            warnings: Vec::new(),
            files: 0,
            bytes: 0,
            seen: 0,
        }
    }

    /// The entries of a folder, counted.
    fn folder(&mut self, entry: &Entry) -> Result<Vec<Entry>, Refusal> {
        let entries = self.snapshot.folder(entry)?;
        // An empty folder is work, too.
        self.seen = self.seen.saturating_add(entries.len()).saturating_add(1);
        if self.seen > MAX_ENTRIES {
            return Err(format!("it has more than {MAX_ENTRIES} files and folders").into());
        }
        Ok(entries)
    }

    /// Writes the advisories; returns what was left out.
    fn run(mut self) -> Result<Vec<String>, Refusal> {
        for collection in self.snapshot.root()? {
            if !matches!(collection.name.as_str(), "crates" | "rust") {
                continue;
            }
            if !self.is(&collection, EntryKind::Folder, &collection.name) {
                continue;
            }
            for package in self.folder(&collection)? {
                let shown = format!("{}/{}", collection.name, package.name);
                if package.kind == EntryKind::File || !self.is(&package, EntryKind::Folder, &shown)
                {
                    continue;
                }
                for file in self.folder(&package)? {
                    self.file(&collection.name, &package.name, &file)?;
                }
            }
        }
        if self.files == 0 {
            return Err(Refusal::Tree("it holds no advisories".to_owned()));
        }
        Ok(self.warnings)
    }

    fn file(&mut self, collection: &str, package: &str, file: &Entry) -> Result<(), Refusal> {
        let shown = format!("{collection}/{package}/{}", file.name);
        if file.kind == EntryKind::Folder || !self.is(file, EntryKind::File, &shown) {
            return Ok(());
        }
        let Some([collection, package, name]) = place(Path::new(&shown)) else {
            // What is no advisory by its name is of no interest, but its folder may be the reason.
            if file.name.starts_with("RUSTSEC-") {
                self.warn(format!("{shown} is left out: its name is not allowed"));
            }
            return Ok(());
        };
        let data = self.snapshot.file(file)?;
        let length = data.len() as u64;
        if length > MAX_ADVISORY {
            self.warn(format!(
                "{shown} is left out: it has more than {MAX_ADVISORY} bytes"
            ));
            return Ok(());
        }
        self.files = self.files.saturating_add(1);
        self.bytes = self.bytes.saturating_add(length);
        if self.files > MAX_FILES || self.bytes > MAX_BYTES {
            let cause =
                format!("it has more than {MAX_FILES} advisories or {MAX_BYTES} bytes of them");
            return Err(cause.into());
        }
        let folder = self.to.join(collection).join(package);
        fs::create_dir_all(&folder)?;
        // Two names that the file system takes for one are not written twice.
        File::create_new(folder.join(name))?.write_all(data)?;
        Ok(())
    }

    /// Whether an entry is what it shall be; links and submodules are told.
    fn is(&mut self, entry: &Entry, kind: EntryKind, shown: &str) -> bool {
        let what = match entry.kind {
            EntryKind::Link => "a symbolic link",
            EntryKind::Submodule => "a submodule",
            EntryKind::File | EntryKind::Folder => return entry.kind == kind,
        };
        self.warn(format!("{shown} is left out: it is {what}"));
        false
    }

    fn warn(&mut self, cause: String) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(cause);
        } else if self.warnings.len() == MAX_WARNINGS {
            self.warnings
                .push("further entries are left out".to_owned());
        }
    }
}
