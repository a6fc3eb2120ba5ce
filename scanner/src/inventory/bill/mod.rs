//! Bills of materials as targets: CycloneDX 1.x and SPDX 2.x as JSON. What a component is, its package
//! URL says; one without is a gap, since nothing can be compared with it. A bill says what its maker
//! saw, and what the maker left out nobody knows here.

mod cyclonedx;
mod spdx;

use std::sync::Arc;

use db_sync::ecosystem::Namespace;
use document::Node;

use super::collect::shown;
use super::{Distribution, Facts, ParseError};
use crate::model::gap::GapKind;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType, SourcePackage};
use crate::model::purl::Purl;

/// Reads a bill; `path` is its place.
pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Facts, ParseError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ParseError::new("not UTF-8"))?;
    let document = document::json(text)?;
    let mut bill = Bill {
        path: path.into(),
        facts: Facts::default(),
        distributions: Vec::new(),
    };
    if document.text_at("bomFormat") == Some("CycloneDX") {
        cyclonedx::read(&document, &mut bill)?;
    } else if let Some(version) = document.text_at("spdxVersion") {
        if !version.starts_with("SPDX-2.") {
            let cause = format!("{} is not read: only SPDX 2", shown(version));
            return Err(ParseError::unknown_format(None, cause));
        }
        spdx::read(&document, &mut bill)?;
    } else {
        let cause = "neither CycloneDX nor SPDX 2 in JSON";
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
}

impl Bill {
    /// The package of a package URL; a gap where it is none.
    fn package(&mut self, purl: &str, line: u32) -> Option<Package> {
        let read = purl.parse::<Purl>();
        let purl = match read {
            Ok(purl) => purl,
            Err(error) => {
                let cause = format!("{} is not a package URL: {error}", shown(purl));
                self.facts.malformed(&self.path, Some(line), cause);
                return None;
            }
        };
        let kind = PackageType::of(&purl.kind);
        let Some(version) = purl.version.clone() else {
            let cause = format!("package {} has no version", shown(&purl.full_name()));
            let path = &self.path;
            self.facts
                .gap(path, Some(line), GapKind::UnknownVersion, cause);
            return None;
        };
        let qualifier = |key: &str| purl.qualifiers.get(key).map(String::as_str);
        if kind.namespace() != Namespace::Distribution {
            return Some(Package::new(kind, purl.full_name(), version));
        }
        self.distribution(&purl);
        let mut package = Package::new(kind, purl.name.as_str(), version);
        package.arch = qualifier("arch").map(Arc::from);
        package.epoch = qualifier("epoch")
            .and_then(|epoch| epoch.parse().ok())
            .filter(|epoch| *epoch > 0);
        package.module = qualifier("rpmmod").map(Arc::from);
        package.source = qualifier("upstream").and_then(|text| upstream(text, &package.version));
        Some(package)
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
        for known in &mut self.distributions {
            if *known.id == *id && (known.version.is_none() || version.is_none()) {
                known.version = known.version.take().or_else(|| version.map(Arc::from));
                return;
            }
        }
        let found = Distribution {
            id: id.into(),
            version: version.map(Arc::from),
            ..Distribution::default()
        };
        if !self.distributions.contains(&found) && self.distributions.len() < 2 {
            self.distributions.push(found);
        }
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
