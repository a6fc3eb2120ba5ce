//! Feeds in the file: rows of fixed width, sorted by CVE, found by binary
//! search over checked pages. A feed is kept whole, whatever records there
//! are, so that neither depends on the other.
//!
//! ```text
//! key   year u16, number u32
//! EPSS  key, score and percentile in hundred-thousandths: 20 bits each
//! KEV   key, added and due as days since 1970 plus one (0: unknown) u32 each, flags u8
//! ```

use super::FeedInfo;
use super::format::{Section, le32};
use crate::feed::{Cve, FeedKind, Kev, Share};
use std::collections::BTreeMap;

/// Bytes of a key.
pub(super) const KEY: usize = 6;
/// Bits of one number of EPSS.
pub(super) const SHARE_BITS: u32 = 20;
/// The flag of entries that ransomware campaigns use.
pub(super) const RANSOMWARE: u8 = 1;

/// One feed, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Feed {
    pub(crate) info: FeedInfo,
    /// Rows, sorted by CVE.
    pub(crate) rows: Vec<u8>,
}

/// The feeds of one database.
pub(crate) type Feeds = BTreeMap<FeedKind, Feed>;

/// The section of a feed's rows.
pub(crate) fn section(kind: FeedKind) -> Section {
    match kind {
        FeedKind::Epss => Section::Epss,
        FeedKind::Kev => Section::Kev,
    }
}

/// Bytes of a row.
pub(crate) fn width(kind: FeedKind) -> u64 {
    match kind {
        FeedKind::Epss => 11,
        FeedKind::Kev => 15,
    }
}

fn put_key(out: &mut Vec<u8>, cve: Cve) {
    let (year, serial) = cve.parts();
    out.extend_from_slice(&year.to_le_bytes());
    out.extend_from_slice(&serial.to_le_bytes());
}

/// Appends a row of EPSS.
pub(crate) fn put_epss(out: &mut Vec<u8>, cve: Cve, score: Share, percentile: Share) {
    put_key(out, cve);
    let both = u64::from(percentile.parts()) << SHARE_BITS | u64::from(score.parts());
    out.extend(both.to_le_bytes().iter().take(5));
}

/// Appends a row of KEV.
pub(crate) fn put_kev(out: &mut Vec<u8>, entry: &Kev) {
    put_key(out, entry.cve);
    for day in [entry.date_added, entry.due_date] {
        let number = day.map_or(0, |day| day.number().saturating_add(1));
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.push(if entry.ransomware { RANSOMWARE } else { 0 });
}

/// The CVE that a row is about.
pub(super) fn key(row: &[u8]) -> Option<Cve> {
    let (year, rest) = row.split_at_checked(2)?;
    let serial = rest.get(..4)?;
    Some(Cve::from_parts(
        u16::try_from(le32(year)).ok()?,
        le32(serial),
    ))
}

/// Whether the sections have the rows that the description tells.
pub(crate) fn fits(length: impl Fn(Section) -> u64, infos: &[FeedInfo]) -> bool {
    FeedKind::ALL.into_iter().all(|kind| {
        let mut told = infos.iter().filter(|info| info.kind == kind);
        let rows = told.next().map_or(0, |info| info.entries);
        told.next().is_none() && rows.checked_mul(width(kind)) == Some(length(section(kind)))
    })
}

/// The same of a segment of changes: feeds that did not change are in the one
/// below, as that tells.
pub(crate) fn fits_above(
    length: impl Fn(Section) -> u64,
    infos: &[FeedInfo],
    below: &[FeedInfo],
) -> bool {
    let has_rows = |kind: &FeedKind| length(section(*kind)) > 0;
    let own = infos.iter().filter(|info| has_rows(&info.kind));
    let rest = infos.iter().filter(|info| !has_rows(&info.kind));
    let own: Vec<FeedInfo> = own.cloned().collect();
    fits(&length, &own) && rest.into_iter().all(|info| below.contains(info))
}
