//! Installed Python distributions (packaging.python.org, core metadata): `METADATA` of a
//! `.dist-info`, `PKG-INFO` of an `.egg-info` or an unpacked egg, an `.egg-info` that is a file,
//! and zipped eggs. Like Python's `importlib.metadata`, the names of these folders are compared
//! without regard to case, and either file is read in either kind of folder. Only the header is
//! read; the description after it is not. What lies in a `_vendor` directory is part of the package
//! around it and not installed, as for pip.

use std::io::Cursor;
use std::sync::Arc;

use archive::{Archive, MemberError};

use super::pypi;
use crate::inventory::collect::shown;
use crate::inventory::text::{Lines, with_lines};
use crate::inventory::{Content, Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};

/// Metadata as a file of its own.
pub(crate) static METADATA: Parser = Parser {
    id: "python-metadata",
    version: 1,
    wants: &[
        Want::Name("METADATA"),
        Want::Name("PKG-INFO"),
        Want::Extension(".egg-info"),
        Want::Extension(".EGG-INFO"),
    ],
    accepts: Some(is_metadata),
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: false,
    parse: |input, facts| {
        let path = input.path;
        with_lines(input.content, |lines| metadata(path, lines, facts))
    },
};

/// Metadata in a zipped egg.
pub(crate) static EGG: Parser = Parser {
    id: "python-egg",
    version: 1,
    wants: &[Want::Extension(".egg"), Want::Extension(".EGG")],
    accepts: None,
    need: Need::Whole(limits::EGG_BYTES),
    evidence: Evidence::Installed,
    database: false,
    parse: egg,
};

fn is_metadata(path: &str) -> bool {
    if path.split('/').any(|part| part == "_vendor") {
        return false;
    }
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or(path);
    if ends_with(name, ".egg-info") {
        return true;
    }
    let folder = parts.next().unwrap_or_default();
    let in_egg = folder.eq_ignore_ascii_case("EGG-INFO")
        && parts.next().is_some_and(|egg| ends_with(egg, ".egg"));
    in_egg || ends_with(folder, ".dist-info") || ends_with(folder, ".egg-info")
}

/// Compares the end of a name without regard to case.
fn ends_with(name: &str, end: &str) -> bool {
    let start = name.len().checked_sub(end.len());
    start
        .and_then(|start| name.get(start..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

fn metadata(path: &str, mut lines: Lines<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let mut name = None;
    let mut version = None;
    let mut first = None;
    let mut dependencies: Vec<Arc<str>> = Vec::new();
    'lines: while let Some(line) = lines.next()? {
        if line.cut {
            let cause = "a line longer than the limit was skipped";
            facts.gap(path, Some(line.number), GapKind::Limit, cause);
        }
        if line.bytes.is_empty() {
            break;
        }
        let text = String::from_utf8_lossy(line.bytes);
        // Python's readers end lines at a lone carriage return, too.
        for text in text.split('\r') {
            if text.starts_with([' ', '\t']) {
                continue;
            }
            // What is neither a header nor the rest of one ends them, as for Python.
            let Some((key, value)) = text.split_once(':') else {
                break 'lines;
            };
            let value = value.trim();
            match key.to_ascii_lowercase().as_str() {
                "name" if name.is_none() => {
                    name = Some(value.to_owned());
                    first = Some(line.number);
                }
                "version" if version.is_none() => version = Some(value.to_owned()),
                "requires-dist" if dependencies.len() <= limits::DEPENDENCIES_PER_PACKAGE => {
                    dependencies.extend(required(value));
                }
                _ => {}
            }
        }
    }
    let (Some(name), Some(version)) = (name, version) else {
        return Err(ParseError::new("metadata without name or version"));
    };
    // Old installations have versions of any form; the order of versions says what it can read.
    if !pypi::is_name(&name) || version.contains(|c: char| !c.is_ascii_graphic()) {
        let cause = format!(
            "{:?} {:?} is not a Python package and its version",
            shown(&name),
            shown(&version)
        );
        return Err(ParseError {
            line: first,
            ..ParseError::new(cause)
        });
    }
    let place = match first {
        Some(line) => Location::line(path, line),
        None => Location::file(path),
    };
    let mut package = Package::new(PackageType::PYPI, name, version).at(place);
    package.dependencies = dependencies;
    facts.add(package);
    Ok(())
}

/// The name in a requirement (PEP 508), unless only an extra asks for it.
pub(super) fn required(requirement: &str) -> Option<Arc<str>> {
    let (requirement, marker) = requirement.split_once(';').unwrap_or((requirement, ""));
    if marker.contains("extra") {
        return None;
    }
    let end = requirement
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(requirement.len());
    let name = requirement.get(..end).unwrap_or_default();
    (!name.is_empty()).then(|| name.into())
}

fn egg(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    const INSIDE: &str = "EGG-INFO/PKG-INFO";
    let bytes = input.content.whole()?;
    let mut archive = Archive::open(Cursor::new(bytes), limits::ARCHIVE)
        .map_err(|error| ParseError::new(format!("not a zip archive: {error}")))?;
    let members = archive.members();
    // Python takes the last of several.
    let member = members.iter().rev().find(|member| member.name == INSIDE);
    let member = member.ok_or_else(|| ParseError::new(format!("there is no {INSIDE}")))?;
    let content = archive.read(member).map_err(|error| match error {
        MemberError::Limit(cause) => ParseError::limit(None, format!("{INSIDE}: {cause}")),
        error => ParseError::new(format!("{INSIDE}: {error}")),
    })?;
    let mut stream = content.as_slice();
    let path = format!("{}!/{INSIDE}", input.path);
    with_lines(Content::Stream(&mut stream), |lines| {
        metadata(&path, lines, facts)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_known_in_any_case() {
        for path in [
            "a-1.dist-info/METADATA",
            "lib/a-1.DIST-INFO/METADATA",
            "lib/a-1.Dist-Info/PKG-INFO",
            "lib/a-1.egg-info/METADATA",
            "lib/a-1.EGG-INFO/PKG-INFO",
            "lib/a-1.egg/EGG-INFO/PKG-INFO",
            "lib/a-1.EGG/egg-info/PKG-INFO",
            "lib/a-1.Egg-Info",
        ] {
            assert!(is_metadata(path), "{path}");
        }
        for path in [
            "METADATA",
            "dist-info/METADATA",
            "lib/a/METADATA",
            "lib/EGG-INFO/PKG-INFO",
            "pip/_vendor/a-1.dist-info/METADATA",
        ] {
            assert!(!is_metadata(path), "{path}");
        }
    }

    #[test]
    fn requirements_without_extras_are_edges() {
        assert_eq!(required("Foo-bar (>=1.0)").as_deref(), Some("Foo-bar"));
        assert_eq!(
            required("a[b]>=1; python_version > '3'").as_deref(),
            Some("a")
        );
        assert_eq!(required("a ; extra == 'x'"), None);
        assert_eq!(required(" "), None);
    }
}
