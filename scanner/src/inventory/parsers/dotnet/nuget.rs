//! What the readers of NuGet's files share: names and versions, adding an entry, the edges between
//! entries, and whether all are there that others need. Names are compared without regard to case.

use std::collections::BTreeMap;
use std::sync::Arc;

use db_sync::version::Order;

use crate::inventory::Facts;
use crate::inventory::collect::shown;
use crate::inventory::parsers::complete::Complete;
use crate::inventory::parsers::shared::entry;
use crate::model::gap::GapKind;
use crate::model::package::{Package, PackageType};
use document::Node;

/// An entry as a package; one whose name or version NuGet does not allow becomes a gap.
pub(super) fn package(
    path: &Arc<str>,
    line: u32,
    name: &str,
    version: &str,
    facts: &mut Facts,
) -> Option<Package> {
    if !is_id(name) {
        let cause = format!("{:?} is not the name of a NuGet package", shown(name));
        facts.malformed(path, Some(line), cause);
        return None;
    }
    if !is_version(version) {
        let cause = format!(
            "package {} has {:?} for a version",
            shown(name),
            shown(version)
        );
        facts.gap(path, Some(line), GapKind::UnknownVersion, cause);
        return None;
    }
    Some(entry(PackageType::NUGET, path, line, name, version))
}

/// Letters, digits, and `.`, `-`, `_` between them; at most 100 characters (`PackageIdValidator`).
pub(super) fn is_id(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    text.len() <= 100
        && ends
            .iter()
            .all(|end| end.is_some_and(|byte| is_word(*byte)))
        && bytes
            .iter()
            .all(|byte| is_word(*byte) || b".-".contains(byte))
}

/// A version, not a range or a floating one.
pub(super) fn is_version(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(known)
        && Order::NuGet.parse(text).is_ok()
}

/// The one version that a requirement allows, `[1.2.3]`, or the lowest, which is what is taken of
/// `1.2.3`; `None` of what may become any version.
pub(super) fn pinned(text: &str) -> Option<&str> {
    let exact = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    Some(exact.unwrap_or(text).trim()).filter(|text| is_version(text))
}

/// Name and version of a key `Name/1.2.3`.
pub(super) fn identity(key: &str) -> Option<(&str, &str)> {
    key.split_once('/')
}

/// Which version of each package is used, within one target.
#[derive(Default)]
pub(super) struct Versions<'a>(BTreeMap<String, (&'a str, &'a str)>);

impl<'a> Versions<'a> {
    pub(super) fn put(&mut self, name: &'a str, version: &'a str) {
        self.0.insert(name.to_ascii_lowercase(), (name, version));
    }

    /// The edges of an entry to what it needs, by the names of the mapping under `dependencies`;
    /// those to projects and to what is not here have no version.
    pub(super) fn edges(&self, node: &Node<'_>, others: Option<&Self>) -> Vec<Arc<str>> {
        let needed = node.get("dependencies").map(Node::entries);
        let names = needed.unwrap_or_default().iter().map(|entry| &*entry.key);
        names.map(|name| self.edge(name, others)).collect()
    }

    /// The edge to a package of this name.
    pub(super) fn edge(&self, name: &str, others: Option<&Self>) -> Arc<str> {
        let lower = name.to_ascii_lowercase();
        let others = || others.and_then(|others| others.0.get(&lower));
        match self.0.get(&lower).or_else(others) {
            Some((name, version)) => format!("{name}@{version}").into(),
            None => name.into(),
        }
    }
}

/// What is listed, and what entries need.
#[derive(Default)]
pub(super) struct Needs {
    have: Vec<String>,
    need: Vec<(String, u32)>,
}

impl Needs {
    pub(super) fn have(&mut self, name: &str) {
        self.have.push(name.to_ascii_lowercase());
    }

    pub(super) fn need(&mut self, name: &str, line: u32) {
        self.need.push((name.to_ascii_lowercase(), line));
    }

    /// The mapping under `dependencies` of an entry.
    pub(super) fn need_all(&mut self, node: &Node<'_>) {
        let needed = node.get("dependencies").map(Node::entries);
        for entry in needed.unwrap_or_default() {
            self.need(&entry.key, entry.line);
        }
    }

    /// One gap for all that is missing.
    pub(super) fn close(&self, path: &str, facts: &mut Facts) {
        let mut complete = Complete::default();
        for name in &self.have {
            complete.have(name);
        }
        for (name, line) in &self.need {
            complete.need(name, *line);
        }
        complete.close(path, facts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions() {
        for id in ["Newtonsoft.Json", "a", "xunit.runner-x_y", "_a"] {
            assert!(is_id(id), "{id}");
        }
        for id in ["", ".a", "a.", "a b", "a/b", "$(A)", &"a".repeat(101)] {
            assert!(!is_id(id), "{id}");
        }
        for version in ["1.0", "13.0.1", "1.2.3.4", "2.0.0-rc.1+5"] {
            assert_eq!(pinned(version), Some(version));
        }
        assert_eq!(pinned("[1.2.3]"), Some("1.2.3"));
        for version in ["", "1.*", "[1.0, 2.0)", "(,1.0]", "[1.0,)", "$(A)", "v1"] {
            assert_eq!(pinned(version), None, "{version}");
        }
    }
}
