//! Bills of materials: what was found in each target, as CycloneDX and SPDX have it. What both need is
//! here: a name for each package that is the same in every run, and the edges between packages.
//!
//! A bill lists packages and, in CycloneDX, vulnerabilities; findings in infrastructure code have no
//! place in it. Gaps do: a bill that is not known to be complete says so.

mod cyclonedx;
mod spdx;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::model::gap::Stage;
use crate::model::package::Package;
use crate::model::purl::Purl;
use crate::model::report::{Report, TargetGap};
use crate::model::target::Origin;
use crate::phrase;
use crate::properties::{self, Property};

pub(super) use cyclonedx::{Version as CycloneDx, write as write_cyclonedx};
pub(super) use spdx::{three::write as write_spdx_3, two::write as write_spdx_2};

/// A package of a target with its name in the bill.
struct Item<'a> {
    target: usize,
    package: &'a Package,
    purl: String,
    /// Its parts.
    parts: Purl,
    /// Unique within the bill: the package URL, and what tells it from its twins.
    reference: String,
    /// Whose layers of an image it lies in.
    origin: Option<Origin>,
    /// References of what it depends on, as far as its file tells; sorted.
    depends_on: Vec<String>,
}

impl Item<'_> {
    /// What its package URL does not say.
    fn properties(&self) -> Vec<Property> {
        let mut all = properties::of(self.package, &self.parts);
        let origin = self.origin.iter();
        all.extend(origin.map(|origin| (properties::ORIGIN, origin.as_str().to_owned())));
        all
    }
}

/// All packages, in the order of the report.
fn items(report: &Report) -> Vec<Item<'_>> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut items: Vec<Item<'_>> = Vec::with_capacity(report.packages.len());
    for (target, package) in &report.packages {
        let found = report.targets.get(*target);
        let distribution = found.and_then(|target| target.distribution.as_ref());
        let parts = Purl::of(package, distribution);
        let purl = parts.to_string();
        let mut reference = purl.clone();
        if report.targets.len() > 1 {
            let _ = write!(reference, "#{target}");
        }
        let count = seen.entry(reference.clone()).or_default();
        *count = count.saturating_add(1);
        if *count > 1 {
            let _ = write!(reference, "~{count}");
        }
        items.push(Item {
            target: *target,
            package,
            purl,
            parts,
            reference,
            origin: found.and_then(|target| target.origin(&package.locations)),
            depends_on: Vec::new(),
        });
    }
    let edges = edges(&items);
    for (item, edges) in items.iter_mut().zip(edges) {
        item.depends_on = edges;
    }
    items
}

/// What each package depends on: by name and version where its file says both, by name where only one
/// version of it was found. An edge that leads nowhere is none.
fn edges(items: &[Item<'_>]) -> Vec<Vec<String>> {
    type Name<'n> = (usize, &'n str, &'n str);
    let mut by_name: BTreeMap<Name<'_>, Vec<&Item<'_>>> = BTreeMap::new();
    for item in items {
        let key = (item.target, item.package.kind.as_str(), &*item.package.name);
        by_name.entry(key).or_default().push(item);
    }
    let find = |item: &Item<'_>, edge: &Arc<str>| {
        let kind = item.package.kind.as_str();
        let whole = by_name.get(&(item.target, kind, &**edge));
        if let Some([one]) = whole.map(Vec::as_slice) {
            return Some(one.reference.clone());
        }
        // A scope of npm begins with an `@` of its own.
        let (name, version) = edge.rsplit_once('@').filter(|(name, _)| !name.is_empty())?;
        let all = by_name.get(&(item.target, kind, name))?;
        let one = all
            .iter()
            .find(|other| *other.package.version == *version)?;
        Some(one.reference.clone())
    };
    items
        .iter()
        .map(|item| {
            let edges = item.package.dependencies.iter();
            let mut found: Vec<String> = edges.filter_map(|edge| find(item, edge)).collect();
            found.sort();
            found.dedup();
            found
        })
        .collect()
}

/// A UUID of what a bill says (RFC 9562, version 8: its bits are those of a SHA-256 digest), so that the
/// same bill has the same one.
fn uuid(report: &Report, items: &[Item<'_>]) -> String {
    let mut hash = Sha256::new();
    hash.update(report.date.as_bytes());
    for target in &report.targets {
        hash.update(target.id.as_bytes());
        hash.update([0]);
        hash.update(target.digest.as_deref().unwrap_or_default().as_bytes());
        hash.update([0]);
    }
    for item in items {
        hash.update(item.reference.as_bytes());
        hash.update([0]);
    }
    for finding in &report.findings {
        hash.update(finding.fingerprint.as_bytes());
        hash.update([u8::from(finding.suppressed.is_some())]);
    }
    let mut bytes = [0_u8; 16];
    let digest = hash.finalize();
    for (byte, from) in bytes.iter_mut().zip(digest) {
        *byte = from;
    }
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = *version & 0x0f | 0x80;
    *variant = *variant & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}

/// The gaps of a run, one line each; those that are accepted, too: class, stage, kind, and where what
/// was not looked at. The worst class comes first: a reader may keep only so many.
fn gaps(report: &Report) -> Vec<String> {
    let mut gaps: Vec<&TargetGap> = report.gaps.iter().collect();
    gaps.sort_by_key(|one| one.gap.class);
    let told = gaps.into_iter().map(|one| {
        let target = one.target.and_then(|target| report.targets.get(target));
        let target = target.map_or("", |target| target.id.as_str());
        let gap = &one.gap;
        let words = [
            phrase::word(gap.class),
            phrase::word(gap.stage),
            phrase::word(gap.kind),
        ];
        let (words, place) = (words.join(" "), &gap.location.path);
        format!("{words} {target} {place}: {}", gap.cause)
    });
    told.collect()
}

/// Whether all packages of a target were read, as far as anyone knows.
fn is_whole(report: &Report, target: usize) -> bool {
    !report.gaps.iter().any(|one| {
        let is_of_inventory = matches!(one.gap.stage, Stage::Source | Stage::Inventory);
        is_of_inventory && one.target.is_none_or(|of| of == target)
    })
}

/// Adds an entry to an object.
fn put(object: &mut Value, key: &str, entry: impl Into<Value>) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), entry.into());
    }
}

/// The start of the day of a run, as both formats write a time.
fn time(report: &Report) -> String {
    format!("{}T00:00:00Z", report.date)
}
