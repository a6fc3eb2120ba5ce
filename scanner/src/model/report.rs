//! Everything one run found, in order. The gate and the writers only borrow it.

use std::sync::Arc;

use db_sync::{FeedInfo, FeedKind};

use crate::model::coverage::Coverage;
use crate::model::finding::{Finding, RuleInfo, Severity};
use crate::model::gap::Gap;
use crate::model::location::Location;
use crate::model::package::Package;
use crate::model::suppression::UnmatchedSuppression;
pub use crate::model::target::Target;

/// A check that could not be decided without running Terraform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undecided {
    /// Index into the targets.
    pub target: usize,
    /// Rule id.
    pub rule: Arc<str>,
    /// Of the rule.
    pub severity: Severity,
    /// Address of the resource.
    pub resource: Arc<str>,
    /// Where it stands.
    pub location: Location,
    /// Which unknown stood in the way.
    pub cause: String,
}

/// The database that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Root digest, `sha256:…`.
    pub digest: String,
    /// Its sources, sorted by name.
    pub sources: Vec<DatabaseSource>,
    /// It answered as of this moment, if not as of all it knows.
    pub as_of: Option<String>,
    /// Exploitation feeds, sorted by kind.
    pub feeds: Vec<Feed>,
    /// Ecosystems of packages found here whose advisories did not change for long, sorted.
    pub stale: Vec<StaleSource>,
}

/// One exploitation feed of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Which, of what day, and how much.
    pub info: FeedInfo,
    /// Whether it could answer: not where its scores are of a later day than the run asked for.
    pub used: bool,
}

/// An ecosystem whose advisories may be out of date, or a feed that the gate uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StaleSource {
    /// With its suffix, such as `Debian:12`; `EPSS` or `KEV` for a feed.
    pub ecosystem: String,
    /// Newest change, RFC 3339; the day of a feed; `None` where no record has a time.
    pub newest_modified: Option<String>,
    /// The newest change of whatever ecosystem that the publisher's lists named at the last sync,
    /// RFC 3339: it tells a quiet ecosystem from a database that nobody updates.
    pub newest_listed: Option<String>,
    /// Days between the newest change and the date of the run.
    pub days: Option<i64>,
}

impl StaleSource {
    /// Its age, in words.
    pub fn told(&self) -> String {
        let subject = self.subject();
        let (Some(newest), Some(days)) = (&self.newest_modified, self.days) else {
            return format!("{subject} are of unknown age: none of them has a time");
        };
        let listed = self.newest_listed.as_ref();
        let listed =
            listed.map_or_else(String::new, |time| format!(", of the whole bucket {time}"));
        format!("{subject} are {days} days old (newest change {newest}{listed})")
    }

    /// What is old, in words.
    pub fn subject(&self) -> String {
        if FeedKind::ALL
            .iter()
            .any(|kind| kind.as_str() == self.ecosystem)
        {
            format!("the entries of {}", self.ecosystem)
        } else {
            format!("the advisories for {}", self.ecosystem)
        }
    }
}

/// One source of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseSource {
    /// Name, such as `osv/crates.io` or `rustsec`.
    pub name: String,
    /// Digest of what was read.
    pub digest: String,
    /// Records taken from it.
    pub records: u64,
    /// Newest `modified` time in it, RFC 3339.
    pub newest_modified: Option<String>,
}

/// A gap with its target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetGap {
    /// Index into the targets; `None` for the run as a whole.
    pub target: Option<usize>,
    /// The gap.
    pub gap: Gap,
    /// The user accepted it: it stays in the report and decides nothing.
    pub accepted: bool,
}

/// How many checks passed, failed and stayed undecided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// Checks that hold.
    pub passed: u64,
    /// Checks that do not.
    pub failed: u64,
    /// Checks that an unknown value kept open.
    pub undecided: u64,
}

/// The whole result. Every list is sorted.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The one clock, `YYYY-MM-DD`.
    pub date: String,
    /// `None` when no package needed one.
    pub database: Option<Database>,
    /// In the order given.
    pub targets: Vec<Target>,
    /// By target, type, name, version; the index is the target.
    pub packages: Vec<(usize, Arc<Package>)>,
    /// Sorted by target, location, rule.
    pub findings: Vec<Finding>,
    /// One per rule that any finding names, sorted by id.
    pub rules: Vec<RuleInfo>,
    /// Sorted.
    pub undecided: Vec<Undecided>,
    /// Sorted.
    pub gaps: Vec<TargetGap>,
    /// Suppressions that fitted nothing, sorted. Not gaps: everything was looked at.
    pub unmatched_suppressions: Vec<UnmatchedSuppression>,
    /// Over all targets.
    pub checks: Checks,
    /// Targets that could not be scanned at all; each is a gap of class `failure`, too.
    pub failed_targets: usize,
    /// Targets that were named twice, or that lie in another one, and so were judged once.
    pub repeated_targets: Vec<String>,
    /// What was not as it should be with the shared cache, and left nothing unread.
    pub cache_notes: Vec<String>,
}

impl Report {
    /// The ledger of all targets together.
    pub fn coverage(&self) -> Coverage {
        let mut all = Coverage::default();
        for target in &self.targets {
            all.add(&target.coverage);
        }
        all
    }
}
