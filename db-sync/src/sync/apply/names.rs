//! Which directories of a bucket a run is about, and which stay as they are.

use super::{ECOSYSTEMS, MAX_LIST, Sync};
use crate::compile::update::Session;
use crate::ecosystem;
use crate::sources::osv::is_directory_name;
use crate::sync::{SyncError, cache, list, skipped, warning};
use remote::fetch::{Saved, is_intact, is_url};
use std::collections::BTreeSet;

/// The directories of a run.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Those that are brought up to date.
    pub(super) synced: BTreeSet<String>,
    /// Those of the database that stay as they were last synced.
    pub(super) kept: BTreeSet<String>,
}

impl Names {
    /// All that the database shall have, sorted.
    pub(super) fn all(&self) -> Vec<String> {
        self.synced.union(&self.kept).cloned().collect()
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.synced.contains(name) || self.kept.contains(name)
    }
}

impl Sync<'_> {
    /// The directories to sync, and those to keep. An ecosystem leaves the
    /// database only by name: what is gone from it is not found any more, and
    /// no scan could say that it was there once.
    pub(super) fn ecosystems(&mut self, session: Option<&Session>) -> Result<Names, SyncError> {
        let offered = self.offered()?;
        let mut held = session.map_or_else(|| self.held(), Session::sources);
        self.remove(&mut held)?;
        let offers = |name: &str| {
            let listed = offered
                .as_ref()
                .is_none_or(|offered| offered.contains(name));
            is_directory_name(name) && listed
        };
        let mut names = Names::default();
        for asked in &self.request.ecosystems {
            let name = ecosystem::base(asked);
            let spelled = offered.as_ref().and_then(|offered| alike(offered, name));
            let name = spelled.unwrap_or(name).to_owned();
            if !offers(&name) {
                return Err(SyncError::UnknownEcosystem {
                    offered: offered.unwrap_or_default(),
                    name,
                });
            }
            names.synced.insert(name);
        }
        for found in &self.request.found {
            let name = ecosystem::base(found).to_owned();
            if offers(&name) {
                names.synced.insert(name);
            } else if !held.contains(&name) {
                let cause = "the bucket has no such ecosystem: left out";
                self.warnings.push(skipped(&name, "", cause));
            }
        }
        let all_held = self.request.ecosystems.is_empty();
        for name in held {
            if all_held && offers(&name) {
                names.synced.insert(name);
            } else if !names.synced.contains(&name) {
                if all_held {
                    let cause = "the bucket does not list this ecosystem any more: its \
                                 advisories stay as they were (--remove takes them out)";
                    self.warnings.push(warning(&name, "", cause));
                }
                names.kept.insert(name);
            }
        }
        if names.all().is_empty() && self.request.found.is_empty() {
            names.synced = match offered {
                // The list names all that the bucket has, of which some were fetched.
                Some(offered) if self.request.offline => {
                    let fetched = offered.into_iter();
                    fetched.filter(|name| self.has_archive(name)).collect()
                }
                Some(offered) => self.without_removed(offered),
                None if self.request.offline => BTreeSet::new(),
                None => return Err(self.not_a_bucket(ECOSYSTEMS.to_owned(), self.not_found())),
            };
        }
        if names.synced.is_empty() && self.request.offline && names.kept.is_empty() {
            return Err(SyncError::NothingFetched);
        }
        if names.all().is_empty() {
            return Err(SyncError::NoEcosystem);
        }
        Ok(names)
    }

    /// What the bucket lists; `None` where it has no list.
    fn offered(&mut self) -> Result<Option<BTreeSet<String>>, SyncError> {
        let path = self.cache.file(ECOSYSTEMS);
        if let Some(mirrors) = &self.mirrors
            && mirrors.save(&[ECOSYSTEMS], &path, MAX_LIST)? == Saved::Missing
        {
            // What was fetched from another bucket before says nothing of this one.
            return Ok(None);
        }
        if self.request.offline && path.is_file() && !is_intact(&path) {
            return Err(SyncError::Damaged { path });
        }
        let Some(bytes) = cache::read(&path)? else {
            return Ok(None);
        };
        // A page for people, as servers show it in place of what they do not have.
        if bytes.trim_ascii_start().starts_with(b"<") {
            let _ = std::fs::remove_file(&path);
            return Err(self.not_a_bucket(ECOSYSTEMS.to_owned(), "it is a web page"));
        }
        self.is_listed = true;
        Ok(Some(list::ecosystems(&bytes, &mut self.warnings)))
    }

    /// Takes out of the held ecosystems what the request removes.
    fn remove(&self, held: &mut BTreeSet<String>) -> Result<(), SyncError> {
        for asked in &self.request.remove {
            let name = ecosystem::base(asked);
            let Some(name) = alike(held, name).map(str::to_owned) else {
                return Err(SyncError::NotHeld {
                    name: name.to_owned(),
                    held: std::mem::take(held),
                });
            };
            held.remove(&name);
        }
        Ok(())
    }

    fn without_removed(&self, mut offered: BTreeSet<String>) -> BTreeSet<String> {
        let removed = &self.request.remove;
        offered.retain(|name| {
            let is_it = |one: &String| ecosystem::base(one).eq_ignore_ascii_case(name);
            !removed.iter().any(is_it)
        });
        offered
    }

    /// What is wrong with a bucket that lacks what every bucket has.
    pub(super) fn not_a_bucket(&self, what: String, cause: &'static str) -> SyncError {
        SyncError::NotABucket {
            address: self.request.from.join(", "),
            what,
            cause,
        }
    }

    /// What the sources answer where a file is not there.
    pub(super) fn not_found(&self) -> &'static str {
        if self.request.from.iter().any(|one| is_url(one)) {
            "HTTP status 404"
        } else {
            "there is no such file"
        }
    }

    /// The OSV sources of the database that is there.
    pub(super) fn held(&self) -> BTreeSet<String> {
        if self.request.afresh {
            return BTreeSet::new();
        }
        self.old
            .of_kind("osv")
            .map(|one| one.name.clone())
            .collect()
    }
}

/// The name as it is spelled there, whatever its case.
fn alike<'n>(names: &'n BTreeSet<String>, asked: &str) -> Option<&'n str> {
    if let Some(name) = names.get(asked) {
        return Some(name);
    }
    let mut names = names.iter().map(String::as_str);
    names.find(|name| name.eq_ignore_ascii_case(asked))
}
