//! What Python packages have in common, whichever file lists them: names after PEP 508, versions
//! after PEP 440. Whether such a package is installed is for the parsers to say.

use std::sync::Arc;

use db_sync::version::Order;

use crate::inventory::Facts;
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::entry;
use crate::model::gap::GapKind;
use crate::model::package::{Package, PackageType};

pub(super) mod place;

/// Lowest version of PEP 440; the order puts what is none below it.
const FIRST: &str = "0.dev0";

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
    Some(entry(PackageType::PYPI, path, line, name, version))
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
}
