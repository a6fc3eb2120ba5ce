//! What is shown to the user: a vulnerable package, a misconfigured resource, a release that is no longer
//! supported. A further kind is a variant of [`FindingKind`]; what all kinds must say of themselves is in its
//! methods, and where a stage or writer knows more of one kind, the compiler shows the place.

use std::sync::Arc;

use db_sync::{Doubt, Exploitation, FixState, Step};
pub use rules::Severity;
use sha2::{Digest, Sha256};

use crate::model::location::Location;
use crate::model::package::Package;
use crate::model::rating::Rated;
use crate::model::suppression::Suppression;

/// Version prefix of fingerprints; changes when their recipe does.
pub const FINGERPRINT_VERSION: &str = "v2";

/// A vulnerable package.
#[derive(Clone, Debug)]
pub struct Vulnerability {
    /// The package.
    pub package: Arc<Package>,
    /// The record that the database shows for the vulnerability; the fingerprint is made from it,
    /// whichever id the user prefers to see as the finding's rule.
    pub record: Arc<str>,
    /// Fixed versions above the installed one, best first: the smallest on the installed
    /// version's release line, then the others, ascending. Empty: no fix known.
    pub fixed: Vec<String>,
    /// What is known about a fix.
    pub fix: FixState,
    /// How far the first of `fixed` lies from the installed version, where that can be told.
    pub step: Option<Step>,
    /// Every rating of the vulnerability, and why the finding's severity won.
    pub rated: Arc<Rated>,
    /// Ids of the merged records that matched, sorted.
    pub merged: Vec<String>,
    /// `unmaintained`, `unsound` or `notice` for RustSec's informational advisories, `yanked`
    /// for versions that crates.io has yanked.
    pub informational: Option<String>,
    /// Functions and platforms that it is limited to: a condition, since a lockfile tells
    /// neither.
    pub scope: db_sync::advisory::Scope,
    /// What EPSS and KEV say of its CVEs, where the database has these feeds.
    pub exploitation: Exploitation,
    /// How it comes in: from a direct dependency to the package, both included, as `name@version`;
    /// empty for what is direct, and where no way is known.
    pub path: Vec<Arc<str>>,
    /// Why it is not certain, where it is not.
    pub doubt: Option<Box<Uncertain>>,
}

/// Why a version is shown as affected that is not known to be: the finding does not fail a build
/// by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncertain {
    /// Which of the two kinds.
    pub kind: Doubt,
    /// For a disputed one the records that say otherwise, sorted.
    pub denied_by: Vec<String>,
    /// One clause for people.
    pub reason: Arc<str>,
}

impl Uncertain {
    /// What a match says of itself.
    pub fn of(found: &db_sync::Match<'_>) -> Option<Self> {
        let kind = found.doubt?;
        let reason = match kind {
            Doubt::Possible => {
                "the version is above the last one known to be affected, and no fix is named"
                    .to_owned()
            }
            Doubt::Disputed => {
                let says = if found.denied_by.len() == 1 {
                    "says"
                } else {
                    "say"
                };
                format!(
                    "{} {says} that it is not affected",
                    found.denied_by.join(", ")
                )
            }
        };
        Some(Self {
            kind,
            denied_by: found.denied_by.iter().map(|id| (*id).to_owned()).collect(),
            reason: reason.into(),
        })
    }
}

impl Vulnerability {
    /// A vulnerability of a package of which nothing more is known than its record's id.
    pub fn new(package: Arc<Package>, record: impl Into<Arc<str>>) -> Self {
        Self {
            package,
            record: record.into(),
            fixed: Vec::new(),
            fix: FixState::default(),
            step: None,
            rated: Arc::default(),
            merged: Vec::new(),
            informational: None,
            scope: db_sync::advisory::Scope::default(),
            exploitation: Exploitation::default(),
            path: Vec::new(),
            doubt: None,
        }
    }
}

/// A misconfigured resource.
#[derive(Clone, Debug)]
pub struct Misconfiguration {
    /// Address of the resource.
    pub resource: Arc<str>,
    /// The value to write instead, where the rule names one.
    pub fix: Option<String>,
    /// What tells it apart from other failures of the rule on this resource, by content.
    pub content: Arc<str>,
    /// The module calls that the resource comes through, outermost first.
    pub calls: Vec<Location>,
}

/// A release of a distribution or runtime that is no longer supported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndOfLife {
    /// Kebab-case id in the table of releases: `debian`.
    pub product: Arc<str>,
    /// As its makers write it.
    pub name: Arc<str>,
    /// The release, as the table names it: `3.18`.
    pub cycle: Arc<str>,
    /// What was found: `3.18.4`.
    pub version: Arc<str>,
    /// The last day with security updates for everybody.
    pub ended: Arc<str>,
    /// The last day of support that has to be bought, where there is one.
    pub extended: Option<Arc<str>>,
    /// Where its makers publish the dates.
    pub page: Option<Arc<str>>,
}

impl EndOfLife {
    /// Name and release: `Debian 10`.
    pub fn release(&self) -> String {
        format!("{} {}", self.name, self.cycle)
    }
}

/// Which engine found it, with what only that engine knows.
#[derive(Clone, Debug)]
pub enum FindingKind {
    /// From an advisory.
    Vulnerability(Box<Vulnerability>),
    /// From a rule.
    Misconfiguration(Misconfiguration),
    /// From the table of releases.
    EndOfLife(Box<EndOfLife>),
}

impl FindingKind {
    /// The word for it in reports.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Vulnerability(_) => "vulnerability",
            Self::Misconfiguration(_) => "misconfiguration",
            Self::EndOfLife(_) => "end-of-life",
        }
    }

    /// What it is about, and which of several: package and version, resource, product and release.
    pub fn subject(&self) -> (&str, &str) {
        match self {
            Self::Vulnerability(found) => (&found.package.name, &found.package.version),
            Self::Misconfiguration(found) => (&found.resource, ""),
            Self::EndOfLife(found) => (&found.name, &found.cycle),
        }
    }
}

impl From<Vulnerability> for FindingKind {
    fn from(vulnerability: Vulnerability) -> Self {
        Self::Vulnerability(Box::new(vulnerability))
    }
}

/// One result of the scan.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Index into the report's targets.
    pub target: usize,
    /// Advisory id (the one to show, see [`crate::prefer`]) or rule id.
    pub rule: Arc<str>,
    /// Other ids of the same vulnerability or check, sorted.
    pub aliases: Arc<[String]>,
    /// How bad.
    pub severity: Severity,
    /// CVSS base score 0.0 to 10.0, where a vector was rated.
    pub score: Option<f64>,
    /// Where the severity comes from: `own CVSS_V3`, `alias GHSA-…`, `rule`, `none`.
    pub severity_source: Arc<str>,
    /// One line: what the vulnerability is.
    pub title: Arc<str>,
    /// What is wrong at this place, one sentence.
    pub message: String,
    /// Where to look.
    pub location: Location,
    /// Stable identity, see [`fingerprint`]; set once by the stage that identifies.
    pub fingerprint: String,
    /// How many findings of the target have this fingerprint: the same thing several times.
    pub count: u32,
    /// What was found.
    pub kind: FindingKind,
    /// Why it does not count, if it was suppressed. It stays in the report.
    pub suppressed: Option<Suppression>,
}

impl Finding {
    /// A violation of a rule (advisory or check) at a place, of severity UNKNOWN until it is rated.
    pub fn new(rule: impl Into<Arc<str>>, location: Location, kind: FindingKind) -> Self {
        let rule = rule.into();
        Self {
            target: 0,
            aliases: Arc::default(),
            severity: Severity::Unknown,
            score: None,
            severity_source: "none".into(),
            title: Arc::clone(&rule),
            message: String::new(),
            location,
            fingerprint: String::new(),
            count: 1,
            kind,
            suppressed: None,
            rule,
        }
    }
}

/// What a rule (advisory or check) says of itself, once per report, for SARIF and `explain`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleInfo {
    /// Advisory id or rule id, as findings name it.
    pub id: Arc<str>,
    /// For an advisory the record in the database, which can have another id.
    pub record: Arc<str>,
    /// One line.
    pub title: String,
    /// Markdown: what, why, how to fix.
    pub help: String,
    /// Where to read more.
    pub url: Option<String>,
    /// Tags such as `security`, `vulnerability`, `aws/s3`, `CWE-79`.
    pub tags: Vec<String>,
}

/// A stable identity: sha256 over the parts of which `scan::identify` makes one, with the recipe's
/// version in front. Parts are length-prefixed so that no two lists of parts collide.
pub fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let (digest, _) = digest.split_at(16);
    format!("{FINGERPRINT_VERSION}:{}", hex::encode(digest))
}
