//! The package URL of a package. Names are written as their type demands; what the distribution does
//! not tell is left out.

use db_sync::ecosystem::{Namespace, PurlName};

use super::Purl;
use crate::model::facts::Distribution;
use crate::model::package::{Package, PackageType};

impl Purl {
    /// The package URL of a package; for those of an operating system with the distribution they
    /// were found in.
    ///
    /// ```
    /// # use portcullis::model::package::{Package, PackageType};
    /// # use portcullis::model::purl::Purl;
    /// let package = Package::new(PackageType::NPM, "@scope/name", "1.0.0");
    /// let purl = Purl::of(&package, None);
    /// assert_eq!(purl.to_string(), "pkg:npm/%40scope/name@1.0.0");
    /// assert_eq!(purl.full_name(), "@scope/name");
    /// ```
    pub fn of(package: &Package, distribution: Option<&Distribution>) -> Self {
        let distribution = distribution.filter(|_| package.kind.is_os());
        let full = name(package.kind, &package.name);
        // A part of a pod is a path inside of it.
        let (full, subpath) = match full.split_once('/') {
            Some((pod, part)) if package.kind == PackageType::COCOAPODS => {
                (pod.to_owned(), Some(part.to_owned()))
            }
            _ => (full, None),
        };
        let mut segments: Vec<&str> = full
            .split(package.kind.separator())
            .filter(|part| !part.is_empty())
            .collect();
        let name = segments.pop().unwrap_or_default().to_owned();
        // The namespace is the category where the type has one.
        let distributor = distribution
            .filter(|_| package.kind.namespace() == Namespace::Distribution)
            .map(|distribution| distribution.id.to_lowercase());
        segments.splice(0..0, distributor.as_deref());
        // Red Hat's qualifier for the module that a package belongs to is `rpmmod`.
        let qualifiers = [
            ("arch", package.arch.as_deref().map(str::to_owned)),
            ("distro", distribution.map(distro)),
            ("epoch", package.epoch.map(|epoch| epoch.to_string())),
            ("rpmmod", package.module.as_deref().map(str::to_owned)),
        ];
        Self {
            kind: package.kind.as_str().to_owned(),
            namespace: (!segments.is_empty()).then(|| segments.join("/")),
            name,
            version: (!package.version.is_empty()).then(|| package.version.to_string()),
            qualifiers: qualifiers
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?)))
                .collect(),
            subpath,
        }
    }
}

fn distro(distribution: &Distribution) -> String {
    match &distribution.version {
        Some(version) => format!("{}-{version}", distribution.id),
        None => distribution.id.to_string(),
    }
}

/// The name in the form of its type (purl-spec, `types`).
fn name(kind: PackageType, name: &str) -> String {
    match kind.purl_name() {
        PurlName::Exact => name.to_owned(),
        PurlName::Lower => name.to_lowercase(),
        PurlName::Python => name.to_lowercase().replace(['_', '.'], "-"),
    }
}
