//! One layer, read once: the facts of the files that parsers want, and what the layer does to the
//! layers below it. Nothing else of the layer is held.
//!
//! The result is a value of its own, independent of the image and of the other layers, so that
//! layers are read in parallel and can be kept under their verified digest and the versions of the
//! analyzers; [`super::merge`] puts
//! them together. Within a layer the last member of a name wins, as when it is unpacked.

use std::io::Read;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::members::Members;
use super::names::{self, PathHash};
use super::stream::{LayerStream, Promise, Shared, Stop};
use super::tar::{Tar, TarError};
use super::wanted::Selection;
use crate::analyzer::{Analyzers, Reading};
use crate::model::coverage::Files;
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::Location;

/// A file of which analyzers said something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannedFile {
    /// Its path in the layer.
    pub path: Arc<str>,
    /// One for each analyzer.
    pub readings: Vec<Reading>,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its path in the layer.
    pub path: Arc<str>,
    /// As written, for a symbolic link; the path in the image, for a hard link.
    pub target: Arc<str>,
    /// Whether it is a hard link.
    pub hard: bool,
}

/// All that is kept of one layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerScan {
    /// Digest of the blob, verified.
    pub digest: Arc<str>,
    /// Digest of the tar, computed; absent where a limit stopped the reading.
    pub diff_id: Option<Arc<str>>,
    /// Sorted by path.
    pub files: Vec<ScannedFile>,
    /// Files that another member of the layer replaces, as far as they count all the same; sorted by
    /// path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<ScannedFile>,
    /// Sorted by path.
    pub links: Vec<Link>,
    /// Paths of lower layers that are deleted; sorted.
    pub whiteouts: Vec<Arc<str>>,
    /// Directories whose content in lower layers is deleted; sorted.
    pub opaque: Vec<Arc<str>>,
    /// Paths that were, at any time in this layer, something else than a directory; sorted.
    pub non_directories: Vec<PathHash>,
    /// Paths with a directory entry; sorted.
    pub directories: Vec<PathHash>,
    /// Directories above other members, without an entry of their own; sorted.
    pub implied: Vec<PathHash>,
    /// What could not be read, by path in the layer.
    pub gaps: Vec<Gap>,
    /// What became of its members that are no directories.
    pub coverage: Files,
}

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
    scan.digest = verified.digest;
    scan.diff_id = verified.diff_id;
    Ok(scan)
}
