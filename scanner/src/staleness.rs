//! How old the advisories are that a run relied on. Only ecosystems of packages that were found
//! matter; the age is counted from the newest change among an ecosystem's advisories to the date
//! of the run, so that no other clock is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use db_sync::Info;
use jiff::civil::Date;

use crate::report::StaleSource;
use crate::scan::Error;

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

/// The old ones among the ecosystems that were used, sorted; an error if the policy wants one.
pub(crate) fn check(
    info: &Info,
    used: &BTreeSet<Arc<str>>,
    date: &str,
    policy: Staleness,
) -> Result<Vec<StaleSource>, Error> {
    if policy.on_stale == OnStale::Ignore {
        return Ok(Vec::new());
    }
    let stale: Vec<StaleSource> = info
        .ecosystems
        .iter()
        .filter(|known| used.contains(known.name.as_str()))
        .filter_map(|known| {
            let newest_modified = known.newest_modified.clone()?;
            let days = days_between(&newest_modified, date)?;
            (days > i64::from(policy.days)).then(|| StaleSource {
                ecosystem: known.name.clone(),
                newest_modified,
                days,
            })
        })
        .collect();
    match stale.first() {
        Some(oldest) if policy.on_stale == OnStale::Fail => Err(Error::Stale(oldest.clone())),
        _ => Ok(stale),
    }
}

/// Whole days from an RFC 3339 time to a date; `None` if one of them is none.
fn days_between(from: &str, to: &str) -> Option<i64> {
    let from: Date = from.get(..10)?.parse().ok()?;
    let to: Date = to.parse().ok()?;
    Some(i64::from(from.until(to).ok()?.get_days()))
}

#[cfg(test)]
mod tests {
    use db_sync::EcosystemInfo;

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
            ..Info::default()
        }
    }

    fn stale(days: u32, on_stale: OnStale) -> Result<Vec<StaleSource>, Error> {
        let used = BTreeSet::from([Arc::from("PyPI")]);
        check(&info(), &used, "2026-11-21", Staleness { days, on_stale })
    }

    #[test]
    fn only_ecosystems_in_use_count() {
        let found = stale(7, OnStale::Warn).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].ecosystem, "PyPI");
        assert_eq!(found[0].days, 20);
    }

    #[test]
    fn the_bound_itself_is_not_old_and_the_policy_decides() {
        assert!(stale(20, OnStale::Fail).unwrap().is_empty());
        assert!(stale(19, OnStale::Fail).is_err());
        assert!(stale(0, OnStale::Ignore).unwrap().is_empty());
    }
}
