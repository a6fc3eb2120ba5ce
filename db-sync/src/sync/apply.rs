//! The order of things: lock, load what is there, fetch what is missing,
//! compare the lists, apply, write. Nothing before the last step touches the
//! database.

use super::cache::{self, Cache, Changes, MAX_LOG};
use super::list::{self, Listed};
use super::loss;
use super::plan::{self, Plan};
use super::{
    EcosystemSync, SyncError, SyncReport, SyncRequest, feeds, kept, pool, rustsec, warning,
};
use crate::compile::BuildReport;
use crate::compile::update::{Applied, Files, Session};
use crate::ecosystem;
use crate::fetch::{FetchError, Mirrors, Saved};
use crate::moment::Moment;
use crate::problem::Warning;
use crate::query::Db;
use crate::sources::crates_index::{self, Yanked};
use crate::sources::osv::is_directory_name;
use crate::store::place::LOCK_WAIT;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Longest archive of one ecosystem.
const MAX_ARCHIVE: u64 = 8 << 30;
/// Longest list.
const MAX_LIST: u64 = 512 << 20;
/// What is read of the list over all ecosystems: its newest lines.
const HEAD_OF_LIST: u64 = 4096;
/// More changed records than this are fetched as one archive.
const MANY_CHANGED: usize = 2000;

const ARCHIVE: &str = "all.zip";
const LIST: &str = "modified_id.csv";
const ECOSYSTEMS: &str = "ecosystems.txt";
const COMPILED: &str = "compiled";
const CHANGED: &str = "changed";

struct Sync<'a> {
    request: &'a SyncRequest,
    cache: Cache,
    mirrors: Option<Mirrors>,
    tree: Option<rustsec::Tree>,
    yanked: Option<Yanked>,
    warnings: Vec<Warning>,
    reports: BTreeMap<String, EcosystemSync>,
    /// Directories whose archive was looked at in this run.
    checked: BTreeSet<String>,
    /// Directories without a list: their archive is asked for each time.
    unlisted: Vec<String>,
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
    let mut tree = kept::tree(request, &cache, &mut warnings)?;
    let mut yanked = kept::yanked(&request.output);
    if let Some(index) = &request.crates_index {
        let read = crates_index::read(index, &request.limits);
        let (found, told) = read.map_err(crate::compile::BuildError::from)?;
        yanked = Some(found);
        warnings.extend(told);
    }
    if let Some(tree) = &mut tree {
        warnings.append(&mut tree.warnings);
    }
    let mut sync = Sync {
        request,
        cache,
        mirrors,
        tree,
        yanked,
        warnings,
        reports: BTreeMap::new(),
        checked: BTreeSet::new(),
        unlisted: Vec::new(),
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
        for name in &names {
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
        let mut dropped: Vec<String> = session.sources().difference(&names).cloned().collect();
        for name in &dropped {
            let cause = "the database had its advisories, and this run did not ask for them: \
                         they are left out";
            self.warnings.push(warning(name, "", cause));
        }
        let mut missing: Vec<String> = names.difference(&session.sources()).cloned().collect();
        missing.extend(
            names
                .iter()
                .filter(|name| {
                    // The log has grown out of proportion: begin with a new archive.
                    session.sources().contains(*name) && self.cache.log_length(name) > MAX_LOG
                })
                .cloned(),
        );
        if self.needs_rustsec(&session) && !(dropped.is_empty() && missing.is_empty()) {
            session = self.fresh(&files)?;
            rebuilt = true;
            dropped.clear();
            missing = names.iter().cloned().collect();
        }
        for name in &dropped {
            session.drop_source(name)?;
        }
        let mut changed = !missing.is_empty() || !dropped.is_empty();
        self.archives(&missing)?;
        let lists = self.lists(&names)?;
        self.read(&mut session, &missing)?;

        if let Some(any) = self.update(&mut session, &lists)? {
            changed |= any;
        } else {
            // Not possible in steps: all again from what was fetched.
            session = self.fresh(&files)?;
            rebuilt = true;
            changed = true;
            let all: Vec<String> = names.iter().cloned().collect();
            self.absent_archives(&all)?;
            self.read(&mut session, &all)?;
            self.update(&mut session, &lists)?;
        }
        let listed = self.listed(&lists)?;
        changed |= session.set_listed(listed);
        if changed && !self.request.accept_removals {
            loss::check(&loss::counts(&self.request.output), &session.counts())?;
        }
        let feeds = feeds::gather(self.request, &self.cache, &mut self.warnings)?;
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
            build.warnings.extend(mirrors.warnings());
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

    /// The directories to sync.
    fn ecosystems(&mut self, session: Option<&Session>) -> Result<BTreeSet<String>, SyncError> {
        let path = self.cache.file(ECOSYSTEMS);
        if let Some(mirrors) = &self.mirrors {
            mirrors.save(&[ECOSYSTEMS], &path, MAX_LIST)?;
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
    fn held(&self) -> BTreeSet<String> {
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

    /// Saves the archives of some directories, several at once.
    fn archives(&mut self, names: &[String]) -> Result<(), SyncError> {
        let full = self.request.full;
        let wanted: Vec<String> = names
            .iter()
            .filter(|name| !self.checked.contains(*name))
            .filter(|name| full || self.cache.log_length(name) > MAX_LOG || !self.has_archive(name))
            .cloned()
            .collect();
        let saved = self.save(&wanted, ARCHIVE, MAX_ARCHIVE)?;
        for (name, saved) in wanted.iter().zip(saved) {
            self.checked.insert(name.clone());
            match saved {
                Saved::Fresh => self.cache.forget(name)?,
                Saved::Unchanged => {}
                Saved::Missing => {
                    return Err(SyncError::Missing {
                        what: format!("{name}/{ARCHIVE}"),
                    });
                }
            }
            if let Some(report) = self.reports.get_mut(name) {
                report.archive = saved == Saved::Fresh;
            }
        }
        Ok(())
    }

    fn absent_archives(&mut self, names: &[String]) -> Result<(), SyncError> {
        let absent: Vec<String> = names
            .iter()
            .filter(|name| !self.has_archive(name))
            .cloned()
            .collect();
        self.archives(&absent)
    }

    fn has_archive(&self, name: &str) -> bool {
        self.cache.file(name).join(ARCHIVE).is_file()
    }

    /// Saves one file of several directories; all failures are told by name.
    fn save(&self, names: &[String], file: &str, limit: u64) -> Result<Vec<Saved>, SyncError> {
        let Some(mirrors) = &self.mirrors else {
            return Ok(names
                .iter()
                .map(|name| match self.cache.of(name, file) {
                    Ok(path) if path.is_file() => Saved::Unchanged,
                    _ => Saved::Missing,
                })
                .collect());
        };
        let results = pool::run(
            names,
            mirrors.in_flight(),
            |_: &Result<Saved, SyncError>| false,
            |name| {
                let to = self.cache.of(name, file)?;
                Ok(mirrors.save(&[name, file], &to, limit)?)
            },
        );
        let mut saved = Vec::new();
        let mut failed = Vec::new();
        let mut first = None;
        for (name, result) in names.iter().zip(results) {
            match result {
                Some(Ok(one)) => saved.push(one),
                Some(Err(error)) => {
                    failed.push(name.clone());
                    first.get_or_insert(error);
                }
                None => failed.push(name.clone()),
            }
        }
        match first {
            None => Ok(saved),
            Some(source) => Err(SyncError::Ecosystems {
                failed,
                source: Box::new(source),
            }),
        }
    }

    /// The bytes of the lists, by directory.
    fn lists(&mut self, names: &BTreeSet<String>) -> Result<BTreeMap<String, Vec<u8>>, SyncError> {
        let all: Vec<String> = names.iter().cloned().collect();
        let saved = self.save(&all, LIST, MAX_LIST)?;
        let mut lists = BTreeMap::new();
        let mut without = Vec::new();
        for (name, saved) in all.into_iter().zip(saved) {
            let bytes = match saved {
                Saved::Missing => None,
                _ => cache::read(&self.cache.of(&name, LIST)?)?,
            };
            match bytes {
                Some(bytes) => {
                    lists.insert(name, bytes);
                }
                None if self.request.offline => {}
                None => {
                    let cause = format!("there is no {LIST}: only the archive is compared");
                    self.warnings.push(warning(&name, "", cause));
                    without.push(name);
                }
            }
        }
        self.unlisted = without;
        Ok(lists)
    }

    /// Compiles archives with the single records that came after them.
    fn read(&mut self, session: &mut Session, names: &[String]) -> Result<(), SyncError> {
        for name in names {
            let archive: PathBuf = self.cache.of(name, ARCHIVE)?;
            if !archive.is_file() {
                return Err(SyncError::Missing {
                    what: format!("{name}/{ARCHIVE}"),
                });
            }
            let changes = self.cache.changes(name)?;
            if let Err(error) = session.read_archive(name, &archive, &changes) {
                // An archive that is no archive shall not be kept for the next run.
                let _ = std::fs::remove_file(&archive);
                return Err(SyncError::Ecosystems {
                    failed: vec![name.clone()],
                    source: Box::new(error.into()),
                });
            }
        }
        Ok(())
    }

    /// Applies the differences between lists and records; `None` where that
    /// takes a build from nothing.
    fn update(
        &mut self,
        session: &mut Session,
        lists: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Option<bool>, SyncError> {
        let mut parsed: BTreeMap<&str, Listed<'_>> = BTreeMap::new();
        for (name, bytes) in lists {
            let listed = list::modified(name, bytes, &mut self.warnings);
            if listed.ids.is_empty() {
                return Err(SyncError::List {
                    ecosystem: name.clone(),
                    cause: "it names no record".to_owned(),
                });
            }
            parsed.insert(name, listed);
        }
        let mut plans = self.plans(session, &parsed)?;
        // Far behind, or a list that is doubtful: ask the archive.
        let mut far: Vec<String> = plans
            .iter()
            .filter(|(name, plan)| {
                !self.request.offline
                    && !self.checked.contains(*name)
                    && (plan.doubtful || plan.fetch.len() > MANY_CHANGED)
            })
            .map(|(name, _)| name.clone())
            .collect();
        far.extend(std::mem::take(&mut self.unlisted));
        if !far.is_empty() {
            self.renew(&far)?;
            if self.needs_rustsec(session) {
                return Ok(None);
            }
            self.read(session, &far)?;
            plans = self.plans(session, &parsed)?;
        }
        let mut doubtful = plans.iter().filter(|(_, plan)| plan.doubtful);
        if let (false, Some((name, plan))) = (self.request.accept_removals, doubtful.next()) {
            let before = session.known().get(name.as_str()).map_or(0, Vec::len) as u64;
            return Err(SyncError::Shrunk {
                ecosystem: name.clone(),
                before,
                after: before.saturating_sub(plan.remove.len() as u64),
            });
        }
        let mut changed = !far.is_empty();
        for (name, plan) in &plans {
            if plan.fetch.is_empty() && plan.remove.is_empty() {
                continue;
            }
            match self.apply(session, name, plan)? {
                Some(any) => changed |= any,
                None => return Ok(None),
            }
        }
        Ok(session.can_finish().then_some(changed))
    }

    fn plans(
        &self,
        session: &Session,
        parsed: &BTreeMap<&str, Listed<'_>>,
    ) -> Result<BTreeMap<String, Plan>, SyncError> {
        let known = session.known();
        let mut plans = BTreeMap::new();
        for (name, listed) in parsed {
            let at_hand = known.get(*name).map(Vec::as_slice).unwrap_or_default();
            let settled = self.cache.settled(name)?;
            plans.insert((*name).to_owned(), plan::compare(listed, at_hand, &settled));
        }
        Ok(plans)
    }

    /// Loads the archives of some directories again.
    fn renew(&mut self, names: &[String]) -> Result<(), SyncError> {
        let saved = self.save(names, ARCHIVE, MAX_ARCHIVE)?;
        for (name, saved) in names.iter().zip(saved) {
            self.checked.insert(name.clone());
            if saved == Saved::Fresh {
                self.cache.forget(name)?;
                if let Some(report) = self.reports.get_mut(name) {
                    report.archive = true;
                }
            }
        }
        Ok(())
    }

    /// Fetches and applies the changes of one directory; `None` where a record
    /// is joined with RustSec's.
    fn apply(
        &mut self,
        session: &mut Session,
        name: &str,
        plan: &Plan,
    ) -> Result<Option<bool>, SyncError> {
        let mut report = self.reports.get(name).cloned().unwrap_or_default();
        let logged = self.cache.changes(name)?;
        let mut settled = self.cache.settled(name)?;
        // Fetched by a run that was stopped before it could use them.
        let at_hand = |id: &str, time: Moment| match logged.get(id) {
            Some(Some(bytes)) if Session::modified(bytes) == Some(time) => Some(bytes.clone()),
            _ => None,
        };
        let mut new = Changes::new();
        let mut ready: Vec<(&str, Moment, Vec<u8>)> = Vec::new();
        let mut wanted: Vec<(&str, Moment)> = Vec::new();
        for (id, time) in &plan.fetch {
            match at_hand(id, *time) {
                Some(bytes) => ready.push((id, *time, bytes)),
                None => wanted.push((id, *time)),
            }
        }
        let mut missing = Vec::new();
        if let Some(mirrors) = &self.mirrors {
            let limit = self.request.limits.record_bytes;
            let results = pool::run(&wanted, mirrors.in_flight(), Result::is_err, |(id, _)| {
                mirrors.read(&[name, &format!("{id}.json")], limit)
            });
            let mut failure: Option<FetchError> = None;
            for ((id, time), result) in wanted.iter().zip(results) {
                match result {
                    Some(Ok(Some(bytes))) => {
                        report.fetched = report.fetched.saturating_add(1);
                        new.insert((*id).to_owned(), Some(bytes.clone()));
                        ready.push((id, *time, bytes));
                    }
                    Some(Ok(None)) => missing.push((*id, *time)),
                    Some(Err(error)) => {
                        failure.get_or_insert(error);
                    }
                    None => {}
                }
            }
            // What came is kept for the next run, whatever failed beside it.
            self.cache.append(name, &new)?;
            if let Some(error) = failure {
                return Err(SyncError::Ecosystems {
                    failed: vec![name.to_owned()],
                    source: Box::new(error.into()),
                });
            }
        } else {
            missing = wanted;
        }
        for (id, time) in missing {
            let cause = if self.mirrors.is_none() {
                "the list names a version that was not fetched: it is not used"
            } else {
                // A mirror of archives only, or a record that is just going.
                settled.insert(id.to_owned(), time);
                "the list names it, but the bucket does not have it as a file: what the archive says is used"
            };
            self.warnings.push(warning(name, id, cause));
        }
        let removed: Changes = plan.remove.iter().map(|id| (id.clone(), None)).collect();
        self.cache.append(name, &removed)?;
        let touched = ready.iter().map(|(id, _, _)| *id);
        let mut ids = touched.chain(plan.remove.iter().map(String::as_str));
        if ids.any(|id| session.joins_rustsec(id)) {
            self.reports.insert(name.to_owned(), report);
            return Ok(None);
        }
        let mut any = false;
        for id in &plan.remove {
            any |= session.apply(name, id, None)? == Applied::Removed;
            report.removed = report.removed.saturating_add(1);
        }
        ready.sort_unstable();
        for (id, time, bytes) in ready {
            settled.remove(id);
            if Session::modified(&bytes) != Some(time) {
                settled.insert(id.to_owned(), time);
            }
            let applied = session.apply(name, id, Some(&bytes))?;
            let count = match applied {
                Applied::Added => &mut report.added,
                Applied::Changed => &mut report.changed,
                Applied::Refused => {
                    settled.insert(id.to_owned(), time);
                    any = true;
                    continue;
                }
                Applied::Unchanged | Applied::Removed => continue,
            };
            *count = count.saturating_add(1);
            any = true;
        }
        self.cache.settle(name, &settled)?;
        self.reports.insert(name.to_owned(), report);
        Ok(Some(any))
    }

    /// The newest time in the lists, those of other ecosystems included.
    fn listed(&mut self, lists: &BTreeMap<String, Vec<u8>>) -> Result<Option<Moment>, SyncError> {
        let path = self.cache.file("newest");
        if let Some(mirrors) = &self.mirrors
            && let Some(bytes) = mirrors.beginning(&[LIST], HEAD_OF_LIST)?
        {
            crate::compile::update::replace(&path, &bytes).map_err(|source| SyncError::Cache {
                path: path.clone(),
                source,
            })?;
        }
        let newest = |bytes: &[u8]| {
            let lines = bytes.split(|byte| *byte == b'\n').take(100);
            lines
                .filter_map(|line| std::str::from_utf8(line).ok()?.split_once(','))
                .filter_map(|(time, _)| Moment::parse(time))
                .max()
        };
        let all = cache::read(&path)?;
        Ok(all
            .as_deref()
            .into_iter()
            .chain(lists.values().map(Vec::as_slice))
            .filter_map(newest)
            .max())
    }
}
