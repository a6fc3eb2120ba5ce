//! From the layers of an image to what it shows: a pure function of [`LayerScan`] values.
//!
//! The first layer from the top that has a path wins, a whiteout hides what lies below. Packages
//! name the layer that brought them: for databases that is the lowest of the consecutive copies
//! with this very version, for other files the layer that wrote the file last. Wanted paths that
//! are links to files read under no wanted name are listed by [`plan`], read a second time, and
//! given to [`merge`] as [`Found`]; what a layer wrote through a link was added to it before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::alias::{self, Through};
use super::layer::{LayerScan, Reading, ScannedFile};
use super::limits;
use super::names;
use super::tree::{Circle, Kind, Tree};
use super::wanted::{Again, Registry};
use crate::gap::{Gap, GapKind, Stage};
use crate::inventory::{Facts, Want};
use crate::location::{Layer, Location};
use crate::package::Package;

/// Files to read again, by layer.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) layers: BTreeMap<usize, Again>,
    /// Links that lead nowhere.
    pub(crate) gaps: Vec<Gap>,
    files: usize,
    through: Through,
}

/// A file read under the path of a link to it, with its layer.
pub(crate) type Found = (usize, ScannedFile);

impl Plan {
    fn file(&mut self, layer: usize, source: &str, wanted: &str) {
        self.files += 1;
        if self.files > limits::SECOND_READS {
            if self.files == limits::SECOND_READS + 1 {
                self.gap(wanted, GapKind::Limit, "too many links to files that have to be read a second time; this one and those after it were not followed");
            }
            return;
        }
        // The layer may name it by another directory.
        let mut sources = vec![source.to_owned()];
        for (name, real) in self.through.get(&layer).into_iter().flatten() {
            if names::is_below(source, real)
                && let Some(rest) = source.get(real.len()..)
            {
                sources.push(names::join(name, rest.trim_start_matches('/')));
            }
        }
        let again = self.layers.entry(layer).or_default();
        for source in sources {
            let paths = again.files.entry(source).or_default();
            paths.push(wanted.into());
        }
    }

    /// What cannot be found although a package database or another single file is wanted there.
    fn dead(&mut self, path: &str, cause: &str) {
        let location = Location::file(super::digest::shorten_to(path, 1024));
        let gap = Gap::warning(Stage::Source, GapKind::Link, location, cause).unjudged();
        if self.gaps.len() < limits::LAYER_GAPS && !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    /// Reads a directory again as another one, in the layers that have it.
    fn directory(&mut self, layers: &[&LayerScan], real: &str, wanted: &str) {
        let hash = names::hash(real);
        for (number, layer) in layers.iter().enumerate() {
            let has = |set: &[u128]| set.binary_search(&hash).is_ok();
            if real.is_empty() || has(&layer.directories) || has(&layer.implied) {
                let again = self.layers.entry(number).or_default();
                again.directory(real, wanted);
                // What it wrote there through a link has another name in its tar.
                for (name, target) in self.through.get(&number).into_iter().flatten() {
                    if target == real {
                        again.directory(name, wanted);
                    } else if names::is_below(target, real)
                        && let Some(rest) = target.get(real.len()..)
                    {
                        again.directory(name, &names::join(wanted, rest.trim_start_matches('/')));
                    }
                }
            }
        }
    }

    fn gap(&mut self, path: &str, kind: GapKind, cause: &str) {
        if self.gaps.len() < limits::LAYER_GAPS {
            let location = Location::file(super::digest::shorten_to(path, 1024));
            self.gaps
                .push(Gap::warning(Stage::Source, kind, location, cause));
        }
    }
}

/// Where a path that the tree does not hold is a file.
enum Place {
    Layer(usize),
    Directory,
    Nowhere,
}

fn locate(layers: &[&LayerScan], below: usize, path: &str) -> Place {
    let mut hash = names::ROOT;
    let mut above = Vec::new();
    let mut prefixes = Vec::new();
    let mut end = 0;
    for name in path.split('/') {
        above.push(hash);
        prefixes.push(path.get(..end).unwrap_or_default());
        hash = names::child(hash, name);
        end = end
            .saturating_add(name.len())
            .saturating_add(usize::from(end > 0));
    }
    for (number, layer) in layers.iter().enumerate().take(below).rev() {
        let has = |set: &[u128], hash: &u128| set.binary_search(hash).is_ok();
        if has(&layer.non_directories, &hash) {
            return Place::Layer(number);
        }
        if has(&layer.directories, &hash) || has(&layer.implied, &hash) {
            return Place::Directory;
        }
        let whited = |path: &str| {
            layer
                .whiteouts
                .binary_search_by(|hidden| (**hidden).cmp(path))
                .is_ok()
        };
        let opaque = |path: &str| {
            layer
                .opaque
                .binary_search_by(|hidden| (**hidden).cmp(path))
                .is_ok()
        };
        if whited(path)
            || prefixes
                .iter()
                .any(|prefix| whited(prefix) || opaque(prefix))
            || above.iter().any(|hash| has(&layer.non_directories, hash))
        {
            return Place::Nowhere;
        }
    }
    Place::Nowhere
}

/// Follows a hard link to the file that its layer, or one below, has at the target.
fn hard_link(
    layers: &[&LayerScan],
    mut layer: usize,
    target: &str,
) -> Result<(usize, String), &'static str> {
    let mut target = target.to_owned();
    for _ in 0..limits::SYMLINK_HOPS {
        let Place::Layer(found) = locate(layers, layer.saturating_add(1), &target) else {
            return Err("a hard link to a file that is not there");
        };
        let links = layers.get(found).map_or(&[][..], |layer| &layer.links);
        let link = links
            .binary_search_by(|link| (*link.path).cmp(&target))
            .ok()
            .and_then(|at| links.get(at));
        match link {
            None => return Ok((found, target)),
            Some(link) if link.hard => {
                layer = found;
                target = link.target.to_string();
            }
            Some(_) => return Err("a hard link to a symbolic link"),
        }
    }
    Err("hard links in a circle")
}

/// The layers that wrote files through links, with these files where they lie in the image.
pub(crate) fn with_written(
    layers: &[&LayerScan],
    written: Vec<Found>,
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

/// Finds the wanted paths that are links to files which were not read as such.
pub(crate) fn plan(layers: &[&LayerScan], registry: &Registry, through: &Through) -> Plan {
    let mut tree = Tree::build(layers);
    let mut plan = Plan {
        through: through.clone(),
        ..Plan::default()
    };
    let links: Vec<(String, Option<(String, usize)>)> = tree
        .entries()
        .into_iter()
        .filter_map(|(path, kind)| match kind {
            Kind::Symlink(_) if !(registry.by_path)(&path).is_empty() => Some((path, None)),
            Kind::HardLink(target, layer) => Some((path, Some(((*target).to_owned(), *layer)))),
            _ => None,
        })
        .collect();
    for (path, hard) in links {
        if let Some((target, layer)) = hard {
            match hard_link(layers, layer, &target) {
                Ok((found, source)) => {
                    if !(registry.by_path)(&path).is_empty() {
                        plan.file(found, &source, &path);
                    }
                }
                Err(cause) => plan.gap(&path, GapKind::Link, cause),
            }
        } else {
            match tree.resolve(&path) {
                Ok(target) => follow(layers, registry, &tree, &mut plan, &path, &target, true),
                Err(Circle) => plan.gap(&path, GapKind::Link, "symbolic links in a circle"),
            }
        }
    }
    for want in registry.exact() {
        let (Want::Path(wanted) | Want::In(wanted)) = want else {
            continue;
        };
        dead_links(layers, &mut tree, &mut plan, wanted.trim_end_matches('/'));
        match want {
            Want::Path(path)
                if !matches!(tree.get(path), Some(Kind::Symlink(_) | Kind::HardLink(..))) =>
            {
                if let Ok(target) = tree.resolve(path) {
                    if target != path {
                        follow(layers, registry, &tree, &mut plan, path, &target, false);
                    }
                    if matches!(locate(layers, layers.len(), &target), Place::Directory) {
                        plan.dead(path, "a directory in the place of a file");
                    }
                }
            }
            Want::In(directory) => {
                let directory = directory.trim_end_matches('/');
                if let Ok(target) = tree.resolve(directory)
                    && target != directory
                    && !target.is_empty()
                    && !registry.covers(&names::join(&target, "x"), &names::join(directory, "x"))
                {
                    plan.directory(layers, &target, directory);
                }
            }
            _ => {}
        }
    }
    let mut pairs = Vec::new();
    let all = alias::second_names(
        &mut tree,
        registry,
        |path| path.is_empty() || matches!(locate(layers, layers.len(), path), Place::Directory),
        |real, name| pairs.push((real.to_owned(), name.to_owned())),
    );
    for (real, name) in pairs {
        plan.directory(layers, &real, &name);
    }
    if !all {
        plan.dead(
            ".",
            "too many links to directories whose files are wanted by the name of the link; not all of them were followed",
        );
    }
    if tree.full {
        plan.gap(
            ".",
            GapKind::Limit,
            "the image has too many links and wanted files; not all of them were followed",
        );
    }
    plan
}

/// Notes links above a single wanted path that lead nowhere: a database that is behind one is
/// missed, and nobody would say why.
fn dead_links(layers: &[&LayerScan], tree: &mut Tree<'_>, plan: &mut Plan, wanted: &str) {
    let directories = wanted
        .match_indices('/')
        .filter_map(|(at, _)| wanted.get(..at));
    for directory in directories {
        let (above, name) = names::split(directory);
        let Ok(above) = tree.resolve(above) else {
            return;
        };
        if !matches!(tree.get(&names::join(&above, name)), Some(Kind::Symlink(_))) {
            continue;
        }
        match tree.resolve(directory) {
            Err(Circle) => plan.dead(directory, "symbolic links in a circle"),
            Ok(real) if real.is_empty() => continue,
            Ok(real) => match locate(layers, layers.len(), &real) {
                Place::Directory => continue,
                _ => plan.dead(
                    directory,
                    "a symbolic link to a directory that is not there",
                ),
            },
        }
        return;
    }
}

/// Plans to read the file at `target` as `path`, unless that has been done.
fn follow(
    layers: &[&LayerScan],
    registry: &Registry,
    tree: &Tree<'_>,
    plan: &mut Plan,
    path: &str,
    target: &str,
    is_link: bool,
) {
    let found = match tree.get(target) {
        Some(Kind::HardLink(target, layer)) => match hard_link(layers, *layer, target) {
            Ok(found) => found,
            Err(_) => return,
        },
        _ => match locate(layers, layers.len(), target) {
            Place::Layer(layer) => (layer, target.to_owned()),
            Place::Directory => {
                if is_link {
                    let cause = "a symbolic link to a directory in the place of a file";
                    plan.gap(path, GapKind::Link, cause);
                }
                return;
            }
            Place::Nowhere => {
                if is_link && !target.is_empty() {
                    plan.gap(
                        path,
                        GapKind::Link,
                        "a symbolic link to a file that is not there",
                    );
                }
                return;
            }
        },
    };
    if registry.covers(target, path) {
        return;
    }
    let (top, source) = found;
    plan.file(top, &source, path);
    // The earlier copies of a database tell which layer brought a package.
    if (registry.by_path)(path)
        .iter()
        .any(|parser| parser.database)
    {
        let mut below = top;
        while let Place::Layer(lower) = locate(layers, below, &source) {
            plan.file(lower, &source, path);
            below = lower;
        }
    }
}

/// What an image shows.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    /// Sorted by path.
    pub(crate) files: Vec<(Arc<str>, Facts)>,
    /// Sorted.
    pub(crate) gaps: Vec<Gap>,
}

/// Puts layers together; `names` are their places in the image, `found` the second readings.
pub(crate) fn merge(layers: &[&LayerScan], places: &[Arc<Layer>], found: &[Found]) -> Merged {
    let mut tree = Tree::build(layers);
    let mut files: BTreeMap<Arc<str>, Facts> = BTreeMap::new();
    let mut seen: BTreeMap<&str, Vec<(usize, &ScannedFile)>> = BTreeMap::new();
    for (layer, file) in found {
        seen.entry(&file.path).or_default().push((*layer, file));
    }
    let direct: BTreeSet<String> = {
        let entries = tree.entries();
        for (path, kind) in &entries {
            if let Kind::File(copies) = kind {
                let copies: Vec<_> = copies.iter().map(|(layer, file)| (*layer, *file)).collect();
                add(&mut files, path, &copies, places);
            }
        }
        entries
            .into_iter()
            .filter(|(_, kind)| matches!(kind, Kind::File(_)))
            .map(|(path, _)| path)
            .collect()
    };
    for (path, mut copies) in seen {
        // A whole directory was read where the wanted one is a link to it.
        let is_link = matches!(tree.get(path), Some(Kind::Symlink(_) | Kind::HardLink(..)));
        let visible = is_link
            || tree
                .resolve(path)
                .is_ok_and(|path| matches!(locate(layers, layers.len(), &path), Place::Layer(_)));
        if visible && !direct.contains(path) {
            copies.sort_by_key(|(layer, _)| *layer);
            add(&mut files, path, &copies, places);
        }
    }
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
        gaps,
    }
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
        for gap in &mut facts.gaps {
            relocate(&mut gap.location, &newest.path, path, places.get(*top));
        }
        let all = files.entry(path.into()).or_default();
        all.packages.append(&mut facts.packages);
        all.owned.append(&mut facts.owned);
        all.gaps.append(&mut facts.gaps);
        all.distribution = all.distribution.take().or(facts.distribution);
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
        .filter(|reading| reading.parser == like.parser)
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
