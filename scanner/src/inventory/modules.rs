//! Module builds of rpm distributions whose packages have no modularity label: early builds, and
//! what somebody rebuilt. Packages of one build of a module share the end of their release, so that
//! a labelled one tells the stream of the others. Where none does, the stream is a gap: two
//! streams number their builds independently.

use std::collections::BTreeMap;
use std::sync::Arc;

use db_sync::ecosystem::module_build;

use super::Facts;
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::package::{Package, PackageType};

/// How many packages a gap names.
const NAMED: usize = 5;

/// Gives module builds without a label the one of their module; says which are left.
pub(super) fn settle(files: &mut [(Arc<str>, Facts)]) -> Vec<Gap> {
    let mut labels: BTreeMap<String, Option<Arc<str>>> = BTreeMap::new();
    let packages = files.iter().flat_map(|(_, facts)| &facts.packages);
    for (package, label) in packages.filter_map(|package| Some((package, package.module.as_ref()?)))
    {
        if let Some(build) = build(package) {
            let known = labels
                .entry(build.to_owned())
                .or_insert_with(|| Some(Arc::clone(label)));
            if known.as_ref() != Some(label) {
                // Two modules in one build: neither tells.
                *known = None;
            }
        }
    }
    let mut gaps = Vec::new();
    for (_, facts) in files {
        let mut left: Vec<&mut Package> = Vec::new();
        for package in &mut facts.packages {
            if package.module.is_some() {
                continue;
            }
            match build(package).map(|build| labels.get(build)) {
                Some(Some(Some(label))) => package.module = Some(Arc::clone(label)),
                Some(_) => left.push(package),
                None => {}
            }
        }
        let place = left.first().and_then(|package| package.locations.first());
        if let Some(place) = place.cloned() {
            let names: Vec<&str> = left
                .iter()
                .take(NAMED)
                .map(|package| &*package.name)
                .collect();
            let more = match left.len().saturating_sub(names.len()) {
                0 => String::new(),
                count => format!(" and {count} more"),
            };
            let cause = format!(
                "module builds without a modularity label, so that their stream is not known: {}{more}",
                names.join(", ")
            );
            gaps.push(Gap::warning(
                Stage::Inventory,
                GapKind::UnknownVersion,
                place,
                cause,
            ));
        }
    }
    gaps
}

/// The end of a release that all packages of one build of a module share:
/// `module_el8.5.0+2605+45d748af`.
fn build(package: &Package) -> Option<&str> {
    if package.kind != PackageType::RPM {
        return None;
    }
    module_build(&package.version)?;
    let at = package.version.find(".module")?;
    package.version.get(at..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::location::Location;

    fn package(name: &str, version: &str, label: Option<&str>) -> Package {
        let mut package = Package::new(PackageType::RPM, name, version).at(Location::file("db"));
        package.module = label.map(Into::into);
        package
    }

    #[test]
    fn a_labelled_package_tells_the_stream_of_its_build() {
        let facts = Facts {
            packages: vec![
                package(
                    "nodejs",
                    "16.1-1.module_el8.5.0+26+45",
                    Some("nodejs:16:1:a"),
                ),
                package("npm", "8.1-1.module_el8.5.0+26+45", None),
                package("php", "7.4-1.module_el8.6.0+27+46", None),
                package("bash", "4.4-1.el8", None),
            ],
            ..Facts::default()
        };
        let mut files = [("db".into(), facts)];
        let gaps = settle(&mut files);
        let modules: Vec<_> = files[0]
            .1
            .packages
            .iter()
            .map(|p| p.module.as_deref())
            .collect();
        assert_eq!(
            modules,
            [Some("nodejs:16:1:a"), Some("nodejs:16:1:a"), None, None]
        );
        assert_eq!(gaps.len(), 1);
        assert!(gaps[0].cause.ends_with(": php"), "{}", gaps[0].cause);
    }
}
