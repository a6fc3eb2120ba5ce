//! Lists of packages that others repeat with more: the control files of opkg beside its `status`,
//! the manifest of Chisel beside dpkg's. Where a better list has the same package, the entry of the
//! other one is left out, so that it is one package at one place; nothing else is.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Facts;
use crate::model::package::{Package, PackageType};

fn is_secondary(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    (path.contains("/opkg/info/") && name != "status")
        || path.contains("/opkg/status.d/")
        || matches!(name, "manifest.wall" | "chisel.db")
}

fn key(package: &Package) -> (PackageType, Arc<str>, Arc<str>) {
    (
        package.kind,
        Arc::clone(&package.name),
        Arc::clone(&package.version),
    )
}

/// Leaves out what better lists have.
pub(super) fn settle(files: &mut [(Arc<str>, Facts)]) {
    if !files.iter().any(|(path, _)| is_secondary(path)) {
        return;
    }
    let better = files.iter().filter(|(path, _)| !is_secondary(path));
    let better = better.flat_map(|(_, facts)| &facts.packages);
    let better: BTreeSet<_> = better
        .filter(|package| package.kind.is_os())
        .map(key)
        .collect();
    for (_, facts) in files.iter_mut().filter(|(path, _)| is_secondary(path)) {
        facts
            .packages
            .retain(|package| !better.contains(&key(package)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::location::Location;

    #[test]
    fn the_better_list_counts_and_the_rest_stays() {
        let list = |path: &str, versions: &[&str]| {
            let packages = versions.iter().map(|version| {
                Package::new(PackageType::OPKG, "busybox", *version).at(Location::file(path))
            });
            let facts = Facts {
                packages: packages.collect(),
                ..Facts::default()
            };
            (Arc::from(path), facts)
        };
        let mut files = [
            list("usr/lib/opkg/info/busybox.control", &["1", "2"]),
            list("usr/lib/opkg/status", &["1"]),
        ];
        settle(&mut files);
        assert_eq!(files[0].1.packages.len(), 1);
        assert_eq!(&*files[0].1.packages[0].version, "2");
        assert_eq!(files[1].1.packages.len(), 1);
    }
}
