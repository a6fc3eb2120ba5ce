//! `pixi.lock` (pixi.sh, "Lock file"; the crate `rattler_lock`), versions 4 to 6: a list of the
//! packages of all environments and platforms, and environments that name them by address. A
//! conda package says its name and version, or the file name of its archive does; one of Python
//! does itself. A directory is the project.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::python::installed::required;
use crate::inventory::parsers::python::pypi;
use crate::inventory::parsers::python::pypi::place::{self, Site};
use crate::inventory::parsers::shared::{other_lists, repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use document::{Node, Value};

/// `pixi.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "pixi-lock",
    wants: &[Want::Name("pixi.lock")],
    parse,
    ..Parser::LOCKFILE
};

/// The kinds of packages; the key has the address.
const KINDS: [&str; 2] = ["conda", "pypi"];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let documents = document::yaml(input.content.utf8()?)?;
    let [document] = documents.as_slice() else {
        return Err(ParseError::new("not one YAML document"));
    };
    let version = document.get("version");
    if !matches!(version.and_then(Node::scalar), Some("4" | "5" | "6")) {
        let line = version.map(|node| node.line);
        let cause = "a version of pixi.lock that we do not know";
        return Err(ParseError::unknown_format(line, cause));
    }
    let path: Arc<str> = input.path.into();
    let packages = document.get("packages");
    let Some(packages) = packages.filter(|node| matches!(node.value, Value::List(_))) else {
        return Err(ParseError::new("there is no list of packages"));
    };
    if document.get("environments").is_none() {
        let cause = "there are no environments, which pixi always writes";
        facts.unjudged(&path, None, GapKind::Malformed, cause);
    }
    if repeated(document).is_some() {
        facts.unjudged(&path, None, GapKind::Ambiguous, "a key comes twice");
    }
    other_lists(document, &["packages"], &path, facts);
    let mut listed = BTreeSet::new();
    for node in packages.items() {
        listed.extend(address(node).map(|(_, address)| address));
        read(node, &path, facts);
    }
    let environments = document.get("environments").map(Node::entries);
    for environment in environments.unwrap_or_default() {
        for platform in environment.node.entries_at("packages")? {
            for node in platform.node.items() {
                let Some((_, address)) = address(node) else {
                    let cause = "an entry of an environment that names no package";
                    facts.malformed(&path, Some(node.line), cause);
                    continue;
                };
                if listed.insert(address) {
                    let name = shown(super::file(address));
                    let cause = format!("{name:?} is needed, and is not listed");
                    facts.unjudged(&path, Some(node.line), GapKind::Malformed, cause);
                }
            }
        }
    }
    Ok(())
}

/// The kind and address of an entry: `conda: address`, or `kind: conda` with an address or path.
fn address<'a>(node: &'a Node<'_>) -> Option<(&'static str, &'a str)> {
    KINDS.into_iter().find_map(|kind| {
        if let Some(address) = node.text_at(kind) {
            return Some((kind, address));
        }
        let place = node.text_at("url").or_else(|| node.text_at("path"));
        place
            .filter(|_| node.text_at("kind") == Some(kind))
            .map(|place| (kind, place))
    })
}

fn read(node: &Node<'_>, path: &Arc<str>, facts: &mut Facts) {
    if let Some(key) = repeated(node) {
        let cause = format!("the key {} comes twice in one package", shown(key));
        facts.unjudged(path, Some(node.line), GapKind::Ambiguous, cause);
    }
    let Some((kind, address)) = address(node) else {
        return facts.malformed(path, Some(node.line), "a package of no kind that we know");
    };
    let inside = node.get("name").filter(|name| name.text().is_some());
    let version = node.get("version").and_then(Node::scalar);
    if kind == "pypi" {
        if place::at(address) == Site::Project {
            return;
        }
        let (Some(name), Some(version)) = (inside, version) else {
            return facts.malformed(path, Some(node.line), "a package without name or version");
        };
        let text = name.text().unwrap_or_default();
        let package = pypi::package(facts, path, name.line, text, version);
        return facts.extend(package.map(|mut package| {
            package.dependencies = texts(node, "requires_dist").filter_map(required).collect();
            package
        }));
    }
    let archive = super::archive(address);
    let name = inside
        .and_then(Node::text)
        .or(archive.map(|(name, _)| name));
    let version = version.or(archive.map(|(_, version)| version));
    let (Some(name), Some(version)) = (name, version) else {
        if archive.is_none() && place::at(address) == Site::Project {
            return; // a source package of the project
        }
        let name = shown(super::file(address));
        let cause = format!("{name:?} does not say its name and version");
        return facts.malformed(path, Some(node.line), cause);
    };
    if archive.is_some_and(|told| told != (name, version)) {
        let cause = format!("package {} has another archive than it says", shown(name));
        facts.unjudged(path, Some(node.line), GapKind::Ambiguous, cause);
    }
    let line = inside.map_or(node.line, |name| name.line);
    let package = super::package(facts, path, line, name, version);
    facts.extend(package.map(|mut package| {
        package.dependencies = texts(node, "depends")
            .filter_map(super::dependency)
            .collect();
        package
    }));
}

/// The texts of the list under a key.
fn texts<'a>(node: &'a Node<'_>, key: &str) -> impl Iterator<Item = &'a str> {
    let items = node.get(key).map(Node::items).unwrap_or_default();
    items.iter().filter_map(Node::text)
}
