//! Packages of the Nix store: every object `nix/store/<hash>-<name>` of a layer, told by its path
//! alone (Nix manual, "Store Path"). Name and version part at the first hyphen that no letter follows
//! (`builtins.parseDrvName`); the names of further outputs of the same build are left out.
//!
//! An object without a version is a script, a source or a setting, not a release of anything: it
//! cannot be compared with what anybody says of a package, and is no gap. An object of a single
//! file that a parser reads is what that parser says.

use crate::model::facts::Facts;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};

/// Id of what the store says.
pub(crate) const ID: &str = "nix-store";

/// Grows whenever the same paths would give other facts.
pub(crate) const VERSION: u32 = 1;

const ROOT: &str = "nix/store/";

/// Characters of the digest in front of a name.
const HASH: usize = 32;

/// Outputs besides `out` that nixpkgs' builds have ("Multiple-output packages").
const OUTPUTS: &[&str] = &[
    "bin", "data", "debug", "dev", "devdoc", "devman", "dist", "doc", "getent", "info", "lib",
    "libgcc", "man", "out", "py", "static", "terminfo", "tools",
];

/// The objects of one layer, of which each is told with its first file.
#[derive(Default)]
pub(crate) struct Store {
    last: String,
}

impl Store {
    /// What the path of a file tells, if it is the first one of its object. Objects come one
    /// after another; one that comes again is the same package at the same place.
    pub(crate) fn meet(&mut self, path: &str) -> Option<Facts> {
        let rest = path.strip_prefix(ROOT)?;
        let object = rest.split('/').next().unwrap_or(rest);
        if object == self.last {
            return None;
        }
        object.clone_into(&mut self.last);
        let (name, version) = package(object)?;
        let mut facts = Facts::default();
        let place = Location::file(format!("{ROOT}{object}"));
        facts.add(Package::new(PackageType::NIX, name, version).at(place));
        facts.close(path);
        Some(facts)
    }
}

/// Name and version of an object that has both.
fn package(object: &str) -> Option<(&str, &str)> {
    let (hash, name) = object.split_at_checked(HASH)?;
    // Base 32 without the letters E, O, U and T.
    let known = |byte: u8| {
        byte.is_ascii_digit()
            || (byte.is_ascii_lowercase() && !matches!(byte, b'e' | b'o' | b'u' | b't'))
    };
    if !hash.bytes().all(known) {
        return None;
    }
    let name = name.strip_prefix('-')?;
    // A derivation is the recipe, and a patch is an input of one.
    let is_input = [
        ".drv", ".patch", ".diff", ".lock", ".tar.gz", ".tar.xz", ".tar.bz2",
    ]
    .iter()
    .any(|end| name.ends_with(end));
    if is_input {
        return None;
    }
    let mut hyphens = name.match_indices('-').map(|(at, _)| at);
    let at = hyphens.find(|at| {
        let next = name.get(at.saturating_add(1)..);
        next.is_some_and(|next| !next.starts_with(|first: char| first.is_ascii_alphabetic()))
    })?;
    let version = name.get(at.saturating_add(1)..)?;
    let version = match version.rsplit_once('-') {
        Some((version, output)) if OUTPUTS.contains(&output) => version,
        _ => version,
    };
    let name = name.get(..at)?;
    (!name.is_empty() && !version.is_empty()).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0c6kzph7l0dcbfmjap64f0czdafn3b7x";

    #[test]
    fn objects_are_packages_by_the_rule_of_nix() {
        for (name, expected) in [
            ("bash-5.2-p15", Some(("bash", "5.2-p15"))),
            ("openssl-3.0.13-bin", Some(("openssl", "3.0.13"))),
            ("gcc-13.2.0-libgcc", Some(("gcc", "13.2.0"))),
            (
                "python3.11-requests-2.31.0",
                Some(("python3.11-requests", "2.31.0")),
            ),
            ("glibc-2.38-44", Some(("glibc", "2.38-44"))),
            ("source", None),
            ("etc-profile", None),
            ("bash-5.2.drv", None),
            ("fix-1.patch", None),
        ] {
            let object = format!("{HASH}-{name}");
            assert_eq!(package(&object), expected, "{name}");
        }
        assert_eq!(package("Eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-a-1"), None);
        assert_eq!(package("short"), None);
    }

    #[test]
    fn an_object_is_told_once() {
        let mut store = Store::default();
        let path = |rest: &str| format!("nix/store/{HASH}-{rest}");
        let first = store.meet(&path("hello-2.12/bin/hello")).unwrap();
        let place = &first.packages[0].locations[0];
        assert_eq!(*place.path, *path("hello-2.12"));
        assert!(store.meet(&path("hello-2.12/share/doc")).is_none());
        assert!(store.meet(&path("zlib-1.3/lib/libz.so")).is_some());
        assert!(store.meet("usr/bin/hello").is_none());
    }
}
