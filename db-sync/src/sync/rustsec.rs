//! The RustSec tree from a folder or an archive. Of an archive only advisory
//! files are unpacked, each under a name that was checked.

use super::SyncError;
use super::cache::Cache;
use crate::fetch::{Access, Mirrors, Saved, is_url};
use crate::store::read::hex;
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

/// Longest archive, packed and unpacked.
const MAX_PACKED: u64 = 512 << 20;
const MAX_UNPACKED: u64 = 4 << 30;
/// Longest advisory, as the reader of the tree has it.
const MAX_ADVISORY: u64 = 1 << 20;
/// Entries of an archive.
const MAX_ENTRIES: usize = 1_000_000;

/// A tree and what tells its content from others.
pub(super) struct Tree {
    pub(super) path: PathBuf,
    pub(super) digest: String,
}

/// Fetches (unless offline) and unpacks.
pub(super) fn tree(
    from: &[String],
    offline: bool,
    access: &Access,
    cache: &Cache,
) -> Result<Option<Tree>, SyncError> {
    let Some(first) = from.first() else {
        return Ok(None);
    };
    let folder = Path::new(first);
    if !is_url(first) && folder.is_dir() {
        return Ok(Some(Tree {
            path: folder.to_owned(),
            digest: digest_of(folder)?,
        }));
    }
    let archive = cache.file("rustsec.archive");
    if !offline {
        let bases: Vec<(&str, &str)> = from
            .iter()
            .map(|one| one.rsplit_once('/').unwrap_or((".", one)))
            .collect();
        let mut failure = None;
        for (base, name) in bases {
            let saved = Mirrors::new(&[base.to_owned()], access)
                .and_then(|mirror| mirror.save(&[name], &archive, MAX_PACKED));
            failure = match saved {
                Ok(Saved::Fresh | Saved::Unchanged) => None,
                Ok(Saved::Missing) => Some(SyncError::Missing {
                    what: format!("{base}/{name}"),
                }),
                Err(error) => Some(error.into()),
            };
            if failure.is_none() {
                break;
            }
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
    }
    let failed = |source| SyncError::Cache {
        path: archive.clone(),
        source,
    };
    let mut file = File::open(&archive).map_err(failed)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
    let digest = hex(&hasher.finalize());
    let path = cache.file(&format!("rustsec-{}", digest.get(..16).unwrap_or_default()));
    if !path.is_dir() {
        let scratch = cache.file("rustsec-unpacked");
        let _ = fs::remove_dir_all(&scratch);
        file.rewind().map_err(failed)?;
        unpack(file, &scratch).map_err(|error| SyncError::RustSec {
            path: archive.clone(),
            cause: error.to_string(),
        })?;
        fs::rename(&scratch, &path).map_err(failed)?;
    }
    Ok(Some(Tree { path, digest }))
}

/// A digest over the names and contents of the advisories.
fn digest_of(tree: &Path) -> Result<String, SyncError> {
    let mut hasher = Sha256::new();
    for collection in ["crates", "rust"] {
        for package in sorted(&tree.join(collection)) {
            for file in sorted(&package) {
                let bytes = match fs::read(&file) {
                    Ok(bytes) => bytes,
                    Err(_) if file.is_dir() => continue,
                    Err(source) => return Err(SyncError::Cache { path: file, source }),
                };
                let name = file.strip_prefix(tree).unwrap_or(&file);
                hasher.update(name.to_string_lossy().as_bytes());
                hasher.update([0]);
                hasher.update(Sha256::digest(&bytes));
            }
        }
    }
    Ok(hex(&hasher.finalize()))
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    paths.sort();
    paths
}

fn unpack(file: File, to: &Path) -> io::Result<()> {
    let mut file = BufReader::new(file);
    let mut magic = [0; 4];
    let read = file.read(&mut magic)?;
    file.rewind()?;
    let plain: Box<dyn Read> = match magic.get(..read) {
        Some([0x1f, 0x8b, ..]) => Box::new(MultiGzDecoder::new(file)),
        Some([0x28, 0xb5, 0x2f, 0xfd]) => Box::new(zstd::Decoder::new(file)?),
        _ => Box::new(file),
    };
    let mut archive = tar::Archive::new(plain.take(MAX_UNPACKED));
    let mut found = 0_usize;
    for (number, entry) in archive.entries()?.enumerate() {
        let entry = entry?;
        if number >= MAX_ENTRIES {
            return Err(io::Error::other(format!("more than {MAX_ENTRIES} entries")));
        }
        let path = entry.path()?.into_owned();
        let Some([collection, package, name]) = place(&path) else {
            continue;
        };
        if !entry.header().entry_type().is_file() || entry.size() > MAX_ADVISORY {
            continue;
        }
        let folder = to.join(collection).join(package);
        fs::create_dir_all(&folder)?;
        let mut out = File::create(folder.join(name))?;
        io::copy(&mut entry.take(MAX_ADVISORY), &mut out)?;
        found = found.saturating_add(1);
    }
    if found == 0 {
        return Err(io::Error::other("it holds no advisories"));
    }
    Ok(())
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
