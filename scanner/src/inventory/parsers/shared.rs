//! What readers share: an entry of a lockfile with its line, edges, and the parts of paths.

use std::sync::Arc;

use crate::inventory::Facts;
use crate::inventory::collect::shown;
use crate::model::gap::GapKind;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};
use document::Node;

/// An entry of a lockfile.
pub(super) fn entry(
    kind: PackageType,
    path: &Arc<str>,
    line: u32,
    name: &str,
    version: &str,
) -> Package {
    Package::new(kind, name, version).at(Location::line(Arc::clone(path), line))
}

/// The keys of the mappings under several keys, as edges without versions.
pub(super) fn names(node: &Node<'_>, keys: &[&str]) -> Vec<Arc<str>> {
    let tables = keys.iter().filter_map(|key| node.get(key));
    let entries = tables.flat_map(Node::entries);
    entries.map(|entry| Arc::from(entry.key.as_ref())).collect()
}

/// Reports lists of packages under keys that are not read, as a misspelt key makes them.
pub(super) fn other_lists(document: &Node<'_>, read: &[&str], path: &str, facts: &mut Facts) {
    let is_package = |node: &Node<'_>| {
        let has = |key| node.get(key).is_some();
        has("name") && has("version")
    };
    let has_packages = |node: &Node<'_>| node.items().iter().any(is_package);
    for entry in document.entries() {
        let mut below = entry.node.entries().iter().map(|entry| &entry.node);
        let any = has_packages(&entry.node) || below.any(has_packages);
        if any && !read.contains(&entry.key.as_ref()) {
            let cause = format!("the packages under {} are not read", shown(&entry.key));
            facts.unjudged(path, Some(entry.line), GapKind::Malformed, cause);
        }
    }
}

/// Reports keys that the format does not have: below a misspelt one, packages would be lost.
pub(super) fn unknown_keys(document: &Node<'_>, known: &[&str], path: &str, facts: &mut Facts) {
    for entry in document.entries() {
        if !known.contains(&entry.key.as_ref()) {
            let cause = format!("what stands under {} is not read", shown(&entry.key));
            facts.unjudged(path, Some(entry.line), GapKind::Malformed, cause);
        }
    }
}

/// Whether a key of a mapping comes twice, or another time in other letters, so that readers differ
/// in what they take; the first such key.
pub(super) fn repeated<'a>(node: &'a Node<'_>) -> Option<&'a str> {
    let mut keys: Vec<_> = node.entries().iter().map(|entry| &*entry.key).collect();
    keys.sort_unstable_by_key(|key| key.to_ascii_lowercase());
    let mut pairs = keys.windows(2);
    let same = pairs.find(|pair| matches!(pair, [a, b] if a.eq_ignore_ascii_case(b)));
    same.and_then(|pair| pair.first().copied())
}

/// Whether a text can be a semantic version by its characters.
pub(super) fn is_semantic(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(known)
}

/// The file name of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a path ends in an extension, written with its dot.
pub(super) fn has_extension(path: &str, extension: &str) -> bool {
    path.ends_with(extension)
}

/// Whether a path lies in a directory that an installation made, whose lockfiles are those of
/// other projects.
pub(super) fn outside_node_modules(path: &str) -> bool {
    !path.split('/').any(|part| part == "node_modules")
}

/// Whether a name or version can be one in a package database: visible ASCII.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Notes each of these mappings that has a key twice: readers differ in which they take.
pub(super) fn note_repeated(nodes: &[Option<&Node<'_>>], path: &str, facts: &mut Facts) {
    for node in nodes.iter().flatten() {
        if let Some(key) = repeated(node) {
            let cause = format!("the key {} comes twice", shown(key));
            facts.unjudged(path, Some(node.line), GapKind::Ambiguous, cause);
        }
    }
}

/// Whether a text is a commit of git in hexadecimal.
pub(super) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
