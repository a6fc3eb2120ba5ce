//! Sources that a run does not name: RustSec's advisories and the yanked
//! versions stay in the database, as its feeds do. RustSec's are read again
//! from what was fetched, or from the folder that the last run named; where
//! neither is there any more, their loss is told.

use super::cache::{self, Cache};
use super::rustsec::{self, Tree};
use super::{SyncError, SyncRequest, warning};
use crate::compile::update::replace;
use crate::problem::Warning;
use crate::query::Db;
use crate::sources::crates_index::Yanked;
use std::path::Path;

/// Where the RustSec tree came from last.
const FROM: &str = "rustsec.from";

/// The tree of the sources that the request names, else the one before.
pub(super) fn tree(
    request: &SyncRequest,
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
    let from = cache::read(&path)?.and_then(|from| String::from_utf8(from).ok());
    let held = match Db::open(&request.output) {
        Ok(db) => db.info().sources.iter().any(|one| one.kind == "rustsec"),
        // A run that finds the database gone has what was fetched for it.
        Err(_) => from.is_some(),
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
    warnings.push(warning(rustsec::NAME, "", cause));
    Ok(None)
}

/// The yanked versions of the database that is there.
pub(super) fn yanked(database: &Path) -> Option<Yanked> {
    Db::open(database).ok()?.yanked().ok()?
}
