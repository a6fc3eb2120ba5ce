//! The RustSec tree from a folder, an archive or a git repository. Of what was
//! fetched only advisory files are unpacked, each under a name that was
//! checked, into the folder beside the database.

mod archive;
#[cfg(feature = "network")]
mod git;

use super::SyncError;
use super::cache::Cache;
use crate::problem::Warning;
use remote::fetch::{Access, FetchError, path};
use sha2::{Digest, Sha256};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The source of warnings.
pub(super) const NAME: &str = "RustSec";
/// Longest advisory, as the reader of the tree has it.
const MAX_ADVISORY: u64 = 1 << 20;

/// A tree and what tells its content from others.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) path: PathBuf,
    pub(super) digest: String,
    /// The source, as a later run in another directory can use it.
    pub(super) from: String,
    pub(super) warnings: Vec<Warning>,
}

/// Fetches (unless offline) and unpacks: the first address that works.
pub(super) fn tree(
    from: &[String],
    offline: bool,
    access: &Access,
    cache: &Cache,
) -> Result<Option<Tree>, SyncError> {
    let mut warnings = Vec::new();
    let mut left = from.iter();
    while let Some(one) = left.next() {
        match from_one(one, offline, access, cache) {
            Ok(mut tree) => {
                tree.warnings.append(&mut warnings);
                tree.from = absolute(one);
                forget_others(&tree.path, cache);
                return Ok(Some(tree));
            }
            Err(error) if left.len() == 0 => return Err(error),
            Err(error) => {
                let cause = format!("the next mirror is used: {}", told(&error));
                warnings.push(Warning::new(NAME, "", cause));
            }
        }
    }
    Ok(None)
}

/// A source with its path made absolute, where it is one.
fn absolute(one: &str) -> String {
    path(one)
        .and_then(|path| {
            std::path::absolute(path)
                .ok()?
                .into_os_string()
                .into_string()
                .ok()
        })
        .unwrap_or_else(|| one.to_owned())
}

/// An error with its reasons on one line.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

fn from_one(one: &str, offline: bool, access: &Access, cache: &Cache) -> Result<Tree, SyncError> {
    if let Some(folder) = path(one).filter(|path| path.is_dir()) {
        let is_bare = folder.join("HEAD").is_file() && folder.join("objects").is_dir();
        if is_bare && !folder.join("crates").is_dir() {
            return Err(SyncError::RustSec {
                cause: "it is a git repository without a work tree: give a checkout of it, or \
                        what `git archive HEAD` writes"
                    .to_owned(),
                path: folder,
            });
        }
        return Ok(Tree {
            digest: digest_of(&folder)?,
            path: folder,
            from: String::new(),
            warnings: Vec::new(),
        });
    }
    #[cfg(feature = "network")]
    if let Some(url) = remote::git::address(one) {
        return git::tree(&url, offline, access, cache);
    }
    if one.starts_with("git+") {
        return Err(FetchError::NoNetwork {
            url: one.to_owned(),
        }
        .into());
    }
    archive::tree(one, offline, access, cache)
}

/// Removes trees that were unpacked before from something else.
fn forget_others(kept: &Path, cache: &Cache) {
    let Some(folder) = kept
        .parent()
        .filter(|folder| *folder == cache.file("").as_path())
    else {
        return;
    };
    for other in sorted(folder) {
        let name = other
            .file_name()
            .and_then(OsStr::to_str)
            .unwrap_or_default();
        let is_tree = name
            .strip_prefix("rustsec-")
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if is_tree && other != kept {
            let _ = fs::remove_dir_all(&other);
        }
    }
}

/// A digest over the names and contents of the advisories.
fn digest_of(tree: &Path) -> Result<String, SyncError> {
    let mut hasher = Sha256::new();
    for collection in ["crates", "rust"] {
        for package in sorted(&tree.join(collection)) {
            for file in sorted(&package) {
                // Nothing else is read: a pipe would wait for a writer.
                if fs::metadata(&file).is_ok_and(|data| !data.is_file()) {
                    continue;
                }
                let mut bytes = Vec::new();
                let opened = File::open(&file);
                opened
                    .and_then(|opened| {
                        opened
                            .take(MAX_ADVISORY.saturating_add(1))
                            .read_to_end(&mut bytes)
                    })
                    .map_err(|source| SyncError::Cache {
                        path: file.clone(),
                        source,
                    })?;
                let name = file.strip_prefix(tree).unwrap_or(&file);
                hasher.update(name.to_string_lossy().as_bytes());
                hasher.update([0]);
                hasher.update(Sha256::digest(&bytes));
            }
        }
    }
    Ok(hex::encode(hasher.finalize()))
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    paths.sort();
    paths
}

/// `crates/<package>/RUSTSEC-….md` at the end of a path, checked.
fn place(path: &Path) -> Option<[&str; 3]> {
    let parts: Vec<&str> = path.to_str()?.split('/').collect();
    let [.., collection, package, name] = parts.as_slice() else {
        return None;
    };
    let plain = |text: &str| {
        !text.is_empty()
            && !text.starts_with('.')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    let is_advisory = name.starts_with("RUSTSEC-") && path.extension() == Some(OsStr::new("md"));
    (matches!(*collection, "crates" | "rust") && plain(package) && plain(name) && is_advisory)
        .then_some([collection, package, name])
}
