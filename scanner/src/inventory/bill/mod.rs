//! Bills of materials as targets: CycloneDX 1.x, SPDX 2.x and SPDX 3.0 as JSON. What a component is, its
//! package URL says; one without is a gap, since nothing can be compared with it. A bill says what its
//! maker saw: what it says it did not see is a gap here, too, and what its maker left out in silence
//! nobody knows. Bills of our own give the packages that were written (`properties`).

mod cyclonedx;
mod form;
mod graph;
mod spdx;
mod spdx3;

use std::sync::Arc;

use db_sync::ecosystem::Namespace;
use document::Node;
use serde::de::DeserializeOwned;

use super::collect::shown;
use super::{Distribution, Facts, ParseError, limits};
use crate::model::gap::{Gap, GapClass, GapKind, Stage};
use crate::model::location::Location;
use crate::model::package::{Package, PackageType, SourcePackage};
use crate::model::purl::Purl;
use crate::properties;

/// Reads a bill; `path` is its place.
pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Facts, ParseError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ParseError::new("not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(form) = form::unread(text) {
        let cause = format!("{form} is not read: convert it to JSON");
        return Err(ParseError::unknown_format(None, cause));
    }
    let document = document::json(text)?;
    let document = form::unwrapped(&document)?;
    let mut bill = Bill {
        path: path.into(),
        facts: Facts::default(),
        distributions: Vec::new(),
        has_told_gaps: false,
    };
    if document.text_at("bomFormat") == Some("CycloneDX") {
        cyclonedx::read(document, &mut bill)?;
    } else if let Some(version) = document.text_at("spdxVersion") {
        if !version.starts_with("SPDX-2.") {
            let cause = format!("{} is not read: only SPDX 2 and 3.0", shown(version));
            return Err(ParseError::unknown_format(None, cause));
        }
        spdx::read(document, &mut bill)?;
    } else if spdx3::version(document).is_some() {
        spdx3::read(document, &mut bill)?;
    } else {
        let cause = "neither CycloneDX nor SPDX in JSON";
        return Err(ParseError::unknown_format(None, cause));
    }
    Ok(bill.finish())
}

/// Whether a document is a bill that [`read`] may read, by its first bytes.
pub(crate) fn is_bill(first: &[u8]) -> bool {
    let kind = super::recognised::of_document(first);
    kind.is_some_and(|kind| kind.id == super::recognised::BILL)
}

/// A bill as it is read.
struct Bill {
    path: Arc<str>,
    facts: Facts,
    /// What the packages of an operating system say of it; it should be one.
    distributions: Vec<Distribution>,
    /// The run that made the bill said what it did not see.
    has_told_gaps: bool,
}

impl Bill {
    /// The package of a package URL; a gap where it is none. A version that is not in the URL may stand
    /// beside it.
    fn package(&mut self, purl: &str, beside: Option<&str>, line: u32) -> Option<Package> {
        let purl = self.purl(purl, line)?;
        let beside = beside.filter(|version| !version.is_empty());
        let version = purl.version.as_deref().or(beside);
        let Some(version) = version.map(str::to_owned) else {
            let cause = format!("package {} has no version", shown(&purl.full_name()));
            let path = &self.path;
            self.facts
                .gap(path, Some(line), GapKind::UnknownVersion, cause);
            return None;
        };
        Some(self.of(&purl, version))
    }

    /// What a bill is about, if that is a package of a version: a project that nobody publishes may have
    /// a package URL without one, and is no gap.
    fn root(&mut self, purl: &str, beside: Option<&str>, line: u32) -> Option<Package> {
        let purl = self.purl(purl, line)?;
        let beside = beside.filter(|version| !version.is_empty());
        let version = purl.version.as_deref().or(beside)?.to_owned();
        let kind = PackageType::of(&purl.kind);
        // An image or a repository is what is scanned, not a package.
        let is_judged = kind.is_os() || kind.ecosystem().is_some();
        is_judged.then(|| self.of(&purl, version))
    }

    fn purl(&mut self, text: &str, line: u32) -> Option<Purl> {
        match text.parse::<Purl>() {
            Ok(purl) => Some(purl),
            Err(error) => {
                let cause = format!("{} is not a package URL: {error}", shown(text));
                self.facts.malformed(&self.path, Some(line), cause);
                None
            }
        }
    }

    fn of(&mut self, purl: &Purl, version: String) -> Package {
        let kind = PackageType::of(&purl.kind);
        let qualifier = |key: &str| purl.qualifiers.get(key).map(String::as_str);
        if kind.namespace() != Namespace::Distribution {
            return Package::new(kind, purl.full_name(), version);
        }
        self.distribution(purl);
        let mut package = Package::new(kind, purl.name.as_str(), version);
        package.arch = qualifier("arch").map(Arc::from);
        package.epoch = qualifier("epoch")
            .and_then(|epoch| epoch.parse().ok())
            .filter(|epoch| *epoch > 0);
        package.module = qualifier("rpmmod").map(Arc::from);
        package.source = qualifier("upstream").and_then(|text| upstream(text, &package.version));
        package
    }

    /// Notes the distribution of a package of an operating system.
    fn distribution(&mut self, purl: &Purl) {
        let Some(id) = purl.namespace.as_deref() else {
            return;
        };
        // `debian-12`, or the version alone.
        let distro = purl.qualifiers.get("distro").map_or("", String::as_str);
        let (name, version) = distro.rsplit_once('-').unwrap_or((id, distro));
        let is_version = version.starts_with(|c: char| c.is_ascii_digit());
        self.found_in(
            if is_version { name } else { id },
            is_version.then_some(version),
        );
    }

    /// Notes a distribution; one without a version may be any of its releases.
    fn found_in(&mut self, id: &str, version: Option<&str>) {
        let version = version.filter(|version| !version.is_empty());
        self.found(Distribution {
            id: id.into(),
            version: version.map(Arc::from),
            ..Distribution::default()
        });
    }

    fn found(&mut self, found: Distribution) {
        for known in &mut self.distributions {
            let is_like = |one: &Option<Arc<str>>, other: &Option<Arc<str>>| {
                one.is_none() || other.is_none() || one == other
            };
            // Package URLs have it in lower case.
            if known.id.eq_ignore_ascii_case(&found.id) && is_like(&known.version, &found.version) {
                known.version = known.version.take().or(found.version);
                known.name = known.name.take().or(found.name);
                known.cpe = known.cpe.take().or(found.cpe);
                if known.like.is_empty() {
                    known.like = found.like;
                }
                return;
            }
        }
        if self.distributions.len() < 2 {
            self.distributions.push(found);
        }
    }

    /// Notes what our properties say of a target, if these are some.
    fn target<'t>(&mut self, all: impl Iterator<Item = (&'t str, &'t str)>) {
        let (distribution, products) = properties::distribution(all);
        if let Some(distribution) = distribution {
            self.found(distribution);
        }
        self.facts.products.extend(products);
    }

    /// Notes a gap of the run that made the bill: its class, stage, kind, and what was not looked at.
    /// What that run could not compare or evaluate is of no matter here.
    fn told_gap(&mut self, text: &str, line: u32) {
        self.has_told_gaps = true;
        let mut words = text.splitn(4, ' ');
        let mut next = || words.next().unwrap_or_default();
        let (class, stage, kind) = (next(), next(), next());
        let rest = next().trim_start();
        if matches!(of_word(stage), Some(Stage::Matching | Stage::Evaluation)) {
            return;
        }
        let cause = format!("when the bill was made: {rest}");
        let place = Location::line(Arc::clone(&self.path), line);
        let mut gap = Gap::warning(
            Stage::Inventory,
            of_word(kind).unwrap_or(GapKind::NotRead),
            place,
            cause,
        );
        // What we cannot read we do not take for less than it is.
        gap.class = of_word(class).unwrap_or(GapClass::Unjudged);
        self.facts.note(gap);
    }

    /// Notes that a component says nothing that advisories could be compared with.
    fn unnamed(&mut self, node: &Node<'_>, name: &str) {
        let cause = format!("component {} has no package URL", shown(name));
        self.facts
            .unjudged(&self.path, Some(node.line), GapKind::ForeignPackage, cause);
    }

    fn add(&mut self, package: Package, line: u32) {
        let has_place = !package.locations.is_empty();
        let place = Location::line(Arc::clone(&self.path), line);
        self.facts.add(if has_place {
            package
        } else {
            package.at(place)
        });
    }

    fn finish(mut self) -> Facts {
        if self.distributions.len() > 1 {
            let cause = "packages of more than one distribution: all are judged by the first";
            self.facts
                .unjudged(&self.path, None, GapKind::Ambiguous, cause);
        }
        self.facts.distribution = self.distributions.into_iter().next();
        self.facts.close(&self.path);
        self.facts
    }
}

/// The variant of a closed list that serde writes as a word.
fn of_word<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::from(word)).ok()
}

/// A word as a sentence has it: `incomplete_first_party_only`.
fn word(text: &str) -> String {
    shown(text).replace('_', " ")
}

/// Notes who supplied a package of an operating system: the maker counts there. Longer ones than any
/// real name would make a gap of the package.
fn supplied(package: &mut Package, supplier: Option<&str>) {
    let supplier = supplier.filter(|name| !name.is_empty() && name.len() <= limits::VERSION_BYTES);
    if package.kind.is_os() {
        package.vendor = supplier.map(Arc::from);
    }
}

/// The source package as Syft writes it: `name@version`, or a name with the version of the package;
/// for an rpm the name of its file.
fn upstream(text: &str, version: &Arc<str>) -> Option<SourcePackage> {
    let text = text.strip_suffix(".src.rpm").unwrap_or(text);
    let (name, version) = if let Some((name, version)) = text.split_once('@') {
        (name, Arc::from(version))
    } else if let Some((name, version)) = of_rpm(text) {
        (name, Arc::from(version))
    } else {
        (text, Arc::clone(version))
    };
    (!name.is_empty()).then(|| SourcePackage {
        name: name.into(),
        version,
    })
}

/// The name of a source rpm: name, version and release.
fn of_rpm(text: &str) -> Option<(&str, &str)> {
    let (rest, release) = text.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let both = text.get(name.len().checked_add(1)?..)?;
    (is_number(version) && is_number(release)).then_some((name, both))
}

#[cfg(test)]
mod tests;
