//! A build that can go on where the last one stopped: single records are
//! taken out, added or replaced, and the file is written as if it had been
//! built from the resulting records alone (the same bytes).

use super::collect::Collector;
use super::state::{self, Label};
use super::{BuildError, BuildReport, finish};
use crate::limits::Limits;
use crate::moment::Moment;
use crate::problem::Warning;
use crate::sources::crates_index::Yanked;
use crate::sources::{self, SourceError, SourceKind};
use crate::store::read::Store;
use crate::store::write;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

/// After this many updates the next build starts from nothing, so that names
/// that no record uses any more do not pile up.
const MAX_UPDATES: u64 = 500;
/// Longest state that is loaded.
const MAX_STATE: u64 = 2 << 30;

/// A build in steps.
pub(crate) struct Session {
    collector: Collector,
    old: Option<Store>,
    limits: Limits,
    updates: u64,
}

/// What became of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    Added,
    Changed,
    Unchanged,
    Removed,
    /// The record was refused with a warning.
    Refused,
}

impl Session {
    /// Starts from nothing but the RustSec tree.
    pub(crate) fn fresh(
        output: &Path,
        rustsec: Option<&Path>,
        limits: Limits,
    ) -> Result<Self, BuildError> {
        let mut collector = collector(output)?;
        if let Some(tree) = rustsec {
            sources::rustsec::read(tree, &limits, &mut |found| {
                collector.rustsec(found);
                Ok(())
            })?;
        }
        Ok(Self {
            collector,
            old: None,
            limits,
            updates: 0,
        })
    }

    /// Goes on from a database and the state beside it; `None` where they do
    /// not belong together, or are not of these inputs.
    pub(crate) fn resume(
        output: &Path,
        state: &Path,
        inputs: &str,
        limits: Limits,
    ) -> Result<Option<Self>, BuildError> {
        let Ok(old) = Store::open(output) else {
            return Ok(None);
        };
        if fs::metadata(state).map_or(true, |data| data.len() > MAX_STATE) {
            return Ok(None);
        }
        let Ok(bytes) = fs::read(state) else {
            return Ok(None);
        };
        let mut collector = collector(output)?;
        let usable = state::load(&bytes, &mut collector).ok().filter(|label| {
            label.digest == old.info().root_digest
                && label.inputs == inputs
                && label.updates < MAX_UPDATES
        });
        Ok(usable.map(|label| Self {
            collector,
            old: Some(old),
            limits,
            updates: label.updates.saturating_add(1),
        }))
    }

    /// The OSV sources that it holds.
    pub(crate) fn sources(&self) -> BTreeSet<String> {
        let osv = self.collector.sources.iter();
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
        self.drop_source(name);
        let collector = &mut self.collector;
        sources::osv::read(archive, &self.limits, &mut |mut found| {
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
                self.add(name, id, bytes)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, id: &str, bytes: &[u8]) -> Result<bool, SourceError> {
        let source: Arc<str> = Arc::from(name);
        let mut found = sources::osv::one(&source, &format!("{id}.json"), bytes, &self.limits);
        if let Some(advisory) = &found.advisory
            && advisory.id != id
        {
            let cause = format!("record skipped: it is {:?}", advisory.id);
            found.warnings = vec![Warning::new(name, id, cause)];
            found.advisory = None;
        }
        let usable = found.advisory.is_some();
        self.collector.osv(found)?;
        Ok(usable)
    }

    /// The ids of each OSV source and when they were modified.
    pub(crate) fn known(&self) -> BTreeMap<&str, Vec<(&str, Option<Moment>)>> {
        let mut all: Vec<Vec<(&str, Option<Moment>)>> = Vec::new();
        all.resize_with(self.collector.sources.len(), Vec::new);
        for record in &self.collector.records {
            for source in &record.sources {
                if let Some(list) = all.get_mut(usize::from(*source)) {
                    list.push((self.collector.ids.text(record.id), record.modified));
                }
            }
        }
        self.collector
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

    /// Whether the RustSec tree has this advisory too: its extras were joined
    /// to OSV's record, so that changing that one takes a build from nothing.
    pub(crate) fn joins_rustsec(&mut self, id: &str) -> bool {
        let number = self.collector.ids.number(id);
        self.old.is_some()
            && self.collector.sources.iter().any(|((kind, _), source)| {
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
        let before = self.collector.remove(name, id);
        let Some(bytes) = bytes else {
            return Ok(Applied::Removed);
        };
        if !self.add(name, id, bytes)? {
            return Ok(Applied::Refused);
        }
        Ok(match (before, self.collector.digest(name, id)) {
            (None, _) => Applied::Added,
            (old, new) if old == new => Applied::Unchanged,
            _ => Applied::Changed,
        })
    }

    /// Takes the yanked versions that the database shall have.
    pub(crate) fn set_yanked(&mut self, yanked: Option<Yanked>) {
        self.collector.yanked = yanked;
    }

    /// Takes all records of a source out.
    pub(crate) fn drop_source(&mut self, name: &str) {
        self.collector.remove_source(name);
    }

    /// Notes the newest time that the publisher's lists name; returns whether
    /// that is news.
    pub(crate) fn set_listed(&mut self, listed: Option<Moment>) -> bool {
        let mut changed = false;
        for ((kind, _), source) in &mut self.collector.sources {
            if *kind == SourceKind::Osv && source.listed != listed {
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

    /// Whether the database can be written: a record whose texts are in no
    /// file any more, since a newer one of its id had replaced it, cannot.
    pub(crate) fn can_finish(&self) -> bool {
        self.collector.winners_have_texts()
    }

    /// Writes the database, then the state for the next update.
    pub(crate) fn finish(
        mut self,
        output: &Path,
        state: &Path,
        inputs: &str,
    ) -> Result<BuildReport, BuildError> {
        self.collector.add_rest()?;
        let written = finish::write(&mut self.collector, self.old.as_ref(), output)?;
        let info = crate::query::Db::open(output)
            .map_err(BuildError::Unreadable)?
            .info()
            .clone();
        let label = Label {
            digest: info.root_digest.clone(),
            inputs: inputs.to_owned(),
            updates: self.updates,
        };
        let bytes = state::dump(&self.collector, &written.chosen, &label);
        replace(state, &bytes).map_err(|source| BuildError::Write {
            path: state.to_owned(),
            source,
        })?;
        Ok(BuildReport {
            info,
            warnings: written.warnings,
        })
    }

    /// Warnings so far, where nothing is written.
    pub(crate) fn warnings(&self) -> &[Warning] {
        &self.collector.warnings
    }
}

fn collector(output: &Path) -> Result<Collector, BuildError> {
    Collector::new(write::directory(output)).map_err(|source| BuildError::Write {
        path: output.to_owned(),
        source,
    })
}

/// Replaces a file as a whole.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut scratch = tempfile::NamedTempFile::new_in(write::directory(path))?;
    scratch.write_all(bytes)?;
    scratch.persist(path).map_err(|error| error.error)?;
    Ok(())
}
