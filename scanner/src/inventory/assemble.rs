//! From the facts of all visible files of one target to its packages: distribution and
//! ecosystem, ownership, duplicates. A pure function; the order of the files does not matter.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ownership::Owners;
use super::{Distribution, Facts, Runtime, ecosystem, modules, secondary};
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::Location;
use crate::model::package::{Package, PackageType, Release, Scope, SourcePackage};

/// The packages of one target.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// Sorted by type, name, version; the same package in several places is one package with
    /// several locations.
    pub packages: Vec<Package>,
    /// The distribution, if any file told.
    pub distribution: Option<Distribution>,
    /// Its installed products, as ecosystems; sorted.
    pub products: Vec<Arc<str>>,
    /// The file that told.
    pub release_file: Option<Arc<str>>,
    /// Runtimes that no operating-system package owns, sorted.
    pub runtimes: Vec<Runtime>,
    /// Gaps of all files, sorted.
    pub gaps: Vec<Gap>,
}

/// Types of packages that installers of their own bring and no ecosystem of OSV speaks of.
const UNADVISED: [PackageType; 3] = [PackageType::FLATPAK, PackageType::NIX, PackageType::SNAP];

/// What makes two entries the same package, in the order of the output.
type Key = (
    PackageType,
    Arc<str>,
    Arc<str>,
    Option<u32>,
    Option<Arc<str>>,
    Option<SourcePackage>,
    Option<Arc<str>>,
    Option<Arc<str>>,
    bool,
);

/// Puts the facts of all visible files together.
pub fn assemble(mut files: Vec<(Arc<str>, Facts)>) -> Inventory {
    secondary::settle(&mut files);
    let (distribution, place) = distribution(&files).unzip();
    let mut products: Vec<_> = files
        .iter()
        .flat_map(|(_, facts)| facts.products.iter().cloned())
        .collect();
    products.sort();
    products.dedup();
    let known = distribution
        .as_ref()
        .and_then(|distribution| ecosystem::release(distribution, &products));
    let known = known.map(|(kind, release)| (kind, Arc::new(release)));
    let mut suppliers: BTreeMap<Arc<str>, Arc<Release>> = BTreeMap::new();
    let mut any_os = false;
    for package in files.iter_mut().flat_map(|(_, facts)| &mut facts.packages) {
        any_os |= package.kind.is_os();
        place_in_release(
            package,
            distribution.as_ref(),
            known.as_ref(),
            &mut suppliers,
        );
    }
    let mut gaps = modules::settle(&mut files);
    gaps.extend(without_source(&files));
    if let Some(place) = place.clone().filter(|_| !any_os) {
        gaps.push(no_packages(place, distribution.as_ref()));
    }
    let owners = Owners::new(&mut files, known);
    let mut merged: BTreeMap<Key, Package> = BTreeMap::new();
    let mut runtimes = Vec::new();
    let mut homeless: Option<Location> = None;
    let mut unadvised: BTreeMap<PackageType, Location> = BTreeMap::new();
    for (_, facts) in files {
        let digests = facts.digests.as_ref();
        // What the distribution packaged is judged by its own advisories, in whatever format.
        let told = facts.gaps.into_iter();
        gaps.extend(told.filter(|gap| {
            gap.kind != GapKind::UnknownFormat
                || owners
                    .of(&gap.location, digests)
                    .is_none_or(|owner| owner.doubt.is_some())
        }));
        // What the distribution packaged is supported as long as the distribution.
        runtimes.extend(
            facts
                .runtimes
                .into_iter()
                .filter(|runtime| owners.of(&runtime.location, digests).is_none()),
        );
        for mut package in facts.packages {
            let place = package.locations.first();
            if package.kind.is_os() {
                if package.ecosystem.is_none() {
                    homeless = homeless.into_iter().chain(place.cloned()).min();
                }
            } else if UNADVISED.contains(&package.kind) {
                let first = unadvised.remove(&package.kind).into_iter();
                let first = first.chain(place.cloned()).min();
                unadvised.extend(first.map(|place| (package.kind, place)));
            } else if let Some(owner) = place.and_then(|place| owners.of(place, digests)) {
                package.owner = Some(owner.name);
                package.doubt = owner.doubt;
            } else {
                package.changed = place.and_then(|place| owners.changed(place, digests));
            }
            unite(&mut merged, package);
        }
    }
    if let Some(place) = homeless {
        gaps.push(unknown_distribution(place, distribution.as_ref()));
    }
    gaps.extend(unadvised.into_iter().map(|(kind, place)| {
        let cause = format!(
            "no advisories are known for packages of the type {}",
            kind.as_str()
        );
        let place = Location {
            region: None,
            ..place
        };
        Gap::warning(Stage::Inventory, GapKind::UnknownDistribution, place, cause)
    }));
    runtimes.sort();
    runtimes.dedup();
    gaps.sort();
    gaps.dedup();
    let packages = merged.into_values().map(|mut package| {
        package.locations.sort();
        package.locations.dedup();
        package.dependencies.sort();
        package.dependencies.dedup();
        package.checksums.sort();
        package.checksums.dedup();
        package
    });
    Inventory {
        packages: packages.collect(),
        distribution,
        products,
        release_file: place,
        runtimes,
        gaps,
    }
}

/// Says where the advisories for a package are found: with the supplier who rebuilt it, else with
/// the distribution. Packages of a language keep the ecosystem of their registry.
fn place_in_release(
    package: &mut Package,
    distribution: Option<&Distribution>,
    known: Option<&(PackageType, Arc<Release>)>,
    suppliers: &mut BTreeMap<Arc<str>, Arc<Release>>,
) {
    let release = match ecosystem::supplier(package, distribution) {
        Some(release) => {
            // Whether the registry is asked, too, depends on the package.
            let key = format!("{} {}", release.ecosystem, release.more.join(" "));
            let known = suppliers.entry(key.into());
            Some(Arc::clone(known.or_insert_with(|| Arc::new(release))))
        }
        None => known
            .filter(|(kind, _)| *kind == package.kind)
            .map(|(_, release)| Arc::clone(release)),
    };
    if let Some(release) = release {
        package.ecosystem = Some(Arc::clone(&release.ecosystem));
        package.release = Some(release);
    }
}

/// What is known of the distribution, and by which file: `etc/os-release` wins over the one in
/// `usr/lib` (os-release(5)), and both over the files of one line that were before it.
fn distribution(files: &[(Arc<str>, Facts)]) -> Option<(Distribution, Arc<str>)> {
    let told = files.iter().filter_map(|(path, facts)| {
        let is_old = !path.ends_with("os-release");
        Some((
            (is_old, !path.starts_with("etc/")),
            path,
            facts.distribution.as_ref()?,
        ))
    });
    told.min_by_key(|(rank, path, _)| (*rank, Arc::clone(path)))
        .map(|(_, path, distribution)| (distribution.clone(), Arc::clone(path)))
}

/// Adds a package to those that are the same. It is for development, or optional, only if it
/// is so everywhere, and direct if it is so anywhere.
fn unite(merged: &mut BTreeMap<Key, Package>, package: Package) {
    let key = (
        package.kind,
        Arc::clone(&package.name),
        Arc::clone(&package.version),
        package.epoch,
        package.arch.clone(),
        package.source.clone(),
        package.owner.clone(),
        package.module.clone(),
        package.public,
    );
    match merged.get_mut(&key) {
        None => {
            merged.insert(key, package);
        }
        Some(have) => {
            have.changed = have.changed.take().or(package.changed);
            have.scope = Scope::join(have.scope, package.scope);
            have.direct = match (have.direct, package.direct) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
            have.locations.extend(package.locations);
            have.dependencies.extend(package.dependencies);
            have.checksums.extend(package.checksums);
        }
    }
}

/// Rpms that do not name their source package, where advisories name nothing else.
fn without_source(files: &[(Arc<str>, Facts)]) -> Option<Gap> {
    let packages = files.iter().flat_map(|(_, facts)| &facts.packages);
    let mut lacking = packages.filter(|package| {
        let ecosystem = package.ecosystem.as_deref();
        let names = ecosystem.map(ecosystem::names);
        package.lacks_source && names == Some(ecosystem::Names::Source)
    });
    let first = lacking.next()?;
    let place = first.locations.first().cloned()?;
    let cause = match lacking.count() {
        0 => format!(
            "{} does not name its source package, which advisories use",
            first.name
        ),
        more => format!(
            "{} and {more} more packages do not name their source packages, which advisories use",
            first.name
        ),
    };
    Some(Gap::warning(
        Stage::Inventory,
        GapKind::Malformed,
        place,
        cause,
    ))
}

/// A distribution installs packages: where none is listed, the list is what is missing.
fn no_packages(place: Arc<str>, distribution: Option<&Distribution>) -> Gap {
    let cause = format!(
        "this is {}, and no package database that can be read lists a package: what is installed is not known",
        named(distribution)
    );
    let place = Location::file(place);
    Gap::warning(Stage::Inventory, GapKind::PackageDatabase, place, cause)
}

fn named(distribution: Option<&Distribution>) -> String {
    let Some(found) = distribution else {
        return "a distribution".to_owned();
    };
    match &found.version {
        Some(version) => format!("{} {version}", found.id),
        None => format!("{} without a version", found.id),
    }
}

fn unknown_distribution(place: Location, distribution: Option<&Distribution>) -> Gap {
    let cause = match distribution {
        None => "no os-release file names the distribution of these packages".to_owned(),
        Some(_) => format!(
            "no advisories are known for the packages of {}",
            named(distribution)
        ),
    };
    let place = Location {
        region: None,
        ..place
    };
    Gap::warning(Stage::Inventory, GapKind::UnknownDistribution, place, cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Owned;

    fn release(id: &str, version: &str) -> Facts {
        Facts {
            distribution: Some(Distribution {
                id: id.into(),
                version: Some(version.into()),
                ..Distribution::default()
            }),
            ..Facts::default()
        }
    }

    fn with(packages: Vec<Package>) -> Facts {
        Facts {
            packages,
            ..Facts::default()
        }
    }

    fn package(kind: PackageType, name: &str, path: &str) -> Package {
        Package::new(kind, name, "1").at(Location::file(path))
    }

    #[test]
    fn etc_wins_and_names_the_ecosystem() {
        let status = with(vec![package(PackageType::DEB, "a", "var/lib/dpkg/status")]);
        let files = vec![
            ("usr/lib/os-release".into(), release("alpine", "3.18.0")),
            ("var/lib/dpkg/status".into(), status),
            ("etc/os-release".into(), release("debian", "12")),
        ];
        let inventory = assemble(files);
        assert_eq!(
            inventory.packages[0].ecosystem.as_deref(),
            Some("Debian:12")
        );
        assert!(inventory.gaps.is_empty());
    }

    #[test]
    fn an_unknown_distribution_is_one_gap() {
        let packages = ["a", "b"].map(|name| package(PackageType::RPM, name, "db"));
        for release in [
            release("debian", "12"),
            release("thing", "1"),
            Facts::default(),
        ] {
            let files = vec![
                ("db".into(), with(packages.to_vec())),
                ("etc/os-release".into(), release),
            ];
            let inventory = assemble(files);
            assert_eq!(inventory.gaps.len(), 1);
            assert_eq!(inventory.gaps[0].kind, GapKind::UnknownDistribution);
            assert_eq!(inventory.packages[1].ecosystem, None);
        }
    }

    #[test]
    fn files_have_owners_also_where_usr_is_merged() {
        let owned = |package: &str, path: &str| Owned {
            package: package.into(),
            path: path.into(),
            digest: None,
        };
        let lists = Facts {
            owned: vec![
                owned("z", "lib/x.egg-info"),
                owned("python3-x", "usr/lib/x.egg-info"),
            ],
            ..Facts::default()
        };
        let installed =
            ["z", "python3-x"].map(|name| package(PackageType::DEB, name, "var/lib/dpkg/status"));
        let files = vec![
            ("l".into(), lists),
            ("etc/os-release".into(), release("debian", "12")),
            ("var/lib/dpkg/status".into(), with(installed.to_vec())),
            (
                "a".into(),
                with(vec![package(PackageType::PYPI, "x", "usr/lib/x.egg-info")]),
            ),
            (
                "b".into(),
                with(vec![package(PackageType::PYPI, "x", "opt/x.egg-info")]),
            ),
        ];
        let packages = assemble(files).packages.into_iter();
        let owners: Vec<_> = packages
            .filter(|package| !package.kind.is_os())
            .map(|package| package.owner)
            .collect();
        assert_eq!(owners, [None, Some("python3-x".into())]);
    }

    #[test]
    fn a_distribution_without_packages_is_a_gap_and_none_at_all_is_not() {
        let alone = assemble(vec![("etc/os-release".into(), release("debian", "12"))]);
        let gap = &alone.gaps[0];
        assert_eq!(gap.kind, GapKind::PackageDatabase);
        assert_eq!(gap.class, crate::model::gap::GapClass::Unjudged);
        assert_eq!(&*gap.location.path, "etc/os-release");
        let unknown = assemble(vec![("etc/os-release".into(), release("arch", "1"))]);
        assert_eq!(unknown.gaps[0].kind, GapKind::PackageDatabase);
        let scratch = package(PackageType::NPM, "a", "node_modules/a/package.json");
        assert!(
            assemble(vec![("a".into(), with(vec![scratch]))])
                .gaps
                .is_empty()
        );
    }

    #[test]
    fn an_rpm_without_source_is_a_gap_where_advisories_name_sources() {
        let mut bash = package(PackageType::RPM, "bash", "var/lib/rpm/rpmdb.sqlite");
        bash.lacks_source = true;
        for (id, gaps) in [("rocky", 1), ("almalinux", 0)] {
            let files = vec![
                ("etc/os-release".into(), release(id, "9.3")),
                ("var/lib/rpm/rpmdb.sqlite".into(), with(vec![bash.clone()])),
            ];
            assert_eq!(assemble(files).gaps.len(), gaps, "{id}");
        }
    }

    #[test]
    fn rebuilt_packages_belong_to_their_supplier() {
        let mut rebuilt = package(PackageType::DEB, "rootio-jq", "var/lib/dpkg/status");
        rebuilt.version = "1.6-2.1.root.io.1".into();
        let plain = package(PackageType::DEB, "zlib1g", "var/lib/dpkg/status");
        let files = vec![
            ("etc/os-release".into(), release("debian", "12")),
            ("var/lib/dpkg/status".into(), with(vec![rebuilt, plain])),
        ];
        let ecosystems: Vec<_> = assemble(files)
            .packages
            .into_iter()
            .map(|package| package.ecosystem.unwrap().to_string())
            .collect();
        assert_eq!(ecosystems, ["Root:Debian:12", "Debian:12"]);
    }

    #[test]
    fn the_same_package_in_two_places_is_one() {
        let mut first = package(PackageType::NPM, "a", "z/package-lock.json");
        first.scope = Some(Scope::Dev);
        first.dependencies = vec!["c".into()];
        let mut second = package(PackageType::NPM, "a", "b/package-lock.json");
        second.dependencies = vec!["b".into(), "c".into()];
        let files = vec![
            ("z".into(), with(vec![first])),
            ("b".into(), with(vec![second])),
        ];
        let inventory = assemble(files);
        let [package] = inventory.packages.as_slice() else {
            panic!("one package")
        };
        assert_eq!(package.scope, None);
        assert_eq!(package.dependencies.len(), 2);
        assert_eq!(&*package.locations[0].path, "b/package-lock.json");
    }
}
