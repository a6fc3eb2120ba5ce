//! The problems of one run: sorted, without duplicates, and never more than a reader could use.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use crate::{Problem, ProblemKind};

/// Problems of one run that are listed one by one.
pub const MAX_PROBLEMS: usize = 10_000;

/// Collects problems.
#[derive(Default)]
pub(super) struct Problems {
    listed: RefCell<BTreeSet<Problem>>,
    cut: Cell<bool>,
}

impl Problems {
    pub(super) fn insert(&self, problem: Problem) {
        let mut listed = self.listed.borrow_mut();
        if listed.len() < MAX_PROBLEMS || listed.contains(&problem) {
            listed.insert(problem);
        } else {
            self.cut.set(true);
        }
    }

    pub(super) fn extend(&self, problems: impl IntoIterator<Item = Problem>) {
        problems.into_iter().for_each(|one| self.insert(one));
    }

    /// All of them, sorted.
    pub(super) fn finish(self) -> Vec<Problem> {
        let mut listed = self.listed.into_inner();
        if self.cut.get() {
            let cause = format!("only {MAX_PROBLEMS} problems are listed; there are more");
            listed.insert(Problem::warning(ProblemKind::Limit, "", None, cause).whole());
        }
        listed.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_is_reported() {
        let problems = Problems::default();
        let one = |line| Problem::error(ProblemKind::Syntax, "a", Some(line), "x");
        problems.extend((0..20_000).map(one));
        problems.insert(one(1));
        let listed = problems.finish();
        assert_eq!(listed.len(), MAX_PROBLEMS + 1);
        assert!(listed.iter().any(|one| one.whole));
    }
}
