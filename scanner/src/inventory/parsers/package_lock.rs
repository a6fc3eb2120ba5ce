//! `package-lock.json` and `npm-shrinkwrap.json`, lockfile versions 1 to 3 (docs.npmjs.com,
//! package-lock-json). Links and workspaces are the project itself and are left out; of an alias
//! the real name counts. Files inside `node_modules` belong to other projects' development.

use std::sync::Arc;

use super::shared::{entry, names, outside_node_modules};
use crate::gap::GapKind;
use crate::inventory::document::{self, Entry, Node};
use crate::inventory::facts::shown;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::package::PackageType;

/// Both names.
pub(super) static PARSER: Parser = Parser {
    id: "package-lock",
    wants: &[
        Want::Name("package-lock.json"),
        Want::Name("npm-shrinkwrap.json"),
    ],
    accepts: Some(outside_node_modules),
    need: Need::Whole(limits::LOCKFILE_BYTES),
    evidence: Evidence::Locked,
    database: false,
    parse,
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    let version = document.get("lockfileVersion");
    let number = version.and_then(Node::scalar).unwrap_or("1");
    if !matches!(number, "0" | "1" | "2" | "3") {
        let cause = "a version of package-lock.json that we do not know";
        return Err(ParseError::unknown_format(
            version.map(|node| node.line),
            cause,
        ));
    }
    if !document.is_table() {
        return Err(ParseError::new("not a mapping"));
    }
    // Version 2 has both forms; the new one tells more.
    if document.get("packages").is_some() {
        for item in document.entries_at("packages")? {
            package(item, &path, facts);
        }
    } else {
        tree(document.entries_at("dependencies")?, &path, facts);
    }
    Ok(())
}

/// An entry of versions 2 and 3, whose key is a path.
fn package(item: &Entry<'_>, path: &Arc<str>, facts: &mut Facts) {
    let node = &item.node;
    let Some((_, key)) = item.key.rsplit_once("node_modules/") else {
        // The root, or a workspace.
        return;
    };
    if node.is_true("link") {
        return;
    }
    let name = node.text_at("name").unwrap_or(key);
    let Some(version) = node.text_at("version") else {
        let cause = format!("package {} has no version", shown(name));
        return facts.malformed(path, Some(item.line), cause);
    };
    // The line of the name: of an alias that is not the key's.
    let line = node.get("name").map_or(item.line, |name| name.line);
    let mut package = entry(PackageType::Npm, path, line, name, version);
    // `devOptional`: for development, and optional otherwise.
    package.scope.dev = node.is_true("dev");
    package.scope.optional = node.is_true("optional") || node.is_true("devOptional");
    package.dependencies = names(node, &["dependencies", "optionalDependencies"]);
    facts.add(package);
}

/// The nested `dependencies` of version 1.
fn tree(dependencies: &[Entry<'_>], path: &Arc<str>, facts: &mut Facts) {
    for item in dependencies {
        let node = &item.node;
        if let Some(below) = node.get("dependencies") {
            tree(below.entries(), path, facts);
        }
        let Some(found) = node.get("version") else {
            let cause = format!("package {} has no version", shown(&item.key));
            facts.malformed(path, Some(item.line), cause);
            continue;
        };
        let mut line = item.line;
        let mut name = item.key.as_ref();
        let mut version = found.text().unwrap_or_default();
        if let Some((real, number)) = version
            .strip_prefix("npm:")
            .and_then(|v| v.rsplit_once('@'))
        {
            (name, version, line) = (real, number, found.line);
        } else if version.starts_with("file:") {
            continue;
        } else if version.contains(':') {
            // A git or archive address instead of a version.
            let cause = format!("package {} has an address and no version", shown(name));
            facts.gap(path, Some(found.line), GapKind::UnknownVersion, cause);
            continue;
        }
        let mut package = entry(PackageType::Npm, path, line, name, version);
        package.scope.dev = node.is_true("dev");
        package.scope.optional = node.is_true("optional");
        package.dependencies = names(node, &["requires"]);
        facts.add(package);
    }
}
