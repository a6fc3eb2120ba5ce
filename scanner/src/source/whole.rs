//! What an image shows, as it is kept under the digests of its layers: with them nothing has to be put
//! together again. What the manifest says is not in it and is read each time.
//!
//! Every location names a layer; they are kept as numbers, so that the digests are in an entry once.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::cache;
use super::image::LayerRef;
use super::limits::Budget;
use super::merge::Hidden;
use super::scanned::LayerScan;
use crate::analyzer::Analyzers;
use crate::model::coverage::{self, Files};
use crate::model::facts::Facts;
use crate::model::gap::Gap;
use crate::model::location::{Layer, Location};

/// Grows whenever the same layers would be put together in another way.
const SHAPE: u32 = 1;

/// What there is to say of a layer of an image, besides what the image shows of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) digest: Arc<str>,
    pub(super) diff_id: Option<Arc<str>>,
    pub(super) coverage: Files,
    pub(super) unpacked: u64,
    pub(super) kept: u64,
    /// What was fetched of it, where that was not all: never so in an entry.
    #[serde(skip)]
    pub(super) partial: Option<coverage::Part>,
}

impl Part {
    pub(super) fn of(scan: &LayerScan) -> Self {
        Self {
            digest: Arc::clone(&scan.digest),
            diff_id: scan.diff_id.clone(),
            coverage: scan.coverage.clone(),
            unpacked: scan.unpacked,
            kept: scan.kept,
            partial: scan.partial,
        }
    }
}

/// What the layers of an image show together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shown {
    /// Sorted by path.
    pub(super) files: Vec<(Arc<str>, Facts)>,
    pub(super) hidden: Vec<Hidden>,
    /// Not those of the manifest.
    pub(super) gaps: Vec<Gap>,
    /// Bytes that were fetched of layers read partially, for files that only links make wanted.
    #[serde(skip)]
    pub(super) fetched_again: u64,
}

impl Shown {
    /// Every location, in an order that depends on nothing else.
    fn locations(&mut self) -> impl Iterator<Item = &mut Location> {
        let hidden = self.hidden.iter_mut();
        let hidden = hidden.map(|hidden| &mut hidden.reading.facts);
        let facts = self.files.iter_mut().map(|(_, facts)| facts).chain(hidden);
        let of_facts = facts.flat_map(|facts| {
            let packages = facts.packages.iter_mut();
            let packages = packages.flat_map(|package| &mut package.locations);
            let runtimes = facts.runtimes.iter_mut();
            packages
                .chain(runtimes.map(|runtime| &mut runtime.location))
                .chain(facts.gaps.iter_mut().map(|gap| &mut gap.location))
        });
        of_facts.chain(self.gaps.iter_mut().map(|gap| &mut gap.location))
    }

    /// Whether no limit cut it.
    fn is_whole(&self) -> bool {
        let hidden = self.hidden.iter().map(|hidden| &hidden.reading.facts);
        let facts = self.files.iter().map(|(_, facts)| facts).chain(hidden);
        cache::are_whole(facts, &self.gaps)
    }
}

/// An entry of the cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Whole {
    /// By layer; `None` for one that is not in the image.
    pub(super) parts: Vec<Option<Part>>,
    shown: Shown,
    /// The layer of each location and 1, or 0.
    layers: Vec<u32>,
}

impl Whole {
    /// `None` where a limit cut something, which another run may not meet.
    pub(super) fn of(parts: Vec<Option<Part>>, shown: &Shown) -> Option<Self> {
        if !shown.is_whole() {
            return None;
        }
        let mut shown = shown.clone();
        let take = |location: &mut Location| {
            let layer = location.layer.take();
            layer.map_or(0, |layer| layer.index.saturating_add(1))
        };
        let layers = shown.locations().map(take).collect();
        Some(Self {
            parts,
            shown,
            layers,
        })
    }

    /// What is shown, with the layers as they are called in this image.
    pub(super) fn shown(self, places: &[Arc<Layer>]) -> Option<Shown> {
        let mut shown = self.shown;
        let mut layers = self.layers.into_iter();
        for location in shown.locations() {
            location.layer = match layers.next()?.checked_sub(1) {
                None => None,
                Some(index) => Some(Arc::clone(places.get(usize::try_from(index).ok()?)?)),
            };
        }
        layers.next().is_none().then_some(shown)
    }
}

/// Under what an image is kept: its layers in their order, who read them, and the memory that decides
/// what is too large.
pub(super) fn key(
    layers: &[LayerRef],
    digests: &[Option<String>],
    analyzers: &Analyzers<'_>,
    budget: Budget,
) -> String {
    let program = env!("CARGO_PKG_VERSION");
    let memory = budget.memory();
    let mut key = format!("{program}/{SHAPE}/{memory}{}", analyzers.key(""));
    for (layer, digest) in layers.iter().zip(digests) {
        // Writing to a string cannot fail.
        let _ = match digest {
            Some(digest) => write!(key, "\n{digest}"),
            // Gaps name it as the manifest does.
            None => write!(key, "\nnot there: {:?}", layer.promise),
        };
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::Runtime;
    use crate::model::gap::{GapKind, Stage};
    use crate::model::package::{Package, PackageType};

    fn place(index: u32) -> Arc<Layer> {
        Arc::new(Layer {
            index,
            digest: format!("sha256:{index}").into(),
            diff_id: "sha256:d".into(),
        })
    }

    fn location(path: &str, layer: Option<u32>) -> Location {
        Location {
            layer: layer.map(place),
            ..Location::file(path)
        }
    }

    fn shown() -> Shown {
        let package = Package::new(PackageType::DEB, "a", "1")
            .at(location("x", Some(1)))
            .at(location("y", None));
        let gap = |kind| Gap::warning(Stage::Source, kind, location("g", Some(0)), "cause");
        let facts = Facts {
            runtimes: vec![Runtime {
                name: "node".into(),
                maker: None,
                version: "1".into(),
                location: location("r", Some(1)),
            }],
            packages: vec![package],
            gaps: vec![gap(GapKind::Malformed)],
            ..Facts::default()
        };
        Shown {
            files: vec![("x".into(), facts)],
            hidden: Vec::new(),
            gaps: vec![gap(GapKind::Link)],
            fetched_again: 0,
        }
    }

    #[test]
    fn what_is_kept_comes_back_with_the_layers_of_the_image() {
        let whole = Whole::of(Vec::new(), &shown()).unwrap();
        let json = serde_json::to_vec(&whole).unwrap();
        assert!(!String::from_utf8_lossy(&json).contains("sha256:"));
        let back: Whole = serde_json::from_slice(&json).unwrap();
        let places = [place(0), place(1)];
        assert_eq!(back.clone().shown(&places), Some(shown()));
        // Of an image with fewer layers it is not.
        assert_eq!(back.clone().shown(&places[..1]), None);
        let mut other = back;
        other.layers.pop();
        assert_eq!(other.shown(&places), None);
    }

    #[test]
    fn what_a_limit_cut_is_not_kept() {
        let mut cut = shown();
        cut.gaps[0].kind = GapKind::Limit;
        assert_eq!(Whole::of(Vec::new(), &cut), None);
        let mut cut = shown();
        cut.files[0].1.gaps[0].kind = GapKind::Limit;
        assert_eq!(Whole::of(Vec::new(), &cut), None);
    }
}
