//! The ledger of one target: every file that was seen, and what became of it. It only counts; what
//! was not looked at and should have been is a gap, too.
//!
//! Every file is counted once when it is seen, and once for its fate:
//! `seen = read + unreadable + skipped`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a file was not read. The names are part of the JSON contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipRule {
    /// A later layer deletes or replaces it.
    Hidden,
    /// A blob, index or configuration of an image in a tree, which is judged as a target of its own.
    Image,
    /// Its layer was read by its table of contents, and it was not fetched; there is a gap.
    LeftOut,
    /// A limit; there is a gap.
    Limit,
    /// A link to a file that is counted under its own name.
    Link,
    /// This run was asked not to look for what it holds.
    NotAsked,
    /// A kind of file that is recognised and not read yet; there is a gap.
    NotRead,
    /// No analyzer wants a file of this name or content.
    NotRecognised,
    /// Neither a file nor a link: a FIFO, a socket, a device.
    Special,
    /// Part of a vendored tree of dependencies, not the project's own.
    Vendored,
}

/// What became of the files of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// All that were met.
    pub seen: u64,
    /// Those that some analyzer knows, read or not.
    pub recognised: u64,
    /// Those whose content was analyzed.
    pub read: u64,
    /// Those that could not be opened or read; each has a gap.
    pub unreadable: u64,
    /// Those that were not read, by the rule that says why.
    pub skipped: BTreeMap<SkipRule, u64>,
    /// Directories that were not entered, by name; what lies in them was not seen.
    pub directories: BTreeMap<Arc<str>, u64>,
}

impl Files {
    /// Counts a file that was analyzed.
    pub fn read(&mut self) {
        self.seen = self.seen.saturating_add(1);
        self.recognised = self.recognised.saturating_add(1);
        self.read = self.read.saturating_add(1);
    }

    /// Counts a file that an analyzer wanted and that could not be read.
    pub fn unreadable(&mut self) {
        self.seen = self.seen.saturating_add(1);
        self.recognised = self.recognised.saturating_add(1);
        self.unreadable = self.unreadable.saturating_add(1);
    }

    /// Counts files that were not read for one reason.
    pub fn skip(&mut self, rule: SkipRule, count: u64) {
        if count == 0 {
            return;
        }
        self.seen = self.seen.saturating_add(count);
        if rule == SkipRule::NotRead {
            self.recognised = self.recognised.saturating_add(count);
        }
        let files = self.skipped.entry(rule).or_default();
        *files = files.saturating_add(count);
    }

    /// Takes back that a file was skipped: it was read after all, and is counted as such.
    pub fn unskip(&mut self, rule: SkipRule) {
        if let Some(files) = self.skipped.get_mut(&rule).filter(|files| **files > 0) {
            *files = files.saturating_sub(1);
            self.seen = self.seen.saturating_sub(1);
        }
    }

    /// Counts a directory that was not entered.
    pub fn skip_directory(&mut self, name: &str) {
        let count = match self.directories.get_mut(name) {
            Some(count) => count,
            None => self.directories.entry(Arc::from(name)).or_default(),
        };
        *count = count.saturating_add(1);
    }

    /// Adds the counts of another part of the target.
    pub fn add(&mut self, other: &Self) {
        self.seen = self.seen.saturating_add(other.seen);
        self.recognised = self.recognised.saturating_add(other.recognised);
        self.read = self.read.saturating_add(other.read);
        self.unreadable = self.unreadable.saturating_add(other.unreadable);
        for (rule, count) in &other.skipped {
            let files = self.skipped.entry(*rule).or_default();
            *files = files.saturating_add(*count);
        }
        for (name, count) in &other.directories {
            let directories = self.directories.entry(Arc::clone(name)).or_default();
            *directories = directories.saturating_add(*count);
        }
    }

    /// All that were not read, for whatever reason.
    pub fn skipped(&self) -> u64 {
        self.skipped
            .values()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether every file that was seen has exactly one fate.
    pub fn adds_up(&self) -> bool {
        let fates = self.read.saturating_add(self.unreadable);
        self.seen == fates.saturating_add(self.skipped())
    }
}

/// How many packages of an ecosystem were compared with advisories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Compared.
    pub judged: u64,
    /// Not compared: no advisories, no distribution, no database, not a public package.
    pub not_judged: u64,
}

impl Judged {
    /// Counts one package.
    pub const fn count(&mut self, judged: bool) {
        let count = if judged {
            &mut self.judged
        } else {
            &mut self.not_judged
        };
        *count = count.saturating_add(1);
    }

    /// Adds other packages.
    pub const fn add(&mut self, other: Self) {
        self.judged = self.judged.saturating_add(other.judged);
        self.not_judged = self.not_judged.saturating_add(other.not_judged);
    }
}

/// What was evaluated as infrastructure code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terraform {
    /// Root modules that were evaluated.
    pub roots: u64,
    /// Module calls whose source was read.
    pub modules_resolved: u64,
    /// Module calls whose source is not in the tree or could not be read.
    pub modules_unresolved: u64,
}

/// Layers of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layers {
    /// Read to their end and verified.
    pub whole: u64,
    /// Cut by a limit.
    pub cut: u64,
    /// Not read at all, such as foreign layers.
    pub unread: u64,
    /// Read by their tables of contents, as far as anything was wanted.
    #[serde(default, skip_serializing_if = "Part::is_none")]
    pub partial: Part,
}

/// Layers of which only a part was fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// How many there are.
    pub layers: u64,
    /// Bytes that were fetched of them.
    pub fetched: u64,
    /// Bytes that they have.
    pub stored: u64,
}

impl Part {
    /// Whether there are none.
    pub const fn is_none(&self) -> bool {
        self.layers == 0
    }

    /// Adds other layers.
    pub const fn add(&mut self, other: Self) {
        self.layers = self.layers.saturating_add(other.layers);
        self.fetched = self.fetched.saturating_add(other.fetched);
        self.stored = self.stored.saturating_add(other.stored);
    }
}

/// The ledger of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Files; for an image, the members of all its layers.
    pub files: Files,
    /// Packages by OSV ecosystem; by package type where the ecosystem is not known.
    pub packages: BTreeMap<Arc<str>, Judged>,
    /// Infrastructure code.
    pub terraform: Terraform,
    /// For images.
    pub layers: Layers,
}

impl Coverage {
    /// Adds the ledger of another target.
    pub fn add(&mut self, other: &Self) {
        self.files.add(&other.files);
        for (ecosystem, judged) in &other.packages {
            let sum = self.packages.entry(Arc::clone(ecosystem)).or_default();
            sum.add(*judged);
        }
        let (own, more) = (&mut self.terraform, other.terraform);
        own.roots = own.roots.saturating_add(more.roots);
        own.modules_resolved = own.modules_resolved.saturating_add(more.modules_resolved);
        own.modules_unresolved = own
            .modules_unresolved
            .saturating_add(more.modules_unresolved);
        let (own, more) = (&mut self.layers, other.layers);
        own.whole = own.whole.saturating_add(more.whole);
        own.cut = own.cut.saturating_add(more.cut);
        own.unread = own.unread.saturating_add(more.unread);
        own.partial.add(more.partial);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_one_fate() {
        let mut files = Files::default();
        files.read();
        files.unreadable();
        files.skip(SkipRule::NotRead, 2);
        files.skip(SkipRule::NotRecognised, 3);
        files.skip(SkipRule::Hidden, 0);
        files.skip_directory(".git");
        assert!(files.adds_up());
        assert_eq!((files.seen, files.recognised, files.skipped()), (7, 4, 5));
        assert!(!files.skipped.contains_key(&SkipRule::Hidden));
        let mut twice = files.clone();
        twice.add(&files);
        assert!(twice.adds_up());
        assert_eq!((twice.seen, twice.directories.get(".git")), (14, Some(&2)));
        twice.seen += 1;
        assert!(!twice.adds_up());
    }
}
