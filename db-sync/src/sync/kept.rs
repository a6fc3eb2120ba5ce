//! Sources that a run does not name: RustSec's advisories and the yanked
//! versions stay in the database, as its feeds do. RustSec's are read again
//! from what was fetched, or from the folder that the last run named; so are
//! yanked versions where the database is gone or damaged. Where nothing is
//! there any more, the loss is told.

use super::cache::{self, Cache};
use super::old::Old;
use super::rustsec::{self, Tree};
use super::{SyncError, SyncRequest, skipped};
use crate::compile::BuildError;
use crate::problem::Warning;
use crate::sources::crates_index::{self, Yanked};
use crate::store::place::replace;
use std::path::{Path, absolute};

/// Where the RustSec tree came from last.
const FROM: &str = "rustsec.from";
/// Where the crates.io index lay last.
const INDEX: &str = "crates-index.from";

/// The tree of the sources that the request names, else the one before.
pub(super) fn tree(
    request: &SyncRequest,
    old: &Old,
    cache: &Cache,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Tree>, SyncError> {
    let path = cache.file(FROM);
    if !request.rustsec.is_empty() {
        let tree = rustsec::tree(&request.rustsec, request.offline, &request.access, cache)?;
        if let Some(tree) = &tree {
            let from = tree.from.as_bytes();
            replace(&path, from).map_err(|source| SyncError::Cache { path, source })?;
        }
        return Ok(tree);
    }
    if request.afresh {
        return Ok(None);
    }
    let from = cache::read(&path)?.and_then(|from| String::from_utf8(from).ok());
    let held = if old.is_there() {
        old.of_kind("rustsec").next().is_some()
    } else {
        // A run that finds the database gone has what was fetched for it.
        from.is_some()
    };
    if !held {
        return Ok(None);
    }
    let again = from.map(|from| rustsec::tree(&[from], true, &request.access, cache));
    if let Some(Ok(tree)) = again {
        return Ok(tree);
    }
    let cause = "the database had its advisories, this run names no source of them, and what was \
                 fetched before is gone: they are left out";
    warnings.push(skipped(rustsec::NAME, "", cause));
    Ok(None)
}

/// The yanked versions of the index that the request names, else those of the
/// database that is there.
pub(super) fn yanked(
    request: &SyncRequest,
    old: &Old,
    cache: &Cache,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Yanked>, SyncError> {
    let path = cache.file(INDEX);
    let read = |index: &Path| crates_index::read(index, &request.limits);
    if let Some(index) = &request.crates_index {
        let (found, told) = read(index).map_err(BuildError::from)?;
        warnings.extend(told);
        let from = absolute(index).unwrap_or_else(|_| index.clone());
        let from = from.as_os_str().as_encoded_bytes();
        replace(&path, from).map_err(|source| SyncError::Cache { path, source })?;
        return Ok(Some(found));
    }
    if request.afresh {
        return Ok(None);
    }
    let from = cache::read(&path)?.and_then(|from| String::from_utf8(from).ok());
    let had_index = old.of_kind(crates_index::KIND).next().is_some();
    match (old.is_there(), had_index) {
        (true, false) => return Ok(None),
        (false, _) if from.is_none() => return Ok(None),
        (true, true) => {
            if let Some(yanked) = old.yanked() {
                return Ok(Some(yanked));
            }
        }
        (false, _) => {}
    }
    if let Some(Ok((found, told))) = from.map(|from| read(Path::new(&from))) {
        warnings.extend(told);
        return Ok(Some(found));
    }
    let cause = "the database had yanked versions, it is gone or damaged, and so is the index \
                 that they came from: they are left out";
    warnings.push(skipped(crates_index::NAME, "", cause));
    Ok(None)
}
