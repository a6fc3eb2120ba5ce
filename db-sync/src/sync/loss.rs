//! A publisher's accident: an archive, a list, a tree or a whole bucket that lost a
//! good part of its records at once is not believed, however it came. What is
//! gone from the database is not found any more, and no scan would say so.

use super::SyncError;
use super::plan::too_many_removed;
use std::collections::BTreeMap;

/// How many records each source had.
pub(super) type Counts = BTreeMap<String, u64>;

/// Refuses the new counts where too much is gone. Sources that are not among
/// the new ones at all were removed by name.
pub(super) fn check(before: &Counts, now: &Counts) -> Result<(), SyncError> {
    for (name, after) in now {
        let before = before.get(name).copied().unwrap_or(0);
        let gone = before.saturating_sub(*after);
        if (before > 0 && *after == 0) || too_many_removed(gone, *after) {
            return Err(SyncError::Shrunk {
                ecosystem: name.clone(),
                before,
                after: *after,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Counts, check};

    #[test]
    fn a_few_may_go_and_a_quarter_of_many_may_not() {
        let counts = |count| Counts::from([("npm".to_owned(), count)]);
        for (before, after, good) in [
            (0, 0, true),
            (0, 9, true),
            (1, 0, false),
            (100, 1, true),
            (101, 1, true),
            (102, 1, false),
            (1000, 751, true),
            (1000, 740, false),
        ] {
            let outcome = check(&counts(before), &counts(after));
            assert_eq!(outcome.is_ok(), good, "{before} {after}");
        }
        assert!(check(&counts(500), &Counts::new()).is_ok());
    }
}
