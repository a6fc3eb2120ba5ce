//! How old the advisories are that a run relied on. Only ecosystems of packages that were found
//! and feeds that the gate uses matter; the age is counted from the newest change among an
//! ecosystem's advisories, or from the day of a feed, to the date of the run, so that no other
//! clock is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use db_sync::{FeedKind, Info};
use jiff::civil::Date;

use crate::report::StaleSource;

/// After so many days without a change a source is called old.
pub const DEFAULT_DAYS: u32 = 7;

/// What to do about old sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnStale {
    /// Say nothing.
    Ignore,
    /// Say so in every report.
    Warn,
    /// End the run with 2.
    Fail,
}

/// The policy on the age of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staleness {
    /// Older than this is old.
    pub days: u32,
    /// What follows.
    pub on_stale: OnStale,
}

impl Default for Staleness {
    fn default() -> Self {
        Self {
            days: DEFAULT_DAYS,
            on_stale: OnStale::Warn,
        }
    }
}

/// The old ones among the ecosystems and feeds that were used; the gate judges them.
pub(crate) fn check(
    info: &Info,
    used: &BTreeSet<Arc<str>>,
    feeds: &[FeedKind],
    date: &str,
    policy: Staleness,
) -> Vec<StaleSource> {
    if policy.on_stale == OnStale::Ignore {
        return Vec::new();
    }
    let ecosystems = info
        .ecosystems
        .iter()
        .filter(|known| used.contains(known.name.as_str()))
        .map(|known| (known.name.as_str(), known.newest_modified.as_deref()));
    let feeds = info
        .feeds
        .iter()
        .filter(|feed| feeds.contains(&feed.kind))
        .map(|feed| (feed.kind.as_str(), Some(feed.date.as_str())));
    ecosystems
        .chain(feeds)
        .filter_map(|(name, newest)| {
            let newest = newest?;
            let days = days_between(newest, date)?;
            (days > i64::from(policy.days)).then(|| StaleSource {
                ecosystem: name.to_owned(),
                newest_modified: newest.to_owned(),
                days,
            })
        })
        .collect()
}

/// Whole days from an RFC 3339 time to a date; `None` if one of them is none.
fn days_between(from: &str, to: &str) -> Option<i64> {
    let from: Date = from.get(..10)?.parse().ok()?;
    let to: Date = to.parse().ok()?;
    Some(i64::from(from.until(to).ok()?.get_days()))
}

#[cfg(test)]
mod tests {
    use db_sync::{EcosystemInfo, FeedInfo};

    use super::*;

    fn info() -> Info {
        let of = |name: &str, newest: &str| EcosystemInfo {
            name: name.to_owned(),
            newest_modified: Some(newest.to_owned()),
            ..EcosystemInfo::default()
        };
        Info {
            ecosystems: vec![
                of("PyPI", "2026-11-01T10:00:00Z"),
                of("npm", "2020-01-01T00:00:00Z"),
            ],
            feeds: vec![FeedInfo {
                kind: FeedKind::Epss,
                date: "2026-11-10".to_owned(),
                version: String::new(),
                digest: String::new(),
                entries: 1,
            }],
            ..Info::default()
        }
    }

    fn stale(days: u32, on_stale: OnStale) -> Vec<StaleSource> {
        let used = BTreeSet::from([Arc::from("PyPI")]);
        check(
            &info(),
            &used,
            &[],
            "2026-11-21",
            Staleness { days, on_stale },
        )
    }

    #[test]
    fn feeds_count_only_where_the_gate_uses_them() {
        let policy = Staleness::default();
        let check = |feeds| check(&info(), &BTreeSet::new(), feeds, "2026-11-21", policy);
        assert!(check(&[FeedKind::Kev]).is_empty());
        let found = check(&[FeedKind::Epss, FeedKind::Kev]);
        assert_eq!((found[0].ecosystem.as_str(), found[0].days), ("EPSS", 11));
        assert_eq!(found[0].subject(), "the entries of EPSS");
    }

    #[test]
    fn only_ecosystems_in_use_count() {
        let found = stale(7, OnStale::Warn);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].ecosystem, "PyPI");
        assert_eq!(found[0].days, 20);
    }

    #[test]
    fn the_bound_itself_is_not_old_and_the_policy_decides() {
        assert!(stale(20, OnStale::Fail).is_empty());
        assert_eq!(stale(19, OnStale::Fail).len(), 1);
        assert!(stale(0, OnStale::Ignore).is_empty());
    }
}
