//! Where a path is, of which only the hashes in the layers are known.

use super::names;
use super::scanned::LayerScan;

/// Where a path that the tree does not hold is a file.
pub(super) enum Whereabouts {
    Layer(usize),
    Directory,
    Nowhere,
}

/// The topmost of the layers `..below` that has the path.
pub(super) fn locate(layers: &[&LayerScan], below: usize, path: &str) -> Whereabouts {
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
            return Whereabouts::Layer(number);
        }
        if has(&layer.directories, &hash) || has(&layer.implied, &hash) {
            return Whereabouts::Directory;
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
            return Whereabouts::Nowhere;
        }
    }
    Whereabouts::Nowhere
}
