//! What the images that lie in one tree may cost together. Each has limits of its own; a link or a
//! copy in git's store costs its author nothing, so that many small ones need a total.

use std::collections::BTreeSet;
use std::path::Path;

use crate::source::{Cost, limits};

/// What a package of an image takes until the report is written, once the layers are merged: 600,000
/// took 551 MiB.
const PACKAGE_BYTES: u64 = 2048;

/// Unpacked bytes below which their ratio to what is stored does not matter.
const RATIO_FLOOR: u64 = 2 * limits::IMAGE_RATIO_FLOOR;

/// What one that was refused counts as.
const REFUSED: u64 = limits::IMAGE_RATIO_FLOOR;

/// The images of a tree so far.
#[derive(Debug, Default)]
pub(super) struct Images {
    #[cfg(unix)]
    files: BTreeSet<(u64, u64)>,
    memory: u64,
    cost: Cost,
    refused: u64,
    packages: usize,
}

impl Images {
    /// None yet, for a run that may take so many bytes of memory.
    pub(super) fn new(memory: u64) -> Self {
        Self {
            memory,
            ..Self::default()
        }
    }

    /// Whether an archive was read under another name: hard links are one file.
    #[cfg(unix)]
    pub(super) fn is_known(&mut self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let data = std::fs::metadata(path);
        let file = data.ok().filter(std::fs::Metadata::is_file);
        file.is_some_and(|file| !self.files.insert((file.dev(), file.ino())))
    }

    /// Whether an archive was read under another name: not known here.
    #[cfg(not(unix))]
    pub(super) fn is_known(&mut self, _: &Path) -> bool {
        false
    }

    /// Counts the images of one layout or archive.
    pub(super) const fn add(&mut self, cost: Cost, packages: usize) {
        self.cost.stored = self.cost.stored.saturating_add(cost.stored);
        self.cost.unpacked = self.cost.unpacked.saturating_add(cost.unpacked);
        self.packages = self.packages.saturating_add(packages);
    }

    /// Counts one that could not be read.
    pub(super) const fn refuse(&mut self) {
        self.refused = self.refused.saturating_add(REFUSED);
    }

    /// Why no further image is read.
    pub(super) fn spent(&self) -> Option<String> {
        let Cost { stored, unpacked } = self.cost;
        if self.packages as u64 > self.memory / PACKAGE_BYTES {
            let cause = "the images of the tree hold more packages than fit into --memory";
            return Some(cause.to_owned());
        }
        let cause = "the images of the tree unpack to more than";
        if unpacked > RATIO_FLOOR && unpacked / limits::IMAGE_RATIO > stored {
            return Some(format!("{cause} {} times their size", limits::IMAGE_RATIO));
        }
        let total = unpacked.saturating_add(self.refused);
        (total > limits::IMAGE_BYTES).then(|| format!("{cause} {} bytes", limits::IMAGE_BYTES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_small_images_are_too_much_together() {
        let spent = |many: u64, stored: u64, unpacked: u64, packages: usize| {
            let mut images = Images::new(1 << 30);
            for _ in 0..many {
                images.add(Cost { stored, unpacked }, packages);
            }
            images.spent().is_some()
        };
        assert!(!spent(100, 1 << 30, 1 << 30, 1000));
        assert!(spent(129, 1 << 30, 1 << 30, 0));
        assert!(!spent(2, 1 << 10, 4 << 30, 0));
        assert!(spent(3, 1 << 10, 4 << 30, 0));
        assert!(!spent(5, 0, 0, 100_000));
        assert!(spent(6, 0, 0, 100_000));
        let mut images = Images::new(1 << 30);
        for _ in 0..32 {
            images.refuse();
        }
        assert!(images.spent().is_none());
        images.refuse();
        assert!(images.spent().is_some());
    }

    #[cfg(unix)]
    #[test]
    fn hard_links_are_one_file() {
        let root = tempfile::tempdir().unwrap();
        let (one, two) = (root.path().join("a"), root.path().join("b"));
        std::fs::write(&one, "").unwrap();
        std::fs::hard_link(&one, &two).unwrap();
        let mut images = Images::new(1 << 30);
        assert!(!images.is_known(&one) && images.is_known(&two));
        assert!(!images.is_known(root.path()) && !images.is_known(root.path()));
    }
}
