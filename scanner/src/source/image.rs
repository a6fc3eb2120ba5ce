//! An image as its manifest describes it, before any layer is read, with what was noticed on the way
//! to it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::about::BaseName;
use super::digest::Digest;
use super::platform::Platform;
use super::stream::Promise;
use crate::model::gap::{Gap, GapClass, GapKind, Stage};
use crate::model::location::Location;

/// A layer as the manifest names it.
#[derive(Clone, Debug)]
pub(super) struct LayerRef {
    /// Name of the blob in the store.
    pub(super) name: String,
    pub(super) promise: Promise,
    /// The media type is none we know.
    pub(super) unknown_type: Option<String>,
    /// The blob may be missing.
    pub(super) foreign: bool,
    /// The instruction that made it, as the history of the config has it.
    pub(super) created_by: Option<Arc<str>>,
}

/// An image that is to be scanned.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    pub(super) reference: Option<String>,
    /// All names under which the target holds it.
    pub(super) names: BTreeSet<String>,
    /// Digests of the indexes that name it.
    pub(super) indexes: Vec<String>,
    /// The image that it says it was built on.
    pub(super) base: Option<BaseName>,
    pub(super) digest: Option<Digest>,
    pub(super) config: Option<Digest>,
    pub(super) platform: Option<Platform>,
    /// All platforms that there are of it, sorted.
    pub(super) platforms: Vec<String>,
    pub(super) layers: Vec<LayerRef>,
    pub(super) gaps: Vec<Gap>,
}

impl Image {
    /// Notes why the platform may not be the one that is meant. The image is scanned all the same.
    pub(super) fn remark(&mut self, cause: &str) {
        self.excluded(".", cause.to_owned());
    }

    /// Notes images of the target that are not scanned because of the platform asked for.
    pub(super) fn excluded(&mut self, place: &str, cause: String) {
        let mut gap = gap(GapKind::Platform, place, cause);
        gap.class = GapClass::Partial;
        self.gaps.push(gap);
    }
}

/// A gap of the target as a whole.
pub(super) fn gap(kind: GapKind, place: &str, cause: impl Into<Arc<str>>) -> Gap {
    Gap::warning(Stage::Source, kind, Location::file(place), cause)
}
