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
use super::codec::Damaged;
use super::format::{Section, le32};
use super::read::{ReadError, Segments, Store};
use crate::feed::{Cve, Day, Epss, FeedKind, Kev, Share};
use std::collections::BTreeMap;

/// Bytes of a key.
const KEY: usize = 6;
/// Bits of one number of EPSS.
const SHARE_BITS: u32 = 20;
/// The flag of entries that ransomware campaigns use.
const RANSOMWARE: u8 = 1;

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

fn damaged(kind: FeedKind) -> impl Fn(Damaged) -> ReadError {
    move |Damaged| ReadError::Damaged {
        part: section(kind).name(),
    }
}

/// What follows the key in the row of a CVE.
fn row(store: &Store, kind: FeedKind, wanted: Cve) -> Result<Option<&[u8]>, ReadError> {
    let width = width(kind);
    let (mut low, mut high) = (0, store.length(section(kind)) / width);
    while low < high {
        let middle = low.midpoint(high);
        let bytes = store.bytes(section(kind), middle.saturating_mul(width), width)?;
        let found = key(bytes).zip(bytes.get(KEY..));
        let (cve, rest) = found.ok_or_else(|| damaged(kind)(Damaged))?;
        match cve.cmp(&wanted) {
            std::cmp::Ordering::Less => low = middle.saturating_add(1),
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => return Ok(Some(rest)),
        }
    }
    Ok(None)
}

/// The score and percentile of a CVE.
pub(crate) fn epss(store: &Store, date: Day, cve: Cve) -> Result<Option<Epss>, ReadError> {
    let kind = FeedKind::Epss;
    let Some(row) = row(store, kind, cve)? else {
        return Ok(None);
    };
    let both = row
        .iter()
        .rev()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let share = |number: u64| {
        u32::try_from(number)
            .ok()
            .and_then(Share::new)
            .ok_or_else(|| damaged(kind)(Damaged))
    };
    let mask = (1_u64 << SHARE_BITS).wrapping_sub(1);
    Ok(Some(Epss {
        score: share(both & mask)?,
        percentile: share(both >> SHARE_BITS)?,
        cve,
        date,
    }))
}

/// The entry of a CVE.
pub(crate) fn kev(store: &Store, cve: Cve) -> Result<Option<Kev>, ReadError> {
    let kind = FeedKind::Kev;
    let Some(row) = row(store, kind, cve)? else {
        return Ok(None);
    };
    let broken = || damaged(kind)(Damaged);
    let day = |bytes: &[u8]| match le32(bytes).checked_sub(1) {
        None => Ok(None),
        Some(number) => Day::new(number).map(Some).ok_or_else(broken),
    };
    let (added, rest) = row.split_at_checked(4).ok_or_else(broken)?;
    let (due, flags) = rest.split_at_checked(4).ok_or_else(broken)?;
    Ok(Some(Kev {
        cve,
        date_added: day(added)?,
        due_date: day(due)?,
        ransomware: flags.first().is_some_and(|flags| flags & RANSOMWARE != 0),
    }))
}

/// Reads all rows: sorted, as looking up expects, and each with a meaning.
pub(crate) fn check(store: &Store) -> Result<(), ReadError> {
    let day = Day::new(0).ok_or_else(|| damaged(FeedKind::Epss)(Damaged))?;
    for kind in FeedKind::ALL {
        let bytes = store.whole(section(kind))?;
        let width = usize::try_from(width(kind)).unwrap_or(usize::MAX);
        let mut last = None;
        for row in bytes.chunks_exact(width) {
            let cve = key(row).ok_or_else(|| damaged(kind)(Damaged))?;
            if last.replace(cve) >= Some(cve) {
                return Err(damaged(kind)(Damaged));
            }
            let found = match kind {
                FeedKind::Epss => epss(store, day, cve)?.is_some(),
                FeedKind::Kev => kev(store, cve)?.is_some(),
            };
            if !found {
                return Err(damaged(kind)(Damaged));
            }
        }
    }
    Ok(())
}

/// The CVE that a row is about.
fn key(row: &[u8]) -> Option<Cve> {
    let (year, rest) = row.split_at_checked(2)?;
    let serial = rest.get(..4)?;
    Some(Cve::from_parts(
        u16::try_from(le32(year)).ok()?,
        le32(serial),
    ))
}

/// All feeds of an open file.
pub(crate) fn all(segments: &Segments) -> Result<Feeds, ReadError> {
    let mut feeds = Feeds::new();
    for info in &segments.top.info().feeds {
        let rows = segments.with(info.kind).whole(section(info.kind))?.to_vec();
        let info = info.clone();
        feeds.insert(info.kind, Feed { info, rows });
    }
    Ok(feeds)
}

/// Whether the sections have the rows that the description tells.
pub(crate) fn fits(store: &Store, infos: &[FeedInfo]) -> bool {
    FeedKind::ALL.into_iter().all(|kind| {
        let mut told = infos.iter().filter(|info| info.kind == kind);
        let rows = told.next().map_or(0, |info| info.entries);
        told.next().is_none() && rows.checked_mul(width(kind)) == Some(store.length(section(kind)))
    })
}

/// The same of a segment of changes: feeds that did not change are in the one
/// below, as that tells.
pub(crate) fn fits_above(store: &Store, infos: &[FeedInfo], below: &[FeedInfo]) -> bool {
    let has_rows = |kind: &FeedKind| store.length(section(*kind)) > 0;
    let own = infos.iter().filter(|info| has_rows(&info.kind));
    let rest = infos.iter().filter(|info| !has_rows(&info.kind));
    let own: Vec<FeedInfo> = own.cloned().collect();
    fits(store, &own) && rest.into_iter().all(|info| below.contains(info))
}
