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
use super::{
    Access, Contents, Cost, ImageKind, LayerCache, SourceError, alias, docker, elsewhere, invalid,
    limits, oci, plan, unpacked,
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
    let (scans, cost) = store.read_layers(&jobs, analyzers, budget, cache)?;
    let read = Read {
        store,
        jobs: &jobs,
        scans: &scans,
        cost,
        budget,
        cache,
        analyzers,
    };
    let mut all = Vec::new();
    let mut packages = 0_u64;
    for (image, numbers) in images.into_iter().zip(used) {
        let contents = contents(&read, image, &numbers)?;
        let shown = contents.files.iter().map(|(_, facts)| facts.packages.len());
        packages = packages.saturating_add(shown.sum::<usize>() as u64);
        if packages > budget.packages() {
            let cause = format!(
                "more than the {} packages that fit into the memory budget of {} MiB",
                budget.packages(),
                budget.memory() >> 20
            );
            return Err(invalid("layers", cause));
        }
        all.push(contents);
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
struct Read<'a> {
    store: &'a Store,
    jobs: &'a [Job],
    scans: &'a [LayerScan],
    cost: Cost,
    budget: Budget,
    cache: Option<&'a LayerCache>,
    analyzers: &'a Analyzers<'a>,
}

fn contents(
    read: &Read<'_>,
    mut image: Image,
    numbers: &[Option<usize>],
) -> Result<Contents, SourceError> {
    let &Read {
        store,
        jobs,
        scans,
        budget,
        analyzers,
        ..
    } = read;
    let mut coverage = Coverage::default();
    let missing = LayerScan::default();
    let mut layers: Vec<&LayerScan> = Vec::new();
    let mut places = Vec::new();
    for (index, (layer, number)) in image.layers.iter().zip(numbers).enumerate() {
        let scan = number.and_then(|number| scans.get(number));
        let promised = |digest: &Option<Digest>| digest.as_ref().map(Digest::text);
        let place = Arc::new(Layer {
            index: u32::try_from(index).unwrap_or(u32::MAX),
            digest: scan
                .map(|scan| Arc::clone(&scan.digest))
                .or_else(|| promised(&layer.promise.digest))
                .unwrap_or_default(),
            diff_id: scan
                .and_then(|scan| scan.diff_id.clone())
                .or_else(|| promised(&layer.promise.diff_id))
                .unwrap_or_default(),
        });
        let mut here = |kind, cause: String| {
            let mut gap = gap(kind, ".", cause);
            gap.location.layer = Some(Arc::clone(&place));
            image.gaps.push(gap);
        };
        let part = scan.and_then(|scan| scan.partial);
        let counter = match scan {
            _ if part.is_some() => &mut 0,
            None => &mut coverage.layers.unread,
            Some(scan) if scan.diff_id.is_none() => &mut coverage.layers.cut,
            Some(_) => &mut coverage.layers.whole,
        };
        *counter = counter.saturating_add(1);
        coverage.layers.partial.add(part.unwrap_or_default());
        if let Some(scan) = scan {
            coverage.files.add(&scan.coverage);
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
        layers.push(scan.unwrap_or(&missing));
        places.push(place);
    }
    let mut again_gaps = Vec::new();
    let mut read_again_bytes = 0_u64;
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
                read_again_bytes =
                    read_again_bytes.saturating_add(scan.partial.map_or(0, |part| part.fetched));
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
        image.gaps.push(gap(GapKind::Limit, ".", cause).unjudged());
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
    coverage.layers.partial.fetched = coverage
        .layers
        .partial
        .fetched
        .saturating_add(read_again_bytes);
    let merged = merge::merge(&layers, &places, &found, &through);
    let mut gaps = image.gaps;
    gaps.extend(plan.gaps);
    gaps.extend(merged.gaps);
    gaps.extend(again_gaps);
    gaps.sort();
    gaps.dedup();
    let gaps = most_important(gaps);
    Ok(Contents {
        files: merged.files,
        hidden: merged.hidden,
        gaps,
        coverage,
        platforms: image.platforms,
        platform: image.platform.as_ref().map(ToString::to_string),
        digest: image.digest.as_ref().map(ToString::to_string),
        reference: image.reference,
        names: image.names.into_iter().take(limits::IMAGE_NAMES).collect(),
        layers: described(&image.layers, &places),
        base: image.base,
        attached: Vec::new(),
        cost: read.cost,
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
