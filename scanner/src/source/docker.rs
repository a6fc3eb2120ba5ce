//! What `docker save` writes: `manifest.json` with config and layers by their names in the
//! archive. Old ones store layers uncompressed, the same layer once with links to it; those of
//! Docker 25 are an OCI layout besides. Digests are verified where a name is one; diff IDs always.

use std::collections::BTreeSet;

use super::about;
use super::choice::{none_for, select};
use super::digest::{Algorithm, Digest, Hasher, shorten};
use super::image::{Image, LayerRef, gap};
use super::load::read_config;
use super::manifest::SavedImage;
use super::platform::Platform;
use super::store::Store;
use super::stream::Promise;
use super::{ImageKind, SourceError, invalid, limits, meaning, names, oci};
use crate::model::gap::GapKind;

/// The images of an archive for one platform.
pub(super) fn images(
    store: &Store,
    platform: Option<&Platform>,
) -> Result<Vec<Image>, SourceError> {
    let saved = saved(store)?;
    let mut images: Vec<Image> = Vec::new();
    let mut available = Vec::new();
    let mut passed = Vec::new();
    let mut platforms = BTreeSet::new();
    let mut left_out = 0_usize;
    for saved in saved {
        if images.len() >= limits::IMAGES {
            left_out += 1;
            continue;
        }
        let mut image = load(store, &saved)?;
        let choice = select(std::slice::from_ref(&image.platform), platform);
        available.extend(image.platform.clone());
        platforms.extend(image.platform.as_ref().map(ToString::to_string));
        if choice.numbers.is_empty() {
            passed.push(image.reference.unwrap_or_else(|| saved.config.clone()));
            continue;
        }
        if let Some(cause) = &choice.remark {
            image.remark(cause);
        }
        images.push(image);
    }
    for image in &mut images {
        image.platforms = platforms.iter().cloned().collect();
    }
    let Some(first) = images.first_mut() else {
        return Err(invalid("manifest.json", none_for(platform, &available)));
    };
    if !passed.is_empty() {
        let cause = format!(
            "not scanned, being for other platforms: {}",
            passed.join(", ")
        );
        first.excluded("manifest.json", cause);
    }
    if left_out > 0 {
        let cause = format!(
            "{left_out} images were not scanned, only the first {}",
            limits::IMAGES
        );
        let gap = gap(GapKind::Limit, "manifest.json", cause);
        first.gaps.push(gap.unjudged());
    }
    Ok(images)
}

fn saved(store: &Store) -> Result<Vec<SavedImage>, SourceError> {
    let Some(bytes) = store.document("manifest.json")? else {
        return Err(invalid("manifest.json", "there is no such file"));
    };
    meaning::check(&bytes, meaning::SAVED).map_err(|cause| invalid("manifest.json", cause))?;
    let saved: Vec<SavedImage> = serde_json::from_slice(&bytes)
        .map_err(|error| invalid("manifest.json", format!("not readable: {error}")))?;
    if saved.is_empty() {
        return Err(invalid("manifest.json", "it names no image"));
    }
    if saved.len() > limits::MANIFESTS {
        let cause = format!("more than {} images", limits::MANIFESTS);
        return Err(invalid("manifest.json", cause));
    }
    Ok(saved)
}

/// Refuses an archive that is an image for those who read `manifest.json` and another one for
/// those who read `index.json`: `docker load` reads the one or the other by where it keeps its
/// images. A config names all that its layers unpack to, so that images with one config are the
/// same.
pub(super) fn check_agreement(
    store: &Store,
    kind: ImageKind,
    platform: Option<&Platform>,
) -> Result<(), SourceError> {
    if !(store.has("manifest.json") && store.has("index.json")) {
        return Ok(());
    }
    let mut saved_configs = BTreeSet::new();
    for saved in saved(store)? {
        let name = safe(&saved.config)?;
        saved_configs.insert(digest_of(&config(store, &name)?));
    }
    let mut agree = saved_configs.is_subset(&oci::configs(store)?);
    // Other platforms of the index need not be in `manifest.json`, the image itself does.
    let platform = platform.filter(|platform| !platform.is_all());
    if kind == ImageKind::DockerArchive {
        for image in oci::images(store, platform)? {
            agree &= image.config.is_some_and(|it| saved_configs.contains(&it));
        }
    }
    if !agree {
        return Err(invalid(
            "manifest.json",
            "it describes other images than index.json: engines read the one or the other",
        ));
    }
    Ok(())
}

fn digest_of(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(bytes);
    hasher.finish()
}

/// The config, checked where its name is its digest.
fn config(store: &Store, name: &str) -> Result<Vec<u8>, SourceError> {
    let Some(config) = store.document(name)? else {
        return Err(invalid(name, "there is no such file in the archive"));
    };
    if let Some(digest) = claimed(name) {
        let actual = digest.of_same_kind(&config);
        if actual != digest {
            let cause = format!("digest mismatch: the config has {actual}");
            return Err(invalid(name, cause));
        }
    }
    Ok(config)
}

/// A name that can be one of the archive's members.
fn safe(name: &str) -> Result<String, SourceError> {
    match names::normalise(name.as_bytes()) {
        Ok(path) if !name.starts_with('/') && !path.is_empty() && !name.contains("..") => Ok(path),
        _ => {
            let cause = format!("`{}` is not a name inside the archive", shorten(name));
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
    let config = config(store, &name)?;
    let layers = saved.layers.as_deref().unwrap_or_default();
    if layers.len() > limits::LAYERS {
        let cause = format!("more than {} layers", limits::LAYERS);
        return Err(invalid("manifest.json", cause));
    }
    let mut image = Image {
        reference: saved.repo_tags.iter().flatten().next().cloned(),
        config: Some(digest_of(&config)),
        ..Image::default()
    };
    for name in saved.repo_tags.iter().flatten() {
        about::add_name(&mut image.names, name);
    }
    let read = read_config(&config, &name, layers.len(), &mut image)?;
    for (number, layer) in layers.iter().enumerate() {
        let name = safe(layer)?;
        let digest = claimed(&name).filter(|_| name.starts_with("blobs/"));
        image.layers.push(LayerRef {
            promise: Promise {
                size: None,
                digest,
                diff_id: read.diff_ids.get(number).cloned(),
                table: None,
            },
            created_by: read.instruction(number),
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
