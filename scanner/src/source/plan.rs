//! Which files of the layers have to be read a second time: those that are wanted under the name of
//! a link, and were not read as such. Links that lead nowhere are gaps where they matter.

use std::collections::BTreeMap;

use super::alias::{self, Through};
use super::limits;
use super::locate::{Whereabouts, locate};
use super::names;
use super::overlay::{Circle, NodeKind, Tree};
use super::scanned::LayerScan;
use super::wanted::Again;
use crate::analyzer::Analyzers;
use crate::inventory::Want;
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::Location;

/// Files to read again, by layer.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) layers: BTreeMap<usize, Again>,
    /// Links that lead nowhere.
    pub(crate) gaps: Vec<Gap>,
    files: usize,
    through: Through,
}

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
        let mut sources = alias::names_in(&self.through, layer, source);
        sources.push(source.to_owned());
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
            }
            // What it wrote there through a link has another name in its tar.
            for pair in self.through.get(&number).into_iter().flatten() {
                let rest = if pair.real == real {
                    Some("")
                } else if names::is_below(&pair.real, real) {
                    pair.real.get(real.len()..)
                } else {
                    None
                };
                if let Some(rest) = rest {
                    let wanted = names::join(wanted, rest.trim_start_matches('/'));
                    let again = self.layers.entry(number).or_default();
                    again.directory(&pair.name, wanted.trim_end_matches('/'));
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

/// Follows a hard link to the file that its layer, or one below, has at the target.
fn hard_link(
    layers: &[&LayerScan],
    mut layer: usize,
    target: &str,
) -> Result<(usize, String), &'static str> {
    let mut target = target.to_owned();
    for _ in 0..limits::SYMLINK_HOPS {
        let Whereabouts::Layer(found) = locate(layers, layer.saturating_add(1), &target) else {
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

/// Finds the wanted paths that are links to files which were not read as such.
pub(crate) fn plan(layers: &[&LayerScan], analyzers: &Analyzers<'_>, through: &Through) -> Plan {
    let mut tree = Tree::build(layers);
    let mut plan = Plan {
        through: through.clone(),
        ..Plan::default()
    };
    let links: Vec<(String, Option<(String, usize)>)> = tree
        .entries()
        .into_iter()
        .filter_map(|(path, kind)| match kind {
            NodeKind::Symlink(_) if !(analyzers.by_path)(&path).is_empty() => Some((path, None)),
            NodeKind::HardLink(target, layer) => Some((path, Some(((*target).to_owned(), *layer)))),
            _ => None,
        })
        .collect();
    for (path, hard) in links {
        if let Some((target, layer)) = hard {
            match hard_link(layers, layer, &target) {
                Ok((found, source)) => {
                    if !(analyzers.by_path)(&path).is_empty() {
                        plan.file(found, &source, &path);
                    }
                }
                Err(cause) => plan.gap(&path, GapKind::Link, cause),
            }
        } else {
            match tree.resolve(&path) {
                Ok(target) => follow(layers, analyzers, &tree, &mut plan, &path, &target, true),
                Err(Circle) => plan.gap(&path, GapKind::Link, "symbolic links in a circle"),
            }
        }
    }
    for want in analyzers.exact() {
        let (Want::Path(wanted) | Want::In(wanted)) = want else {
            continue;
        };
        dead_links(layers, &mut tree, &mut plan, wanted.trim_end_matches('/'));
        match want {
            Want::Path(path)
                if !matches!(
                    tree.get(path),
                    Some(NodeKind::Symlink(_) | NodeKind::HardLink(..))
                ) =>
            {
                if let Ok(target) = tree.resolve(path) {
                    if target != path {
                        follow(layers, analyzers, &tree, &mut plan, path, &target, false);
                    }
                    if matches!(
                        locate(layers, layers.len(), &target),
                        Whereabouts::Directory
                    ) {
                        plan.dead(path, "a directory in the place of a file");
                    }
                }
            }
            Want::In(directory) => {
                let directory = directory.trim_end_matches('/');
                if let Ok(target) = tree.resolve(directory)
                    && target != directory
                    && !target.is_empty()
                    && !analyzers.covers(&names::join(&target, "x"), &names::join(directory, "x"))
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
        analyzers,
        |path| {
            path.is_empty() || matches!(locate(layers, layers.len(), path), Whereabouts::Directory)
        },
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
        if !matches!(
            tree.get(&names::join(&above, name)),
            Some(NodeKind::Symlink(_))
        ) {
            continue;
        }
        match tree.resolve(directory) {
            Err(Circle) => plan.dead(directory, "symbolic links in a circle"),
            Ok(real) if real.is_empty() => continue,
            Ok(real) => match locate(layers, layers.len(), &real) {
                Whereabouts::Directory => continue,
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
    analyzers: &Analyzers<'_>,
    tree: &Tree<'_>,
    plan: &mut Plan,
    path: &str,
    target: &str,
    is_link: bool,
) {
    let found = match tree.get(target) {
        Some(NodeKind::HardLink(target, layer)) => match hard_link(layers, *layer, target) {
            Ok(found) => found,
            Err(_) => return,
        },
        _ => match locate(layers, layers.len(), target) {
            Whereabouts::Layer(layer) => (layer, target.to_owned()),
            Whereabouts::Directory => {
                if is_link {
                    let cause = "a symbolic link to a directory in the place of a file";
                    plan.gap(path, GapKind::Link, cause);
                }
                return;
            }
            Whereabouts::Nowhere => {
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
    if analyzers.covers(target, path) {
        return;
    }
    let (top, source) = found;
    plan.file(top, &source, path);
    // The earlier copies of a database tell which layer brought a package.
    if (analyzers.by_path)(path)
        .iter()
        .any(|reader| reader.is_database())
    {
        let mut below = top;
        while let Whereabouts::Layer(lower) = locate(layers, below, &source) {
            plan.file(lower, &source, path);
            below = lower;
        }
    }
}
