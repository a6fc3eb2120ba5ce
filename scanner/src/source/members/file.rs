//! The files of a layer: those that readers want are read, and the others are looked at.

use std::io::BufRead;
use std::sync::Arc;

use super::{CHARGE, Content, GAP_BYTES, Members, Present};
use crate::analyzer::{Analyzers, Entry, Reading, Run, Tee, fits};
use crate::source::counts::count;
use crate::source::limits::{Budget, Name};
use crate::source::scanned::ScannedFile;
use crate::source::stream::Shared;
use crate::source::tar::Member;
use crate::source::wanted::{Selection, read_member};

impl Members {
    pub(super) fn file<C: Content>(
        &mut self,
        from: &mut C,
        path: String,
        member: &Member,
        shared: &Shared,
        analyzers: &Analyzers<'_>,
        selection: &Selection,
    ) {
        if !from.is_here() {
            count(&mut self.counts.left_out);
            return;
        }
        let entry = Entry {
            path: &path,
            size: member.size,
            is_executable: member.executable,
        };
        let is_first = matches!(selection, Selection::Installed);
        let watching = if is_first {
            analyzers.watch(&entry)
        } else {
            Vec::new()
        };
        let runs = selection.runs(analyzers, &path);
        let mut content = Tee::new(from, watching);
        let mut files = if !runs.is_empty() {
            self.claimed(&mut content, &entry, &runs, shared)
        } else if is_first {
            self.look(&mut content, &entry)
        } else {
            count(&mut self.counts.not_recognised);
            Vec::new()
        };
        match content.finish() {
            Ok(readings) => {
                for reading in readings {
                    put(&mut files, &Arc::from(path.as_str()), reading);
                }
            }
            // The stream remembers its fault.
            Err(_) => return,
        }
        for reading in files.iter().flat_map(|file| &file.readings) {
            let facts = &reading.facts;
            let packages = facts.packages.len().saturating_add(facts.owned.len() / 16);
            self.packages = self.packages.saturating_add(packages);
            let packages = Budget::PACKAGE_BYTES.saturating_mul(packages as u64);
            let gaps = GAP_BYTES.saturating_mul(facts.gaps.len() as u64);
            self.kept(packages.saturating_add(gaps));
        }
        if !files.is_empty() {
            self.kept(Budget::KEPT_FILE_BYTES.saturating_mul(files.len() as u64));
            self.present.insert(path, Present::File(files));
        }
    }

    /// A file that readers want.
    fn claimed<R: BufRead>(
        &mut self,
        content: &mut Tee<'_, R>,
        entry: &Entry<'_>,
        runs: &[Run],
        shared: &Shared,
    ) -> Vec<ScannedFile> {
        let budget = shared.totals.budget;
        if self.packages as u64 > budget.limit(Name::LayerPackages) {
            count(&mut self.counts.limit);
            if !self.packages_full {
                self.packages_full = true;
                self.full(
                    entry.path,
                    "the layer has too many packages; this file and those after it were not read",
                );
            }
            return Vec::new();
        }
        if fits(entry.size, runs, budget.file()) {
            count(&mut self.counts.read);
        } else {
            count(&mut self.counts.limit);
        }
        // Little files are nothing beside the buffers of the streams.
        let held = (entry.size > CHARGE && !runs.iter().all(Run::is_streamed))
            .then(|| shared.totals.files.hold(entry.size.min(budget.file())));
        let mut files = Vec::new();
        for (path, reading) in read_member(content, entry.size, runs, &mut self.buffer, budget) {
            put(&mut files, &path, reading);
        }
        drop(held);
        files
    }

    /// A file that no reader wants by its path: a program whose parts are read, or one that is
    /// recognised and not read, whose gap goes with the file where a later layer hides it.
    fn look<R: BufRead>(
        &mut self,
        content: &mut Tee<'_, R>,
        entry: &Entry<'_>,
    ) -> Vec<ScannedFile> {
        let (id, facts) = match self.unclaimed.look(entry, content) {
            Ok(Some(found)) => found,
            Ok(None) => {
                count(&mut self.counts.not_recognised);
                return Vec::new();
            }
            // The stream remembers its fault.
            Err(_) => {
                count(&mut self.counts.unreadable);
                return Vec::new();
            }
        };
        let is_read = !facts.packages.is_empty();
        count(if is_read {
            &mut self.counts.read
        } else {
            &mut self.counts.not_read
        });
        let path = entry.path;
        // Where all files of a directory have one gap, one file has it.
        let subject = facts.gaps.first().map(|gap| &gap.location.path);
        let subject = subject.filter(|subject| ***subject != *path);
        if subject.is_some_and(|subject| !self.subjects.insert(Arc::clone(subject))) {
            return Vec::new();
        }
        let reading = Reading {
            analyzer: id.into(),
            database: false,
            also_hidden: false,
            facts,
        };
        let mut files = Vec::new();
        put(&mut files, &Arc::from(path), reading);
        files
    }
}

/// Adds what one analyzer said to the file of that path.
fn put(files: &mut Vec<ScannedFile>, path: &Arc<str>, reading: Reading) {
    match files.iter_mut().find(|file| file.path == *path) {
        Some(file) => file.readings.push(reading),
        None => files.push(ScannedFile {
            path: Arc::clone(path),
            readings: vec![reading],
        }),
    }
}
