//! What to do in one directory: its list against the records at hand.

use super::list::Listed;
use crate::moment::Moment;
use std::collections::BTreeMap;

/// Ids whose listed time is not the record's own, with the listed time that
/// was dealt with: records that were refused, or not there, or whose list lags.
pub(super) type Settled = BTreeMap<String, Moment>;

/// More removals than this at once, and more than a quarter of all records,
/// are taken for a list that is not whole.
const MANY_REMOVED: u64 = 100;

/// The differences.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Records to fetch and their listed times, sorted by id.
    pub(super) fetch: Vec<(String, Moment)>,
    /// Records to take out, sorted.
    pub(super) remove: Vec<String>,
    /// Whether so much is gone that the list is doubtful.
    pub(super) doubtful: bool,
}

/// Compares a list with the records; both sorted by id.
///
/// A record is fetched where its time in the list is another one than its
/// own, whichever is newer, and wherever in the list it stands: no watermark,
/// so that equal times and late entries cannot be missed.
pub(super) fn compare(
    listed: &Listed<'_>,
    known: &[(&str, Option<Moment>)],
    settled: &Settled,
) -> Plan {
    let mut plan = Plan::default();
    let mut known = known.iter().peekable();
    for (id, time) in &listed.ids {
        while let Some((gone, _)) = known.next_if(|(other, _)| other < id) {
            plan.remove.push((*gone).to_owned());
        }
        let own = known.next_if(|(other, _)| other == id);
        let same = own.is_some_and(|(_, own)| *own == Some(*time));
        if !same && settled.get(*id) != Some(time) {
            plan.fetch.push(((*id).to_owned(), *time));
        }
    }
    plan.remove
        .extend(known.map(|(gone, _)| (*gone).to_owned()));
    if listed.bad > 0 {
        // A line that we could not read may have named any of them.
        plan.remove.clear();
    }
    plan.doubtful = too_many_removed(plan.remove.len() as u64, listed.ids.len() as u64);
    plan
}

/// Whether so many are gone that what is left is not believed.
pub(super) fn too_many_removed(gone: u64, left: u64) -> bool {
    gone > MANY_REMOVED && gone > left / 3
}

#[cfg(test)]
mod tests {
    use super::{Settled, compare};
    use crate::moment::Moment;
    use crate::sync::list::modified;

    #[test]
    fn new_changed_and_removed_are_found_anywhere() {
        let csv = b"2026-01-03T00:00:00Z,B\n2026-01-01T00:00:00.5Z,A\n2025-01-01T00:00:00Z,D\n2026-02-01T00:00:00Z,E\n";
        let listed = modified("x", csv, &mut Vec::new());
        let time = |text| Moment::parse(text);
        let known = [
            ("A", time("2026-01-01T00:00:00.500Z")),
            ("B", time("2026-01-02T00:00:00Z")),
            ("C", None),
            ("E", time("2026-03-01T00:00:00Z")),
        ];
        let settled =
            Settled::from([("E".to_owned(), time("2026-02-01T00:00:00Z").expect("time"))]);
        let plan = compare(&listed, &known, &settled);
        let fetch: Vec<&str> = plan.fetch.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(fetch, ["B", "D"]);
        assert_eq!(plan.remove, ["C"]);
        let plan = compare(&listed, &known, &Settled::new());
        assert_eq!(plan.fetch.len(), 3);
        let bad = modified("x", b"2026-01-03T00:00:00Z,B\nx\n", &mut Vec::new());
        assert!(compare(&bad, &known, &settled).remove.is_empty());
    }
}
