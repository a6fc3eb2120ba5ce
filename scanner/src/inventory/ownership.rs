//! Which operating-system package answers for a file of a language package. A list of files is
//! not enough, since anybody can put one into an image: the package must be installed, the file
//! must be the one that it brought, and the distribution must be the package's maker. Where only
//! the last is unknown, the advisories decide ([`Doubt`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::checksum::{self, Digests};
use super::{Facts, Owned, ecosystem};
use crate::model::location::Location;
use crate::model::package::{Doubt, Package, PackageType, Release};

/// Words in the versions of builds that others than the distribution make.
const FOREIGN: [&str; 5] = ["nodesource", "pgdg", "sury", "dotdeb", "~ppa"];

/// Where packages lie that are described by one file each.
const SINGLE: &str = "var/lib/dpkg/status.d/";

/// The owner of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) name: Arc<str>,
    pub(super) doubt: Option<Arc<Doubt>>,
}

/// An installed package that a list says owns a file.
struct Claim {
    package: Arc<Package>,
    digest: Option<Arc<str>>,
}

/// All that is known about owners.
pub(super) struct Owners {
    claims: BTreeMap<Arc<str>, Vec<Claim>>,
    release: Option<(PackageType, Arc<Release>)>,
}

impl Owners {
    /// Gathers the lists of all files, which are taken out of the facts.
    pub(super) fn new(
        files: &mut [(Arc<str>, Facts)],
        release: Option<(PackageType, Arc<Release>)>,
    ) -> Self {
        let mut lists = Vec::new();
        for (path, facts) in &mut *files {
            let owned = std::mem::take(&mut facts.owned);
            if !owned.is_empty() {
                lists.push((Arc::clone(path), owned));
            }
        }
        let mut claims: BTreeMap<Arc<str>, Vec<Claim>> = BTreeMap::new();
        if !lists.is_empty() {
            let installed = Installed::new(files);
            for (list, owned) in lists {
                for one in owned {
                    let Some(packages) = installed.find(&list, &one) else {
                        continue;
                    };
                    let of_path = claims.entry(unmerged(&one.path).into()).or_default();
                    of_path.extend(packages.iter().map(|package| Claim {
                        package: Arc::clone(package),
                        digest: one.digest.clone(),
                    }));
                }
            }
        }
        Self { claims, release }
    }

    /// The package that answers for the file at a place; of several, one beyond doubt, then the
    /// first by name.
    pub(super) fn of(&self, place: &Location, digests: Option<&Digests>) -> Option<Owner> {
        let path = outside(&place.path);
        let claims = self.claims.get(unmerged(path))?;
        let mut best: Option<Owner> = None;
        for claim in claims {
            if is_changed(claims, claim, place, digests) {
                continue;
            }
            let Some(doubt) = self.doubt(path, &claim.package) else {
                continue;
            };
            let owner = Owner {
                name: Arc::clone(&claim.package.name),
                doubt,
            };
            let rank = |owner: &Owner| (owner.doubt.is_some(), Arc::clone(&owner.name));
            if best.as_ref().is_none_or(|best| rank(&owner) < rank(best)) {
                best = Some(owner);
            }
        }
        best
    }

    /// The package that brought the file at a place before it was changed; the first by name.
    pub(super) fn changed(&self, place: &Location, digests: Option<&Digests>) -> Option<Arc<str>> {
        let claims = self.claims.get(unmerged(outside(&place.path)))?;
        let changed = claims
            .iter()
            .filter(|claim| is_changed(claims, claim, place, digests));
        changed.map(|claim| Arc::clone(&claim.package.name)).min()
    }

    /// Whether the distribution answers for what the package brought: `Some(None)` if it made the
    /// package, a doubt if only its advisories can tell, and `None` if it did not.
    #[expect(
        clippy::option_option,
        reason = "no, yes, and yes if the advisories know it"
    )]
    fn doubt(&self, path: &str, package: &Package) -> Option<Option<Arc<Doubt>>> {
        let (kind, release) = self.release.as_ref()?;
        let release = match &package.release {
            Some(own) => own,
            None => release,
        };
        if *kind != package.kind {
            return None;
        }
        let version = package.version.to_lowercase();
        if FOREIGN.iter().any(|word| version.contains(word)) {
            return None;
        }
        let vendor = package.vendor.as_deref();
        if vendor.is_some_and(|vendor| ecosystem::is_maker(&release.ecosystem, vendor)) {
            return Some(None);
        }
        if !checksum::is_of_system(path) {
            return None;
        }
        // Minimal images leave the maintainer out; no distribution builds an rpm without vendor.
        if vendor.is_none() && package.kind != PackageType::RPM {
            return Some(None);
        }
        let source = package.source.as_ref().map(|source| &source.name);
        let names = [Some(&package.name), source].into_iter().flatten();
        Some(Some(Arc::new(Doubt {
            ecosystem: Arc::clone(&release.ecosystem),
            names: names.cloned().collect(),
        })))
    }
}

/// Whether a file is another one than its package brought: its checksum is another, or, where none is
/// known, a later layer wrote it.
fn is_changed(
    claims: &[Claim],
    claim: &Claim,
    place: &Location,
    digests: Option<&Digests>,
) -> bool {
    let digest = claim.digest.as_ref().or_else(|| {
        // Another list may have the checksum: `info/x.list` and `info/x.md5sums`.
        let mut others = claims
            .iter()
            .filter(|other| other.package.name == claim.package.name && other.digest.is_some());
        others.next().and_then(|other| other.digest.as_ref())
    });
    let agrees = digest
        .zip(digests)
        .and_then(|(digest, digests)| digests.agrees(digest));
    agrees == Some(false) || (agrees.is_none() && written_later(place, &claim.package))
}

/// Whether the layer that wrote a file lies above the one that brought the package.
fn written_later(place: &Location, package: &Package) -> bool {
    let brought = package
        .locations
        .first()
        .and_then(|place| place.layer.as_ref());
    match (&place.layer, brought) {
        (Some(written), Some(brought)) => written.index > brought.index,
        _ => false,
    }
}

/// The operating-system packages, by name and by the file that describes only one.
struct Installed {
    by_name: BTreeMap<Arc<str>, Vec<Arc<Package>>>,
    by_file: BTreeMap<Arc<str>, Arc<str>>,
}

impl Installed {
    fn new(files: &[(Arc<str>, Facts)]) -> Self {
        let mut by_name: BTreeMap<Arc<str>, Vec<Arc<Package>>> = BTreeMap::new();
        let mut by_file = BTreeMap::new();
        for (path, facts) in files {
            for package in facts.packages.iter().filter(|package| package.kind.is_os()) {
                let same = by_name.entry(Arc::clone(&package.name)).or_default();
                same.push(Arc::new(package.clone()));
                if path.starts_with(SINGLE) {
                    by_file.insert(Arc::clone(path), Arc::clone(&package.name));
                }
            }
        }
        Self { by_name, by_file }
    }

    /// The packages that a list speaks of. In `status.d`, a list belongs to the file beside it,
    /// which need not have the name of its package.
    fn find(&self, list: &str, owned: &Owned) -> Option<&[Arc<Package>]> {
        let beside = list
            .strip_suffix(".md5sums")
            .and_then(|file| self.by_file.get(file));
        let name = beside.unwrap_or(&owned.package);
        self.by_name.get(name).map(Vec::as_slice)
    }
}

/// The path of an archive that a place lies in, or the path itself.
fn outside(path: &str) -> &str {
    path.split("!/").next().unwrap_or(path)
}

/// A path as file lists have it: without the `usr/` of merged systems, where `lib` and `usr/lib`
/// are the same directory and lists use either.
fn unmerged(path: &str) -> &str {
    match path.strip_prefix("usr/") {
        Some(rest) if rest.starts_with("lib") || rest.starts_with("bin/") => rest,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::location::Layer;

    const FILE: &str = "usr/lib/python3/dist-packages/x-1.dist-info/METADATA";

    fn place(path: &str, index: u32) -> Location {
        let layer = Layer {
            index,
            digest: "sha256:1".into(),
            diff_id: "sha256:1".into(),
        };
        Location {
            layer: Some(Arc::new(layer)),
            ..Location::file(path)
        }
    }

    /// A package of layer 1 with this vendor, and a list that claims a file for `owner`.
    fn owners(vendor: Option<&str>, owner: &str, path: &str, digest: Option<&str>) -> Owners {
        let mut package =
            Package::new(PackageType::DEB, "python3-x", "1-1").at(place("var/lib/dpkg/status", 1));
        package.vendor = vendor.map(Into::into);
        let status = Facts {
            packages: vec![package],
            ..Facts::default()
        };
        let list = Facts {
            owned: vec![Owned {
                package: owner.into(),
                path: path.into(),
                digest: digest.map(Into::into),
            }],
            ..Facts::default()
        };
        let release = Release {
            ecosystem: "Debian:12".into(),
            ..Release::default()
        };
        let mut files = [
            ("var/lib/dpkg/info/python3-x.list".into(), list),
            ("var/lib/dpkg/status".into(), status),
        ];
        Owners::new(&mut files, Some((PackageType::DEB, Arc::new(release))))
    }

    const TEAM: Option<&str> = Some("Debian Python Team <team@tracker.debian.org>");
    const OTHER: Option<&str> = Some("Shop Inc <build@shop.example>");

    #[test]
    fn the_distributions_own_package_owns_what_it_brought() {
        let owners = owners(TEAM, "python3-x", FILE, None);
        let owner = owners.of(&place(FILE, 1), None).unwrap();
        assert_eq!((&*owner.name, &owner.doubt), ("python3-x", &None));
        assert!(owners.of(&place(FILE, 0), None).is_some());
        // Another layer wrote it since.
        assert_eq!(owners.of(&place(FILE, 2), None), None);
        assert_eq!(owners.of(&place("usr/lib/y", 1), None), None);
    }

    #[test]
    fn a_package_that_is_not_installed_owns_nothing() {
        let owners = owners(TEAM, "ghost", FILE, None);
        assert_eq!(owners.of(&place(FILE, 1), None), None);
    }

    #[test]
    fn checksums_count_more_than_layers() {
        let digests = checksum::of(b"text");
        let right = format!("md5:{}", digests.md5);
        let same = owners(TEAM, "python3-x", FILE, Some(&right));
        assert!(same.of(&place(FILE, 2), Some(&digests)).is_some());
        let wrong = format!("md5:{}", checksum::of(b"other").md5);
        let changed = owners(TEAM, "python3-x", FILE, Some(&wrong));
        assert_eq!(changed.of(&place(FILE, 1), Some(&digests)), None);
        assert!(changed.of(&place(FILE, 1), None).is_some());
        let by = |index, digests| changed.changed(&place(FILE, index), digests);
        assert_eq!(by(1, Some(&digests)).as_deref(), Some("python3-x"));
        assert_eq!(by(1, None), None);
        assert_eq!(by(2, None).as_deref(), Some("python3-x"), "a later layer");
        assert_eq!(changed.changed(&place("other", 2), None), None);
    }

    #[test]
    fn an_unknown_maker_leaves_it_to_the_advisories() {
        let owners = owners(OTHER, "python3-x", FILE, None);
        let doubt = owners.of(&place(FILE, 1), None).unwrap().doubt.unwrap();
        assert_eq!(&*doubt.ecosystem, "Debian:12");
        assert_eq!(&*doubt.names[0], "python3-x");
    }

    #[test]
    fn distributions_leave_opt_to_others() {
        let path = "opt/app/node_modules/lodash/package.json";
        for vendor in [OTHER, None] {
            let owners = owners(vendor, "python3-x", path, None);
            assert_eq!(owners.of(&place(path, 1), None), None);
        }
        let own = owners(TEAM, "python3-x", path, None);
        assert!(own.of(&place(path, 1), None).is_some());
    }

    #[test]
    fn a_list_in_status_d_belongs_to_the_file_beside_it() {
        let package = Package::new(PackageType::DEB, "python3.11-x", "1")
            .at(Location::file("var/lib/dpkg/status.d/python3"));
        let status = Facts {
            packages: vec![package],
            ..Facts::default()
        };
        let list = Facts {
            owned: vec![Owned {
                package: "python3".into(),
                path: FILE.into(),
                digest: None,
            }],
            ..Facts::default()
        };
        let mut files = [
            ("var/lib/dpkg/status.d/python3".into(), status),
            ("var/lib/dpkg/status.d/python3.md5sums".into(), list),
        ];
        let release = Arc::new(Release::default());
        let owners = Owners::new(&mut files, Some((PackageType::DEB, release)));
        let owner = owners.of(&Location::file(FILE), None).unwrap();
        assert_eq!(&*owner.name, "python3.11-x");
    }
}
