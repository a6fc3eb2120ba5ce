//! Whole archives: which are fetched, and what is compiled out of them.

use super::Sync;
use super::names::Names;
use crate::compile::update::Session;
use crate::sync::cache::MAX_LOG;
use crate::sync::{SyncError, pool};
use remote::fetch::{Saved, is_intact};
use std::path::PathBuf;

/// Longest archive of one ecosystem.
const MAX_ARCHIVE: u64 = 8 << 30;

const ARCHIVE: &str = "all.zip";

impl Sync<'_> {
    /// Loads the archives of some directories that are not at hand. Those that
    /// are only kept are not asked for again while they are there.
    pub(super) fn archives(&mut self, names: &Names, wanted: &[String]) -> Result<(), SyncError> {
        let full = self.request.full;
        let again = |name: &String| {
            names.synced.contains(name) && (full || self.cache.log_length(name) > MAX_LOG)
        };
        let wanted: Vec<String> = wanted
            .iter()
            .filter(|name| !self.checked.contains(*name))
            .filter(|name| again(name) || !self.is_whole(name))
            .cloned()
            .collect();
        self.required(&wanted)
    }

    /// Loads archives without which nothing is known of their directories.
    pub(super) fn required(&mut self, names: &[String]) -> Result<(), SyncError> {
        let saved = self.load(names)?;
        let mut all = names.iter().zip(saved);
        match all.find(|(_, saved)| *saved == Saved::Missing) {
            None => Ok(()),
            Some((name, _)) if !self.is_listed && self.mirrors.is_some() => {
                Err(self.not_a_bucket(format!("{name}/{ARCHIVE}"), self.not_found()))
            }
            Some((name, _)) => Err(SyncError::Missing {
                what: format!("{name}/{ARCHIVE}"),
            }),
        }
    }

    /// Loads archives, several at once, unless they are the ones at hand.
    pub(super) fn load(&mut self, names: &[String]) -> Result<Vec<Saved>, SyncError> {
        let saved = self.save(names, ARCHIVE, MAX_ARCHIVE)?;
        for (name, saved) in names.iter().zip(&saved) {
            self.checked.insert(name.clone());
            if *saved == Saved::Fresh {
                self.cache.forget(name)?;
                if let Some(report) = self.reports.get_mut(name) {
                    report.archive = true;
                }
            }
        }
        Ok(saved)
    }

    pub(super) fn has_archive(&self, name: &str) -> bool {
        self.cache.file(name).join(ARCHIVE).is_file()
    }

    /// Whether the archive is there as it was fetched.
    fn is_whole(&self, name: &str) -> bool {
        self.has_archive(name) && is_intact(&self.cache.file(name).join(ARCHIVE))
    }

    /// Saves one file of several directories; all failures are told by name.
    pub(super) fn save(
        &self,
        names: &[String],
        file: &str,
        limit: u64,
    ) -> Result<Vec<Saved>, SyncError> {
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

    /// Compiles archives with the single records that came after them.
    pub(super) fn read(
        &mut self,
        session: &mut Session,
        names: &[String],
    ) -> Result<(), SyncError> {
        for name in names {
            let archive: PathBuf = self.cache.of(name, ARCHIVE)?;
            if !archive.is_file() {
                return Err(SyncError::Missing {
                    what: format!("{name}/{ARCHIVE}"),
                });
            }
            if self.request.offline && !is_intact(&archive) {
                return Err(SyncError::Damaged { path: archive });
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
}
