//! OCI image layouts (image-layout.md): `index.json`, indexes inside it, and the manifests and
//! configs of the images for one platform. Every blob is checked against size and digest before
//! it is believed; indexes nest up to a limit, which also ends circles.

use std::collections::BTreeMap;

use super::digest::{Digest, shorten};
use super::image::{Image, LayerRef, gap};
use super::manifest::{Config, Descriptor, Document, Layout};
use super::platform::Platform;
use super::store::Store;
use super::stream::Promise;
use super::{SourceError, limits};
use crate::gap::{Gap, GapKind};

fn invalid(place: &str, cause: impl Into<String>) -> SourceError {
    SourceError::Invalid {
        place: shorten(place),
        cause: cause.into(),
    }
}

/// A manifest that may be an image.
struct Candidate {
    descriptor: Descriptor,
    reference: Option<String>,
    /// Manifests that are the same image for different platforms.
    group: String,
}

/// The images of a layout for one platform.
pub(super) fn images(
    store: &Store,
    platform: Option<&Platform>,
) -> Result<Vec<Image>, SourceError> {
    let mut gaps = Vec::new();
    check_layout(store, &mut gaps)?;
    let Some(bytes) = store.document("index.json")? else {
        return Err(invalid("index.json", "there is no such file"));
    };
    let index = Document::parse(&bytes).map_err(|cause| invalid("index.json", cause))?;
    let Some(manifests) = index.manifests else {
        return Err(invalid("index.json", "it is not an index"));
    };
    let mut walk = Walk {
        store,
        found: Vec::new(),
        read: 0,
    };
    for (number, descriptor) in manifests.into_iter().enumerate() {
        let reference = descriptor
            .annotation("io.containerd.image.name")
            .or_else(|| descriptor.annotation("org.opencontainers.image.ref.name"))
            .map(ToOwned::to_owned);
        walk.descend(descriptor, reference, &number.to_string(), 0)?;
    }
    if walk.found.is_empty() {
        return Err(invalid("index.json", "it names no image"));
    }
    let mut images = choose(store, walk.found, platform)?;
    if let Some(first) = images.first_mut() {
        first.gaps.append(&mut gaps);
    }
    Ok(images)
}

fn check_layout(store: &Store, gaps: &mut Vec<Gap>) -> Result<(), SourceError> {
    let Some(bytes) = store.document("oci-layout")? else {
        let cause = "the file that marks an image layout and its version is missing";
        gaps.push(gap(GapKind::FileNotFound, "oci-layout", cause));
        return Ok(());
    };
    match serde_json::from_slice::<Layout>(&bytes) {
        Ok(layout) if layout.image_layout_version.starts_with("1.") => {}
        Ok(layout) => {
            let version = shorten(&layout.image_layout_version);
            let cause = format!("image layout version `{version}` is not supported");
            return Err(invalid("oci-layout", cause));
        }
        Err(error) => gaps.push(gap(
            GapKind::Malformed,
            "oci-layout",
            format!("not readable: {error}"),
        )),
    }
    Ok(())
}

/// A JSON blob, after its size and digest were found right.
fn verified(store: &Store, descriptor: &Descriptor) -> Result<(Digest, Vec<u8>), SourceError> {
    let place = descriptor.digest.as_str();
    let digest = Digest::parse(place).map_err(|cause| invalid("descriptor", cause))?;
    if descriptor.size > limits::DOCUMENT_BYTES {
        let cause = format!(
            "{} bytes are more than the {} of a manifest",
            descriptor.size,
            limits::DOCUMENT_BYTES
        );
        return Err(invalid(place, cause));
    }
    let name = digest.blob_name();
    let size = store.size(&name).map_err(|cause| invalid(place, cause))?;
    if size != descriptor.size {
        let cause = format!(
            "the blob has {size} bytes, its descriptor says {}",
            descriptor.size
        );
        return Err(invalid(place, cause));
    }
    let bytes = store
        .document(&name)?
        .ok_or_else(|| invalid(place, "the blob is not there"))?;
    let actual = digest.of_same_kind(&bytes);
    if actual != digest {
        return Err(invalid(
            place,
            format!("digest mismatch: the blob has {actual}"),
        ));
    }
    Ok((digest, bytes))
}

/// Collects manifests from indexes.
struct Walk<'a> {
    store: &'a Store,
    found: Vec<Candidate>,
    read: usize,
}

impl Walk<'_> {
    fn descend(
        &mut self,
        descriptor: Descriptor,
        reference: Option<String>,
        group: &str,
        depth: u32,
    ) -> Result<(), SourceError> {
        self.read += 1;
        if self.read > limits::MANIFESTS {
            let cause = format!("more than {} manifests", limits::MANIFESTS);
            return Err(invalid("index.json", cause));
        }
        if descriptor.is_no_image() {
            return Ok(());
        }
        let kind = descriptor.media_type.as_deref().unwrap_or_default();
        let is_index = kind == "application/vnd.oci.image.index.v1+json"
            || kind == "application/vnd.docker.distribution.manifest.list.v2+json";
        if !is_index {
            // Platforms that stand side by side in `index.json` under one name, or none, are
            // one image.
            let group = match (depth, &descriptor.platform) {
                (0, Some(_)) => format!("name {}", reference.as_deref().unwrap_or_default()),
                _ => group.to_owned(),
            };
            self.found.push(Candidate {
                descriptor,
                reference,
                group,
            });
            return Ok(());
        }
        if depth >= limits::INDEX_DEPTH {
            let cause = format!(
                "more than {} indexes inside each other",
                limits::INDEX_DEPTH
            );
            return Err(invalid(&descriptor.digest, cause));
        }
        let (_, bytes) = verified(self.store, &descriptor)?;
        let index = Document::parse(&bytes).map_err(|cause| invalid(&descriptor.digest, cause))?;
        let Some(manifests) = index.manifests else {
            return Err(invalid(&descriptor.digest, "it is not an index"));
        };
        for inner in manifests {
            let own = inner
                .annotation("org.opencontainers.image.ref.name")
                .map(ToOwned::to_owned);
            let reference = reference.clone().or(own);
            self.descend(inner, reference, group, depth.saturating_add(1))?;
        }
        Ok(())
    }
}

/// A candidate with its platform, and with its documents where these had to be read for it.
struct Known {
    candidate: Candidate,
    platform: Option<Platform>,
    image: Option<Image>,
}

fn choose(
    store: &Store,
    candidates: Vec<Candidate>,
    wanted: Option<&Platform>,
) -> Result<Vec<Image>, SourceError> {
    let mut groups: BTreeMap<String, Vec<Known>> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    let mut artifacts = 0_usize;
    for candidate in candidates {
        let told = candidate
            .descriptor
            .platform
            .clone()
            .filter(Platform::is_known);
        let image = if told.is_some() {
            None
        } else if let Some(image) = load(store, &candidate)? {
            Some(image)
        } else {
            artifacts += 1;
            continue;
        };
        let platform = told.or_else(|| image.as_ref().and_then(|image| image.platform.clone()));
        if !groups.contains_key(&candidate.group) {
            order.push(candidate.group.clone());
        }
        let group = groups.entry(candidate.group.clone()).or_default();
        let digest = &candidate.descriptor.digest;
        if group
            .iter()
            .all(|known| known.candidate.descriptor.digest != *digest)
        {
            group.push(Known {
                candidate,
                platform,
                image,
            });
        }
    }
    let mut images: Vec<Image> = Vec::new();
    let mut available = Vec::new();
    let mut passed = Vec::new();
    for key in order {
        let group = groups.remove(&key).unwrap_or_default();
        let name = group
            .iter()
            .find_map(|known| known.candidate.reference.clone());
        let platforms: Vec<Option<Platform>> =
            group.iter().map(|known| known.platform.clone()).collect();
        let choice = select(&platforms, wanted);
        available.extend(platforms.into_iter().flatten());
        if choice.numbers.is_empty() {
            passed.push(name.unwrap_or_else(|| "an image without a name".into()));
        }
        for (number, known) in group.into_iter().enumerate() {
            if !choice.numbers.contains(&number) {
                continue;
            }
            let image = match known.image {
                Some(image) => Some(image),
                None => load(store, &known.candidate)?,
            };
            let Some(mut image) = image else {
                artifacts += 1;
                continue;
            };
            image.platform = image.platform.or(known.platform);
            if let Some(cause) = &choice.remark {
                image
                    .gaps
                    .push(gap(GapKind::Platform, "index.json", cause.as_str()));
            }
            // The same image under several names is one image.
            if images.iter().all(|other| other.digest != image.digest) {
                images.push(image);
            }
        }
    }
    if images.is_empty() && available.is_empty() && artifacts > 0 {
        let cause = "it holds artifacts that are no container images";
        return Err(invalid("index.json", cause));
    }
    if images.is_empty() {
        return Err(invalid("index.json", none_for(wanted, &available)));
    }
    if let (false, Some(first)) = (passed.is_empty(), images.first_mut()) {
        let cause = format!(
            "not scanned, having no image for the platform: {}",
            passed.join(", ")
        );
        first.gaps.push(gap(GapKind::Platform, "index.json", cause));
    }
    Ok(images)
}

/// What to say where no image is for the platform.
pub(super) fn none_for(wanted: Option<&Platform>, available: &[Platform]) -> String {
    let wanted = wanted.cloned().unwrap_or_else(Platform::default_choice);
    format!("no image for {wanted}; there are: {}", list(available))
}

fn list(platforms: &[Platform]) -> String {
    let mut names: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    names.sort();
    names.dedup();
    shorten(&names.join(", "))
}

/// Which of several platforms to scan.
pub(super) struct Choice {
    pub(super) numbers: Vec<usize>,
    /// Why it may not be what the user meant.
    pub(super) remark: Option<String>,
}

/// Chooses among the platforms of one image. Images whose platform is unknown are scanned, with
/// a remark where a platform was asked for.
pub(super) fn select(platforms: &[Option<Platform>], wanted: Option<&Platform>) -> Choice {
    let known: Vec<Platform> = platforms.iter().flatten().cloned().collect();
    if known.is_empty() {
        return Choice {
            numbers: (0..platforms.len()).collect(),
            remark: wanted.map(|wanted| {
                format!(
                    "whether the image is for {wanted} is not known: it does not name its platform"
                )
            }),
        };
    }
    let default = Platform::default_choice();
    let fits = |choice: &Platform| known.iter().any(|platform| choice.takes(platform));
    let (choice, remark) = match wanted {
        Some(wanted) if fits(wanted) => (wanted.clone(), None),
        Some(_) => {
            return Choice {
                numbers: Vec::new(),
                remark: None,
            };
        }
        None if fits(&default) => (default, None),
        None => {
            let linux = known.iter().find(|platform| platform.os == "linux");
            let choice = linux.or(known.first()).cloned().unwrap_or_default();
            let is_only = known.iter().all(|platform| *platform == choice);
            let remark = (!is_only || choice.os != "linux").then(|| {
                format!(
                    "no image for {default}; {choice} was scanned; there are: {}",
                    list(&known)
                )
            });
            (choice, remark)
        }
    };
    // Of several variants one: the one that engines take, else the first.
    let fitting = || {
        platforms
            .iter()
            .flatten()
            .filter(|platform| choice.takes(platform))
    };
    let usual = |platform: &&Platform| match platform.variant.as_deref() {
        None | Some("") => true,
        Some(variant) => matches!(
            (platform.architecture.as_str(), variant),
            ("arm", "v7") | ("arm64", "v8") | ("amd64", "v1")
        ),
    };
    let chosen = fitting().find(usual).or_else(|| fitting().next()).cloned();
    Choice {
        numbers: platforms
            .iter()
            .enumerate()
            .filter(|(_, platform)| platform.is_some() && **platform == chosen)
            .map(|(number, _)| number)
            .collect(),
        remark,
    }
}

/// Reads manifest and config; `None` for an artifact.
fn load(store: &Store, candidate: &Candidate) -> Result<Option<Image>, SourceError> {
    let place = candidate.descriptor.digest.as_str();
    let (digest, bytes) = verified(store, &candidate.descriptor)?;
    let manifest = Document::parse(&bytes).map_err(|cause| invalid(place, cause))?;
    if manifest.is_artifact() {
        return Ok(None);
    }
    let (Some(config), Some(layers)) = (&manifest.config, &manifest.layers) else {
        return Err(invalid(place, "the manifest has no config or no layers"));
    };
    if layers.len() > limits::LAYERS {
        return Err(invalid(
            place,
            format!("more than {} layers", limits::LAYERS),
        ));
    }
    let mut image = Image {
        reference: candidate.reference.clone(),
        digest: Some(digest),
        ..Image::default()
    };
    let (config_digest, bytes) = verified(store, config)?;
    let diff_ids = read_config(&bytes, config_digest.as_str(), layers.len(), &mut image)?;
    for (number, layer) in layers.iter().enumerate() {
        let what = format!("layer {number}");
        let digest = Digest::parse(&layer.digest).map_err(|cause| invalid(&what, cause))?;
        image.layers.push(LayerRef {
            name: digest.blob_name(),
            promise: Promise {
                size: Some(layer.size),
                digest: Some(digest),
                diff_id: diff_ids.get(number).cloned(),
            },
            unknown_type: (!layer.is_known_layer())
                .then(|| shorten(layer.media_type.as_deref().unwrap_or_default())),
            foreign: layer.is_foreign(),
        });
    }
    Ok(Some(image))
}

/// Takes platform and diff IDs from a config. One that cannot be read is a gap: the layers are
/// still those of the manifest, but nothing says what they unpack to.
pub(super) fn read_config(
    bytes: &[u8],
    place: &str,
    layers: usize,
    image: &mut Image,
) -> Result<Vec<Digest>, SourceError> {
    let config: Config = match serde_json::from_slice(bytes) {
        Ok(config) => config,
        Err(error) => {
            let cause = format!(
                "the config is not readable ({error}): the diff IDs of the layers were not verified"
            );
            image.gaps.push(gap(GapKind::Malformed, place, cause));
            return Ok(Vec::new());
        }
    };
    image.platform = Some(config.platform).filter(Platform::is_known);
    let diff_ids = config.rootfs.diff_ids.unwrap_or_default();
    if diff_ids.len() != layers {
        let cause = format!("{layers} layers, but {} diff IDs", diff_ids.len());
        return Err(invalid(place, cause));
    }
    diff_ids
        .iter()
        .map(|text| Digest::parse(text).map_err(|cause| invalid(place, cause)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platforms(names: &[&str]) -> Vec<Option<Platform>> {
        names.iter().map(|name| name.parse().ok()).collect()
    }

    #[test]
    fn the_platform_is_the_one_asked_for_or_the_usual_one() {
        let many = platforms(&[
            "linux/arm/v6",
            "linux/arm/v7",
            "linux/amd64",
            "windows/amd64",
        ]);
        let choose = |wanted: Option<&str>| {
            let wanted = wanted.map(|text| text.parse().unwrap());
            select(&many, wanted.as_ref())
        };
        assert_eq!(choose(None).numbers, [2]);
        assert_eq!(choose(Some("linux/arm")).numbers, [1]);
        assert_eq!(choose(Some("linux/arm/v6")).numbers, [0]);
        assert!(choose(Some("linux/s390x")).numbers.is_empty());
        let only = select(&platforms(&["linux/arm64"]), None);
        assert!(only.numbers == [0] && only.remark.is_none());
        let foreign = select(&platforms(&["windows/amd64"]), None);
        assert!(foreign.numbers == [0] && foreign.remark.unwrap().contains("windows/amd64"));
    }
}
