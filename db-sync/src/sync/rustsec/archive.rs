//! The RustSec tree in a tar archive, plain or packed with gzip or zstd, from
//! a file or an address.

use super::{MAX_ADVISORY, Tree, place};
use crate::fetch::{Access, Mirrors, Saved};
use crate::store::read::hex;
use crate::sync::SyncError;
use crate::sync::cache::Cache;
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

/// Longest archive, packed and unpacked.
const MAX_PACKED: u64 = 512 << 20;
const MAX_UNPACKED: u64 = 4 << 30;
/// Entries of an archive.
const MAX_ENTRIES: usize = 1_000_000;

pub(super) fn tree(
    from: &str,
    offline: bool,
    access: &Access,
    cache: &Cache,
) -> Result<Tree, SyncError> {
    let archive = cache.file("rustsec.archive");
    if !offline {
        let mirror = Mirrors::new(&[from.to_owned()], access)?;
        if mirror.save(&[], &archive, MAX_PACKED)? == Saved::Missing {
            return Err(SyncError::NotThere {
                what: from.to_owned(),
            });
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
    Ok(Tree {
        path,
        digest,
        from: String::new(),
        warnings: Vec::new(),
    })
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
