//! `pnpm-lock.yaml`, lockfile versions 5, 6 and 9. The keys of `packages` are
//! `/name/1.2.3_peers`, `/name@1.2.3(peers)` and `name@1.2.3`; links and files of the project are
//! left out. Up to version 6 the entry says whether it is for development.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::shared::{entry, outside_node_modules};
use crate::gap::GapKind;
use crate::inventory::document::{self, Entry, Node};
use crate::inventory::facts::shown;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::package::PackageType;

/// `pnpm-lock.yaml`.
pub(super) static PARSER: Parser = Parser {
    id: "pnpm-lock",
    wants: &[Want::Name("pnpm-lock.yaml")],
    accepts: Some(outside_node_modules),
    need: Need::Whole(limits::LOCKFILE_BYTES),
    evidence: Evidence::Locked,
    database: false,
    parse,
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let documents = document::yaml(input.content.utf8()?)?;
    if documents.is_empty() {
        return Err(ParseError::new("an empty lockfile"));
    }
    // pnpm 11 puts a document with its own dependencies before that of the project.
    documents
        .iter()
        .try_for_each(|document| read(document, &path, facts))
}

fn read(document: &Node<'_>, path: &Arc<str>, facts: &mut Facts) -> Result<(), ParseError> {
    let version = document.get("lockfileVersion");
    let major = version
        .and_then(Node::scalar)
        .and_then(|text| text.split('.').next());
    let slashes = match major {
        Some("5") => true,
        Some("6" | "7" | "9") => false,
        _ => {
            let cause = "a version of pnpm-lock.yaml that we do not know";
            return Err(ParseError::unknown_format(
                version.map(|node| node.line),
                cause,
            ));
        }
    };
    // Version 9 keeps the edges apart, by package and peers.
    let snapshots = document.entries_at("snapshots")?;
    let mut edges = BTreeMap::new();
    for item in snapshots {
        let key = item.key.split('(').next().unwrap_or_default();
        edges.entry(key).or_insert(&item.node);
    }
    for item in document.entries_at("packages")? {
        package(
            item,
            slashes,
            edges.get(item.key.as_ref()).copied(),
            path,
            facts,
        );
    }
    Ok(())
}

fn package(
    item: &Entry<'_>,
    slashes: bool,
    snapshot: Option<&Node<'_>>,
    path: &Arc<str>,
    facts: &mut Facts,
) {
    let node = &item.node;
    if item.key.starts_with("file:") || item.key.starts_with("link:") {
        return;
    }
    let split = split(&item.key, slashes);
    // Packages from elsewhere than the registry say their name and version inside.
    let name = node.text_at("name").or(split.map(|(name, _)| name));
    let inside = node.get("version").and_then(Node::scalar);
    let version = inside.or(split.map(|(_, version)| version));
    let (Some(name), Some(version)) = (name, version) else {
        let cause = format!("package {} has no name or no version", shown(&item.key));
        return facts.malformed(path, Some(item.line), cause);
    };
    if version.starts_with("file:") || version.starts_with("link:") {
        return;
    }
    if version.contains("://") || version.starts_with("git+") {
        let cause = format!("package {} has an address and no version", shown(name));
        return facts.gap(path, Some(item.line), GapKind::UnknownVersion, cause);
    }
    let line = node.get("name").map_or(item.line, |name| name.line);
    let mut package = entry(PackageType::Npm, path, line, name, version);
    package.scope.dev = node.is_true("dev");
    package.scope.optional =
        node.is_true("optional") || snapshot.is_some_and(|s| s.is_true("optional"));
    let tables = [Some(node), snapshot].into_iter().flatten();
    let tables =
        tables.flat_map(|node| ["dependencies", "optionalDependencies"].map(|key| node.get(key)));
    let entries = tables.flatten().flat_map(Node::entries);
    package.dependencies = entries.filter_map(edge).collect();
    facts.add(package);
}

/// Name and version in a key of `packages`.
fn split(key: &str, slashes: bool) -> Option<(&str, &str)> {
    let key = key.strip_prefix('/').unwrap_or(key);
    let key = key.split('(').next()?;
    if slashes {
        let (name, version) = key.rsplit_once('/')?;
        return Some((name, version.split('_').next()?));
    }
    let skip = usize::from(key.starts_with('@'));
    let at = key.get(skip..)?.find('@')?.checked_add(skip)?;
    let (name, version) = key.split_at_checked(at)?;
    Some((name, version.get(1..)?))
}

/// `name: 1.2.3(peers)`, `name: 1.2.3_peers`, `alias: /real/1.2.3`.
fn edge(entry: &Entry<'_>) -> Option<Arc<str>> {
    let version = entry.node.scalar()?.split(['(', '_']).next()?;
    if version.contains(':') {
        // `link:` and the like.
        return None;
    }
    Some(
        match split(version, version.starts_with('/') && !version.contains('@')) {
            Some((name, version)) => format!("{name}@{version}").into(),
            None => format!("{}@{version}", entry.key).into(),
        },
    )
}
