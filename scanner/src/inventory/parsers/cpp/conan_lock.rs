//! `conan.lock` of Conan (docs.conan.io, "Lockfiles"). Version 1 (0.4 in the file) is the graph of a
//! build: nodes by number, the first one the project itself. Version 2 (0.5) has lists of references, by
//! what they are needed for, and no edges. Formats before 0.4 were experiments.

use std::sync::Arc;

use super::reference::Reference;
use crate::inventory::collect::shown;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::{file_name, has_extension, note_repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Requested, Want};
use crate::model::gap::GapKind;
use crate::model::package::Scope;
use document::{Entry, Node, Value};

/// `conan.lock`, and those of single profiles, `conan-linux.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "conan-lock",
    wants: &[Want::Extension(".lock")],
    accepts: Some(|path| {
        let name = file_name(path).to_ascii_lowercase();
        name.starts_with("conan") && has_extension(&name, ".lock")
    }),
    parse,
    ..Parser::LOCKFILE
};

/// The lists of version 2, and what each is needed for.
const LISTS: [(&str, Scope); 4] = [
    ("requires", Scope::Runtime),
    ("build_requires", Scope::Build),
    ("python_requires", Scope::Build),
    ("config_requires", Scope::Build),
];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    note_repeated(&[Some(&document)], &path, facts);
    let mut foreign = Foreign::default();
    let version = document.get("version");
    match (version.and_then(Node::scalar), document.get("graph_lock")) {
        (Some("0.4"), Some(graph)) => {
            let nodes = graph.get("nodes");
            let Some(nodes) = nodes.filter(|node| node.is_table()) else {
                return Err(ParseError::at(graph.line, "there are no nodes"));
            };
            note_repeated(&[Some(graph), Some(nodes)], &path, facts);
            self::graph(nodes, &path, facts, &mut foreign);
        }
        (Some("0.5"), None) => lists(&document, &path, facts, &mut foreign)?,
        _ => {
            let cause = "a version of conan.lock that we do not know";
            return Err(ParseError::unknown_format(
                version.map(|node| node.line),
                cause,
            ));
        }
    }
    foreign.close(&path, facts);
    Ok(())
}

fn lists(
    document: &Node<'_>,
    path: &Arc<str>,
    facts: &mut Facts,
    foreign: &mut Foreign,
) -> Result<(), ParseError> {
    for item in document.entries() {
        let known = LISTS.iter().any(|(key, _)| item.key == *key);
        if !known && !item.node.items().is_empty() {
            let cause = format!("the packages under {} are not read", shown(&item.key));
            facts.unjudged(path, Some(item.line), GapKind::Malformed, cause);
        }
    }
    if document.get("requires").is_none() {
        return Err(ParseError::new(
            "there is no list requires, which Conan always writes",
        ));
    }
    for (key, scope) in LISTS {
        let Some(list) = document.get(key) else {
            continue;
        };
        if !matches!(list.value, Value::List(_)) {
            let cause = format!("{key} is not a list");
            facts.unjudged(path, Some(list.line), GapKind::Malformed, cause);
        }
        for node in list.items() {
            // A reference may stand in a list with what is known of it.
            let text = node.text().or_else(|| node.items().first()?.text());
            if let Some(reference) = text.and_then(Reference::of) {
                if let Some(mut package) = reference.package(path, node.line, facts, foreign) {
                    package.scope = Some(scope);
                    facts.add(package);
                }
            } else {
                let cause = format!(
                    "{} is not a reference of Conan",
                    shown(text.unwrap_or("it"))
                );
                facts.malformed(path, Some(node.line), cause);
            }
        }
    }
    Ok(())
}

/// What a node needs: to run, and to be built.
const NEEDS: [&str; 2] = ["requires", "build_requires"];

fn graph(nodes: &Node<'_>, path: &Arc<str>, facts: &mut Facts, foreign: &mut Foreign) {
    // A node without a reference, or with that of a recipe on the disk that nothing needs, is the project.
    let mut roots = Vec::new();
    let mut any_root = false;
    for item in nodes.entries() {
        note_repeated(&[Some(&item.node)], path, facts);
        missing(item, nodes, path, facts);
        if is_project(item, nodes) {
            any_root = true;
            for key in NEEDS {
                let scope = if key == "requires" {
                    Scope::Runtime
                } else {
                    Scope::Build
                };
                roots.extend(edges(&item.node, key, nodes).map(|edge| Requested {
                    edge,
                    scope: Some(scope),
                }));
            }
            continue;
        }
        let reference = item.node.get("ref");
        let line = reference.map_or(item.line, |node| node.line);
        let Some(reference) = reference.and_then(Node::text).and_then(Reference::of) else {
            let cause = format!("node {} has no reference of Conan", shown(&item.key));
            facts.malformed(path, Some(line), cause);
            continue;
        };
        if let Some(mut package) = reference.package(path, line, facts, foreign) {
            let all = NEEDS.iter().flat_map(|key| edges(&item.node, key, nodes));
            package.dependencies = all.collect();
            if item.node.text_at("context") == Some("build") {
                package.scope = Some(Scope::Build);
            }
            facts.add(package);
        }
    }
    if any_root {
        facts.roots = Some(roots);
    } else if nodes.entries().is_empty() {
        facts.unjudged(
            path,
            Some(nodes.line),
            GapKind::Malformed,
            "there are no nodes",
        );
    }
}

/// Nodes that another needs and that are not there.
fn missing(item: &Entry<'_>, nodes: &Node<'_>, path: &Arc<str>, facts: &mut Facts) {
    let lists = NEEDS.iter().filter_map(|key| item.node.get(key));
    for node in lists.flat_map(Node::items) {
        if node.scalar().and_then(|key| nodes.get(key)).is_none() {
            let cause = format!("node {} needs one that is not there", shown(&item.key));
            facts.malformed(path, Some(node.line), cause);
        }
    }
}

fn is_project(item: &Entry<'_>, nodes: &Node<'_>) -> bool {
    let reference = item.node.text_at("ref");
    if item.key == "0" && reference.is_none() {
        return true;
    }
    let needs_it = |other: &Entry<'_>| {
        let lists = NEEDS.iter().filter_map(|key| other.node.get(key));
        lists
            .flat_map(Node::items)
            .any(|node| node.scalar() == Some(item.key.as_ref()))
    };
    // The recipe of the project has a reference without revision, and a path.
    item.key == "0" && item.node.get("path").is_some() && !nodes.entries().iter().any(needs_it)
}

fn edges<'n>(
    node: &'n Node<'_>,
    key: &str,
    nodes: &'n Node<'_>,
) -> impl Iterator<Item = Arc<str>> + 'n {
    let items = node.get(key).map_or(&[][..], Node::items);
    items.iter().filter_map(|number| {
        let other = nodes.get(number.scalar()?)?;
        let reference = Reference::of(other.text_at("ref")?)?;
        Some(format!("{}@{}", reference.name, reference.version).into())
    })
}
