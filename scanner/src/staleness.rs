//! How old the advisories are that a run relied on. Only ecosystems of packages that were found
//! and feeds that the gate uses matter; the age is counted from the newest change among an
//! ecosystem's advisories, or from the day of a feed, to the date of the run, so that no other
//! clock is read. A source of unknown age is old.

use std::str::FromStr;

use std::collections::BTreeSet;
use std::sync::Arc;

use db_sync::ecosystem::{self, base};
use db_sync::{FeedKind, Info};
use jiff::civil::Date;

use crate::model::report::StaleSource;
use crate::word::one_of;

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

/// How old a source may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// An ecosystem, with or without its suffix, or a feed, in any case; all others where there is
    /// none.
    pub name: Option<String>,
    /// More than these days are too many.
    pub days: u32,
}

/// The policy on the age of sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staleness {
    /// Bounds in any order; the one that names a source most closely counts, of two alike the last,
    /// and [`DEFAULT_DAYS`] where there is none.
    pub bounds: Vec<Bound>,
    /// What follows.
    pub on_stale: OnStale,
}

impl Staleness {
    fn days(&self, name: &str) -> u32 {
        let bound = |name: Option<&str>| {
            let mut bounds = self.bounds.iter().rev();
            bounds.find(|bound| match (&bound.name, name) {
                (Some(bound), Some(name)) => bound.eq_ignore_ascii_case(name),
                (bound, name) => bound.is_none() && name.is_none(),
            })
        };
        bound(Some(name))
            .or_else(|| bound(Some(base(name))))
            .or_else(|| bound(None))
            .map_or(DEFAULT_DAYS, |bound| bound.days)
    }
}

impl Default for Staleness {
    fn default() -> Self {
        Self {
            bounds: Vec::new(),
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
    policy: &Staleness,
) -> Vec<StaleSource> {
    if policy.on_stale == OnStale::Ignore {
        return Vec::new();
    }
    let ecosystems = info
        .ecosystems
        .iter()
        .filter(|known| used.contains(known.name.as_str()))
        .map(|known| {
            let newest = known.newest_modified.as_deref();
            (known.name.as_str(), newest, listed(info, &known.name))
        });
    let feeds = info
        .feeds
        .iter()
        .filter(|feed| feeds.contains(&feed.kind))
        .map(|feed| (feed.kind.as_str(), Some(feed.date.as_str()), None));
    ecosystems
        .chain(feeds)
        .filter_map(|(name, newest, listed)| {
            let days = newest.and_then(|newest| days_between(newest, date));
            let is_old = days.is_none_or(|days| days > i64::from(policy.days(name)));
            is_old.then(|| StaleSource {
                ecosystem: name.to_owned(),
                newest_modified: newest.map(str::to_owned),
                newest_listed: listed.map(str::to_owned),
                days,
            })
        })
        .collect()
}

/// The newest change that the bucket of an ecosystem listed at the last sync.
fn listed<'i>(info: &'i Info, ecosystem: &str) -> Option<&'i str> {
    let base = base(ecosystem);
    let mut sources = info.sources.iter();
    let source = sources.find(|source| source.kind == "osv" && source.name == base)?;
    source.newest_listed.as_deref()
}

/// Whole days from an RFC 3339 time to a date; `None` if one of them is none.
fn days_between(from: &str, to: &str) -> Option<i64> {
    let from: Date = from.get(..10)?.parse().ok()?;
    let to: Date = to.parse().ok()?;
    Some(i64::from(from.until(to).ok()?.get_days()))
}

impl FromStr for OnStale {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = [
            ("warn", Self::Warn),
            ("fail", Self::Fail),
            ("ignore", Self::Ignore),
        ];
        one_of(text, &words)
    }
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, days) = match text.rsplit_once('=') {
            Some(("", _)) => return Err("expected an ecosystem before the equals sign".to_owned()),
            Some((name, days)) => (Some(source(name)?), days),
            None => (None, text),
        };
        let days = days.parse();
        let days = days.map_err(|_| "expected a number of days, or ECOSYSTEM=DAYS".to_owned())?;
        Ok(Self { name, days })
    }
}

/// An ecosystem with or without its suffix, or a feed: what a database can have advisories of.
fn source(name: &str) -> Result<String, String> {
    let feeds = FeedKind::ALL.into_iter().map(FeedKind::as_str);
    let known: Vec<&str> = ecosystem::names().chain(feeds).collect();
    let base = ecosystem::base(name);
    if known.iter().any(|known| known.eq_ignore_ascii_case(base)) {
        return Ok(name.to_owned());
    }
    let letters = |text: &str| {
        let letters = text.chars().filter(|c| c.is_alphanumeric());
        letters.collect::<String>().to_lowercase()
    };
    let wanted = letters(base);
    let close = known.iter().find(|known| {
        let known = letters(known);
        wanted.len() > 1 && (known.contains(&wanted) || known.len() > 3 && wanted.contains(&known))
    });
    let hint = match close {
        Some(close) => format!("is it {close}?"),
        None => "OSV names them, such as PyPI, crates.io or Debian:12".to_owned(),
    };
    Err(format!("`{name}` is not an ecosystem or a feed: {hint}"))
}

#[cfg(test)]
mod tests {
    use db_sync::{EcosystemInfo, FeedInfo, SourceInfo};

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
        let bounds = vec![Bound { name: None, days }];
        judged(&info(), &Staleness { bounds, on_stale })
    }

    fn judged(info: &Info, policy: &Staleness) -> Vec<StaleSource> {
        let used = BTreeSet::from([Arc::from("PyPI")]);
        check(info, &used, &[], "2026-11-21", policy)
    }

    #[test]
    fn the_closest_bound_counts() {
        let bound = |name: Option<&str>, days| Bound {
            name: name.map(str::to_owned),
            days,
        };
        let policy = Staleness {
            bounds: vec![
                bound(Some("Debian:12"), 3),
                bound(Some("Debian"), 2),
                bound(Some("Hex"), 9),
                bound(None, 1),
                bound(Some("Hex"), 10),
            ],
            on_stale: OnStale::Warn,
        };
        for (name, days) in [
            ("HEX", 10),
            ("Debian:12", 3),
            ("Debian:11", 2),
            ("Hex", 10),
            ("npm", 1),
        ] {
            assert_eq!(policy.days(name), days, "{name}");
        }
        assert_eq!(Staleness::default().days("npm"), DEFAULT_DAYS);
    }

    #[test]
    fn an_unknown_age_is_told_and_so_is_the_life_of_the_bucket() {
        let mut info = info();
        info.sources = vec![SourceInfo {
            kind: "osv".to_owned(),
            name: "PyPI".to_owned(),
            newest_listed: Some("2026-11-20T00:00:00Z".to_owned()),
            ..SourceInfo::default()
        }];
        let found = judged(&info, &Staleness::default());
        let newest =
            "(newest change 2026-11-01T10:00:00Z, of the whole bucket 2026-11-20T00:00:00Z)";
        assert!(found[0].told().ends_with(newest), "{}", found[0].told());
        for known in &mut info.ecosystems {
            known.newest_modified = None;
        }
        let found = judged(&info, &Staleness::default());
        assert_eq!(
            found[0].told(),
            "the advisories for PyPI are of unknown age: none of them has a time"
        );
    }

    #[test]
    fn feeds_count_only_where_the_gate_uses_them() {
        let policy = Staleness::default();
        let check = |feeds| check(&info(), &BTreeSet::new(), feeds, "2026-11-21", &policy);
        assert!(check(&[FeedKind::Kev]).is_empty());
        let found = check(&[FeedKind::Epss, FeedKind::Kev]);
        assert_eq!(
            (found[0].ecosystem.as_str(), found[0].days),
            ("EPSS", Some(11))
        );
        assert_eq!(found[0].subject(), "the entries of EPSS");
    }

    #[test]
    fn only_ecosystems_in_use_count() {
        let found = stale(7, OnStale::Warn);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].ecosystem, "PyPI");
        assert_eq!(found[0].days, Some(20));
    }

    #[test]
    fn the_bound_itself_is_not_old_and_the_policy_decides() {
        assert!(stale(20, OnStale::Fail).is_empty());
        assert_eq!(stale(19, OnStale::Fail).len(), 1);
        assert!(stale(0, OnStale::Ignore).is_empty());
    }

    #[test]
    fn ages_are_of_ecosystems_and_feeds() {
        for text in [
            "7",
            "pypi=3",
            "PyPI=3",
            "Debian:12=9",
            "ubuntu:Pro:18.04:LTS=1",
            "kev=400",
        ] {
            assert!(text.parse::<Bound>().is_ok(), "{text}");
        }
        for (text, hint) in [
            ("Nonsense=3", "such as PyPI"),
            ("py-pi=3", "is it PyPI?"),
            ("crates=3", "is it crates.io?"),
            ("alma=3", "is it AlmaLinux?"),
            ("rubygem=3", "is it RubyGems?"),
            ("=3", "before the equals sign"),
            ("PyPI=", "a number of days"),
            ("PyPI=-1", "a number of days"),
        ] {
            assert!(
                text.parse::<Bound>().unwrap_err().contains(hint),
                "{text}: {}",
                text.parse::<Bound>().unwrap_err()
            );
        }
    }
}
