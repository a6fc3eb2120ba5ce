//! From an opened store to the contents of its images: the layers of all images read once, each
//! image merged on its own.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::attached::{self, Found};
use super::digest::Digest;
use super::image::{Image, LayerRef, gap};
use super::limits::Budget;
use super::merge::{self, Visible};
use super::platform::Platform;
use super::scanned::LayerScan;
use super::store::{self, Job, Store};
use super::wanted::{Again, Selection};
use super::whole::{Part, Shown};
use super::{
    Access, Contents, Cost, ImageKind, LayerCache, SourceError, alias, docker, elsewhere, invalid,
    kept, limits, oci, plan, unpacked,
};
use crate::analyzer::Analyzers;
use crate::model::coverage::Coverage;
use crate::model::gap::{Gap, GapKind};
use crate::model::location::Layer;
use crate::model::target::LayerInfo;

/// Opens an image target and reads all that is to be scanned in it: one [`Contents`] for each
/// image. An index or archive with several platforms is scanned for the one asked for, by default
/// `linux/amd64`, or the only one there is. `path` is a reference where the kind is not one of paths.
pub fn open_image(
    kind: ImageKind,
    path: &Path,
    access: &Access,
    platform: Option<&Platform>,
    budget: Budget,
    cache: Option<&LayerCache>,
    analyzers: &Analyzers<'_>,
) -> Result<Vec<Contents>, SourceError> {
    let (store, kind, images) = opened(kind, path, access, platform)?;
    let attached: Vec<Found> = if access.attached {
        images
            .iter()
            .map(|image| attached::find(&store, image))
            .collect()
    } else {
        Vec::new()
    };
    let mut all = read(&store, images, budget, cache, analyzers)?;
    for (contents, found) in all.iter_mut().zip(attached) {
        contents.attached = found.documents;
        contents.gaps.extend(found.gaps);
        contents.gaps.sort();
    }
    if kind == ImageKind::RootFileSystem {
        all.iter_mut().for_each(unpacked::without_layers);
    }
    Ok(all)
}

/// An image as its manifest and config describe it.
#[derive(Clone, Debug)]
pub struct Described {
    /// Digest of the manifest.
    pub digest: Option<String>,
    /// Digests of what its layers unpack to, the lowest first; none where the config does not say.
    pub diff_ids: Vec<Arc<str>>,
}

/// What the images of a target are, without reading any layer.
pub fn describe_images(
    kind: ImageKind,
    path: &Path,
    access: &Access,
    platform: Option<&Platform>,
) -> Result<Vec<Described>, SourceError> {
    let (_, _, images) = opened(kind, path, access, platform)?;
    let described = images.into_iter().map(|image| Described {
        digest: image.digest.as_ref().map(ToString::to_string),
        diff_ids: image
            .layers
            .iter()
            .map(|layer| layer.promise.diff_id.as_ref().map(Digest::text))
            .collect::<Option<_>>()
            .unwrap_or_default(),
    });
    Ok(described.collect())
}

/// Opens a target, for the images that it has of a platform.
fn opened(
    kind: ImageKind,
    path: &Path,
    access: &Access,
    platform: Option<&Platform>,
) -> Result<(Store, ImageKind, Vec<Image>), SourceError> {
    let (store, kind) = if kind.is_path() {
        (on_disk(kind, path)?, kind)
    } else {
        elsewhere::open(kind, &path.to_string_lossy(), access)?
    };
    let images = match kind {
        ImageKind::RootFileSystem => vec![unpacked::image()],
        ImageKind::DockerArchive => docker::images(&store, platform)?,
        _ => oci::images(&store, platform)?,
    };
    if matches!(kind, ImageKind::OciArchive | ImageKind::DockerArchive) {
        docker::check_agreement(&store, kind, platform)?;
    }
    Ok((store, kind, images))
}

/// What lies at a path.
fn on_disk(kind: ImageKind, path: &Path) -> Result<Store, SourceError> {
    let unreadable = |source| SourceError::Io {
        path: path.to_owned(),
        source,
    };
    let data = std::fs::metadata(path).map_err(unreadable)?;
    match kind {
        ImageKind::OciLayout => Ok(store::directory(path)),
        ImageKind::RootFileSystem if data.is_dir() => Ok(store::root_file_system(path)),
        ImageKind::RootFileSystem => Err(unreadable(io::ErrorKind::NotADirectory.into())),
        ImageKind::SkopeoDirectory => store::flat(path),
        // Opening a pipe would wait for somebody to write into it.
        ImageKind::OciArchive | ImageKind::DockerArchive if !data.is_file() => {
            Err(unreadable(io::Error::other("it is not a regular file")))
        }
        _ => store::archive(path),
    }
}

/// What makes two layers one job.
type Same = (String, Option<Digest>, Option<Digest>, Option<u64>);

fn read(
    store: &Store,
    mut images: Vec<Image>,
    budget: Budget,
    cache: Option<&LayerCache>,
    analyzers: &Analyzers<'_>,
) -> Result<Vec<Contents>, SourceError> {
    if let (true, Some(first)) = (store.is_followed(), images.first_mut()) {
        let cause =
            "members follow the end of the archive; engines leave them out, and so does this scan";
        first.gaps.push(gap(GapKind::Ambiguous, ".", cause));
    }
    let mut jobs: Vec<Job> = Vec::new();
    let mut known: BTreeMap<Same, usize> = BTreeMap::new();
    // For each image, the job of each layer; `None` for a layer that is not in the image.
    let mut used: Vec<Vec<Option<usize>>> = Vec::new();
    for image in &images {
        let mut numbers = Vec::new();
        for (index, layer) in image.layers.iter().enumerate() {
            if layer.foreign && !store.has(&layer.name) {
                numbers.push(None);
                continue;
            }
            let promise = layer.promise.clone();
            let same = (
                layer.name.clone(),
                promise.digest.clone(),
                promise.diff_id.clone(),
                promise.size,
            );
            let number = *known.entry(same).or_insert_with(|| {
                let called = promise
                    .digest
                    .as_ref()
                    .map_or(layer.name.as_str(), Digest::as_str);
                jobs.push(Job {
                    name: layer.name.clone(),
                    place: format!("layer {index} ({called})"),
                    promise,
                    selection: Selection::Installed,
                });
                jobs.len().saturating_sub(1)
            });
            numbers.push(Some(number));
        }
        used.push(numbers);
    }
    let found = match cache {
        Some(cache) => kept::images(store, &jobs, &images, &used, budget, cache, analyzers)?,
        None => None,
    };
    if let Some((wholes, cost)) = found {
        let mut all = Vec::new();
        for (image, (parts, places, shown)) in images.into_iter().zip(wholes) {
            all.push(contents(image, &parts, &places, shown, cost));
        }
        check_packages(&all, budget)?;
        return Ok(all);
    }
    let (scans, cost) = store.read_layers(&jobs, analyzers, budget, cache)?;
    let read = Read {
        store,
        jobs: &jobs,
        scans: &scans,
        budget,
        cache,
        analyzers,
    };
    let mut all = Vec::new();
    for (image, numbers) in images.into_iter().zip(used) {
        let of = |number: &Option<usize>| number.and_then(|number| scans.get(number)).map(Part::of);
        let parts: Vec<Option<Part>> = numbers.iter().map(of).collect();
        let places = places(&image, &parts);
        let shown = put_together(&read, &numbers, &places)?;
        kept::keep_image(&read, &image, &numbers, &parts, &shown);
        all.push(contents(image, &parts, &places, shown, cost));
        check_packages(&all, budget)?;
    }
    if let Some(cache) = cache {
        cache.tidy();
    }
    Ok(all)
}

/// What is shown of the layers.
fn described(layers: &[LayerRef], places: &[Arc<Layer>]) -> Vec<LayerInfo> {
    let both = layers.iter().zip(places);
    both.map(|(layer, place)| LayerInfo {
        digest: Arc::clone(&place.digest),
        diff_id: Arc::clone(&place.diff_id),
        created_by: layer.created_by.clone(),
        origin: None,
    })
    .collect()
}

/// Refuses more packages than fit into memory.
fn check_packages(all: &[Contents], budget: Budget) -> Result<(), SourceError> {
    let files = all.iter().flat_map(|contents| &contents.files);
    let packages: usize = files.map(|(_, facts)| facts.packages.len()).sum();
    if packages as u64 > budget.packages() {
        let cause = format!(
            "more than the {} packages that fit into the memory budget of {} MiB",
            budget.packages(),
            budget.memory() >> 20
        );
        return Err(invalid("layers", cause));
    }
    Ok(())
}

/// As many gaps as are reported: those that leave more open first.
fn most_important(mut gaps: Vec<Gap>) -> Vec<Gap> {
    let more = gaps.len().saturating_sub(limits::IMAGE_GAPS);
    if more > 0 {
        gaps.sort_by_key(|gap| gap.class);
        gaps.truncate(limits::IMAGE_GAPS);
        gaps.sort();
        gaps.push(
            gap(
                GapKind::Limit,
                ".",
                format!("{more} more gaps of this image"),
            )
            .unjudged(),
        );
    }
    gaps
}

/// What the images of a target have in common when they are put together.
pub(super) struct Read<'a> {
    pub(super) store: &'a Store,
    pub(super) jobs: &'a [Job],
    pub(super) scans: &'a [LayerScan],
    pub(super) budget: Budget,
    pub(super) cache: Option<&'a LayerCache>,
    pub(super) analyzers: &'a Analyzers<'a>,
}

/// What the layers of an image are called; as the manifest does, those that are not there.
pub(super) fn places(image: &Image, parts: &[Option<Part>]) -> Vec<Arc<Layer>> {
    let promised = |digest: &Option<Digest>| digest.as_ref().map(Digest::text);
    let layers = image.layers.iter().zip(parts).enumerate();
    let place = layers.map(|(index, (layer, part))| {
        Arc::new(Layer {
            index: u32::try_from(index).unwrap_or(u32::MAX),
            digest: part
                .as_ref()
                .map(|part| Arc::clone(&part.digest))
                .or_else(|| promised(&layer.promise.digest))
                .unwrap_or_default(),
            diff_id: part
                .as_ref()
                .and_then(|part| part.diff_id.clone())
                .or_else(|| promised(&layer.promise.diff_id))
                .unwrap_or_default(),
        })
    });
    place.collect()
}

/// What the manifest says with what the layers show.
fn contents(
    mut image: Image,
    parts: &[Option<Part>],
    places: &[Arc<Layer>],
    shown: Shown,
    cost: Cost,
) -> Contents {
    let mut coverage = Coverage::default();
    for ((layer, part), place) in image.layers.iter().zip(parts).zip(places) {
        let mut here = |kind, cause: String| {
            let mut gap = gap(kind, ".", cause);
            gap.location.layer = Some(Arc::clone(place));
            image.gaps.push(gap);
        };
        let partial = part.as_ref().and_then(|part| part.partial);
        let counter = match part {
            _ if partial.is_some() => &mut 0,
            None => &mut coverage.layers.unread,
            Some(part) if part.diff_id.is_none() => &mut coverage.layers.cut,
            Some(_) => &mut coverage.layers.whole,
        };
        *counter = counter.saturating_add(1);
        coverage.layers.partial.add(partial.unwrap_or_default());
        if let Some(part) = part {
            coverage.files.add(&part.coverage);
        } else {
            here(
                GapKind::ForeignLayer,
                "a foreign layer whose blob is not in the image".into(),
            );
        }
        if let Some(kind) = &layer.unknown_type {
            here(
                GapKind::UnknownFormat,
                format!("unknown media type `{kind}`; read as what its first bytes say"),
            );
        }
    }
    coverage.layers.partial.fetched = coverage
        .layers
        .partial
        .fetched
        .saturating_add(shown.fetched_again);
    let mut gaps = image.gaps;
    gaps.extend(shown.gaps);
    gaps.sort();
    gaps.dedup();
    Contents {
        files: shown.files,
        hidden: shown.hidden,
        gaps: most_important(gaps),
        coverage,
        platforms: image.platforms,
        platform: image.platform.as_ref().map(ToString::to_string),
        digest: image.digest.as_ref().map(ToString::to_string),
        reference: image.reference,
        names: image.names.into_iter().take(limits::IMAGE_NAMES).collect(),
        layers: described(&image.layers, places),
        base: image.base,
        attached: Vec::new(),
        cost,
    }
}

/// Puts the layers of an image together.
fn put_together(
    read: &Read<'_>,
    numbers: &[Option<usize>],
    places: &[Arc<Layer>],
) -> Result<Shown, SourceError> {
    let &Read {
        store,
        jobs,
        scans,
        budget,
        analyzers,
        ..
    } = read;
    let missing = LayerScan::default();
    let scan = |number: &Option<usize>| number.and_then(|number| scans.get(number));
    let layers = numbers
        .iter()
        .map(|number| scan(number).unwrap_or(&missing));
    let mut layers: Vec<&LayerScan> = layers.collect();
    let mut gaps = Vec::new();
    let mut again_gaps = Vec::new();
    let mut fetched_again = 0_u64;
    let mut read_again = |plan: BTreeMap<usize, Again>| -> Result<Vec<Visible>, SourceError> {
        let mut again = Vec::new();
        let mut from = Vec::new();
        for (layer, selection) in plan {
            let job = numbers
                .get(layer)
                .copied()
                .flatten()
                .and_then(|number| jobs.get(number));
            if let Some(job) = job {
                from.push(layer);
                again.push(Job {
                    name: job.name.clone(),
                    place: job.place.clone(),
                    promise: job.promise.clone(),
                    selection: Selection::Again(selection),
                });
            }
        }
        let mut found: Vec<Visible> = Vec::new();
        if !again.is_empty() {
            let (scans, _) = store.read_layers(&again, analyzers, budget, read.cache)?;
            for (layer, scan) in from.into_iter().zip(scans) {
                found.extend(scan.files.into_iter().map(|file| (layer, file)));
                fetched_again =
                    fetched_again.saturating_add(scan.partial.map_or(0, |part| part.fetched));
                // Those of the first reading are the same, and counted once.
                for mut gap in scan.gaps {
                    gap.location.layer = places.get(layer).cloned();
                    again_gaps.push(gap);
                }
            }
        }
        Ok(found)
    };
    let (through, complete) = alias::through(&layers, analyzers);
    if !complete {
        let cause = "too much is written through links to directories; not all of it was followed";
        gaps.push(gap(GapKind::Limit, ".", cause).unjudged());
    }
    let written = read_again(alias::readings(&through))?;
    let with_written = merge::with_written(&layers, written);
    for (layer, scan) in &with_written {
        if let Some(place) = layers.get_mut(*layer) {
            *place = scan;
        }
    }
    let plan = plan::plan(&layers, analyzers, &through);
    let found = read_again(plan.layers)?;
    let merged = merge::merge(&layers, places, &found, &through);
    gaps.extend(plan.gaps);
    gaps.extend(merged.gaps);
    gaps.extend(again_gaps);
    gaps.sort();
    gaps.dedup();
    Ok(Shown {
        files: merged.files,
        hidden: merged.hidden,
        gaps,
        fetched_again,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_gaps_are_counted_and_the_gravest_stay() {
        let of = |number: usize| gap(GapKind::Link, &format!("{number:06}"), "cause");
        let mut all: Vec<Gap> = (0..limits::IMAGE_GAPS + 5).map(of).collect();
        all.push(of(999_999).unjudged());
        let gaps = most_important(all);
        assert_eq!(gaps.len(), limits::IMAGE_GAPS + 1);
        assert_eq!(&*gaps.last().unwrap().cause, "6 more gaps of this image");
        assert!(gaps.contains(&of(999_999).unjudged()));
        assert_eq!(most_important(vec![of(1)]).len(), 1);
    }
}
