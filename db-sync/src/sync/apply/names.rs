//! Which directories of a bucket a run is about.

use super::{ECOSYSTEMS, MAX_LIST, Sync};
use crate::compile::update::Session;
use crate::ecosystem;
use crate::fetch::is_intact;
use crate::query::Db;
use crate::sources::osv::is_directory_name;
use crate::sync::{SyncError, cache, list, warning};
use std::collections::BTreeSet;

impl Sync<'_> {
    /// The directories to sync.
    pub(super) fn ecosystems(
        &mut self,
        session: Option<&Session>,
    ) -> Result<BTreeSet<String>, SyncError> {
        let path = self.cache.file(ECOSYSTEMS);
        if let Some(mirrors) = &self.mirrors {
            mirrors.save(&[ECOSYSTEMS], &path, MAX_LIST)?;
        }
        if self.request.offline && path.is_file() && !is_intact(&path) {
            return Err(SyncError::Damaged { path });
        }
        let offered = match cache::read(&path)? {
            Some(bytes) => Some(list::ecosystems(&bytes, &mut self.warnings)),
            None => None,
        };
        let mut names = BTreeSet::new();
        for asked in &self.request.ecosystems {
            let name = ecosystem::base(asked).to_owned();
            let offers = offered
                .as_ref()
                .is_none_or(|offered| offered.contains(&name));
            if !is_directory_name(&name) || !offers {
                return Err(SyncError::UnknownEcosystem {
                    offered: offered.unwrap_or_default(),
                    name,
                });
            }
            names.insert(name);
        }
        let found = self.request.found.iter();
        let mut wanted: Vec<(String, &str)> = found
            .map(|found| ecosystem::base(found).to_owned())
            .map(|name| (name, "the bucket has no such ecosystem: left out"))
            .collect();
        if names.is_empty() || !wanted.is_empty() {
            let held = session.map_or_else(|| self.held(), Session::sources);
            let gone = "the bucket does not list this ecosystem any more: left out";
            wanted.extend(held.into_iter().map(|name| (name, gone)));
        }
        for (name, cause) in wanted {
            let offers = offered.as_ref();
            if is_directory_name(&name) && offers.is_none_or(|offered| offered.contains(&name)) {
                names.insert(name);
            } else {
                self.warnings.push(warning(&name, "", cause));
            }
        }
        if names.is_empty() && self.request.found.is_empty() {
            names = match offered {
                // The list names all that the bucket has, of which some were fetched.
                Some(offered) if self.request.offline => {
                    let fetched = offered.into_iter();
                    fetched.filter(|name| self.has_archive(name)).collect()
                }
                Some(offered) => offered,
                None if self.request.offline => BTreeSet::new(),
                None => {
                    return Err(SyncError::Missing {
                        what: ECOSYSTEMS.to_owned(),
                    });
                }
            };
        }
        if names.is_empty() && self.request.offline {
            return Err(SyncError::NothingFetched);
        }
        if names.is_empty() {
            return Err(SyncError::NoEcosystem);
        }
        Ok(names)
    }

    /// The OSV sources of the database that is there.
    pub(super) fn held(&self) -> BTreeSet<String> {
        if self.request.afresh {
            return BTreeSet::new();
        }
        let Ok(db) = Db::open(&self.request.output) else {
            return BTreeSet::new();
        };
        let osv = db
            .info()
            .sources
            .iter()
            .filter(|source| source.kind == "osv");
        osv.map(|source| source.name.clone()).collect()
    }
}
