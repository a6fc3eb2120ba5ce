//! What several subjects need.

use std::path::Path;

use portcullis::inventory::dispatch::in_images;
use portcullis::source::limits::Budget;
use portcullis::source::{Contents, ImageKind, Platform, SourceError, open_image};

#[cfg(feature = "registry")]
pub(crate) mod certificate;
#[cfg(feature = "registry")]
pub(crate) mod chunked;
pub(crate) mod image;

/// Reads an image for its packages, within the usual budget.
pub(crate) fn read_image(
    kind: ImageKind,
    path: &Path,
    platform: Option<&Platform>,
) -> Result<Vec<Contents>, SourceError> {
    open_image(
        kind,
        path,
        &portcullis::source::Access::default(),
        platform,
        Budget::default(),
        None,
        &in_images(),
    )
}
