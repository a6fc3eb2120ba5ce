//! What became of the members of a layer: plain counters, since there are millions of members.

use crate::model::coverage::{Files, SkipRule};

/// What became of members; [`Files`] in the making.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) read: u64,
    pub(super) unreadable: u64,
    pub(super) limit: u64,
    pub(super) link: u64,
    pub(super) special: u64,
    pub(super) left_out: u64,
    pub(super) not_read: u64,
    pub(super) not_recognised: u64,
}

impl Counts {
    /// As the ledger has it.
    pub(super) fn files(&self) -> Files {
        let mut files = Files::default();
        files.read = self.read;
        files.unreadable = self.unreadable;
        files.seen = self.read.saturating_add(self.unreadable);
        files.recognised = files.seen;
        files.skip(SkipRule::Limit, self.limit);
        files.skip(SkipRule::Link, self.link);
        files.skip(SkipRule::Special, self.special);
        files.skip(SkipRule::LeftOut, self.left_out);
        files.skip(SkipRule::NotRead, self.not_read);
        files.skip(SkipRule::NotRecognised, self.not_recognised);
        files
    }
}

/// Counts one more.
pub(super) const fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}
