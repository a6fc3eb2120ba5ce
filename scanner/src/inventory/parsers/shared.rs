//! What readers share: an entry of a lockfile with its line, edges, and the parts of paths.

use std::sync::Arc;

use crate::inventory::document::Node;
use crate::location::Location;
use crate::package::{Package, PackageType};

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
