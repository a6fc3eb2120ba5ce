//! Rows of feeds, looked up and checked. Their layout is in [`crate::store::feed`].

use super::{ReadError, Segments, Store};
use crate::feed::{Cve, Day, Epss, FeedKind, Kev, Share};
use crate::store::codec::Damaged;
use crate::store::feed::{Feed, Feeds, KEY, RANSOMWARE, SHARE_BITS, key, section, width};
use crate::store::format::le32;

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
