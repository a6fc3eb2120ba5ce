//! One layer, read once, to its end: members one after another, and whatever stopped the reading.

use std::io::Read;

use super::members::Members;
use super::names;
use super::scanned::LayerScan;
use super::stop::Stop;
use super::stream::{LayerStream, Promise, Shared};
use super::tar::{Tar, TarError};
use super::wanted::Selection;
use crate::analyzer::Analyzers;
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::Location;

/// Reads one layer.
pub(crate) fn scan(
    blob: impl Read,
    promise: Promise,
    shared: &Shared,
    analyzers: &Analyzers<'_>,
    selection: &Selection,
) -> Result<LayerScan, Stop> {
    let stream = LayerStream::open(blob, promise, shared)?;
    let mut tar = Tar::new(stream);
    let mut members = Members::new(analyzers);
    let fault = loop {
        match tar.next() {
            Ok(None) => break None,
            Ok(Some((member, troubles))) => {
                for (kind, cause) in troubles {
                    members.gap(kind, &names::text(&member.path), cause);
                }
                members.take(&mut tar, &member, shared, analyzers, selection);
            }
            Err(TarError::Io(_)) if tar.inner_mut().stop().is_some() => break None,
            Err(error) => break Some(error),
        }
        if let Some(limit) = members.limit(&shared.totals) {
            tar.inner_mut().stop_at(limit);
        }
    };
    // The stream remembers its fault.
    if fault.is_none() && tar.is_followed(u64::MAX).unwrap_or(false) {
        members.gap(
            GapKind::Ambiguous,
            ".",
            "members follow the end of the tar; engines leave them out, and so does this scan",
        );
    }
    // A blob that is not the one promised explains a broken tar better than the tar does.
    let verified = tar.into_inner().finish()?;
    if let Some(error) = fault {
        return Err(Stop::Broken(error.to_string()));
    }
    let mut scan = members.finish(&shared.totals)?;
    if let Some(limit) = &verified.stopped {
        let cause = format!("{limit}; the rest of the layer was not read");
        let gap = Gap::warning(Stage::Source, GapKind::Limit, Location::file("."), cause);
        scan.gaps.insert(0, gap.unjudged());
    }
    scan.unpacked = verified.unpacked;
    scan.digest = verified.digest;
    scan.diff_id = verified.diff_id;
    Ok(scan)
}
