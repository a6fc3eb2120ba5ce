//! Which ids name the same flaw: a union-find over the whole data.
//!
//! Aliases count in both directions, even when only one side states them.
//! `upstream` and `related` do not make two records one, except where a
//! distribution's record is plainly its record of that flaw
//! (`DEBIAN-CVE-2024-1` of `CVE-2024-1`). Withdrawn records link nothing: a
//! mistaken alias is a usual reason to withdraw one.

use super::collect::Stored;
use super::interner::Interner;
use crate::id;

/// Sets of ids; the root of a set stands for it.
pub(super) struct Flaws {
    parents: Vec<u32>,
}

impl Flaws {
    pub(super) fn of<'a>(records: impl Iterator<Item = &'a Stored>, ids: &Interner) -> Self {
        let mut flaws = Self {
            parents: (0..).take(ids.len()).collect(),
        };
        for record in records.filter(|record| record.withdrawn.is_none()) {
            for alias in &record.aliases {
                flaws.join(record.id, *alias);
            }
            for upstream in &record.upstream {
                if id::is_record_of(ids.text(record.id), ids.text(*upstream)) {
                    flaws.join(record.id, *upstream);
                }
            }
        }
        flaws
    }

    /// The root of an id's set; halves the path on the way.
    pub(super) fn root(&mut self, mut id: u32) -> u32 {
        loop {
            let parent = self.parent(id);
            if parent == id {
                return id;
            }
            let above = self.parent(parent);
            if let Some(slot) = self.parents.get_mut(id as usize) {
                *slot = above;
            }
            id = above;
        }
    }

    fn parent(&self, id: u32) -> u32 {
        self.parents.get(id as usize).copied().unwrap_or(id)
    }

    fn join(&mut self, left: u32, right: u32) {
        let (left, right) = (self.root(left), self.root(right));
        // The smaller number becomes the root; paths are halved on each use.
        let (root, child) = if left < right {
            (left, right)
        } else {
            (right, left)
        };
        if let Some(slot) = self.parents.get_mut(child as usize) {
            *slot = root;
        }
    }
}
