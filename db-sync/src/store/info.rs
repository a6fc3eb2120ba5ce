//! What a database says about itself: format, digest, sources, ecosystems.

use crate::ecosystem::base;
use crate::feed::{Day, FeedKind};
use crate::sources::osv::STRAY;
use serde::{Deserialize, Serialize};

/// The kinds of sources that hold advisories.
const OSV: &str = "osv";
const RUSTSEC: &str = "rustsec";
/// Directories of the bucket for records with a GIT range, and for those
/// without any package, and what lies beside its directories: none of them
/// makes an ecosystem complete.
const NO_ECOSYSTEM: [&str; 3] = ["GIT", "[EMPTY]", STRAY];

/// The self-description of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// The version of the file format.
    #[serde(skip)]
    pub format_version: u32,
    /// `sha256:…` over all that answers: equal digests mean equal answers. (Equal records have
    /// equal digests where the file was built in one go; one that changes were added to has
    /// another digest until it is next compiled as a whole.)
    #[serde(skip)]
    pub root_digest: String,
    /// Size of the file in bytes.
    #[serde(skip)]
    pub file_size: u64,
    /// Different records, withdrawn ones included.
    pub records: u64,
    /// Withdrawn records.
    pub withdrawn: u64,
    /// Where the records came from, sorted by kind and name, then where other
    /// data came from.
    pub sources: Vec<SourceInfo>,
    /// What can be asked about, sorted by name.
    pub ecosystems: Vec<EcosystemInfo>,
    /// Exploitation feeds, sorted by kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<FeedInfo>,
}

impl Info {
    /// What the database says about one of its feeds.
    pub fn feed(&self, kind: FeedKind) -> Option<&FeedInfo> {
        self.feeds.iter().find(|feed| feed.kind == kind)
    }

    /// Whether the sources have the advisories for this ecosystem, suffix
    /// included. That some record names it is not enough: a vulnerability of an npm and
    /// a `PyPI` package lies in the bucket's directory `npm` too, which has
    /// nothing else about `PyPI`.
    pub(crate) fn covers(&self, ecosystem: &str) -> bool {
        // Sorted by name, and asked for every package of a scan.
        let found = self
            .ecosystems
            .binary_search_by(|known| known.name.as_str().cmp(ecosystem));
        let base = base(ecosystem);
        found.is_ok()
            && (self.sources.iter().any(|source| source.is_about(base))
                || self.sources.iter().any(|source| self.is_mixed(source)))
    }

    /// Whether a source may be about anything: a collection of records that is
    /// not named as the bucket names the directory of one ecosystem.
    fn is_mixed(&self, source: &SourceInfo) -> bool {
        let mut ecosystems = self.ecosystems.iter();
        source.kind == OSV
            && source.records > 0
            && !NO_ECOSYSTEM.contains(&source.directory())
            && !ecosystems.any(|known| source.is_about(base(&known.name)))
    }
}

/// One exploitation feed of a database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FeedInfo {
    /// Which feed.
    pub kind: FeedKind,
    /// The day of its scores, or the day when it was released, `YYYY-MM-DD`.
    pub date: String,
    /// What the publisher calls this edition: EPSS' model, KEV's version.
    pub version: String,
    /// `sha256:…` over its text, unpacked.
    pub digest: String,
    /// Different CVEs in it.
    pub entries: u64,
}

impl FeedInfo {
    /// Its date as a day.
    pub fn day(&self) -> Option<Day> {
        Day::parse(&self.date)
    }
}

/// One source of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceInfo {
    /// `osv`, `rustsec`, or `crates-index` for yanked versions.
    pub kind: String,
    /// The directory in the bucket or the archive's name.
    pub name: String,
    /// `sha256:…` over ids and contents of its records, whatever their order.
    pub digest: String,
    /// Different records in it.
    pub records: u64,
    /// The newest change in it, RFC 3339.
    pub newest_modified: Option<String>,
    /// The newest change that the publisher's own lists named when this was
    /// synced, over all ecosystems: how old the whole export was, also where
    /// this source had no change for long. RFC 3339; only `sync` knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_listed: Option<String>,
}

impl SourceInfo {
    /// Whether it is the source of an ecosystem (without suffix): its directory
    /// in the bucket, or that directory's archive under its name.
    fn is_about(&self, base: &str) -> bool {
        match self.kind.as_str() {
            // One of which nothing could be read has no advisories.
            _ if self.records == 0 => false,
            OSV => self.directory() == base,
            RUSTSEC => matches!(base, "crates.io" | "Rust"),
            _ => false,
        }
    }

    /// The directory in the bucket that it has the name of, where it has one.
    fn directory(&self) -> &str {
        self.name.strip_suffix(".zip").unwrap_or(&self.name)
    }
}

/// One ecosystem of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EcosystemInfo {
    /// The name with its suffix, such as `Debian:12`.
    pub name: String,
    /// Different packages.
    pub packages: u64,
    /// Different records that name one of its packages.
    pub records: u64,
    /// The newest change among them, RFC 3339.
    pub newest_modified: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{EcosystemInfo, Info, SourceInfo};

    fn info(sources: &[(&str, &str)], ecosystems: &[&str]) -> Info {
        let sources = sources.iter().map(|(kind, name)| SourceInfo {
            kind: (*kind).to_owned(),
            name: (*name).to_owned(),
            records: 1,
            ..SourceInfo::default()
        });
        let ecosystems = ecosystems.iter().map(|name| EcosystemInfo {
            name: (*name).to_owned(),
            ..EcosystemInfo::default()
        });
        Info {
            sources: sources.collect(),
            ecosystems: ecosystems.collect(),
            ..Info::default()
        }
    }

    #[test]
    fn an_ecosystem_that_is_named_in_passing_is_not_covered() {
        let known = ["Debian:12", "PyPI", "Rust", "crates.io", "npm"];
        let covered = |sources: &[(&str, &str)]| {
            let info = info(sources, &known);
            known.map(|name| info.covers(name))
        };
        let yes = |expected: [u8; 5]| expected.map(|one| one == 1);
        assert_eq!(covered(&[("osv", "npm")]), yes([0, 0, 0, 0, 1]));
        assert_eq!(covered(&[("osv", "PyPI.zip")]), yes([0, 1, 0, 0, 0]));
        assert_eq!(
            covered(&[("osv", "Debian"), ("osv", "GIT"), ("rustsec", "RustSec")]),
            yes([1, 0, 1, 1, 0])
        );
        assert_eq!(
            covered(&[("crates-index", "crates.io"), ("osv", "npm")]),
            yes([0, 0, 0, 0, 1])
        );
        // Records with a commit are some of each ecosystem, whatever holds them.
        for some in ["GIT", "GIT.zip", "[EMPTY].zip", "[STRAY]"] {
            assert_eq!(covered(&[("osv", some)]), yes([0; 5]), "{some}");
        }
        // A collection of one's own may hold all that there is.
        assert_eq!(
            covered(&[("osv", "npm"), ("osv", "ours")]),
            yes([1, 1, 1, 1, 1])
        );
        assert!(!info(&[("osv", "ours")], &known).covers("Debian:11"));
    }
}
