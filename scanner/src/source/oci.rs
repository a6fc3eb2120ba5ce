//! OCI image layouts (image-layout.md): `index.json`, indexes inside it, and the images for one
//! platform among what they name. Indexes nest up to a limit, which also ends circles.
//!
//! Whatever an index names may be an image, whatever it says of it: what is not scanned is another
//! platform of an image that is, a statement about one, or a gap.

use std::collections::{BTreeMap, BTreeSet};

use super::about;
use super::choice::{none_for, select};
use super::digest::{Digest, shorten, shorten_to};
use super::image::{Image, gap};
use super::load::{Around, Candidate, Loaded, config_of, load, verified};
use super::manifest::{Descriptor, Document, Layout, artifact};
use super::platform::Platform;
use super::store::Store;
use super::{SourceError, invalid, limits, meaning};
use crate::model::gap::{Gap, GapClass, GapKind};

/// The images of a layout for one platform.
pub(super) fn images(
    store: &Store,
    platform: Option<&Platform>,
) -> Result<Vec<Image>, SourceError> {
    let mut gaps = Vec::new();
    let candidates = candidates(store, &mut gaps)?;
    let mut images = choose(store, candidates, platform)?;
    if let Some(first) = images.first_mut() {
        first.gaps.append(&mut gaps);
    }
    Ok(images)
}

/// The digests of the configs of all images that a layout describes, for whatever platform;
/// images that are not in it are none.
pub(super) fn configs(store: &Store) -> Result<BTreeSet<Digest>, SourceError> {
    let mut configs = BTreeSet::new();
    for candidate in candidates(store, &mut Vec::new())? {
        if let Some(config) = config_of(store, &candidate)? {
            configs.insert(config);
        }
    }
    Ok(configs)
}

/// The manifests that are attached to one of these digests; some of them only may be.
pub(super) fn attached(
    store: &Store,
    subjects: &BTreeSet<&str>,
) -> Result<Vec<Descriptor>, SourceError> {
    let mut found = Vec::new();
    let tags: Vec<String> = subjects
        .iter()
        .map(|digest| format!("{}.att", digest.replacen(':', "-", 1)))
        .collect();
    for candidate in candidates(store, &mut Vec::new())? {
        let descriptor = candidate.descriptor;
        let about = descriptor.annotation("vnd.docker.reference.digest");
        let mut names = candidate.around.names.iter();
        let is_tagged = names.any(|name| tags.iter().any(|tag| name.ends_with(tag.as_str())));
        let is_attached = if descriptor.is_attestation() {
            about.is_some_and(|digest| subjects.contains(digest))
        } else {
            is_tagged
                || descriptor.is_doubtful()
                    && !subjects.contains(descriptor.digest.as_str())
                    && subject_of(store, &descriptor)
                        .is_some_and(|digest| subjects.contains(digest.as_str()))
        };
        if is_attached {
            found.push(descriptor);
        }
    }
    for subject in subjects {
        let referrers = store.referrers(subject);
        found.extend(referrers.map_err(|cause| invalid(subject, cause))?);
    }
    Ok(found)
}

/// What a manifest is about. One that cannot be read is a gap already, as something that may be an image.
fn subject_of(store: &Store, descriptor: &Descriptor) -> Option<String> {
    let (_, bytes) = verified(store, descriptor).ok()?;
    Document::parse(&bytes)
        .ok()?
        .subject
        .map(|subject| subject.digest)
}

fn candidates(store: &Store, gaps: &mut Vec<Gap>) -> Result<Vec<Candidate>, SourceError> {
    let manifests = if let Some(descriptor) = store.manifest() {
        vec![descriptor]
    } else {
        check_layout(store, gaps)?;
        let Some(bytes) = store.document("index.json")? else {
            return Err(invalid("index.json", "there is no such file"));
        };
        let index = Document::parse(&bytes).map_err(|cause| invalid("index.json", cause))?;
        let Some(manifests) = index.manifests else {
            return Err(invalid("index.json", "it is not an index"));
        };
        manifests
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
        let around = Around {
            reference,
            ..Around::default()
        };
        walk.descend(descriptor, around, &number.to_string(), 0)?;
    }
    if walk.found.is_empty() {
        return Err(invalid("index.json", "it names no image"));
    }
    Ok(walk.found)
}

fn check_layout(store: &Store, gaps: &mut Vec<Gap>) -> Result<(), SourceError> {
    let Some(bytes) = store.document("oci-layout")? else {
        let cause = "the file that marks an image layout and its version is missing";
        gaps.push(gap(GapKind::FileNotFound, "oci-layout", cause));
        return Ok(());
    };
    meaning::check(&bytes, meaning::LAYOUT).map_err(|cause| invalid("oci-layout", cause))?;
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
        mut around: Around,
        group: &str,
        depth: u32,
    ) -> Result<(), SourceError> {
        for name in about::annotated(|key| descriptor.annotation(key)) {
            about::add_name(&mut around.names, name);
        }
        self.read += 1;
        if self.read > limits::MANIFESTS {
            let cause = format!("more than {} manifests", limits::MANIFESTS);
            return Err(invalid("index.json", cause));
        }
        if !descriptor.is_index() {
            // Platforms that stand side by side in `index.json` under one name, or none, are
            // one image.
            let group = match (depth, &descriptor.platform) {
                (0, Some(_)) => format!("name {}", around.reference.as_deref().unwrap_or_default()),
                _ => group.to_owned(),
            };
            self.found.push(Candidate {
                descriptor,
                around,
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
        around.indexes.push(descriptor.digest);
        for inner in manifests {
            let own = inner
                .annotation("org.opencontainers.image.ref.name")
                .map(ToOwned::to_owned);
            let mut around = around.clone();
            around.reference = around.reference.or(own);
            self.descend(inner, around, group, depth.saturating_add(1))?;
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

/// What an index names and is not scanned.
#[derive(Default)]
struct Left {
    gaps: Vec<Gap>,
    /// Types of artifacts, one each.
    artifacts: Vec<String>,
    /// The same of attestations beside an image.
    attestations: Vec<String>,
    /// Images beyond the limit.
    images: usize,
}

impl Left {
    /// The image, if it is one.
    fn sort_out(&mut self, candidate: &Candidate, loaded: Loaded) -> Option<Image> {
        let place = candidate.descriptor.digest.as_str();
        match loaded {
            Loaded::Image(image) => return Some(*image),
            // Every image that BuildKit makes has some.
            Loaded::Statements(kind) if candidate.descriptor.is_attestation() => {
                self.attestations.push(kind);
            }
            Loaded::Statements(kind) | Loaded::Artifact(kind) => self.artifacts.push(kind),
            Loaded::Missing if candidate.descriptor.is_attestation() => {
                let cause = "an attestation, by its descriptor, that is not in the layout";
                self.gaps.push(gap(GapKind::FileNotFound, place, cause));
            }
            Loaded::Missing => {
                let cause = "it may be an image, and is not in the layout";
                let gap = gap(GapKind::FileNotFound, place, cause);
                self.gaps.push(gap.unjudged());
            }
            Loaded::Unclear(cause) => {
                let cause = format!("it may be an image, and was not scanned: {cause}");
                let gap = gap(GapKind::UnknownFormat, place, cause);
                self.gaps.push(gap.unjudged());
            }
        }
        None
    }

    const fn has_others(&self) -> bool {
        !self.artifacts.is_empty() || !self.attestations.is_empty()
    }

    /// What to say where nothing else is there.
    fn not_an_image(&self) -> String {
        let all = self.artifacts.iter().chain(&self.attestations);
        let kinds: BTreeSet<String> = all
            .map(|kind| format!("{} ({kind})", artifact(kind)))
            .collect();
        let kinds: Vec<String> = kinds.into_iter().collect();
        format!("not an image but {}", shorten_to(&kinds.join(", "), 300))
    }

    fn gaps(mut self) -> Vec<Gap> {
        if !self.artifacts.is_empty() {
            let count = self.artifacts.len();
            self.artifacts.sort();
            self.artifacts.dedup();
            let kinds = shorten(&self.artifacts.join(", "));
            let (noun, verb) = if count == 1 {
                ("artifact that is not an image", "was")
            } else {
                ("artifacts that are not images", "were")
            };
            let cause = format!("{count} {noun} {verb} not scanned: {kinds}");
            self.gaps.push(gap(GapKind::NotRead, "index.json", cause));
        }
        if self.images > 0 {
            let cause = format!(
                "{} images were not scanned, only the first {}",
                self.images,
                limits::IMAGES
            );
            let gap = gap(GapKind::Limit, "index.json", cause);
            self.gaps.push(gap.unjudged());
        }
        self.gaps
    }
}

fn choose(
    store: &Store,
    candidates: Vec<Candidate>,
    wanted: Option<&Platform>,
) -> Result<Vec<Image>, SourceError> {
    let mut left = Left::default();
    let mut groups: BTreeMap<String, Vec<Known>> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    for candidate in candidates {
        let image = if candidate.descriptor.is_doubtful() {
            let loaded = load(store, &candidate)?;
            let Some(image) = left.sort_out(&candidate, loaded) else {
                continue;
            };
            Some(image)
        } else {
            None
        };
        let told = candidate.descriptor.platform.clone();
        let platform = told
            .filter(Platform::is_known)
            .or_else(|| image.as_ref().and_then(|image| image.platform.clone()));
        if !groups.contains_key(&candidate.group) {
            order.push(candidate.group.clone());
        }
        let group = groups.entry(candidate.group.clone()).or_default();
        let digest = &candidate.descriptor.digest;
        let mut known = group.iter_mut();
        match known.find(|known| known.candidate.descriptor.digest == *digest) {
            Some(known) => known.candidate.around.names.extend(candidate.around.names),
            None => group.push(Known {
                candidate,
                platform,
                image,
            }),
        }
    }
    let mut images: Vec<Image> = Vec::new();
    let mut available = Vec::new();
    let mut passed = Vec::new();
    for key in order {
        let group = groups.remove(&key).unwrap_or_default();
        let name = group
            .iter()
            .find_map(|known| known.candidate.around.reference.clone());
        let platforms: Vec<Option<Platform>> =
            group.iter().map(|known| known.platform.clone()).collect();
        let choice = select(&platforms, wanted);
        let names: BTreeSet<String> = platforms
            .iter()
            .flatten()
            .map(ToString::to_string)
            .collect();
        available.extend(platforms.into_iter().flatten());
        if choice.numbers.is_empty() {
            passed.push(name.unwrap_or_else(|| "an image without a name".into()));
        }
        for (number, known) in group.into_iter().enumerate() {
            if !choice.numbers.contains(&number) {
                continue;
            }
            // The same image under several names is one image.
            let digest = known.candidate.descriptor.digest.as_str();
            let is_known = |image: &Image| {
                image
                    .digest
                    .as_ref()
                    .is_some_and(|it| it.as_str() == digest)
            };
            if let Some(image) = images.iter_mut().find(|image| is_known(image)) {
                image.names.extend(known.candidate.around.names);
                continue;
            }
            if images.len() >= limits::IMAGES {
                left.images += 1;
                continue;
            }
            let image = match known.image {
                Some(image) => Some(image),
                None => left.sort_out(&known.candidate, load(store, &known.candidate)?),
            };
            let Some(mut image) = image else {
                continue;
            };
            image.names.extend(known.candidate.around.names);
            image.platform = image.platform.or(known.platform);
            image.platforms = names.iter().cloned().collect();
            if let Some(cause) = &choice.remark {
                image.remark(cause);
            }
            images.push(image);
        }
    }
    let is_unclear = |gap: &&Gap| gap.class == GapClass::Unjudged;
    let Some(first) = images.first_mut() else {
        if let Some(gap) = left.gaps.iter().find(is_unclear) {
            return Err(invalid(&gap.location.path, &*gap.cause));
        }
        if available.is_empty() && left.has_others() {
            return Err(invalid("index.json", left.not_an_image()));
        }
        return Err(invalid("index.json", none_for(wanted, &available)));
    };
    if !passed.is_empty() {
        let cause = format!(
            "not scanned, having no image for the platform: {}",
            passed.join(", ")
        );
        first.excluded("index.json", cause);
    }
    first.gaps.append(&mut left.gaps());
    Ok(images)
}
