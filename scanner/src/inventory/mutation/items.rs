//! What a file told, as items that may not vanish, and where in the file they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Source;
use crate::inventory::{Facts, ecosystem};
use crate::model::gap::{GapClass, GapKind};
use crate::model::location::Location;

/// One thing that a file told.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// What makes it the same; the cause, of a gap.
    pub(super) key: String,
    pub(super) line: Option<u32>,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) is_gap: bool,
    /// A package, or a gap that stands for one. Other gaps tell of a fault of the good file, which
    /// damage may heal.
    pub(super) is_package: bool,
}

/// Packages, the distribution if it has advisories, and gaps.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) packages: Vec<Item>,
    pub(super) gaps: Vec<Item>,
    pub(super) internal: bool,
    /// The file told of no distribution that has advisories: if it did before, its packages are
    /// now unjudged, which is told when the target is put together.
    pub(super) homeless: bool,
    /// The file, or an unknown part of its list, was not read, or it was read in two ways.
    pub(super) unjudged: bool,
}

impl Items {
    /// Whether there is something to lose, and all that there is was read.
    pub(super) fn is_good(&self) -> bool {
        !self.packages.is_empty() && !self.unjudged
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        keys(&self.packages) == keys(&other.packages) && self.gaps.len() == other.gaps.len()
    }
}

pub(super) fn items(facts: &Facts) -> Items {
    let packages = facts.packages.iter().map(|package| {
        let version = package.full_version();
        Item {
            key: format!("{} {} {version}", package.kind.as_str(), package.name),
            line: package.locations.first().and_then(Location::start_line),
            name: package.name.to_string(),
            version,
            is_gap: false,
            is_package: true,
        }
    });
    let distribution = facts.distribution.iter().filter_map(|distribution| {
        let (_, ecosystem) = ecosystem::of(distribution)?;
        Some(Item {
            key: ecosystem,
            line: None,
            name: distribution.id.to_string(),
            version: distribution.version.as_deref().unwrap_or("").to_owned(),
            is_gap: false,
            is_package: true,
        })
    });
    let gaps = facts.gaps.iter().map(|gap| Item {
        is_package: matches!(
            gap.kind,
            GapKind::ForeignPackage | GapKind::Unpinned | GapKind::UnknownVersion
        ),
        key: format!("{:?} {}", gap.kind, gap.cause),
        line: gap.location.start_line(),
        name: String::new(),
        version: String::new(),
        is_gap: true,
    });
    let homes: Vec<_> = distribution.collect();
    Items {
        homeless: facts.distribution.is_some() && homes.is_empty(),
        packages: packages.chain(homes).collect(),
        gaps: gaps.collect(),
        internal: facts.gaps.iter().any(|gap| gap.kind == GapKind::Internal),
        unjudged: facts
            .gaps
            .iter()
            .any(|gap| gap.class != GapClass::Partial || gap.kind == GapKind::Ambiguous),
    }
}

pub(super) fn keys(items: &[Item]) -> BTreeSet<&str> {
    items.iter().map(|item| item.key.as_str()).collect()
}

pub(super) fn counts(items: &[Item]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item.key.as_str()).or_insert(0) += 1;
    }
    counts
}

/// What is known about a mutant beside itself.
pub(super) struct Known<'a> {
    pub(super) parser: &'static str,
    pub(super) source: &'a Source,
}

/// The text of a line, from 1.
pub(super) fn text_of(source: &Source, line: Option<u32>) -> String {
    let bytes = line_of(source, line).and_then(|line| source.bytes.get(line.clone()));
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

/// The line of an offset, from 1.
pub(super) fn line_at(source: &Source, at: usize) -> Option<u32> {
    let index = source.lines.iter().position(|line| line.contains(&at))?;
    u32::try_from(index + 1).ok()
}

pub(super) fn line_of(source: &Source, line: Option<u32>) -> Option<&Range<usize>> {
    let index = usize::try_from(line?).ok()?.checked_sub(1)?;
    source.lines.get(index)
}
