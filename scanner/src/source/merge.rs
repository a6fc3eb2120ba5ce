//! From the layers of an image to what it shows: a pure function of [`LayerScan`] values.
//!
//! The first layer from the top that has a path wins, a whiteout hides what lies below. Packages
//! name the layer that brought them: for databases that is the lowest of the consecutive copies
//! with this very version, for other files the layer that wrote the file last. Wanted paths that
//! are links to files read under no wanted name are listed by [`super::plan`], read a second time, and
//! given to [`merge`] as [`Visible`]; what a layer wrote through a link was added to it before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::alias::{self, Through};
use super::locate::{Whereabouts, locate};
use super::names;
use super::overlay::{NodeKind, Tree};
use super::scanned::{LayerScan, ScannedFile};
use crate::analyzer::Reading;
use crate::model::facts::Facts;
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::{Layer, Location};
use crate::model::package::Package;

/// A file read under the path of a link to it, with its layer.
pub(crate) type Visible = (usize, ScannedFile);

/// The layers that wrote files through links, with these files where they lie in the image.
pub(crate) fn with_written(
    layers: &[&LayerScan],
    written: Vec<Visible>,
) -> BTreeMap<usize, LayerScan> {
    let mut complete: BTreeMap<usize, LayerScan> = BTreeMap::new();
    for (number, file) in written {
        let Some(layer) = layers.get(number) else {
            continue;
        };
        let layer = complete.entry(number).or_insert_with(|| (*layer).clone());
        layer.non_directories.push(names::hash(&file.path));
        let directory = names::split(&file.path).0;
        let mut implied = names::ROOT;
        for name in directory.split('/').filter(|name| !name.is_empty()) {
            implied = names::child(implied, name);
            layer.implied.push(implied);
        }
        layer.files.push(file);
    }
    for layer in complete.values_mut() {
        // Of two names for one file the one written through the link is kept: which came last in
        // the tar is not known any more, and this is the one that others miss.
        layer.files.reverse();
        layer
            .files
            .sort_by(|left, right| left.path.cmp(&right.path));
        layer.files.dedup_by(|left, right| left.path == right.path);
        for set in [&mut layer.non_directories, &mut layer.implied] {
            set.sort_unstable();
            set.dedup();
        }
    }
    complete
}

/// What an analyzer that sees all bytes says of a file that the image does not show: a higher layer
/// deletes or replaces it, or another member of its own layer does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// Where the bytes are.
    pub layer: Arc<Layer>,
    /// Path in the layer.
    pub path: Arc<str>,
    /// What was said.
    pub reading: Reading,
}

/// What an image shows.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    /// Sorted by path.
    pub(crate) files: Vec<(Arc<str>, Facts)>,
    /// Sorted by layer and path.
    pub(crate) hidden: Vec<Hidden>,
    /// Sorted.
    pub(crate) gaps: Vec<Gap>,
}

/// Puts layers together; `names` are their places in the image, `found` the second readings.
pub(crate) fn merge(
    layers: &[&LayerScan],
    places: &[Arc<Layer>],
    found: &[Visible],
    through: &Through,
) -> Merged {
    let mut tree = Tree::build(layers);
    let mut files: BTreeMap<Arc<str>, Facts> = BTreeMap::new();
    let mut seen: BTreeMap<&str, Vec<(usize, &ScannedFile)>> = BTreeMap::new();
    for (layer, file) in found {
        seen.entry(&file.path).or_default().push((*layer, file));
    }
    let mut shown = BTreeSet::new();
    let direct: BTreeSet<String> = {
        let entries = tree.entries();
        for (path, kind) in &entries {
            if let NodeKind::File(copies) = kind {
                let copies: Vec<_> = copies.iter().map(|(layer, file)| (*layer, *file)).collect();
                shown.extend(copies.last().map(|(layer, file)| (*layer, &file.path)));
                add(&mut files, path, &copies, places);
            }
        }
        entries
            .into_iter()
            .filter(|(_, kind)| matches!(kind, NodeKind::File(_)))
            .map(|(path, _)| path)
            .collect()
    };
    for (path, mut copies) in seen {
        // A whole directory was read where the wanted one is a link to it.
        let is_link = matches!(
            tree.get(path),
            Some(NodeKind::Symlink(_) | NodeKind::HardLink(..))
        );
        let is_there =
            |path: &str| matches!(locate(layers, layers.len(), path), Whereabouts::Layer(_));
        let visible = is_link
            || tree.resolve(path).is_ok_and(|real| {
                let mut names = copies
                    .iter()
                    .flat_map(|(layer, _)| alias::names_in(through, *layer, &real));
                is_there(&real) || names.any(|name| is_there(&name))
            });
        if visible && !direct.contains(path) {
            copies.sort_by_key(|(layer, _)| *layer);
            add(&mut files, path, &copies, places);
        }
    }
    let hidden = hidden(layers, places, &shown);
    // A package's list of files may go through links that the image has in its directories.
    for facts in files.values_mut() {
        for owned in &mut facts.owned {
            if let Ok(path) = tree.resolve(names::split(&owned.path).0) {
                let path = names::join(&path, names::split(&owned.path).1);
                if *path != *owned.path {
                    owned.path = path.into();
                }
            }
        }
    }
    let mut gaps = Vec::new();
    for (layer, place) in layers.iter().zip(places) {
        for gap in &layer.gaps {
            let mut gap = gap.clone();
            gap.location.layer = Some(Arc::clone(place));
            gaps.push(gap);
        }
    }
    if tree.full {
        gaps.push(Gap::warning(
            Stage::Source,
            GapKind::Limit,
            Location::file("."),
            "the image has too many links and wanted files; not all of them were read",
        ));
    }
    gaps.sort();
    gaps.dedup();
    Merged {
        files: files.into_iter().collect(),
        hidden,
        gaps,
    }
}

/// What counts of the files that are not among the shown ones.
fn hidden(
    layers: &[&LayerScan],
    places: &[Arc<Layer>],
    shown: &BTreeSet<(usize, &Arc<str>)>,
) -> Vec<Hidden> {
    let mut hidden = Vec::new();
    for (number, (layer, place)) in layers.iter().zip(places).enumerate() {
        let covered = layer.files.iter();
        let covered = covered.filter(|file| !shown.contains(&(number, &file.path)));
        for file in covered.chain(&layer.replaced) {
            let readings = file.readings.iter().filter(|reading| reading.also_hidden);
            hidden.extend(readings.map(|reading| {
                let mut reading = reading.clone();
                for package in &mut reading.facts.packages {
                    for location in &mut package.locations {
                        location.layer = Some(Arc::clone(place));
                    }
                }
                Hidden {
                    layer: Arc::clone(place),
                    path: Arc::clone(&file.path),
                    reading,
                }
            }));
        }
    }
    hidden.sort_by(|a, b| (a.layer.index, &a.path).cmp(&(b.layer.index, &b.path)));
    hidden
}

/// Adds the facts of the newest copy, each with its layer.
fn add(
    files: &mut BTreeMap<Arc<str>, Facts>,
    path: &str,
    copies: &[(usize, &ScannedFile)],
    places: &[Arc<Layer>],
) {
    let Some(((top, newest), older)) = copies.split_last() else {
        return;
    };
    for reading in &newest.readings {
        let mut facts = reading.facts.clone();
        let earlier: Vec<(usize, BTreeSet<Key<'_>>)> = if reading.database {
            older
                .iter()
                .rev()
                .map(|(layer, file)| (*layer, keys(file, reading)))
                .collect()
        } else {
            Vec::new()
        };
        for package in &mut facts.packages {
            let brought = {
                let key = key(package);
                earlier
                    .iter()
                    .take_while(|(_, keys)| keys.contains(&key))
                    .last()
                    .map_or(*top, |(layer, _)| *layer)
            };
            let place = places.get(brought);
            for location in &mut package.locations {
                relocate(location, &newest.path, path, place);
            }
        }
        for runtime in &mut facts.runtimes {
            relocate(&mut runtime.location, &newest.path, path, places.get(*top));
        }
        for gap in &mut facts.gaps {
            relocate(&mut gap.location, &newest.path, path, places.get(*top));
        }
        files.entry(path.into()).or_default().absorb(facts);
    }
}

/// What makes a package of a database the same in two copies.
type Key<'a> = (&'a str, &'a str, Option<&'a str>, Option<u32>);

fn key(package: &Package) -> Key<'_> {
    (
        &package.name,
        &package.version,
        package.arch.as_deref(),
        package.epoch,
    )
}

fn keys<'a>(file: &'a ScannedFile, like: &Reading) -> BTreeSet<Key<'a>> {
    file.readings
        .iter()
        .filter(|reading| reading.analyzer == like.analyzer)
        .flat_map(|reading| reading.facts.packages.iter().map(key))
        .collect()
}

/// Names the layer, and the path in the image where the one in the layer goes through a link.
fn relocate(location: &mut Location, from: &str, to: &str, layer: Option<&Arc<Layer>>) {
    location.layer = layer.map(Arc::clone);
    if from != to
        && let Some(rest) = location.path.strip_prefix(from)
        && (rest.is_empty() || rest.starts_with("!/"))
    {
        location.path = format!("{to}{rest}").into();
    }
}
