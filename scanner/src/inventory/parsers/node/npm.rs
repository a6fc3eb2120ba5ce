//! What npm, Yarn and pnpm share: the grammar of names and versions, what an address says about
//! the package behind it, and adding an entry only if it can be one of the registry.

use std::borrow::Cow;
use std::sync::Arc;

use crate::inventory::Facts;
use crate::inventory::collect::shown;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::entry;
use crate::model::gap::GapKind;
use crate::model::package::{Package, PackageType};

/// The scope under which the JSR registry offers its packages to npm clients.
const JSR: &str = "@jsr/";

/// A lockfile while its entries are added.
pub(super) struct List<'f> {
    pub(super) path: Arc<str>,
    pub(super) facts: &'f mut Facts,
    pub(super) foreign: Foreign,
}

impl<'f> List<'f> {
    pub(super) fn new(path: &str, facts: &'f mut Facts) -> Self {
        Self {
            path: path.into(),
            facts,
            foreign: Foreign::default(),
        }
    }

    /// Adds a package; one whose name or version the registry cannot have becomes a gap.
    pub(super) fn add(
        &mut self,
        line: u32,
        name: &str,
        version: &str,
        fill: impl FnOnce(&mut Package),
    ) {
        self.add_from(line, name, version, None, fill);
    }

    /// Adds a package, from a registry that is not the public one if there is a source.
    pub(super) fn add_from(
        &mut self,
        line: u32,
        name: &str,
        version: &str,
        source: Option<&str>,
        fill: impl FnOnce(&mut Package),
    ) {
        if !name.is_empty() && !is_name(name) {
            let cause = format!("{} is not a name that npm allows", shown(name));
            return self.facts.malformed(&self.path, Some(line), cause);
        }
        if version.contains("://") {
            return self.address(line, name);
        }
        if !version.is_empty() && !is_version(version) {
            let cause = format!(
                "package {} has {} for a version",
                shown(name),
                shown(version)
            );
            return self
                .facts
                .gap(&self.path, Some(line), GapKind::UnknownVersion, cause);
        }
        let mut package = entry(PackageType::NPM, &self.path, line, name, version);
        fill(&mut package);
        let jsr = name.starts_with(JSR).then_some("the JSR registry");
        if let Some(source) = source.or(jsr) {
            self.foreign.mark(&mut package, line, source);
        }
        self.facts.add(package);
    }

    /// Adds a package that is fetched from `resolved`, an address and its line: what lies there is
    /// installed, whatever the entry is called.
    pub(super) fn add_resolved(
        &mut self,
        line: u32,
        name: &str,
        version: &str,
        resolved: Option<(u32, &str)>,
        fill: impl FnOnce(&mut Package),
    ) {
        let fetched = resolved.and_then(|(line, address)| Some((line, in_registry(address)?)));
        let Some((there, (real, number))) = fetched else {
            return self.add(line, name, version, fill);
        };
        if real != name {
            return self.add(there, &real, &number, fill);
        }
        if plain(version) != plain(&number) && is_version(&number) && !version.is_empty() {
            let cause = format!(
                "package {} has the version {} and the archive of {}: both are listed",
                shown(name),
                shown(version),
                shown(&number)
            );
            self.facts
                .gap(&self.path, Some(line), GapKind::Ambiguous, cause);
            self.add(line, name, &number, |_| {});
        }
        self.add(line, name, version, fill);
    }

    /// Notes an entry that has an address where its version should be.
    pub(super) fn address(&mut self, line: u32, name: &str) {
        let cause = format!("package {} has an address and no version", shown(name));
        self.facts
            .gap(&self.path, Some(line), GapKind::UnknownVersion, cause);
    }

    /// Ends the list.
    pub(super) fn close(self) {
        self.foreign.close(&self.path, self.facts);
    }
}

/// A version without build metadata, which archives' names may leave out.
fn plain(version: &str) -> &str {
    let version = version.trim_start_matches(['v', '=']);
    version.split('+').next().unwrap_or(version)
}

/// Whether the registry may have a package of this name (validate-npm-package-name, the rules for
/// old packages, which allow capitals).
pub(super) fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte))
    };
    match name.strip_prefix('@') {
        Some(scoped) => scoped
            .split_once('/')
            .is_some_and(|(scope, name)| part(scope) && part(name)),
        None => part(name),
    }
}

/// Whether a text can be a version: what it means is the matter of the comparison.
pub(super) fn is_version(text: &str) -> bool {
    let text = text.trim_start_matches(['v', '=']);
    text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte))
}

/// A path or address without what follows the file.
fn file_of(address: &str) -> &str {
    address.split(['#', '?']).next().unwrap_or(address)
}

/// The name of a package archive without its extension; npm takes these for archives, and
/// anything else behind `file:` for a directory.
pub(super) fn archive_stem(address: &str) -> Option<&str> {
    let file = file_of(address);
    let file = file.split("::").next().unwrap_or(file);
    let name = file.rsplit(['/', '\\', ':']).next().unwrap_or(file);
    [".tgz", ".tar.gz", ".tar"].iter().find_map(|extension| {
        let at = name.len().checked_sub(extension.len())?;
        let (stem, end) = name.split_at_checked(at)?;
        end.eq_ignore_ascii_case(extension).then_some(stem)
    })
}

/// The version in the file name of an archive, as `npm pack` writes it: `scope-name-1.2.3.tgz`.
pub(super) fn archive_version<'a>(address: &'a str, name: &str) -> Option<&'a str> {
    let stem = archive_stem(address)?;
    let flat = name.trim_start_matches('@').replace('/', "-");
    let bare = name.rsplit('/').next().unwrap_or(name);
    let version = stem
        .strip_prefix(flat.as_str())
        .or_else(|| stem.strip_prefix(bare))?
        .strip_prefix('-')?;
    is_version(version).then_some(version)
}

/// Name and version of the package at an address of a registry:
/// `https://host/@scope/name/-/name-1.2.3.tgz`.
pub(super) fn in_registry(address: &str) -> Option<(String, String)> {
    let address = file_of(address);
    if !address.starts_with("https://") && !address.starts_with("http://") {
        return None;
    }
    let before = address.get(..memchr::memmem::rfind(address.as_bytes(), b"/-/")?)?;
    let before = decoded(before);
    let mut parts = before.rsplit('/');
    let bare = parts.next()?;
    let name = match parts.next() {
        Some(scope) if scope.starts_with('@') => format!("{scope}/{bare}"),
        _ => bare.to_owned(),
    };
    let version = archive_stem(address)?
        .strip_prefix(bare)?
        .strip_prefix('-')?;
    (is_name(&name) && is_version(version)).then(|| (name, version.to_owned()))
}

/// The two characters that clients encode in the names of scopes.
fn decoded(text: &str) -> Cow<'_, str> {
    if text.contains('%') {
        let text = text.replace("%40", "@");
        text.replace("%2f", "/").replace("%2F", "/").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_of_the_registry() {
        for name in ["lodash", "@scope/name", "JSONStream", "a.b", "_", "-", "3d"] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "lodash\u{200b}",
            "lodash\0",
            "",
            "@scope",
            "@/a",
            "a/b",
            "registry.example.com/lodash",
            ".bin",
            "lod ash",
            "lod\u{430}sh",
        ] {
            assert!(!is_name(name), "{name:?}");
        }
        for version in ["1.2.3", "v1.2.3", "1.0.0-rc.1+b", "3.10"] {
            assert!(is_version(version), "{version}");
        }
        for version in [
            "work:1.2.3",
            "latest",
            "file:a",
            "1.2.3 ",
            "^1",
            "1.2.3\u{200b}",
        ] {
            assert!(!is_version(version), "{version}");
        }
    }

    #[test]
    fn addresses_tell_names() {
        let told =
            |address| in_registry(address).map(|(name, version)| format!("{name} {version}"));
        for (address, expected) in [
            (
                "https://registry.yarnpkg.com/ini/-/ini-1.3.5.tgz#00",
                "ini 1.3.5",
            ),
            (
                "https://npm.example/@a/b/-/b-1.0.0-rc.1.tgz",
                "@a/b 1.0.0-rc.1",
            ),
            (
                "https://npm.example/api/@a%2fb/-/b-1.0.0.tgz?x=1",
                "@a/b 1.0.0",
            ),
            (
                "https://gitlab.example/npm/@a/b/-/@a/b-1.0.0.tgz",
                "@a/b 1.0.0",
            ),
        ] {
            assert_eq!(told(address).as_deref(), Some(expected));
        }
        for address in [
            "https://codeload.github.com/a/b/tar.gz/00",
            "https://npm.example/a/-/b-1.0.0.tgz",
            "file:vendor/-/a-1.0.0.tgz",
        ] {
            assert_eq!(told(address), None, "{address}");
        }
        assert_eq!(
            archive_version("file:x/lodash-4.17.4.tgz", "lodash"),
            Some("4.17.4")
        );
        assert_eq!(
            archive_version("file:a-b-1.0.0.TAR.GZ#0", "@a/b"),
            Some("1.0.0")
        );
        assert_eq!(archive_version("file:other.tgz", "lodash"), None);
        assert_eq!(archive_stem("../lib"), None);
        assert_eq!(archive_stem("./a.tgz::locator=x"), Some("a"));
    }
}
