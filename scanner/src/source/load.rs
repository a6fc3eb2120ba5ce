//! From the descriptor of a manifest to the image it describes: manifest and config, each checked
//! against size and digest before it is believed.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::about;
use super::digest::{Digest, shorten};
use super::image::{Image, LayerRef, gap};
use super::manifest::{Config, Descriptor, Document, Nature};
use super::partial;
use super::platform::Platform;
use super::store::Store;
use super::stream::Promise;
use super::{SourceError, invalid, limits, meaning};
use crate::model::gap::GapKind;

/// A manifest that may be an image.
pub(super) struct Candidate {
    pub(super) descriptor: Descriptor,
    pub(super) around: Around,
    /// Manifests that are the same image for different platforms.
    pub(super) group: String,
}

/// What the descriptors around a manifest say of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    pub(super) reference: Option<String>,
    /// All names that they give it.
    pub(super) names: BTreeSet<String>,
    /// The digests of the indexes that it stands in.
    pub(super) indexes: Vec<String>,
}

/// What a candidate turned out to be.
pub(super) enum Loaded {
    Image(Box<Image>),
    /// Statements about an image, of this type.
    Statements(String),
    /// Something else, of this type.
    Artifact(String),
    /// It is not there, and its descriptor does not say that it is an image.
    Missing,
    /// Why it could not be seen what it is.
    Unclear(String),
}

/// A JSON blob, after its size and digest were found right.
pub(super) fn verified(
    store: &Store,
    descriptor: &Descriptor,
) -> Result<(Digest, Vec<u8>), SourceError> {
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
    let other = |size: u64| {
        let said = descriptor.size;
        let cause = format!("the blob has {size} bytes, its descriptor says {said}");
        invalid(place, cause)
    };
    let size = store.known_size(&name);
    let size = size.map_err(|cause| invalid(place, cause))?;
    if let Some(size) = size.filter(|size| *size != descriptor.size) {
        return Err(other(size));
    }
    let bytes = store
        .document(&name)?
        .ok_or_else(|| invalid(place, "the blob is not there"))?;
    if bytes.len() as u64 != descriptor.size {
        return Err(other(bytes.len() as u64));
    }
    let actual = digest.of_same_kind(&bytes);
    if actual != digest {
        return Err(invalid(
            place,
            format!("digest mismatch: the blob has {actual}"),
        ));
    }
    Ok((digest, bytes))
}

/// Whether a candidate is left out of the layout, which only what is no image may be.
fn is_missing(store: &Store, descriptor: &Descriptor) -> bool {
    Digest::parse(&descriptor.digest).is_ok_and(|digest| !store.has(&digest.blob_name()))
}

/// The digest of an image's config, where the candidate is there and has one.
pub(super) fn config_of(
    store: &Store,
    candidate: &Candidate,
) -> Result<Option<Digest>, SourceError> {
    let descriptor = &candidate.descriptor;
    if descriptor.has_odd_type() || is_missing(store, descriptor) {
        return Ok(None);
    }
    let (_, bytes) = verified(store, descriptor)?;
    let manifest = Document::parse(&bytes).map_err(|cause| invalid(&descriptor.digest, cause))?;
    let config = manifest.config.map(|config| Digest::parse(&config.digest));
    config
        .transpose()
        .map_err(|cause| invalid(&descriptor.digest, cause))
}

/// Reads manifest and config. What a descriptor of a known type points to has to be what it says;
/// of another type it may be anything, and is a gap where it cannot be read.
pub(super) fn load(store: &Store, candidate: &Candidate) -> Result<Loaded, SourceError> {
    let descriptor = &candidate.descriptor;
    if descriptor.is_doubtful() && is_missing(store, descriptor) {
        let says_image = !descriptor.is_attestation()
            && descriptor.artifact_type.is_none()
            && !descriptor.has_odd_type();
        if !says_image {
            return Ok(Loaded::Missing);
        }
    }
    match read(store, candidate) {
        Err(SourceError::Invalid { cause, .. }) if descriptor.has_odd_type() => {
            let kind = shorten(descriptor.media_type.as_deref().unwrap_or_default());
            Ok(Loaded::Unclear(format!("media type `{kind}`, {cause}")))
        }
        other => other,
    }
}

fn read(store: &Store, candidate: &Candidate) -> Result<Loaded, SourceError> {
    let place = candidate.descriptor.digest.as_str();
    let (digest, bytes) = verified(store, &candidate.descriptor)?;
    let manifest = Document::parse(&bytes).map_err(|cause| invalid(place, cause))?;
    let nature = manifest.nature();
    let media_type = shorten(manifest.told_type());
    match nature {
        Nature::Image | Nature::Unclear => {}
        Nature::Statements => return Ok(Loaded::Statements(media_type)),
        Nature::Artifact => return Ok(Loaded::Artifact(media_type)),
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
        reference: candidate.around.reference.clone(),
        names: candidate.around.names.clone(),
        indexes: candidate.around.indexes.clone(),
        base: about::base(manifest.annotations.as_ref()),
        digest: Some(digest),
        ..Image::default()
    };
    let (config_digest, bytes) = verified(store, config)?;
    if nature == Nature::Unclear {
        if !is_image_config(&bytes, layers.len()) {
            let cause = format!("layers of a file system, but an artifact of type `{media_type}`");
            return Ok(Loaded::Unclear(cause));
        }
        let cause = format!(
            "an artifact by its type `{media_type}`, but an image by its content: read as an image"
        );
        image.gaps.push(gap(GapKind::UnknownFormat, place, cause));
    }
    let read = read_config(&bytes, config_digest.as_str(), layers.len(), &mut image)?;
    image.config = Some(config_digest);
    for (number, layer) in layers.iter().enumerate() {
        let what = format!("layer {number}");
        let digest = Digest::parse(&layer.digest).map_err(|cause| invalid(&what, cause))?;
        image.layers.push(LayerRef {
            name: digest.blob_name(),
            promise: Promise {
                size: Some(layer.size),
                digest: Some(digest),
                diff_id: read.diff_ids.get(number).cloned(),
                table: partial::promised(layer),
            },
            created_by: read.instruction(number),
            unknown_type: (!layer.is_known_layer())
                .then(|| shorten(layer.media_type.as_deref().unwrap_or_default())),
            foreign: layer.is_foreign(),
        });
    }
    Ok(Loaded::Image(Box::new(image)))
}

/// Whether a config is one of an image with so many layers, whatever its type.
fn is_image_config(bytes: &[u8], layers: usize) -> bool {
    serde_json::from_slice::<Config>(bytes)
        .is_ok_and(|config| config.rootfs.diff_ids.unwrap_or_default().len() == layers)
}

/// What a config says of each layer.
#[derive(Default)]
pub(super) struct OfLayers {
    pub(super) diff_ids: Vec<Digest>,
    instructions: Vec<Option<Arc<str>>>,
}

impl OfLayers {
    /// The instruction that made a layer.
    pub(super) fn instruction(&self, number: usize) -> Option<Arc<str>> {
        self.instructions.get(number).cloned().flatten()
    }
}

/// Takes platform and diff IDs from a config. One that cannot be read is a gap: the layers are
/// still those of the manifest, but nothing says what they unpack to.
pub(super) fn read_config(
    bytes: &[u8],
    place: &str,
    layers: usize,
    image: &mut Image,
) -> Result<OfLayers, SourceError> {
    meaning::check(bytes, meaning::CONFIG).map_err(|cause| invalid(place, cause))?;
    let config: Config = match serde_json::from_slice(bytes) {
        Ok(config) => config,
        Err(error) => {
            let cause = format!(
                "the config is not readable ({error}): the diff IDs of the layers were not verified"
            );
            let gap = gap(GapKind::Malformed, place, cause);
            image.gaps.push(gap.unjudged());
            return Ok(OfLayers::default());
        }
    };
    image.platform = Some(config.platform).filter(Platform::is_known);
    let about = about::Config::read(&config.history, &config.of_containers, layers);
    image.base = image.base.take().or(about.base);
    let diff_ids = config.rootfs.diff_ids.unwrap_or_default();
    if diff_ids.len() != layers {
        let cause = format!("{layers} layers, but {} diff IDs", diff_ids.len());
        return Err(invalid(place, cause));
    }
    let diff_ids: Result<Vec<Digest>, SourceError> = diff_ids
        .iter()
        .map(|text| Digest::parse(text).map_err(|cause| invalid(place, cause)))
        .collect();
    Ok(OfLayers {
        diff_ids: diff_ids?,
        instructions: about.instructions,
    })
}
