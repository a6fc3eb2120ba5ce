//! `pnpm-lock.yaml`, lockfile versions 5, 6 and 9, `pnpm-lock.BRANCH.yaml` of projects that keep one
//! for each branch of git, and `shrinkwrap.yaml` of pnpm 1 and 2. Links and folders of the project are left
//! out; an archive is somebody's package. Up to version 6 the entry says whether it is for
//! development. Runtimes and packages of named registries are not npm's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::npm::{self, List};
use super::pnpm_key::{self, Key};
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{file_name, outside_node_modules};
use crate::inventory::{Facts, Input, ParseError, Parser, Requested, Want};
use crate::model::gap::GapKind;
use crate::model::hash::Checksum;
use crate::model::package::Scope;
use document::{Entry, Node};

/// By their names.
pub(crate) static PARSER: Parser = Parser {
    id: "pnpm-lock",
    wants: &[Want::Extension(".yaml")],
    accepts: Some(|path| is_lockfile(file_name(path)) && outside_node_modules(path)),
    parse,
    ..Parser::LOCKFILE
};

fn is_lockfile(name: &str) -> bool {
    let branch = name.strip_prefix("pnpm-lock.");
    let branch = branch.and_then(|rest| rest.strip_suffix(".yaml"));
    branch.is_some_and(|branch| !branch.is_empty())
        || matches!(name, "pnpm-lock.yaml" | "shrinkwrap.yaml")
}

/// Where a project says what it depends on.
const DEPENDENCIES: [&str; 3] = ["dependencies", "devDependencies", "optionalDependencies"];

/// Where a package does.
const EDGES: [&str; 2] = ["dependencies", "optionalDependencies"];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let documents = document::yaml(input.content.utf8()?)?;
    if documents.is_empty() {
        return Err(ParseError::new("an empty lockfile"));
    }
    let mut list = List::new(input.path, facts);
    // pnpm 11 puts a document with its own dependencies before that of the project.
    documents
        .iter()
        .try_for_each(|document| read(document, &mut list))?;
    list.close();
    Ok(())
}

fn read(document: &Node<'_>, list: &mut List<'_>) -> Result<(), ParseError> {
    let shrinkwrap = document.get("shrinkwrapVersion");
    let version = document.get("lockfileVersion").or(shrinkwrap);
    let major = version
        .and_then(Node::scalar)
        .and_then(|text| text.split('.').next());
    let slashes = match (major, shrinkwrap) {
        (Some("3"), Some(_)) | (Some("5"), None) => true,
        (Some("6" | "7" | "9"), None) => false,
        _ => {
            let cause = "a version of pnpm-lock.yaml that we do not know";
            return Err(ParseError::unknown_format(
                version.map(|node| node.line),
                cause,
            ));
        }
    };
    document.refuse_misspelt(&["packages", "snapshots", "importers"])?;
    refuse_lookalikes(document, slashes, list);
    let packages = document.entries_at("packages")?;
    // Version 9 keeps the edges apart, by package and peers.
    let snapshots = document.entries_at("snapshots")?;
    let mut edges = BTreeMap::new();
    for item in snapshots {
        edges
            .entry(pnpm_key::without_peers(&item.key))
            .or_insert(&item.node);
    }
    let mut keys = BTreeSet::new();
    for item in packages {
        let key = item.key.as_ref();
        keys.insert(pnpm_key::plain(key, slashes));
        package(item, slashes, edges.get(key).copied(), list);
    }
    missing(document, slashes, &keys, list)
}

/// A list of packages under a key that nobody reads is a misspelt one, and a package at the top
/// lost its margin.
fn refuse_lookalikes(document: &Node<'_>, slashes: bool, list: &mut List<'_>) {
    const KNOWN: [&str; 6] = [
        "packages",
        "snapshots",
        "importers",
        "overrides",
        "patchedDependencies",
        "time",
    ];
    let names = |key: &str| Key::of(key, slashes).is_some_and(|key| npm::is_version(key.version));
    for item in document.entries() {
        let lists = item.node.entries().iter().any(|entry| names(&entry.key));
        if !KNOWN.contains(&item.key.as_ref()) && (lists || names(&item.key)) {
            let cause = format!(
                "{} is a package or lists some, and is not read",
                shown(&item.key)
            );
            let kind = GapKind::Malformed;
            list.facts
                .unjudged(&list.path, Some(item.line), kind, cause);
        }
    }
}

/// One gap for what projects or snapshots name and `packages` does not have.
fn missing(
    document: &Node<'_>,
    slashes: bool,
    keys: &BTreeSet<String>,
    list: &mut List<'_>,
) -> Result<(), ParseError> {
    let mut lost: Option<(u32, String, usize)> = None;
    let mut look = |line: u32, mut any: Vec<String>| {
        if any.iter().any(|key| keys.contains(key)) {
            return;
        }
        match (&mut lost, any.pop()) {
            (None, Some(key)) => lost = Some((line, key, 1)),
            (Some((_, _, count)), Some(_)) => *count = count.saturating_add(1),
            // A link.
            (_, None) => {}
        }
    };
    let snapshots = document.entries_at("snapshots")?;
    for item in snapshots {
        look(item.line, vec![pnpm_key::plain(&item.key, slashes)]);
    }
    let packages = document.entries_at("packages")?.iter().chain(snapshots);
    let tables = packages.flat_map(|item| EDGES.map(|key| item.node.get(key)));
    for item in tables.flatten().flat_map(Node::entries) {
        if let Some(version) = item.node.scalar() {
            look(
                item.line,
                pnpm_key::of_dependency(&item.key, version, slashes),
            );
        }
    }
    let mut roots: Vec<Requested> = list.facts.roots.take().unwrap_or_default();
    let importers = document.entries_at("importers")?.iter();
    let projects = importers.map(|item| &item.node).chain([document]);
    for project in projects {
        for table in DEPENDENCIES {
            for item in project.entries_at(table)? {
                let version = item.node.get("version").unwrap_or(&item.node);
                let Some(version) = version.scalar() else {
                    let cause = format!("dependency {} has no version", shown(&item.key));
                    list.facts.malformed(&list.path, Some(item.line), cause);
                    continue;
                };
                let keys = pnpm_key::of_dependency(&item.key, version, slashes);
                roots.extend(
                    keys.iter()
                        .map(|key| Requested::from(Arc::<str>::from(key.as_str()))),
                );
                look(item.line, keys);
            }
        }
    }
    list.facts.roots = Some(roots);
    if let Some((line, key, count)) = lost {
        let key = shown(&key);
        let cause = if count == 1 {
            format!("{key} is depended on, and is not in packages")
        } else {
            format!("{key} and more, {count} in all, are depended on, and are not in packages")
        };
        list.facts.malformed(&list.path, Some(line), cause);
    }
    Ok(())
}

fn package(item: &Entry<'_>, slashes: bool, snapshot: Option<&Node<'_>>, list: &mut List<'_>) {
    let node = &item.node;
    let resolution = node.get("resolution");
    let kind = resolution.and_then(|resolution| resolution.text_at("type"));
    let key = Key::of(&item.key, slashes);
    let locator = key.map_or(item.key.as_ref(), |key| key.version);
    if is_folder(locator, resolution) {
        return;
    }
    // Packages from elsewhere than the registry say their name and version inside.
    let name = node.text_at("name").or(key.map(|key| key.name));
    if locator.starts_with("runtime:") || matches!(kind, Some("variations" | "binary")) {
        let name = name.unwrap_or(locator);
        return list.foreign.note(
            name,
            item.line,
            "its makers as a runtime, not from a registry",
        );
    }
    let inside = node.get("version").and_then(Node::scalar);
    let (source, locked) = match named_registry(locator) {
        Some((registry, version)) => (Some(format!("the registry {registry}")), Some(version)),
        None => (None, key.map(|key| key.version)),
    };
    let version = inside.or(locked);
    let (Some(name), Some(version)) = (name, version) else {
        let cause = format!("package {} has no name or no version", shown(&item.key));
        return list.facts.malformed(&list.path, Some(item.line), cause);
    };
    let version = npm::archive_version(version, name).unwrap_or(version);
    if version.contains(':') {
        return list.address(item.line, name);
    }
    let line = node.get("name").map_or(item.line, |name| name.line);
    list.add_from(line, name, version, source.as_deref(), |package| {
        let is_optional =
            node.is_true("optional") || snapshot.is_some_and(|s| s.is_true("optional"));
        // From version 9 on only the projects tell what is for development.
        package.scope = match (node.get("dev").is_some(), is_optional) {
            (false, false) => None,
            _ => Some(Scope::of(node.is_true("dev"), is_optional)),
        };
        let tables = [Some(node), snapshot].into_iter().flatten();
        let tables = tables.flat_map(|node| EDGES.map(|key| node.get(key)));
        let entries = tables.flatten().flat_map(Node::entries);
        package.dependencies = entries.filter_map(edge).collect();
        let integrity = resolution.and_then(|resolution| resolution.text_at("integrity"));
        package.checksums = Checksum::integrity(integrity.unwrap_or_default());
    });
}

/// Whether an entry is a folder, which is a part of the project.
fn is_folder(locator: &str, resolution: Option<&Node<'_>>) -> bool {
    if locator.starts_with("link:") || locator.starts_with("workspace:") {
        return true;
    }
    if !locator.starts_with("file:") || npm::archive_stem(locator).is_some() {
        return false;
    }
    !resolution.is_some_and(|resolution| {
        resolution.get("tarball").is_some() || resolution.get("integrity").is_some()
    })
}

/// `work:1.2.3` is version 1.2.3 from the registry that the project calls `work`.
fn named_registry(locator: &str) -> Option<(&str, &str)> {
    let (registry, version) = locator.split_once(':')?;
    npm::is_version(version).then_some((registry, version))
}

/// `name: 1.2.3(peers)`, `name: 1.2.3_peers`, `alias: /real/1.2.3`.
fn edge(entry: &Entry<'_>) -> Option<Arc<str>> {
    let version = entry.node.scalar()?;
    let version = pnpm_key::without_peers(version);
    if version.contains(':') {
        // `link:` and the like.
        return None;
    }
    let slashes = version.starts_with('/') && !version.contains('@');
    if let Some(Key { name, version }) = Key::of(version, slashes) {
        return Some(format!("{name}@{version}").into());
    }
    let version = version.split('_').next().unwrap_or(version);
    Some(format!("{}@{version}", entry.key).into())
}
