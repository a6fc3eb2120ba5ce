//! Commits, and how they follow from each other.

use std::collections::{BTreeMap, BinaryHeap};

use super::error::StoreError;
use super::{Commit, Repository};
use crate::git::object::{Format, Id};

/// The value of the first header line with this name.
pub(super) fn field<'a>(data: &'a [u8], name: &str) -> Option<&'a str> {
    let mut lines = data.split(|byte| *byte == b'\n');
    // An empty line ends the headers.
    let mut head = lines.by_ref().take_while(|line| !line.is_empty());
    head.find_map(|line| {
        let rest = line.strip_prefix(name.as_bytes())?.strip_prefix(b" ")?;
        std::str::from_utf8(rest).ok()
    })
}

/// Reads a commit; `None` if it is malformed.
pub(super) fn parse(format: Format, data: &[u8]) -> Option<Commit> {
    let mut commit = Commit {
        tree: format.parse(field(data, "tree")?)?,
        parents: Vec::new(),
        time: 0,
    };
    for line in data.split(|byte| *byte == b'\n') {
        if line.is_empty() {
            break;
        }
        if let Some(parent) = line.strip_prefix(b"parent ") {
            commit
                .parents
                .push(format.parse(std::str::from_utf8(parent).ok()?)?);
        } else if let Some(who) = line.strip_prefix(b"committer ") {
            // `Name <mail> seconds zone`; names need not be UTF-8.
            let who = String::from_utf8_lossy(who);
            let mut words = who.rsplit(' ');
            let seconds = words.nth(1).and_then(|seconds| seconds.parse().ok());
            commit.time = seconds.unwrap_or_default();
        }
    }
    Some(commit)
}

/// The commit so many first parents before another; `None` where there are not so many.
pub(super) fn ancestor(
    repository: &Repository,
    mut id: Id,
    steps: usize,
) -> Result<Option<Id>, StoreError> {
    if steps > repository.options.commits {
        return Ok(None);
    }
    for _ in 0..steps {
        match repository.commit(&id)?.parents.into_iter().next() {
            Some(parent) => id = parent,
            None => return Ok(None),
        }
    }
    Ok(Some(id))
}

const ONE: u8 = 1;
const OTHER: u8 = 2;
const BOTH: u8 = ONE | OTHER;
/// Below a common ancestor that was found.
const STALE: u8 = 4;

impl Repository {
    /// The best common ancestor of two commits: of several, the youngest, and of equally old ones the
    /// first by id. `None` where they have none, or where a shallow clone ends before it.
    pub fn merge_base(&self, one: &[u8], other: &[u8]) -> Result<Option<Id>, StoreError> {
        let mut marks: BTreeMap<Id, u8> = BTreeMap::new();
        let mut open = BinaryHeap::new();
        for (id, mark) in [(one, ONE), (other, OTHER)] {
            *marks.entry(id.to_vec()).or_default() |= mark;
            open.push((self.commit(id)?.time, id.to_vec()));
        }
        let mut found: Vec<(i64, Id)> = Vec::new();
        let mut looked_at = 0_usize;
        while let Some((time, id)) = open.pop() {
            looked_at = looked_at.saturating_add(1);
            if looked_at > self.options.commits {
                return Err(StoreError::Limit {
                    what: "the number of commits".to_owned(),
                    limit: self.options.commits as u64,
                });
            }
            let mut mark = marks.get(&id).copied().unwrap_or_default();
            if mark & BOTH == BOTH && mark & STALE == 0 {
                if !found.iter().any(|(_, known)| *known == id) {
                    found.push((time, id.clone()));
                }
                mark |= STALE;
            }
            for parent in self.commit(&id)?.parents {
                let known = marks.entry(parent.clone()).or_default();
                if *known | mark != *known {
                    *known |= mark;
                    open.push((self.commit(&parent)?.time, parent));
                }
            }
            // Nothing that is left can be above what was found.
            let is_stale = |id: &Id| marks.get(id).is_some_and(|mark| mark & STALE != 0);
            if !found.is_empty() && open.iter().all(|(_, id)| is_stale(id)) {
                break;
            }
        }
        found.retain(|(_, id)| marks.get(id).is_none_or(|mark| mark & STALE == 0));
        found.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
        Ok(found.into_iter().next().map(|(_, id)| id))
    }
}
