//! Which files of a layer are read, as what path, and by which readers.
//!
//! The first reading takes what readers want, and is the only one that watchers see. A second one takes single files by name, because a
//! wanted path is a link to them; these are parsed as if they were at the wanted path.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::Arc;

use super::limits::Budget;
use super::names;
use crate::analyzer::{Alone, Analyzers, Answer, Reading, Run, Tee, examine};
use crate::model::facts::Facts;
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::Location;

/// Files to read a second time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Again {
    /// Path in the layer → the wanted paths that lead to it.
    pub(crate) files: BTreeMap<String, Vec<Arc<str>>>,
    /// Directory in the layer → the wanted directories that lead to it.
    directories: BTreeMap<String, Vec<String>>,
}

impl Again {
    /// Reads what lies below a directory as if it lay below another one; false where that was
    /// planned before.
    pub(crate) fn directory(&mut self, directory: &str, wanted: &str) -> bool {
        let all = self.directories.entry(directory.to_owned()).or_default();
        let is_new = !all.iter().any(|known| known == wanted);
        if is_new {
            all.push(wanted.to_owned());
        }
        is_new
    }

    /// The wanted directories for a path, each with the rest of the path.
    fn around<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let ends = path.match_indices('/').map(|(at, _)| at);
        let cuts = std::iter::once(None).chain(ends.map(Some));
        cuts.flat_map(move |cut| {
            let (directory, rest) = match cut {
                None => ("", path),
                Some(at) => path.split_at_checked(at).unwrap_or((path, "")),
            };
            let wanted = self.directories.get(directory).into_iter().flatten();
            wanted.map(move |wanted| (wanted.as_str(), rest.trim_start_matches('/')))
        })
    }
}

/// What to read.
pub(crate) enum Selection {
    Installed,
    Again(Again),
}

impl Selection {
    /// The readers for the file at `path`.
    pub(crate) fn runs(&self, analyzers: &Analyzers<'_>, path: &str) -> Vec<Run> {
        let all = |path: &str| {
            (analyzers.by_path)(path)
                .into_iter()
                .map(|reader| Run {
                    path: path.into(),
                    reader,
                })
                .collect::<Vec<_>>()
        };
        match self {
            Self::Installed => all(path),
            Self::Again(again) => {
                let mut runs = Vec::new();
                for wanted in again.files.get(path).into_iter().flatten() {
                    runs.extend(all(wanted));
                }
                if !again.directories.is_empty() {
                    for (wanted, rest) in again.around(path) {
                        runs.extend(all(&names::join(wanted, rest)));
                    }
                }
                runs
            }
        }
    }
}

/// What the readers of one file of `size` bytes say, by the path that each was told. Files that say
/// nothing are left out, but for databases, where an empty one is news.
pub(crate) fn read_member<R: BufRead>(
    content: &mut Tee<'_, R>,
    size: u64,
    runs: &[Run],
    buffer: &mut Vec<u8>,
    budget: Budget,
) -> Vec<(Arc<str>, Reading)> {
    let Ok(answers) = examine(content, size, runs, buffer, budget.file(), &Alone) else {
        // The stream remembers its fault, and the layer ends with it.
        return Vec::new();
    };
    let mut readings = Vec::new();
    for (run, answer) in runs.iter().zip(answers) {
        let facts = match answer {
            Answer::Read(facts) => *facts,
            Answer::TooLong(limit) => too_long(run, size, limit),
        };
        let database = run.reader.is_database();
        if database || facts != Facts::default() {
            let reading = Reading {
                analyzer: run.reader.id().into(),
                database,
                also_hidden: false,
                facts,
            };
            readings.push((Arc::clone(&run.path), reading));
        }
    }
    readings
}

fn too_long(run: &Run, size: u64, limit: u64) -> Facts {
    let id = run.reader.id();
    let cause = format!("{size} bytes are more than the {limit} that {id} reads");
    let place = Location::file(Arc::clone(&run.path));
    let gap = Gap::warning(Stage::Inventory, GapKind::Limit, place, cause);
    // A database lists a whole system, an archive is one entry of it.
    let gap = if run.reader.is_database() {
        gap.unjudged()
    } else {
        gap
    };
    let mut facts = Facts::default();
    facts.gaps.push(gap);
    facts
}
