//! Crates that a Rust program names in its messages: a panic says in which file it happened, and the
//! files of crates lie in `registry/src/<registry>/<name>-<version>/`.

use std::collections::BTreeSet;

use memchr::memmem;

use crate::model::facts::Facts;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};

const REGISTRY: &[u8] = b"registry/src/";

/// Registries of crates.io by the names that cargo gives to their folders.
const PUBLIC: [&str; 2] = ["index.crates.io-", "github.com-"];

/// Crates that are kept.
const MAX_CRATES: usize = 10_000;

/// Bytes of a path that are looked at.
const MAX_PATH: usize = 300;

/// Name and version of the crates found so far.
#[derive(Debug, Default)]
pub(super) struct Crates {
    found: BTreeSet<(String, String)>,
}

impl Crates {
    /// Looks at what begins at one of the first bytes.
    pub(super) fn search(&mut self, bytes: &[u8], begins: usize) {
        for at in memmem::find_iter(bytes, REGISTRY).take_while(|at| *at < begins) {
            let rest = bytes.get(at..).unwrap_or_default();
            let path = rest.get(REGISTRY.len()..).unwrap_or_default();
            let path = path.get(..MAX_PATH.min(path.len())).unwrap_or_default();
            if let Some(found) = of_path(path)
                && self.found.len() < MAX_CRATES
            {
                self.found.insert(found);
            }
        }
    }

    /// Adds the crates; `false` if there are none.
    pub(super) fn packages(&self, path: &str, facts: &mut Facts) -> bool {
        for (name, version) in &self.found {
            let mut package = Package::new(PackageType::CARGO, name.as_str(), version.as_str())
                .at(Location::file(path));
            package.public = true;
            facts.add(package);
        }
        !self.found.is_empty()
    }
}

/// `<registry>/<name>-<version>/…`; Windows has backslashes.
fn of_path(path: &[u8]) -> Option<(String, String)> {
    let mut parts = path.split(|byte| matches!(byte, b'/' | b'\\'));
    let registry = std::str::from_utf8(parts.next()?).ok()?;
    if !PUBLIC.iter().any(|public| registry.starts_with(public)) {
        return None;
    }
    let folder = std::str::from_utf8(parts.next()?).ok()?;
    parts.next()?;
    // A name may have digits after a dash, and a version has a dot.
    let at = folder.match_indices('-').map(|(at, _)| at).find(|at| {
        let rest = folder.get(at.saturating_add(1)..).unwrap_or_default();
        let number = rest.split('.').next().unwrap_or_default();
        rest.contains('.') && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    })?;
    let (name, version) = (folder.get(..at)?, folder.get(at.checked_add(1)?..)?);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_version = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
    let fits = !name.is_empty() && name.chars().all(is_name) && version.chars().all(is_version);
    fits.then(|| (name.to_owned(), version.to_owned()))
}
