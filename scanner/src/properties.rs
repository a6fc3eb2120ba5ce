//! What our bills of materials say of a package beyond what their formats have a place for: pairs of a
//! name and a value, the same in every format, so that a bill which is read again gives the package
//! that was written. The names are a contract: docs/images.md lists them. Writing and reading stand
//! side by side here, and neither knows a format. Bills of others do not have them; what Trivy writes
//! in the same way is understood where it says more than the package URL.

use std::collections::BTreeMap;
use std::sync::Arc;

use db_sync::ecosystem::Namespace;
use serde::{Deserialize, Serialize};

use crate::model::facts::Distribution;
use crate::model::hash::{Algorithm, Checksum};
use crate::model::location::{Layer, Location, Region};
use crate::model::package::{Doubt, Package, Scope, SourcePackage};
use crate::model::purl::Purl;
use crate::model::target::Target;

/// A gap of the run that made the bill.
pub(crate) const GAP: &str = "portcullis:gap";
/// The key of the properties in an annotation, where a format has no other place for them.
pub(crate) const ANNOTATION: &str = "portcullis";
/// What kind of target something is; only targets have it.
pub(crate) const TARGET_KIND: &str = "portcullis:target:kind";
/// The platform of an image.
pub(crate) const TARGET_PLATFORM: &str = "portcullis:target:platform";
/// The distribution of a target, as people call it.
pub(crate) const TARGET_DISTRIBUTION: &str = "portcullis:target:distribution";
/// The digest of a layer that brought a package.
pub(crate) const LAYER_DIGEST: &str = "portcullis:layer:digest";
/// The digest of the same layer without compression, right behind it.
pub(crate) const LAYER_DIFF_ID: &str = "portcullis:layer:diff-id";
/// Whose layers of an image a package lies in: known of the image, not of its bill, and not read again.
pub(crate) const ORIGIN: &str = "portcullis:package:origin";
/// A place, for formats without a field for it.
pub(crate) const LOCATION: &str = "portcullis:package:location";

/// The product of a distribution that a target has installed, as an ecosystem.
pub(crate) const TARGET_PRODUCT: &str = "portcullis:target:product";

const DISTRIBUTION_ID: &str = "portcullis:target:distribution:id";
const DISTRIBUTION_VERSION: &str = "portcullis:target:distribution:version";
const DISTRIBUTION_LIKE: &str = "portcullis:target:distribution:like";
const DISTRIBUTION_CPE: &str = "portcullis:target:distribution:cpe";

const KIND: &str = "portcullis:package:type";
const NAME: &str = "portcullis:package:name";
const SOURCE: &str = "portcullis:package:source";
const OWNER: &str = "portcullis:package:owned-by";
const DOUBT_ECOSYSTEM: &str = "portcullis:package:owner-doubted-in";
const DOUBT_NAME: &str = "portcullis:package:owner-doubted-as";
const ECOSYSTEM: &str = "portcullis:package:ecosystem";
const PUBLIC: &str = "portcullis:package:public";
const LACKS_SOURCE: &str = "portcullis:package:lacks-source";
const CHANGED: &str = "portcullis:package:changed-from";
const SCOPE: &str = "portcullis:package:scope";
const DIRECT: &str = "portcullis:package:direct";
const CANDIDATE: &str = "portcullis:package:candidate";
const CHECKSUM: &str = "portcullis:package:archive-checksum";

/// The value of an ecosystem that a package does not have, although its type has one.
const NO_ECOSYSTEM: &str = "none";

/// Name and value.
pub(crate) type Property = (&'static str, String);

/// What is said of a target.
pub(crate) fn of_target(target: &Target) -> Vec<Property> {
    let mut all = vec![(TARGET_KIND, target.kind.as_str().to_owned())];
    let mut add = |name, value: &str| all.push((name, value.to_owned()));
    if let Some(platform) = &target.platform {
        add(TARGET_PLATFORM, platform);
    }
    if let Some(distribution) = &target.distribution {
        if let Some(name) = &distribution.name {
            add(TARGET_DISTRIBUTION, name);
        }
        add(DISTRIBUTION_ID, &distribution.id);
        if let Some(version) = &distribution.version {
            add(DISTRIBUTION_VERSION, version);
        }
        for like in &distribution.like {
            add(DISTRIBUTION_LIKE, like);
        }
        if let Some(cpe) = &distribution.cpe {
            add(DISTRIBUTION_CPE, cpe);
        }
    }
    for product in &target.products {
        add(TARGET_PRODUCT, product);
    }
    all
}

/// The distribution that the properties of a target name, and its products.
pub(crate) fn distribution<'t>(
    all: impl Iterator<Item = (&'t str, &'t str)>,
) -> (Option<Distribution>, Vec<Arc<str>>) {
    let mut found = Distribution::default();
    let mut products = Vec::new();
    for (name, value) in all {
        match name {
            TARGET_DISTRIBUTION => found.name = Some(value.into()),
            DISTRIBUTION_ID => found.id = value.into(),
            DISTRIBUTION_VERSION => found.version = Some(value.into()),
            DISTRIBUTION_LIKE => found.like.push(value.into()),
            DISTRIBUTION_CPE => found.cpe = Some(value.into()),
            TARGET_PRODUCT => products.push(value.into()),
            // Kind and platform are those of what was scanned; this time it is a bill.
            _ => {}
        }
    }
    ((!found.id.is_empty()).then_some(found), products)
}

/// What a package URL does not say of a package.
pub(crate) fn of(package: &Package, purl: &Purl) -> Vec<Property> {
    let mut all = vec![(KIND, package.kind.as_str().to_owned())];
    let mut add = |name, value: &str| all.push((name, value.to_owned()));
    let name = if package.kind.namespace() == Namespace::Distribution {
        purl.name.clone()
    } else {
        purl.full_name()
    };
    if *name != *package.name {
        add(NAME, &package.name);
    }
    if let Some(source) = &package.source {
        add(SOURCE, &format!("{} {}", source.name, source.version));
    }
    if let Some(owner) = &package.owner {
        add(OWNER, owner);
    }
    if let Some(changed) = &package.changed {
        add(CHANGED, changed);
    }
    if let Some(doubt) = &package.doubt {
        add(DOUBT_ECOSYSTEM, &doubt.ecosystem);
        for name in &doubt.names {
            add(DOUBT_NAME, name);
        }
    }
    // Those of an operating system follow from the distribution.
    if !package.kind.is_os() && package.ecosystem.as_deref() != package.kind.ecosystem() {
        add(
            ECOSYSTEM,
            package.ecosystem.as_deref().unwrap_or(NO_ECOSYSTEM),
        );
    }
    if package.public {
        add(PUBLIC, "true");
    }
    if package.lacks_source {
        add(LACKS_SOURCE, "true");
    }
    if let Some(scope) = package.scope {
        add(SCOPE, scope.as_str());
    }
    if let Some(direct) = package.direct {
        add(DIRECT, if direct { "true" } else { "false" });
    }
    for name in &package.candidates {
        add(CANDIDATE, name);
    }
    for checksum in checksums(package).1 {
        add(CHECKSUM, &checksum.told());
    }
    all
}

/// The checksums of a package's archive, and those of archives of which any may be fetched: of the
/// latter there are several by one algorithm, and none is that of the package.
pub(crate) fn checksums(package: &Package) -> (Vec<&Checksum>, Vec<&Checksum>) {
    let mut counts: BTreeMap<Algorithm, usize> = BTreeMap::new();
    for one in &package.checksums {
        let count = counts.entry(one.algorithm).or_default();
        *count = count.saturating_add(1);
    }
    let all = package.checksums.iter();
    all.partition(|one| counts.get(&one.algorithm) == Some(&1))
}

/// What the properties of one package say, as they are read.
#[derive(Debug, Default)]
pub(crate) struct Told<'t> {
    source: Option<&'t str>,
    source_version: Option<&'t str>,
    source_release: Option<&'t str>,
    doubted_in: Option<&'t str>,
    doubted_as: Vec<Arc<str>>,
    /// Layers, in the order of the places in them.
    pub(crate) layers: Vec<(Arc<str>, Arc<str>)>,
}

impl<'t> Told<'t> {
    /// Takes one property of a package.
    pub(crate) fn take(&mut self, package: &mut Package, name: &str, value: &'t str) {
        match name {
            SOURCE => {
                if let Some((name, version)) = value.split_once(' ') {
                    (self.source, self.source_version) = (Some(name), Some(version));
                }
            }
            "aquasecurity:trivy:SrcName" => self.source = Some(value),
            "aquasecurity:trivy:SrcVersion" => self.source_version = Some(value),
            "aquasecurity:trivy:SrcRelease" => self.source_release = Some(value),
            NAME => package.name = value.into(),
            OWNER => package.owner = Some(value.into()),
            CHANGED => package.changed = Some(value.into()),
            DOUBT_ECOSYSTEM => self.doubted_in = Some(value),
            DOUBT_NAME => self.doubted_as.push(value.into()),
            ECOSYSTEM if !package.kind.is_os() => {
                package.ecosystem = (value != NO_ECOSYSTEM).then(|| value.into());
            }
            PUBLIC => package.public = value == "true",
            LACKS_SOURCE => package.lacks_source = value == "true",
            SCOPE => package.scope = Scope::named(value),
            DIRECT => package.direct = Some(value == "true"),
            CANDIDATE => package.candidates.push(value.into()),
            CHECKSUM => package.checksums.extend(Checksum::named(value)),
            LOCATION => package.locations.extend(location(value)),
            LAYER_DIGEST => self.layers.push((value.into(), value.into())),
            LAYER_DIFF_ID => {
                if let Some((_, diff_id)) = self.layers.last_mut() {
                    *diff_id = value.into();
                }
            }
            // What others say in words of their own does not change which package it is.
            _ => {}
        }
    }

    /// Ends the properties of a package.
    pub(crate) fn finish(&mut self, package: &mut Package) {
        if let Some(name) = self.source.take() {
            let version = self.source_version.take().unwrap_or(&package.version);
            let version = match self.source_release.take() {
                Some(release) => format!("{version}-{release}"),
                None => version.to_owned(),
            };
            package.source = Some(SourcePackage {
                name: name.into(),
                version: version.into(),
            });
        }
        if let Some(ecosystem) = self.doubted_in.take() {
            package.doubt = Some(Arc::new(Doubt {
                ecosystem: ecosystem.into(),
                names: std::mem::take(&mut self.doubted_as),
            }));
        }
    }
}

/// A place as one value.
#[derive(Serialize, Deserialize)]
struct Place {
    path: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    layer: Option<Layer>,
}

/// A place as the value of [`LOCATION`]: JSON.
pub(crate) fn of_location(location: &Location) -> String {
    let place = Place {
        path: Arc::clone(&location.path),
        line: location.start_line(),
        layer: location.layer.as_deref().cloned(),
    };
    // Texts and numbers always can be written.
    serde_json::to_string(&place).unwrap_or_default()
}

fn location(value: &str) -> Option<Location> {
    // A place that cannot be read is replaced by the place in the bill.
    let place: Place = serde_json::from_str(value).ok()?;
    Some(Location {
        region: place.line.map(Region::line),
        layer: place.layer.map(Arc::new),
        ..Location::file(place.path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::package::PackageType;

    #[test]
    fn a_package_is_what_it_was() {
        let sum = |text: &str, digits: usize| {
            let one = Checksum::named(&format!("{text}:{}", "a".repeat(digits)));
            one.unwrap()
        };
        let mut package = Package::new(PackageType::PYPI, "Foo_Bar", "1.0");
        package.ecosystem = None;
        package.source = Some(SourcePackage {
            name: "foo".into(),
            version: "1:2 3".into(),
        });
        package.owner = Some("python3-foo".into());
        package.changed = Some("python3-foo".into());
        package.doubt = Some(Arc::new(Doubt {
            ecosystem: "Red Hat:8".into(),
            names: vec!["a".into(), "b c".into()],
        }));
        package.public = true;
        package.lacks_source = true;
        package.scope = Some(Scope::Build);
        package.direct = Some(false);
        package.candidates = vec!["x".into(), "y".into()];
        package.checksums = vec![
            sum("sha256", 64),
            Checksum::named(&format!("sha256:{}", "b".repeat(64))).unwrap(),
        ];
        package.locations = vec![Location {
            layer: Some(Arc::new(Layer {
                index: 3,
                digest: "sha256:1".into(),
                diff_id: "sha256:2".into(),
            })),
            ..Location::line("a \"b\"\n", 7)
        }];
        let purl = Purl::of(&package, None);
        let mut all = of(&package, &purl);
        let places = package.locations.iter();
        all.extend(places.map(|place| (LOCATION, of_location(place))));
        let mut read = Package::new(PackageType::PYPI, purl.full_name(), "1.0");
        let mut told = Told::default();
        for (name, value) in &all {
            told.take(&mut read, name, value);
        }
        told.finish(&mut read);
        assert_eq!(read, package);
        // A single one is the archive's own.
        package.checksums = vec![sum("sha1", 40), sum("sha256", 64)];
        let all = of(&package, &purl);
        assert!(all.iter().all(|(name, _)| *name != CHECKSUM));
        assert_eq!(checksums(&package).0.len(), 2);
    }

    #[test]
    fn a_place_that_cannot_be_read_is_none() {
        let mut package = Package::new(PackageType::NPM, "a", "1");
        for value in ["", "{}", "[]", "{\"path\": 1}"] {
            Told::default().take(&mut package, LOCATION, value);
        }
        assert!(package.locations.is_empty());
    }
}
