//! What a database says about itself: format, digest, sources, ecosystems.

use crate::feed::{Day, FeedKind};
use serde::{Deserialize, Serialize};

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
