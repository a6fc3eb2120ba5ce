//! Single records: what the lists have that the database does not, fetched
//! and applied.

use super::Sync;
use crate::compile::update::{Applied, Session};
use crate::moment::Moment;
use crate::sync::cache::Changes;
use crate::sync::list::{self, Listed};
use crate::sync::plan::{self, Plan, Settled};
use crate::sync::{SyncError, pool, skipped, warning};
use remote::fetch::FetchError;
use std::collections::BTreeMap;

/// More changed records than this are fetched as one archive.
const MANY_CHANGED: usize = 2000;

/// A record of a plan: its id, the time that the list has, its bytes.
type Record<'p> = (&'p str, Moment, Vec<u8>);

impl Sync<'_> {
    /// Applies the differences between lists and records; `None` where that
    /// takes a build from nothing.
    pub(super) fn update(
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
        self.load(&far)?;
        // Where there is no list, the archive is all that there is. What was
        // loaded in this run was read, too.
        let mut unlisted = std::mem::take(&mut self.unlisted);
        unlisted.retain(|name| !self.checked.contains(name));
        self.required(&unlisted)?;
        far.extend(unlisted);
        if !far.is_empty() {
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

    pub(super) fn plans(
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

    /// Fetches and applies the changes of one directory; `None` where a record
    /// is joined with RustSec's.
    fn apply(
        &mut self,
        session: &mut Session,
        name: &str,
        plan: &Plan,
    ) -> Result<Option<bool>, SyncError> {
        let mut settled = self.cache.settled(name)?;
        let mut ready = self.fetch(name, plan, &mut settled)?;
        let removed: Changes = plan.remove.iter().map(|id| (id.clone(), None)).collect();
        self.cache.append(name, &removed)?;
        let touched = ready.iter().map(|(id, _, _)| *id);
        let mut ids = touched.chain(plan.remove.iter().map(String::as_str));
        if ids.any(|id| session.joins_rustsec(id)) {
            return Ok(None);
        }
        let report = self.reports.entry(name.to_owned()).or_default();
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
        Ok(Some(any))
    }

    /// The records that a plan asks for: those that a run which was stopped
    /// fetched, and the rest from the bucket. One that is not to be had is
    /// told, and `settled` where asking again would be in vain.
    fn fetch<'p>(
        &mut self,
        name: &str,
        plan: &'p Plan,
        settled: &mut Settled,
    ) -> Result<Vec<Record<'p>>, SyncError> {
        let logged = self.cache.changes(name)?;
        let mut ready = Vec::new();
        let mut wanted: Vec<(&str, Moment)> = Vec::new();
        for (id, time) in &plan.fetch {
            match logged.get(id) {
                Some(Some(bytes)) if Session::modified(bytes) == Some(*time) => {
                    ready.push((id.as_str(), *time, bytes.clone()));
                }
                _ => wanted.push((id, *time)),
            }
        }
        let Some(mirrors) = &self.mirrors else {
            for (id, _) in wanted {
                let cause = "the list names a version that was not fetched: it is not used";
                self.warnings.push(skipped(name, id, cause));
            }
            return Ok(ready);
        };
        let limit = self.request.limits.record_bytes;
        let results = pool::run(&wanted, mirrors.in_flight(), Result::is_err, |(id, _)| {
            mirrors.read(&[name, &format!("{id}.json")], limit)
        });
        let mut new = Changes::new();
        let mut failure: Option<FetchError> = None;
        for ((id, time), result) in wanted.into_iter().zip(results) {
            match result {
                Some(Ok(Some(bytes))) => {
                    new.insert(id.to_owned(), Some(bytes.clone()));
                    ready.push((id, time, bytes));
                }
                Some(Ok(None)) => {
                    // A mirror of archives only, or a record that is just going.
                    settled.insert(id.to_owned(), time);
                    let cause = "the list names it, but the bucket does not have it as a file: what the archive says is used";
                    self.warnings.push(warning(name, id, cause));
                }
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
        let report = self.reports.entry(name.to_owned()).or_default();
        report.fetched = report.fetched.saturating_add(new.len() as u64);
        Ok(ready)
    }
}
