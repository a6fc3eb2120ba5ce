//! From the facts of all visible files of one target to its packages: distribution and
//! ecosystem, ownership, duplicates. A pure function; the order of the files does not matter.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Distribution, Facts, Owned, ecosystem};
use crate::gap::{Gap, GapKind, Stage};
use crate::location::Location;
use crate::package::{Package, PackageType, SourcePackage};

/// The packages of one target.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// Sorted by type, name, version; the same package in several places is one package with
    /// several locations.
    pub packages: Vec<Package>,
    /// The distribution, if any file told.
    pub distribution: Option<Distribution>,
    /// Gaps of all files, sorted.
    pub gaps: Vec<Gap>,
}

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
    let distribution = distribution(&files);
    let known = distribution.as_ref().and_then(ecosystem::of);
    let known = known.map(|(kind, name)| (kind, Arc::<str>::from(name)));
    let owned = files.iter_mut();
    let owned: Vec<_> = owned
        .flat_map(|(_, facts)| std::mem::take(&mut facts.owned))
        .collect();
    let owners = owners(&owned);
    let mut gaps = Vec::new();
    let mut merged: BTreeMap<Key, Package> = BTreeMap::new();
    let mut homeless: Option<Location> = None;
    for (path, facts) in files {
        // What the distribution packaged is judged by its own advisories, in whatever format.
        let is_owned = owners.contains_key(unmerged(&path));
        let told = facts.gaps.into_iter();
        gaps.extend(told.filter(|gap| !(is_owned && gap.kind == GapKind::UnknownFormat)));
        for mut package in facts.packages {
            let place = package.locations.first();
            if package.kind.is_os() {
                match &known {
                    Some((kind, name)) if *kind == package.kind => {
                        package.ecosystem = Some(Arc::clone(name));
                    }
                    _ => homeless = homeless.into_iter().chain(place.cloned()).min(),
                }
            } else if let Some(place) = place {
                package.owner = owners.get(unmerged(&place.path)).cloned();
            }
            unite(&mut merged, package);
        }
    }
    if let Some(place) = homeless {
        gaps.push(unknown_distribution(place, distribution.as_ref()));
    }
    let gaps = fold(gaps);
    let packages = merged.into_values().map(|mut package| {
        package.locations.sort();
        package.locations.dedup();
        package.dependencies.sort();
        package.dependencies.dedup();
        package
    });
    Inventory {
        packages: packages.collect(),
        distribution,
        gaps,
    }
}

/// Sorts the gaps, and makes one of those that say the same of many files in a format that is not
/// read: the first file, and how many more.
fn fold(mut gaps: Vec<Gap>) -> Vec<Gap> {
    gaps.sort();
    gaps.dedup();
    let mut more: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    gaps.retain(|gap| {
        if gap.kind != GapKind::UnknownFormat {
            return true;
        }
        let count = more.entry(Arc::clone(&gap.cause)).or_insert(0);
        *count = count.saturating_add(1);
        *count == 1
    });
    for gap in &mut gaps {
        match more.get(&gap.cause) {
            Some(count) if gap.kind == GapKind::UnknownFormat && *count > 1 => {
                let others = count.saturating_sub(1);
                gap.cause = format!("{} ({others} more files like this)", gap.cause).into();
            }
            _ => {}
        }
    }
    gaps
}

/// `etc/os-release` wins over the one in `usr/lib` (os-release(5)).
fn distribution(files: &[(Arc<str>, Facts)]) -> Option<Distribution> {
    let told = files.iter().filter_map(|(path, facts)| {
        Some((
            !path.starts_with("etc/"),
            path,
            facts.distribution.as_ref()?,
        ))
    });
    told.min_by_key(|(rank, path, _)| (*rank, Arc::clone(path)))
        .map(|(_, _, distribution)| distribution.clone())
}

/// Owner by path; of several, the first by name.
fn owners(files: &[Owned]) -> BTreeMap<&str, Arc<str>> {
    let mut owners: BTreeMap<&str, Arc<str>> = BTreeMap::new();
    for owned in files {
        let owner = owners
            .entry(unmerged(&owned.path))
            .or_insert_with(|| Arc::clone(&owned.package));
        if owned.package < *owner {
            *owner = Arc::clone(&owned.package);
        }
    }
    owners
}

/// A path as file lists have it: outside archives, and without the `usr/` of merged systems,
/// where `lib` and `usr/lib` are the same directory and lists use either.
fn unmerged(path: &str) -> &str {
    let outside = path.split("!/").next().unwrap_or(path);
    match outside.strip_prefix("usr/") {
        Some(rest) if rest.starts_with("lib") || rest.starts_with("bin/") => rest,
        _ => outside,
    }
}

/// Adds a package to those that are the same. It is for development, or optional, only if it
/// is so everywhere.
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
            have.scope.dev &= package.scope.dev;
            have.scope.optional &= package.scope.optional;
            have.locations.extend(package.locations);
            have.dependencies.extend(package.dependencies);
        }
    }
}

fn unknown_distribution(place: Location, distribution: Option<&Distribution>) -> Gap {
    let cause = match distribution {
        None => "no os-release tells the distribution of these packages".to_owned(),
        Some(found) => format!(
            "no advisories are known for the packages of {} {}",
            found.id,
            found.version.as_deref().unwrap_or("without a version")
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

    fn release(id: &str, version: &str) -> Facts {
        Facts {
            distribution: Some(Distribution {
                id: id.into(),
                version: Some(version.into()),
                like: Vec::new(),
                name: None,
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
        let status = with(vec![package(PackageType::Deb, "a", "var/lib/dpkg/status")]);
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
        let packages = ["a", "b"].map(|name| package(PackageType::Rpm, name, "db"));
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
        };
        let lists = Facts {
            owned: vec![
                owned("z", "lib/x.egg-info"),
                owned("python3-x", "usr/lib/x.egg-info"),
            ],
            ..Facts::default()
        };
        let files = vec![
            ("l".into(), lists),
            (
                "a".into(),
                with(vec![package(PackageType::Pypi, "x", "usr/lib/x.egg-info")]),
            ),
            (
                "b".into(),
                with(vec![package(PackageType::Pypi, "x", "opt/x.egg-info")]),
            ),
        ];
        let inventory = assemble(files);
        assert_eq!(inventory.packages.len(), 2);
        assert_eq!(inventory.packages[0].owner, None);
        assert_eq!(inventory.packages[1].owner.as_deref(), Some("python3-x"));
    }

    #[test]
    fn the_same_package_in_two_places_is_one() {
        let mut first = package(PackageType::Npm, "a", "z/package-lock.json");
        first.scope.dev = true;
        first.dependencies = vec!["c".into()];
        let mut second = package(PackageType::Npm, "a", "b/package-lock.json");
        second.dependencies = vec!["b".into(), "c".into()];
        let files = vec![
            ("z".into(), with(vec![first])),
            ("b".into(), with(vec![second])),
        ];
        let inventory = assemble(files);
        let [package] = inventory.packages.as_slice() else {
            panic!("one package")
        };
        assert!(!package.scope.dev);
        assert_eq!(package.dependencies.len(), 2);
        assert_eq!(&*package.locations[0].path, "b/package-lock.json");
    }
}
