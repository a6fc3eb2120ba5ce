//! Directories under a second name. A file below a symbolic link to a directory is there under the
//! name of the link, too, and is read as such where some parser wants it only so: `node_modules`
//! may be a link, and so may a directory above a package database. The other way round, a layer
//! may write through a link of a lower layer (or its own): what it brings lies in the directory
//! that the link leads to.
//!
//! Only hashes are known of the names that no parser wanted, so that whether a second name
//! matters is asked with examples of what each parser wants.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::limits;
use super::names::{self, PathHash};
use super::overlay::{NodeKind, Tree};
use super::scanned::LayerScan;
use super::wanted::Again;
use crate::analyzer::Analyzers;
use crate::analyzer::Want;

/// A directory that a layer writes into through a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// As the layer names it.
    pub(super) name: String,
    /// Where it is in the image.
    pub(super) real: String,
    /// Whether parsers want there what they do not want under the layer's name.
    matters: bool,
}

/// By layer.
pub(super) type Through = BTreeMap<usize, Vec<Written>>;

/// Ends of paths that some parser wants.
pub(super) struct Examples {
    ends: BTreeSet<String>,
    exact: Vec<&'static str>,
}

impl Examples {
    pub(super) fn new(analyzers: &Analyzers<'_>) -> Self {
        let mut ends = BTreeSet::new();
        let mut exact = Vec::new();
        for (_, wants) in (analyzers.readers)() {
            for want in wants {
                match want {
                    Want::Name(name) => {
                        ends.insert((*name).to_owned());
                        ends.insert(format!("x/{name}"));
                        ends.insert(format!("@x/y/{name}"));
                    }
                    Want::Suffix(suffix) => {
                        ends.insert(format!("x{suffix}"));
                        let mut rest = *suffix;
                        while let Some((_, end)) = rest.split_once('/') {
                            ends.insert(end.to_owned());
                            rest = end;
                        }
                    }
                    Want::Extension(extension) => {
                        ends.insert(format!("x{extension}"));
                    }
                    Want::Path(path) => exact.push(*path),
                    Want::In(directory) => exact.push(directory.trim_end_matches('/')),
                }
            }
        }
        exact.sort_unstable();
        exact.dedup();
        Self { ends, exact }
    }

    /// Whether parsers want files below `second` that they do not want below `first`. Single paths
    /// are asked for one by one elsewhere.
    pub(super) fn differ(&self, analyzers: &Analyzers<'_>, first: &str, second: &str) -> bool {
        self.ends.iter().any(|end| {
            let (first, second) = (names::join(first, end), names::join(second, end));
            !(analyzers.by_path)(&second).is_empty() && !analyzers.covers(&first, &second)
        })
    }

    /// Whether a single wanted path or directory lies at or below a directory, or around it.
    fn reaches(&self, directory: &str) -> bool {
        self.exact.iter().any(|wanted| {
            *wanted == directory
                || names::is_below(wanted, directory)
                || names::is_below(directory, wanted)
        })
    }
}

/// Links to directories under which parsers want what they do not want under the real name: pairs
/// of the real directory and the name of the link, which may itself lie below another one of
/// these. False where there are too many.
pub(super) fn second_names(
    tree: &mut Tree<'_>,
    analyzers: &Analyzers<'_>,
    mut is_directory: impl FnMut(&str) -> bool,
    mut found: impl FnMut(&str, &str),
) -> bool {
    let links: Vec<String> = tree
        .entries()
        .into_iter()
        .filter(|(_, kind)| matches!(kind, NodeKind::Symlink(_)))
        .map(|(path, _)| path)
        .collect();
    let examples = Examples::new(analyzers);
    // The name to look under, and the link that it is.
    let mut open: VecDeque<(String, String)> = links
        .iter()
        .map(|link| (link.clone(), link.clone()))
        .collect();
    let (mut count, mut inner_count) = (0_usize, 0_usize);
    let mut seen = BTreeSet::new();
    while let Some((name, link)) = open.pop_front() {
        let Ok(real) = tree.resolve(&link) else {
            continue;
        };
        // Most links lead to files.
        if real == name || !is_directory(&real) || !examples.differ(analyzers, &real, &name) {
            continue;
        }
        if !seen.insert((real.clone(), name.clone())) {
            continue;
        }
        count += 1;
        if count > limits::SECOND_NAMES {
            return false;
        }
        found(&real, &name);
        // Links below it are there under the second name, too; one that leads back is not followed.
        if names::is_below(&name, &real) {
            continue;
        }
        for inner in below(&links, &real) {
            let Some(rest) = inner.get(real.len()..) else {
                continue;
            };
            inner_count += 1;
            if inner_count > limits::SECOND_NAMES {
                return false;
            }
            let inner_name = names::join(&name, rest.trim_start_matches('/'));
            if inner_name.len() <= limits::PATH_BYTES {
                open.push_back((inner_name, inner.clone()));
            }
        }
    }
    true
}

/// Those of sorted paths that lie below a directory.
fn below<'a>(paths: &'a [String], directory: &str) -> impl Iterator<Item = &'a String> {
    let start = if directory.is_empty() {
        String::new()
    } else {
        format!("{directory}/")
    };
    let from = paths.partition_point(|path| **path < *start);
    let paths = paths.get(from..).unwrap_or_default().iter();
    paths.take_while(move |path| path.starts_with(&start))
}

/// What layers write through symbolic links to directories; false where that is too much to follow.
pub(super) fn through(layers: &[&LayerScan], analyzers: &Analyzers<'_>) -> (Through, bool) {
    let mut through = Through::new();
    let links: BTreeMap<PathHash, &str> = layers
        .iter()
        .flat_map(|layer| &layer.links)
        .filter(|link| !link.hard)
        .map(|link| (names::hash(&link.path), &*link.path))
        .collect();
    let is_through = |layer: &LayerScan| layer.implied.iter().any(|hash| links.contains_key(hash));
    if links.is_empty() || !layers.iter().any(|layer| is_through(layer)) {
        return (through, true);
    }
    let examples = Examples::new(analyzers);
    let mut tree = Tree::empty();
    let mut complete = true;
    for (number, layer) in layers.iter().enumerate() {
        tree.apply(number, layer);
        let written = layer.implied.iter().filter_map(|hash| links.get(hash));
        let mut open: VecDeque<(String, String)> = written
            .map(|link| ((*link).to_owned(), (*link).to_owned()))
            .collect();
        let mut seen = BTreeSet::new();
        let mut pairs = Vec::new();
        while let Some((name, link)) = open.pop_front() {
            // A directory of its own may have taken its place.
            if !matches!(tree.get(&link), Some(NodeKind::Symlink(_))) {
                continue;
            }
            let Ok(real) = tree.resolve(&link) else {
                continue;
            };
            if real == name || !seen.insert((name.clone(), real.clone())) {
                continue;
            }
            if seen.len() > limits::WRITTEN_NAMES {
                complete = false;
                break;
            }
            for inner in tree.symlinks_below(&real) {
                if let Some(rest) = inner.get(real.len()..) {
                    let inner_name = names::join(&name, rest.trim_start_matches('/'));
                    let hash = names::hash(&inner_name);
                    if layer.implied.binary_search(&hash).is_ok() {
                        open.push_back((inner_name, inner));
                    }
                }
            }
            let matters = examples.reaches(&real) || examples.differ(analyzers, &name, &real);
            pairs.push(Written {
                name,
                real,
                matters,
            });
        }
        if !pairs.is_empty() {
            through.insert(number, pairs);
        }
    }
    (through, complete && !tree.full)
}

/// The second readings that find what was written through links and is wanted where it lies.
pub(super) fn readings(through: &Through) -> BTreeMap<usize, Again> {
    let mut readings = BTreeMap::new();
    for (layer, pairs) in through {
        let mut again = Again::default();
        let mut any = false;
        for pair in pairs.iter().filter(|pair| pair.matters) {
            any |= again.directory(&pair.name, &pair.real);
        }
        if any {
            readings.insert(*layer, again);
        }
    }
    readings
}

/// What a layer may call a file that lies at a path in the image, besides that path.
pub(super) fn names_in(through: &Through, layer: usize, path: &str) -> Vec<String> {
    let pairs = through.get(&layer).into_iter().flatten();
    let below = pairs.filter(|pair| names::is_below(path, &pair.real));
    let rests = below.filter_map(|pair| Some((pair, path.get(pair.real.len()..)?)));
    rests
        .map(|(pair, rest)| names::join(&pair.name, rest.trim_start_matches('/')))
        .collect()
}
