//! What names and versions of Python packages look like, and what the file names of archives say.
//! Owns the grammars: names after PEP 508, versions after PEP 440, wheels after PEP 427, source
//! archives after PEP 625. Whether such a package is installed is for the parsers to say.

use std::sync::Arc;

use db_sync::version::Order;

use super::shared::entry;
use crate::gap::GapKind;
use crate::inventory::Facts;
use crate::inventory::facts::shown;
use crate::package::{Package, PackageType};

/// Lowest version of PEP 440; the order puts what is none below it.
const FIRST: &str = "0.dev0";

/// What pip takes for an archive, by its last name.
const ARCHIVES: [&str; 13] = [
    ".whl",
    ".zip",
    ".tar.gz",
    ".tgz",
    ".tar",
    ".tar.bz2",
    ".tbz",
    ".tar.xz",
    ".txz",
    ".tlz",
    ".tar.lz",
    ".tar.lzma",
    ".tar.zst",
];

/// Whether this is a name by PEP 508.
pub(super) fn is_name(text: &str) -> bool {
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    is_end(bytes.first()) && is_end(bytes.last()) && text.chars().all(in_name)
}

/// Whether a character may stand inside a name.
pub(super) fn in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// Whether this is a version by PEP 440.
pub(super) fn is_version(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    plain
        && match (Order::PyPi.parse(text), Order::PyPi.parse(FIRST)) {
            (Ok(version), Ok(first)) => version >= first,
            _ => false,
        }
}

/// A name as PEP 503 compares it.
pub(super) fn canonical(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
    parts.join("-")
}

/// An entry of a lockfile; a gap where name or version is outside the grammar, since no advisory
/// could ever match it.
pub(super) fn package(
    facts: &mut Facts,
    path: &Arc<str>,
    line: u32,
    name: &str,
    version: &str,
) -> Option<Package> {
    if !is_name(name) {
        let cause = format!("{:?} is not the name of a Python package", shown(name));
        facts.malformed(path, Some(line), cause);
        return None;
    }
    if !is_version(version) {
        let cause = format!(
            "package {name} has the version {:?}, which is not one of PEP 440",
            shown(version)
        );
        facts.gap(path, Some(line), GapKind::UnknownVersion, cause);
        return None;
    }
    Some(entry(PackageType::Pypi, path, line, name, version))
}

/// What the name of an archive tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Archive {
    /// Name and version.
    Named(String, String),
    /// An archive whose name does not say what is in it.
    Nameless,
}

/// Reads the last name of a path or address; `None` if it is not one of an archive.
pub(super) fn archive(place: &str) -> Option<Archive> {
    let place = place.split('#').next().unwrap_or(place);
    let place = if place.contains("://") {
        place.split('?').next().unwrap_or(place)
    } else {
        place
    };
    let file = place.rsplit(['/', '\\']).next().unwrap_or(place);
    let file = percent_decoded(file);
    let extension = ARCHIVES.iter().find(|extension| {
        file.len()
            .checked_sub(extension.len())
            .and_then(|at| file.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(extension))
    })?;
    let stem = file.get(..file.len().saturating_sub(extension.len()))?;
    let named = if *extension == ".whl" {
        wheel(stem)
    } else {
        source(stem)
    };
    Some(named.unwrap_or(Archive::Nameless))
}

/// `name-version[-build]-python-abi-platform`.
fn wheel(stem: &str) -> Option<Archive> {
    let parts: Vec<&str> = stem.split('-').collect();
    let (name, version) = match parts.as_slice() {
        [name, version, _, _, _] => (name, version),
        [name, version, build, _, _, _] if build.starts_with(|c: char| c.is_ascii_digit()) => {
            (name, version)
        }
        _ => return None,
    };
    // Old builders write a hyphen of the version as an underscore.
    let spellings = [(*version).to_owned(), version.replace('_', "-")];
    let version = spellings.into_iter().find(|text| is_version(text))?;
    is_name(name).then(|| Archive::Named(name.replace('_', "-"), version))
}

/// `name-version`, where either may hold hyphens: only if there is one way to split it.
fn source(stem: &str) -> Option<Archive> {
    let splits = stem.match_indices('-').filter_map(|(at, _)| {
        let (name, rest) = stem.split_at_checked(at)?;
        let version = rest.strip_prefix('-')?;
        (is_name(name) && is_version(version)).then_some((name, version))
    });
    let splits: Vec<_> = splits.collect();
    match splits.as_slice() {
        [(name, version)] => Some(Archive::Named((*name).to_owned(), (*version).to_owned())),
        _ => None,
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let code = after
            .get(..2)
            .filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions() {
        for name in ["a", "A.b_c-d", "7zip", "zope.interface"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "a-", "a b", "re\u{200b}quests", "a\0", "a/b", "ä"] {
            assert!(!is_name(name), "{name:?}");
        }
        for version in [
            "1",
            "v1.0",
            "1!2.0rc1.post2.dev3+cpu.1",
            "0.dev0",
            "2022.12.07",
        ] {
            assert!(is_version(version), "{version}");
        }
        for version in [
            "",
            "1.*",
            "latest",
            "2.0-acme+win",
            "1.0 b",
            " 1.0",
            "1.0\u{200b}",
            "${V}",
            "0.12 django==1.8",
        ] {
            assert!(!is_version(version), "{version:?}");
        }
        assert_eq!(canonical("Foo__Bar.-baz"), "foo-bar-baz");
    }

    #[test]
    fn archives_say_what_is_in_them() {
        for (place, expected) in [
            (
                "wheels/Jinja2-2.10-py2.py3-none-any.whl",
                Some(("Jinja2", "2.10")),
            ),
            (
                "a_b-1.0-3b-cp39-cp39-linux_x86_64.WHL",
                Some(("a-b", "1.0")),
            ),
            (
                "https://x.example/torch-1.9.0%2Bcu111-cp38-cp38-linux_x86_64.whl#sha256=0",
                Some(("torch", "1.9.0+cu111")),
            ),
            (
                "https://x.example/requests-2.19.1.zip?token=a/b",
                Some(("requests", "2.19.1")),
            ),
            ("file:///tmp/foo-bar-1.0.tar.gz", Some(("foo-bar", "1.0"))),
            ("..\\wheels\\foo-1.0rc1.tgz", Some(("foo", "1.0rc1"))),
            ("https://github.com/o/r/archive/v1.0.zip", None),
            ("https://github.com/o/r/archive/main.tar.gz", None),
            ("foo-2-1.tar.gz", None),
            ("foo-latest-py3-none-any.whl", None),
            ("foo-1.0-x-py3-none-any.whl", None),
            ("-1.0.zip", None),
        ] {
            let expected = match expected {
                Some((name, version)) => Archive::Named(name.to_owned(), version.to_owned()),
                None => Archive::Nameless,
            };
            assert_eq!(archive(place), Some(expected), "{place}");
        }
        for place in ["./local", "foo", "foo.egg", "", "zip", "é.txt"] {
            assert_eq!(archive(place), None, "{place}");
        }
    }
}
