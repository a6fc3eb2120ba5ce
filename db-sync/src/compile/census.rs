//! What a database says about itself: counts and digests of its sources and
//! ecosystems, out of all records.

use super::collect::{Collector, Source, Stored};
use super::interner::Interner;
use crate::moment::Moment;
use crate::sources::SourceKind;
use crate::sources::crates_index::Yanked;
use crate::store::feed::Feeds;
use crate::store::{EcosystemInfo, FeedInfo, Info, SourceInfo};
use sha2::{Digest, Sha256};

/// Describes a database of all records that were collected.
pub(super) fn of_all(
    collector: &Collector,
    records: &[&Stored],
    places: &[u32],
    ecosystems: Vec<EcosystemInfo>,
) -> Info {
    let mut held: Vec<Vec<&Stored>> = Vec::new();
    held.resize_with(collector.sources.len(), Vec::new);
    for record in &collector.records {
        for source in &record.sources {
            if let Some(list) = held.get_mut(usize::from(*source)) {
                list.push(record);
            }
        }
    }
    let mut sources: Vec<(u32, SourceInfo)> = collector
        .sources
        .iter()
        .zip(places)
        .enumerate()
        .map(|(number, (((kind, name), source), place))| {
            let held = held.get(number).map(Vec::as_slice).unwrap_or_default();
            let info = of_source(*kind, name, source, held, &collector.ids);
            (*place, info)
        })
        .collect();
    sources.sort();
    Info {
        records: records.len() as u64,
        withdrawn: withdrawn(records),
        // Records name their source by its place: what has none comes last.
        sources: sources
            .into_iter()
            .map(|(_, source)| source)
            .chain(collector.yanked.as_ref().map(Yanked::info))
            .collect(),
        ecosystems,
        feeds: of_feeds(&collector.feeds),
        ..Info::default()
    }
}

pub(super) fn of_feeds(feeds: &Feeds) -> Vec<FeedInfo> {
    feeds.values().map(|feed| feed.info.clone()).collect()
}

fn withdrawn(records: &[&Stored]) -> u64 {
    let all = records.iter();
    all.filter(|record| record.withdrawn.is_some()).count() as u64
}

/// `held` are the records of the source, which count for OSV's; RustSec's were
/// counted as they came, since OSV's records take the place of most of them.
fn of_source(
    kind: SourceKind,
    name: &str,
    source: &Source,
    held: &[&Stored],
    ids: &Interner,
) -> SourceInfo {
    let (newest, all): (_, Vec<(&str, &[u8; 32])>) = match kind {
        SourceKind::Osv => (
            held.iter().filter_map(|record| record.modified).max(),
            held.iter()
                .map(|record| (ids.text(record.id), &record.digest))
                .collect(),
        ),
        SourceKind::RustSec => (
            source.newest,
            source
                .records
                .iter()
                .map(|(id, digest)| (ids.text(*id), digest))
                .collect(),
        ),
    };
    described(kind, name, source.listed, newest, all)
}

pub(super) fn described(
    kind: SourceKind,
    name: &str,
    listed: Option<Moment>,
    newest: Option<Moment>,
    mut all: Vec<(&str, &[u8; 32])>,
) -> SourceInfo {
    all.sort_unstable();
    all.dedup();
    let mut hasher = Sha256::new();
    for (id, digest) in &all {
        hasher.update(id.as_bytes());
        hasher.update([0]);
        hasher.update(digest);
    }
    let different = all.chunk_by(|left, right| left.0 == right.0).count();
    SourceInfo {
        kind: kind.as_str().to_owned(),
        name: name.to_owned(),
        digest: format!("sha256:{}", hex::encode(hasher.finalize())),
        records: different as u64,
        newest_modified: newest.map(|moment| moment.to_string()),
        newest_listed: listed.map(|moment| moment.to_string()),
    }
}
