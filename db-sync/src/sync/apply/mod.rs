//! The order of things: lock, load what is there, fetch what is missing,
//! compare the lists, apply, write. Nothing before the last step touches the
//! database.

mod archives;
mod changes;
mod lists;
mod names;

use super::cache::{Cache, MAX_LOG};
use super::old::Old;
use super::{EcosystemSync, SyncError, SyncReport, SyncRequest, feeds, kept, loss, rustsec};
use crate::compile::BuildReport;
use crate::compile::update::{Files, Session};
use crate::moment::Moment;
use crate::problem::Warning;
use crate::query::Db;
use crate::sources::crates_index::Yanked;
use crate::store::place::LOCK_WAIT;
use remote::fetch::Mirrors;
use std::collections::{BTreeMap, BTreeSet};

/// Longest list.
const MAX_LIST: u64 = 512 << 20;

const ECOSYSTEMS: &str = "ecosystems.txt";
const COMPILED: &str = "compiled";
const CHANGED: &str = "changed";

struct Sync<'a> {
    request: &'a SyncRequest,
    cache: Cache,
    /// The database that is there.
    old: Old,
    mirrors: Option<Mirrors>,
    tree: Option<rustsec::Tree>,
    yanked: Option<Yanked>,
    warnings: Vec<Warning>,
    reports: BTreeMap<String, EcosystemSync>,
    /// Directories whose archive was looked at in this run.
    checked: BTreeSet<String>,
    /// Directories without a list: their archive is asked for each time.
    unlisted: Vec<String>,
    /// Whether the bucket has a list of its ecosystems.
    is_listed: bool,
}

/// Brings a database up to date.
///
/// # Errors
/// Whatever was asked for and could not be had; the database is untouched.
pub fn run(request: &SyncRequest) -> Result<SyncReport, SyncError> {
    let cache = Cache::open(&request.output, request.lock_wait.unwrap_or(LOCK_WAIT))?;
    let request = &SyncRequest {
        output: cache.database().to_owned(),
        ..request.clone()
    };
    let mirrors = if request.offline {
        None
    } else {
        Some(Mirrors::new(&request.from, &request.access)?)
    };
    let mut warnings = Vec::new();
    let old = Old::open(&request.output);
    let mut tree = kept::tree(request, &old, &cache, &mut warnings)?;
    let yanked = kept::yanked(request, &old, &cache, &mut warnings)?;
    if let Some(tree) = &mut tree {
        warnings.append(&mut tree.warnings);
    }
    let mut sync = Sync {
        request,
        cache,
        old,
        mirrors,
        tree,
        yanked,
        warnings,
        reports: BTreeMap::new(),
        checked: BTreeSet::new(),
        unlisted: Vec::new(),
        is_listed: false,
    };
    sync.run()
}

impl Sync<'_> {
    fn run(&mut self) -> Result<SyncReport, SyncError> {
        let mut inputs = format!("{:?}", self.request.limits);
        if let Some(tree) = &self.tree {
            inputs.push(' ');
            inputs.push_str(&tree.digest);
        }
        if let Some(yanked) = &self.yanked {
            inputs.push_str(" yanked ");
            inputs.push_str(&yanked.digest());
        }
        let files = Files {
            output: self.request.output.clone(),
            state: self.cache.file(COMPILED),
            journal: self.cache.file(CHANGED),
            inputs,
        };
        let resumed = if self.request.full {
            None
        } else {
            Session::resume(files.clone(), self.request.limits)?
        };
        let mut rebuilt = resumed.is_none();
        let names = self.ecosystems(resumed.as_ref())?;
        for name in &names.synced {
            let report = EcosystemSync {
                name: name.clone(),
                ..EcosystemSync::default()
            };
            self.reports.insert(name.clone(), report);
        }
        let mut session = match resumed {
            Some(mut session) => {
                session.set_yanked(self.yanked.clone());
                session
            }
            None => self.fresh(&files)?,
        };
        let held = session.sources();
        let mut dropped: Vec<String> = held
            .iter()
            .filter(|name| !names.contains(name))
            .cloned()
            .collect();
        let mut missing = names.all();
        missing.retain(|name| {
            // Where the log has grown out of proportion: begin with a new archive.
            let is_long = || names.synced.contains(name) && self.cache.log_length(name) > MAX_LOG;
            !held.contains(name) || is_long()
        });
        if self.needs_rustsec(&session) && !(dropped.is_empty() && missing.is_empty()) {
            session = self.fresh(&files)?;
            rebuilt = true;
            dropped.clear();
            missing = names.all();
        }
        for name in &dropped {
            session.drop_source(name)?;
        }
        let mut changed = !missing.is_empty() || !dropped.is_empty();
        self.archives(&names, &missing)?;
        let lists = self.lists(&names.synced)?;
        self.read(&mut session, &missing)?;

        if let Some(any) = self.update(&mut session, &lists)? {
            changed |= any;
        } else {
            // Not possible in steps: all again from what was fetched.
            session = self.fresh(&files)?;
            rebuilt = true;
            changed = true;
            let all = names.all();
            self.archives(&names, &all)?;
            self.read(&mut session, &all)?;
            self.update(&mut session, &lists)?;
        }
        let listed = self.listed(&lists)?;
        for name in &names.synced {
            changed |= session.set_listed(name, listed);
        }
        for source in self.old.of_kind("osv") {
            if names.kept.contains(&source.name) {
                let listed = source.newest_listed.as_deref().and_then(Moment::parse);
                changed |= session.set_listed(&source.name, listed);
            }
        }
        if changed && !self.request.accept_removals {
            loss::check(&self.old.counts(), &session.counts())?;
        }
        let feeds = feeds::gather(self.request, &self.old, &self.cache, &mut self.warnings)?;
        changed |= feeds.changed;
        session.set_feeds(feeds.feeds);
        let mut build = if changed {
            session.finish()?
        } else {
            let db =
                Db::open(&self.request.output).map_err(crate::compile::BuildError::Unreadable)?;
            BuildReport {
                info: db.info().clone(),
                warnings: session.warnings().to_vec(),
            }
        };
        build.warnings.append(&mut self.warnings);
        if let Some(mirrors) = &self.mirrors {
            let causes = mirrors.warnings().into_iter();
            let warnings = causes.map(|cause| Warning::new("mirrors", "", cause));
            build.warnings.extend(warnings);
        }
        build.warnings.sort();
        build.warnings.dedup();
        Ok(SyncReport {
            build,
            ecosystems: std::mem::take(&mut self.reports).into_values().collect(),
            written: changed,
            rebuilt: rebuilt && changed,
        })
    }

    /// Whether whole sources can only be read into a build from nothing: what
    /// RustSec's tree says is joined to their records as they come.
    fn needs_rustsec(&self, session: &Session) -> bool {
        self.tree.is_some() && session.is_resumed()
    }

    fn fresh(&self, files: &Files) -> Result<Session, SyncError> {
        let tree = self.tree.as_ref().map(|tree| tree.path.as_path());
        let mut session = Session::fresh(files.clone(), tree, self.request.limits)?;
        session.set_yanked(self.yanked.clone());
        Ok(session)
    }
}
