//! What the readers of Maven's world share: coordinates and their versions. A group is the name of
//! a domain or of a project that the public repositories have checked, so that a mirror that serves
//! a package under it serves the public one, whatever repository the file names.

use std::sync::Arc;

use db_sync::version::Order;

use crate::inventory::Facts;
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::entry;
use crate::model::gap::GapKind;
use crate::model::package::{Package, PackageType};

/// An entry as a package; one whose coordinates Maven does not allow, or whose version is none,
/// becomes a gap.
pub(super) fn package(
    path: &Arc<str>,
    line: u32,
    (group, artifact, version): (&str, &str, &str),
    facts: &mut Facts,
) -> Option<Package> {
    let name = format!("{group}:{artifact}");
    if !is_part(group) || !is_part(artifact) {
        let cause = format!("{:?} is not the name of a Maven artifact", shown(&name));
        facts.malformed(path, Some(line), cause);
        return None;
    }
    if !is_version(version) {
        let cause = format!("{} has {:?} for a version", shown(&name), shown(version));
        facts.gap(path, Some(line), GapKind::UnknownVersion, cause);
        return None;
    }
    Some(entry(PackageType::MAVEN, path, line, &name, version))
}

/// A group or an artifact (`DefaultModelValidator`).
pub(super) fn is_part(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !text.is_empty() && text.bytes().all(known)
}

/// A version that a repository may have: not a range, and not a word for the newest one.
pub(super) fn is_version(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+~".contains(&byte);
    text.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(known)
        && !matches!(text, "LATEST" | "RELEASE")
        // What Gradle takes for the newest one that begins so.
        && !text.ends_with('+')
        && Order::Maven.parse(text).is_ok()
}

/// `group:artifact:version`, with a type and a classifier between them where they are not usual.
pub(super) fn split(text: &str) -> Option<(&str, &str, &str)> {
    let mut parts = text.split(':');
    let (group, artifact) = (parts.next()?, parts.next()?);
    let version = parts.next_back()?;
    // A type, and a classifier.
    (parts.count() <= 2).then_some((group, artifact, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates() {
        let whole = Some(("g.h", "a", "1.0"));
        for text in ["g.h:a:1.0", "g.h:a:aar:1.0", "g.h:a:jar:sources:1.0"] {
            assert_eq!(split(text), whole, "{text}");
        }
        for text in ["", "g", "g:a", "g:a:b:c:d:e"] {
            assert_eq!(split(text), None, "{text}");
        }
        for version in [
            "1.0",
            "31.1-jre",
            "v1",
            "Finchley.SR2",
            "1.0-SNAPSHOT",
            "1.0+b_2",
        ] {
            assert!(is_version(version), "{version}");
        }
        for version in ["", "[1,2)", "${v}", "LATEST", "1.0 ", "1.+"] {
            assert!(!is_version(version), "{version}");
        }
    }
}
