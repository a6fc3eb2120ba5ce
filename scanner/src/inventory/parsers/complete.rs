//! Whether the entries of a lockfile are complete: what one of them depends on must be another.
//! A lockfile that lost an entry would otherwise look like a project that needs less.

use crate::inventory::Facts;
use crate::inventory::collect::shown;
use crate::model::gap::GapKind;

#[expect(clippy::disallowed_types, reason = "only looked up")]
type Names<'a> = std::collections::HashSet<&'a str>;

/// How many missing names a gap shows.
const SHOWN: usize = 5;

/// What entries are there, and what they need.
#[derive(Default)]
pub(super) struct Complete<'a> {
    have: Names<'a>,
    need: Vec<(&'a str, u32)>,
}

impl<'a> Complete<'a> {
    /// There is an entry that goes by this name.
    pub(super) fn have(&mut self, name: &'a str) {
        self.have.insert(name);
    }

    /// An entry at a line needs another.
    pub(super) fn need(&mut self, name: &'a str, line: u32) {
        self.need.push((name, line));
    }

    /// One gap for all that is missing.
    pub(super) fn close(self, path: &str, facts: &mut Facts) {
        let mut missing: Vec<_> = self
            .need
            .into_iter()
            .filter(|(name, _)| !self.have.contains(name))
            .collect();
        let Some(line) = missing.first().map(|(_, line)| *line) else {
            return;
        };
        missing.sort_unstable();
        missing.dedup_by_key(|(name, _)| *name);
        let count = missing.len();
        let names = missing.into_iter().take(SHOWN);
        let mut names: Vec<_> = names.map(|(name, _)| shown(name)).collect();
        if count > SHOWN {
            names.push("…".to_owned());
        }
        let names = names.join(", ");
        let cause = if count == 1 {
            format!("{names} is depended on, and no entry lists it")
        } else {
            format!("{count} packages are depended on, and no entry lists them: {names}")
        };
        facts.gap(path, Some(line), GapKind::Malformed, cause);
    }
}
