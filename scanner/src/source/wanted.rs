//! Which files of a layer are read, as what path, and by which parsers.
//!
//! The first reading takes what parsers want. A second one takes single files by name, because a
//! wanted path is a link to them; these are parsed as if they were at the wanted path.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};
use std::sync::Arc;

use super::layer::Reading;
use super::limits::Budget;
use super::{names, tar};
use crate::inventory::recognised::{self, Kind, Place};
use crate::inventory::{Content, Evidence, Facts, Need, Parser, Want, dispatch, parsers};
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::Location;

/// The parsers that count in images.
#[derive(Clone, Copy)]
pub(crate) struct Registry {
    pub(crate) by_path: fn(&str) -> Vec<&'static Parser>,
    pub(crate) magic_length: fn() -> usize,
    pub(crate) by_magic: fn(&[u8]) -> Vec<&'static Parser>,
    pub(crate) all: fn() -> Vec<&'static Parser>,
    /// What a file is that no parser reads.
    pub(crate) recognise: fn(&str) -> Option<&'static Kind>,
}

impl Registry {
    /// Those of the inventory.
    pub(crate) const fn installed() -> Self {
        Self {
            by_path: |path| dispatch::by_path(path, Evidence::Installed),
            magic_length: dispatch::magic_length,
            by_magic: |first| dispatch::by_magic(first, Evidence::Installed),
            all: || {
                parsers::ALL
                    .iter()
                    .copied()
                    .filter(|parser| parser.evidence == Evidence::Installed)
                    .collect()
            },
            recognise: |path| recognised::recognise(path, Place::Image),
        }
    }

    /// Whether every parser that wants `link` has read `file` under its own name.
    pub(crate) fn covers(&self, file: &str, link: &str) -> bool {
        let read = (self.by_path)(file);
        (self.by_path)(link)
            .iter()
            .all(|wanted| read.iter().any(|parser| parser.id == wanted.id))
    }

    /// Single paths and directories that parsers want, by exact path.
    pub(crate) fn exact(&self) -> Vec<Want> {
        (self.all)()
            .iter()
            .flat_map(|parser| parser.wants)
            .filter(|want| matches!(want, Want::Path(_) | Want::In(_)))
            .copied()
            .collect()
    }
}

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

/// One parser on one file.
pub(crate) struct Run {
    pub(crate) path: Arc<str>,
    pub(crate) parser: &'static Parser,
}

impl Selection {
    /// The parsers for the file at `path`.
    pub(crate) fn runs(&self, registry: &Registry, path: &str) -> Vec<Run> {
        let all = |path: &str| {
            (registry.by_path)(path)
                .into_iter()
                .map(|parser| Run {
                    path: path.into(),
                    parser,
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

    /// The parsers for an executable with these first bytes, which are read into `first`.
    pub(crate) fn runs_by_magic(
        &self,
        registry: &Registry,
        path: &str,
        content: &mut impl Read,
        first: &mut Vec<u8>,
    ) -> io::Result<Vec<Run>> {
        let length = (registry.magic_length)();
        if length == 0 || !matches!(self, Self::Installed) {
            return Ok(Vec::new());
        }
        first.resize(length, 0);
        let count = tar::fill(content, first)?;
        first.truncate(count);
        Ok((registry.by_magic)(first)
            .into_iter()
            .map(|parser| Run {
                path: path.into(),
                parser,
            })
            .collect())
    }
}

impl Run {
    /// Whether it reads the file as it comes.
    pub(crate) fn is_streamed(&self) -> bool {
        self.parser.need == Need::Stream
    }

    /// The longest file that it reads, where the file has to be held.
    fn limit(&self, budget: Budget) -> u64 {
        match self.parser.need {
            Need::Stream => budget.file(),
            Need::Whole(limit) => limit.min(budget.file()),
        }
    }
}

/// Whether a file of `size` bytes is read by any of its parsers.
pub(crate) fn fits(size: u64, runs: &[Run], budget: Budget) -> bool {
    match runs {
        [run] if run.is_streamed() => true,
        _ => runs.iter().any(|run| size <= run.limit(budget)),
    }
}

/// Runs parsers on the content of one file of `size` bytes. Files that told nothing are left
/// out, but for databases, where an empty one is news.
pub(crate) fn read_member(
    content: &mut impl BufRead,
    size: u64,
    runs: &[Run],
    buffer: &mut Vec<u8>,
    budget: Budget,
) -> Vec<(Arc<str>, Reading)> {
    let mut readings = Vec::new();
    let mut keep = |run: &Run, facts: Facts| {
        if run.parser.database || facts != Facts::default() {
            let reading = Reading {
                parser: run.parser.id.into(),
                database: run.parser.database,
                facts,
            };
            readings.push((Arc::clone(&run.path), reading));
        }
    };
    if let [run] = runs
        && run.is_streamed()
    {
        let facts = dispatch::run(run.parser, &run.path, Content::Stream(content));
        keep(run, facts);
        return readings;
    }
    buffer.clear();
    if fits(size, runs, budget) && content.read_to_end(buffer).is_err() {
        // The stream remembers its fault, and the layer ends with it.
        return readings;
    }
    for run in runs {
        let limit = run.limit(budget);
        let facts = if size > limit {
            let gap = Gap::warning(
                Stage::Inventory,
                GapKind::Limit,
                Location::file(Arc::clone(&run.path)),
                format!(
                    "{size} bytes are more than the {limit} that {} reads",
                    run.parser.id
                ),
            );
            // A database lists a whole system, an archive is one entry of it.
            let database = run.parser.database;
            let mut facts = Facts::default();
            facts.gaps.push(if database { gap.unjudged() } else { gap });
            facts
        } else {
            match run.parser.need {
                Need::Whole(_) => dispatch::run(run.parser, &run.path, Content::Whole(buffer)),
                Need::Stream => {
                    let mut stream = buffer.as_slice();
                    dispatch::run(run.parser, &run.path, Content::Stream(&mut stream))
                }
            }
        };
        keep(run, facts);
    }
    // A large file must not stay in memory for the rest of the layer.
    if buffer.capacity() > (1 << 20) {
        *buffer = Vec::new();
    }
    readings
}
