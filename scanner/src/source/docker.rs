//! What `docker save` writes: `manifest.json` with config and layers by their names in the
//! archive. Old ones store layers uncompressed, the same layer once with links to it; those of
//! Docker 25 are an OCI layout besides. Digests are verified where a name is one; diff IDs always.

use super::digest::{Digest, shorten};
use super::image::{Image, LayerRef, gap};
use super::manifest::SavedImage;
use super::oci::{none_for, read_config, select};
use super::platform::Platform;
use super::store::Store;
use super::stream::Promise;
use super::{SourceError, limits, names};
use crate::gap::GapKind;

fn invalid(place: &str, cause: impl Into<String>) -> SourceError {
    SourceError::Invalid {
        place: shorten(place),
        cause: cause.into(),
    }
}

/// The images of an archive for one platform.
pub(super) fn images(
    store: &Store,
    platform: Option<&Platform>,
) -> Result<Vec<Image>, SourceError> {
    let Some(bytes) = store.document("manifest.json")? else {
        return Err(invalid("manifest.json", "there is no such file"));
    };
    let saved: Vec<SavedImage> = serde_json::from_slice(&bytes)
        .map_err(|error| invalid("manifest.json", format!("not readable: {error}")))?;
    if saved.is_empty() {
        return Err(invalid("manifest.json", "it names no image"));
    }
    if saved.len() > limits::MANIFESTS {
        let cause = format!("more than {} images", limits::MANIFESTS);
        return Err(invalid("manifest.json", cause));
    }
    let mut images = Vec::new();
    let mut available = Vec::new();
    let mut passed = Vec::new();
    for saved in saved {
        let mut image = load(store, &saved)?;
        let choice = select(std::slice::from_ref(&image.platform), platform);
        available.extend(image.platform.clone());
        if choice.numbers.is_empty() {
            passed.push(image.reference.unwrap_or_else(|| saved.config.clone()));
            continue;
        }
        if let Some(cause) = choice.remark {
            image
                .gaps
                .push(gap(GapKind::Platform, "manifest.json", cause));
        }
        images.push(image);
    }
    let Some(first) = images.first_mut() else {
        return Err(invalid("manifest.json", none_for(platform, &available)));
    };
    if !passed.is_empty() {
        let cause = format!(
            "not scanned, being for other platforms: {}",
            passed.join(", ")
        );
        first
            .gaps
            .push(gap(GapKind::Platform, "manifest.json", cause));
    }
    Ok(images)
}

/// A name that can be one of the archive's members.
fn safe(name: &str) -> Result<String, SourceError> {
    match names::normalise(name.as_bytes()) {
        Ok(path) if !name.starts_with('/') && !path.is_empty() && !name.contains("..") => Ok(path),
        _ => {
            let cause = format!("`{}` is no name inside the archive", shorten(name));
            Err(invalid("manifest.json", cause))
        }
    }
}

/// The digest that a name claims: `blobs/sha256/<hex>`, or `<hex>.json` for a config.
fn claimed(name: &str) -> Option<Digest> {
    let last = names::split(name).1;
    let hex = last.strip_suffix(".json").unwrap_or(last);
    let hex = hex.strip_prefix("sha256:").unwrap_or(hex);
    let is_blob = name.starts_with("blobs/sha256/") || hex.len() != last.len();
    Digest::parse(&format!("sha256:{hex}"))
        .ok()
        .filter(|_| is_blob)
}

fn load(store: &Store, saved: &SavedImage) -> Result<Image, SourceError> {
    let name = safe(&saved.config)?;
    let Some(config) = store.document(&name)? else {
        return Err(invalid(&name, "there is no such file in the archive"));
    };
    if let Some(digest) = claimed(&name) {
        let actual = digest.of_same_kind(&config);
        if actual != digest {
            let cause = format!("digest mismatch: the config has {actual}");
            return Err(invalid(&name, cause));
        }
    }
    let layers = saved.layers.as_deref().unwrap_or_default();
    if layers.len() > limits::LAYERS {
        let cause = format!("more than {} layers", limits::LAYERS);
        return Err(invalid("manifest.json", cause));
    }
    let mut image = Image {
        reference: saved.repo_tags.iter().flatten().next().cloned(),
        ..Image::default()
    };
    let diff_ids = read_config(&config, &name, layers.len(), &mut image)?;
    for (number, layer) in layers.iter().enumerate() {
        let name = safe(layer)?;
        let digest = claimed(&name).filter(|_| name.starts_with("blobs/"));
        image.layers.push(LayerRef {
            promise: Promise {
                size: None,
                digest,
                diff_id: diff_ids.get(number).cloned(),
            },
            name,
            unknown_type: None,
            foreign: false,
        });
    }
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_the_archive_and_claim_digests() {
        for bad in ["/etc/passwd", "../x", "a/../../x", ""] {
            assert!(safe(bad).is_err(), "{bad}");
        }
        let hex = "0".repeat(64);
        assert!(claimed(&format!("{hex}.json")).is_some());
        assert!(claimed(&format!("blobs/sha256/{hex}")).is_some());
        assert!(claimed(&format!("{hex}/layer.tar")).is_none());
    }
}
