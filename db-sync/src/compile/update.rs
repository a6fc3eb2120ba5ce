//! A build that goes on where the last one stopped: single records are taken
//! out, added or replaced. Few changes are written as a segment before the
//! compiled database; otherwise the file is written as if it had been built
//! from the resulting records alone (the same bytes).

use super::collect::Collector;
use super::overlay::{self, Failure};
use super::state::{self, Label};
pub(crate) use super::steps::Applied;
use super::steps::{self, Steps};
use super::{BuildError, BuildReport, finish};
use crate::limits::Limits;
use crate::moment::Moment;
use crate::problem::Warning;
use crate::query::Db;
use crate::sources::crates_index::Yanked;
use crate::sources::{self, SourceError, SourceKind};
use crate::store::feed::Feeds;
use crate::store::place::replace;
use crate::store::read::Store;
use crate::store::{Info, place};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// After this many updates the next build starts from nothing, so that names
/// that no record uses any more do not pile up.
const MAX_UPDATES: u64 = 500;

/// A build in steps.
pub(crate) struct Session {
    files: Files,
    limits: Limits,
    /// The compiled database and what changed, as long as that is enough.
    steps: Option<Box<Steps>>,
    /// Otherwise all records.
    whole: Whole,
}

/// Where a session reads and writes.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The database.
    pub(crate) output: PathBuf,
    /// All records as they were last compiled.
    pub(crate) state: PathBuf,
    /// The changes since.
    pub(crate) journal: PathBuf,
    /// What else the records depend on, in the caller's words.
    pub(crate) inputs: String,
}

struct Whole {
    collector: Collector,
    /// The segment that the records' texts lie in.
    old: Option<Store>,
    /// Updates since the last build from nothing.
    updates: u64,
}

impl Session {
    /// Starts from nothing but the RustSec tree.
    pub(crate) fn fresh(
        files: Files,
        rustsec: Option<&Path>,
        limits: Limits,
    ) -> Result<Self, BuildError> {
        let mut collector = collector(&files.output)?;
        if let Some(tree) = rustsec {
            sources::rustsec::read(tree, &limits, &mut |found| {
                collector.rustsec(found);
                Ok(())
            })?;
        }
        Ok(Self {
            files,
            limits,
            steps: None,
            whole: Whole {
                collector,
                old: None,
                updates: 0,
            },
        })
    }

    /// Goes on from a database and what is kept beside it; `None` where they
    /// do not belong together, or are not of these inputs.
    pub(crate) fn resume(files: Files, limits: Limits) -> Result<Option<Self>, BuildError> {
        let steps = Steps::resume(
            &files.output,
            &files.state,
            &files.journal,
            &files.inputs,
            limits,
        );
        let steps = steps.map_err(|source| BuildError::Write {
            path: files.state.clone(),
            source,
        })?;
        let Some(steps) = steps.filter(|steps| steps.state.label.updates < MAX_UPDATES) else {
            return Ok(None);
        };
        let mut session = Self::fresh(files, None, limits)?;
        session.steps = Some(Box::new(steps));
        Ok(Some(session))
    }

    /// All records, loaded if need be.
    fn whole(&mut self) -> Result<&mut Whole, BuildError> {
        if let Some(mut steps) = self.steps.take() {
            let collector = &mut self.whole.collector;
            steps.load(collector)?;
            collector.warnings.append(&mut steps.warnings);
            collector.feeds = std::mem::take(&mut steps.feeds);
            self.whole.updates = steps.state.label.updates.saturating_add(1);
            self.whole.old = Some(steps.compiled);
        }
        Ok(&mut self.whole)
    }

    /// Whether it goes on from a database: RustSec's own records, which would
    /// be joined with those of an archive, are not at hand then.
    pub(crate) fn is_resumed(&self) -> bool {
        self.steps.is_some() || self.whole.old.is_some()
    }

    /// The OSV sources that it holds.
    pub(crate) fn sources(&self) -> BTreeSet<String> {
        if let Some(steps) = &self.steps {
            return steps.sources();
        }
        let osv = self.whole.collector.sources.iter();
        osv.filter(|((kind, _), _)| *kind == SourceKind::Osv)
            .map(|((_, name), _)| name.clone())
            .collect()
    }

    /// Takes all records of an archive, except that the changes replace or
    /// remove (`None`) those of their ids.
    pub(crate) fn read_archive(
        &mut self,
        name: &str,
        archive: &Path,
        changes: &BTreeMap<String, Option<Vec<u8>>>,
    ) -> Result<(), BuildError> {
        self.drop_source(name)?;
        let limits = self.limits;
        let collector = &mut self.whole()?.collector;
        sources::osv::read(archive, &limits, &mut |mut found| {
            found.source = Arc::from(name);
            let replaced = match &found.advisory {
                Some(advisory) => changes.contains_key(&advisory.id),
                None => false,
            };
            if replaced {
                return Ok(());
            }
            collector.osv(found)
        })?;
        for (id, change) in changes {
            if let Some(bytes) = change {
                add(collector, name, id, bytes, &limits)?;
            }
        }
        Ok(())
    }

    /// The ids of each OSV source and when they were modified.
    pub(crate) fn known(&self) -> BTreeMap<&str, Vec<(&str, Option<Moment>)>> {
        if let Some(steps) = &self.steps {
            return steps.known();
        }
        let collector = &self.whole.collector;
        let mut all: Vec<Vec<(&str, Option<Moment>)>> = Vec::new();
        all.resize_with(collector.sources.len(), Vec::new);
        for record in &collector.records {
            for source in &record.sources {
                if let Some(list) = all.get_mut(usize::from(*source)) {
                    list.push((collector.ids.text(record.id), record.modified));
                }
            }
        }
        collector
            .sources
            .iter()
            .zip(all)
            .filter(|(((kind, _), _), _)| *kind == SourceKind::Osv)
            .map(|(((_, name), _), mut list)| {
                list.sort_unstable();
                (name.as_str(), list)
            })
            .collect()
    }

    /// How many records each source has; RustSec's tree changes in a build
    /// from nothing only, and is counted there.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        if let Some(steps) = &self.steps {
            return steps.counts();
        }
        let known = self.known().into_iter();
        let mut counts: BTreeMap<String, u64> = known
            .map(|(name, records)| (name.to_owned(), records.len() as u64))
            .collect();
        let sources = &self.whole.collector.sources;
        for ((_, name), source) in sources
            .iter()
            .filter(|((kind, _), _)| *kind == SourceKind::RustSec)
        {
            let ids: BTreeSet<u32> = source.records.iter().map(|(id, _)| *id).collect();
            counts.insert(name.clone(), ids.len() as u64);
        }
        counts
    }

    /// Whether the RustSec tree has this advisory too: its extras were joined
    /// to OSV's record, so that changing that one takes a build from nothing.
    pub(crate) fn joins_rustsec(&mut self, id: &str) -> bool {
        if let Some(steps) = &self.steps {
            return steps.joins_rustsec(id);
        }
        let Whole { collector, old, .. } = &mut self.whole;
        let number = collector.ids.number(id);
        old.is_some()
            && collector.sources.iter().any(|((kind, _), source)| {
                *kind == SourceKind::RustSec && source.records.iter().any(|(id, _)| *id == number)
            })
    }

    /// Replaces, adds or removes (`None`) the record of an id in one source.
    pub(crate) fn apply(
        &mut self,
        name: &str,
        id: &str,
        bytes: Option<&[u8]>,
    ) -> Result<Applied, BuildError> {
        if let Some(steps) = &mut self.steps {
            return Ok(steps.apply(name, id, bytes));
        }
        let collector = &mut self.whole.collector;
        let before = collector.remove(name, id);
        let Some(bytes) = bytes else {
            return Ok(Applied::Removed);
        };
        if !add(collector, name, id, bytes, &self.limits)? {
            return Ok(Applied::Refused);
        }
        Ok(match (before, collector.digest(name, id)) {
            (None, _) => Applied::Added,
            (old, new) if old == new => Applied::Unchanged,
            _ => Applied::Changed,
        })
    }

    /// Takes the yanked versions that the database shall have.
    pub(crate) fn set_yanked(&mut self, yanked: Option<Yanked>) {
        self.whole.collector.yanked = yanked;
    }

    /// Takes all records of a source out.
    pub(crate) fn drop_source(&mut self, name: &str) -> Result<(), BuildError> {
        self.whole()?.collector.remove_source(name);
        Ok(())
    }

    /// Notes the newest time that the publisher's lists named when an OSV source
    /// was synced; returns whether that is news.
    pub(crate) fn set_listed(&mut self, name: &str, listed: Option<Moment>) -> bool {
        if let Some(steps) = &mut self.steps {
            let before = match listed {
                Some(listed) => steps.journal.listed.insert(name.to_owned(), listed),
                None => steps.journal.listed.remove(name),
            };
            return before != listed;
        }
        let mut changed = false;
        for ((kind, called), source) in &mut self.whole.collector.sources {
            if *kind == SourceKind::Osv && called == name && source.listed != listed {
                source.listed = listed;
                changed = true;
            }
        }
        changed
    }

    /// The time in a record, without checking the rest of it.
    pub(crate) fn modified(record: &[u8]) -> Option<Moment> {
        #[derive(serde::Deserialize)]
        struct Timed<'a> {
            #[serde(borrow)]
            modified: std::borrow::Cow<'a, str>,
        }
        let record = record.strip_prefix(b"\xef\xbb\xbf").unwrap_or(record);
        let timed: Timed<'_> = serde_json::from_slice(record).ok()?;
        Moment::parse(&timed.modified)
    }

    /// Takes the feeds that the database is to have.
    pub(crate) fn set_feeds(&mut self, feeds: Feeds) {
        match &mut self.steps {
            Some(steps) => steps.feeds = feeds,
            None => self.whole.collector.feeds = feeds,
        }
    }

    /// Whether the database can be written: a record whose texts are in no
    /// file any more, since a newer one of its id had replaced it, cannot.
    pub(crate) fn can_finish(&self) -> bool {
        match &self.steps {
            Some(steps) => steps.have_texts(),
            None => self.whole.collector.winners_have_texts(),
        }
    }

    /// Writes the database and what the next update needs.
    pub(crate) fn finish(mut self) -> Result<BuildReport, BuildError> {
        if let Some(steps) = &self.steps {
            match overlay::write(steps, &self.files.output) {
                Ok(warnings) => {
                    let info = written(&self.files.output)?;
                    let journal = steps.journal.dump(&info.root_digest);
                    keep(&self.files.journal, &journal)?;
                    return Ok(BuildReport { info, warnings });
                }
                Err(Failure::Build(error)) => return Err(error),
                Err(Failure::Far) => {}
            }
        }
        self.whole()?;
        let Whole {
            collector,
            old,
            updates,
        } = &mut self.whole;
        collector.add_rest()?;
        let finished = finish::write(collector, old.as_ref(), &self.files.output, None)?;
        let info = written(&self.files.output)?;
        let label = Label {
            digest: info.root_digest.clone(),
            inputs: self.files.inputs.clone(),
            updates: *updates,
        };
        if let Some(state) = state::dump(collector, &finished.chosen, &label) {
            keep(&self.files.state, &state)?;
        }
        Ok(BuildReport {
            info,
            warnings: finished.warnings,
        })
    }

    /// Warnings so far, where nothing is written.
    pub(crate) fn warnings(&self) -> &[Warning] {
        match &self.steps {
            Some(steps) => &steps.warnings,
            None => &self.whole.collector.warnings,
        }
    }
}

/// What the file says of itself that was just written.
fn written(output: &Path) -> Result<Info, BuildError> {
    let db = Db::open(output).map_err(BuildError::Unreadable)?;
    Ok(db.info().clone())
}

fn keep(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    replace(path, bytes).map_err(|source| BuildError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Adds a record to one source; `false` where it is refused.
fn add(
    collector: &mut Collector,
    name: &str,
    id: &str,
    bytes: &[u8],
    limits: &Limits,
) -> Result<bool, SourceError> {
    let found = steps::read(name, id, bytes, limits);
    let usable = found.advisory.is_some();
    collector.osv(found)?;
    Ok(usable)
}

fn collector(output: &Path) -> Result<Collector, BuildError> {
    Collector::new(place::directory(output)).map_err(|source| BuildError::Write {
        path: output.to_owned(),
        source,
    })
}
