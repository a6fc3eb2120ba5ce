//! The database that a run replaces, opened once: what it has of each source is
//! what the new one must not lose unasked.

use crate::query::Db;
use crate::sources::crates_index::Yanked;
use crate::store::SourceInfo;
use crate::store::feed::Feeds;
use std::collections::BTreeMap;
use std::path::Path;

/// The database that is there, if one opens.
pub(super) struct Old(Option<Db>);

impl Old {
    pub(super) fn open(path: &Path) -> Self {
        Self(Db::open(path).ok())
    }

    /// Whether there is one.
    pub(super) fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Its sources of a kind.
    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &SourceInfo> {
        let sources = self.0.iter().flat_map(|db| &db.info().sources);
        sources.filter(move |source| source.kind == kind)
    }

    /// How many records each source of advisories has.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let sources = self.of_kind("osv").chain(self.of_kind("rustsec"));
        sources
            .map(|source| (source.name.clone(), source.records))
            .collect()
    }

    /// Its yanked versions; `None` where they cannot be read, or there are none.
    pub(super) fn yanked(&self) -> Option<Yanked> {
        self.0.as_ref()?.yanked().ok().flatten()
    }

    /// Its feeds; `None` where there is no database, or they cannot be read.
    pub(super) fn feeds(&self) -> Option<Feeds> {
        self.0.as_ref()?.feeds().ok()
    }
}
