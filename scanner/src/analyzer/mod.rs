//! What looks at the files of a target, whatever holds them: a directory, a layer, the tree of a
//! commit.
//!
//! ```text
//! source: Entry, bytes ─ loop (read once, teed) ─┬→ Reader: asked for by path, whole or as a stream
//!                                                ├→ Watcher: every byte of every file
//!                                                └→ Look: at what no reader wants
//!                                       Reading (id, facts) ←┘
//! ```
//!
//! The source of an image knows [`Analyzers`] and nothing behind them; that of a tree knows which files
//! are recognised, too, for what nobody reads there. An analyzer knows bytes and never where they come
//! from. Owns the seam between the two and the one loop that runs it (`examine`). Decides
//! neither what a finding is nor which files are visible in an image.

use std::io::{self, BufRead};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::facts::Facts;

mod beside;
mod examine;
mod key;
mod tee;
#[cfg(test)]
pub(crate) mod tests;

pub use self::beside::{Alone, Beside};
pub(crate) use self::examine::{Answer, Run, examine, fits};
pub use self::key::Key;
pub(crate) use self::tee::Tee;

/// A file as a source meets it, before anything of it is read.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Relative to the root of the target or layer, with `/`.
    pub path: &'a str,
    /// Length in bytes, as the source says before it reads.
    pub size: u64,
    /// Whether an executable bit is set.
    pub is_executable: bool,
}

/// How an analyzer recognises its files by their paths.
#[derive(Clone, Copy, Debug)]
pub enum Want {
    /// The exact file name: `Cargo.lock`.
    Name(&'static str),
    /// The exact path from the root: `var/lib/dpkg/status`.
    Path(&'static str),
    /// Any file whose whole path ends in these components: `dist-info/METADATA` means a file
    /// `METADATA` in a directory whose name ends in `dist-info`.
    Suffix(&'static str),
    /// Files directly in a directory: `var/lib/dpkg/status.d/`.
    In(&'static str),
    /// File name extension with the dot: `.jar`.
    Extension(&'static str),
}

/// How a reader wants the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A buffered stream, read once, of any length.
    Stream,
    /// The whole file, up to this many bytes; a larger file is a gap.
    Whole(u64),
}

/// The content of a file, as [`Need`] asked for it.
pub enum Content<'a> {
    /// For [`Need::Stream`].
    Stream(&'a mut dyn BufRead),
    /// For [`Need::Whole`].
    Whole(&'a [u8]),
}

/// Reads files of one format, found by their paths.
pub trait Reader: Sync {
    /// Kebab-case, unique among all analyzers: `cargo-lock`.
    fn id(&self) -> &'static str;

    /// Grows whenever the same bytes would give other facts, so that kept facts are not taken for
    /// those of this program.
    fn version(&self) -> u32;

    /// How it reads.
    fn need(&self) -> Need;

    /// Whether its files are databases that later layers rewrite as a whole.
    fn is_database(&self) -> bool;

    /// Reads one file, with what lies beside it where that can be seen. Never fails and never
    /// panics: what could not be read is a gap in the facts.
    fn read<'a>(&self, path: &'a str, content: Content<'a>, beside: &'a dyn Beside) -> Facts;
}

/// Sees every byte of every file once, in order, also of files that a higher layer hides.
pub trait Watcher: Sync {
    /// Kebab-case, unique among all analyzers.
    fn id(&self) -> &'static str;

    /// As for [`Reader::version`].
    fn version(&self) -> u32;

    /// Begins a file; `None` passes it over.
    fn watch(&self, entry: &Entry<'_>) -> Option<Box<dyn Watch + '_>>;
}

/// A file under the eyes of a [`Watcher`].
pub trait Watch {
    /// The next bytes of the file.
    fn feed(&mut self, bytes: &[u8]);

    /// All bytes came. Facts that say nothing are not kept.
    fn finish(self: Box<Self>) -> Facts;
}

/// How much of a file a [`Look`] looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nothing: the path says all.
    Nothing,
    /// So many first bytes.
    First(u64),
    /// All of it.
    Whole,
}

/// Looks at the files of one layer that no reader wants by their paths, for those whose content says
/// what they are: packages where they are read, a gap where nothing reads them.
pub trait Look {
    /// As for [`Reader::version`].
    fn version(&self) -> u32;

    /// How much of a file it would look at, for sources that fetch files one by one.
    fn reach(&self, _entry: &Entry<'_>) -> Reach {
        Reach::Whole
    }

    /// An id and what a file says that holds something, `None` where it does not.
    fn look(
        &mut self,
        entry: &Entry<'_>,
        content: &mut dyn BufRead,
    ) -> io::Result<Option<(&'static str, Facts)>>;
}

/// A reader, with what it wants.
pub type Wanted = (&'static dyn Reader, &'static [Want]);

/// All that looks at the files of a target.
#[derive(Clone, Copy)]
pub struct Analyzers<'a> {
    /// The readers that want a path.
    pub by_path: fn(&str) -> Vec<&'static dyn Reader>,
    /// All readers, with what they want.
    pub readers: fn() -> Vec<Wanted>,
    /// What looks at the rest of a layer.
    pub unclaimed: fn() -> Box<dyn Look>,
    /// What sees all bytes.
    pub watchers: &'a [&'a dyn Watcher],
}

impl<'a> Analyzers<'a> {
    /// The same with watchers.
    #[must_use]
    pub fn with<'b>(self, watchers: &'b [&'b dyn Watcher]) -> Analyzers<'b> {
        Analyzers { watchers, ..self }
    }

    /// Whether anything wants every file.
    pub(crate) const fn sees_all(&self) -> bool {
        !self.watchers.is_empty()
    }

    /// Those that watch a file, begun.
    pub(crate) fn watch(&self, entry: &Entry<'_>) -> Vec<Watching<'a>> {
        let watchers = self.watchers.iter();
        let begun = watchers.filter_map(|watcher| {
            Some(Watching {
                id: watcher.id(),
                watch: watcher.watch(entry)?,
            })
        });
        begun.collect()
    }

    /// What facts of these analyzers may be kept under, beside the digest of what they read.
    pub fn key(&self, digest: &str) -> Key {
        let readers = (self.readers)();
        let readers = readers
            .iter()
            .map(|(reader, _)| (reader.id(), reader.version()));
        let watchers = self.watchers.iter();
        let watchers = watchers.map(|watcher| (watcher.id(), watcher.version()));
        let unclaimed = std::iter::once(("unclaimed", (self.unclaimed)().version()));
        Key::new(digest, readers.chain(watchers).chain(unclaimed))
    }

    /// Whether every reader that wants `link` has read `file` under its own name.
    pub(crate) fn covers(&self, file: &str, link: &str) -> bool {
        let read = (self.by_path)(file);
        (self.by_path)(link)
            .iter()
            .all(|wanted| read.iter().any(|reader| reader.id() == wanted.id()))
    }

    /// Single paths and directories that readers want, by exact path.
    pub(crate) fn exact(&self) -> Vec<Want> {
        (self.readers)()
            .iter()
            .flat_map(|(_, wants)| *wants)
            .filter(|want| matches!(want, Want::Path(_) | Want::In(_)))
            .copied()
            .collect()
    }
}

/// A watcher's file, until its end.
pub(crate) struct Watching<'a> {
    pub(crate) id: &'static str,
    pub(crate) watch: Box<dyn Watch + 'a>,
}

/// What one analyzer read from one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Id of the analyzer.
    pub analyzer: Arc<str>,
    /// Whether the file is a database that later layers rewrite as a whole.
    pub database: bool,
    /// Whether it counts as well where a higher layer hides the file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub also_hidden: bool,
    /// What it says.
    pub facts: Facts,
}
