//! `maven_install.json` of Bazel's `rules_jvm_external` (its README on GitHub, "Pinning
//! artifacts"): JSON that Bazel fetches artifacts by. Since version 2 there are `artifacts` by
//! `group:artifact` (with a type and a classifier where they are not usual), and `dependencies`
//! between them; before, a `dependency_tree` with a list of entries, one for each file.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::coordinates::{package, split};
use crate::inventory::collect::shown;
use crate::inventory::parsers::complete::Complete;
use crate::inventory::parsers::shared::{file_name, repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use document::{Entry, Node, Value};

/// `maven_install.json`, or another name of a further list that ends so.
pub(crate) static PARSER: Parser = Parser {
    id: "maven-install",
    wants: &[Want::Extension(".json")],
    accepts: Some(|path| {
        let name = file_name(path);
        name == "maven_install.json" || name.ends_with("_maven_install.json")
    }),
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    if let Some(key) = repeated(&document) {
        let cause = format!("the key {} comes twice", shown(key));
        facts.unjudged(&path, None, GapKind::Ambiguous, cause);
    }
    if let Some(artifacts) = document.get("artifacts").filter(|node| node.is_table()) {
        let version = document.get("version");
        if !matches!(version.and_then(Node::scalar), Some("2" | "3")) {
            let cause = "a version of the lockfile that is not known";
            let line = version.map(|node| node.line);
            facts.unjudged(&path, line, GapKind::UnknownFormat, cause);
        }
        artifacts_by_name(&document, artifacts, &path, facts);
        return Ok(());
    }
    let tree = document.get("dependency_tree").unwrap_or(&document);
    let list = tree.get("dependencies");
    let Some(list) = list.filter(|node| matches!(node.value, Value::List(_))) else {
        return Err(ParseError::new("there are no artifacts"));
    };
    if repeated(tree).is_some() {
        let cause = "a key of the tree comes twice";
        facts.unjudged(&path, Some(tree.line), GapKind::Ambiguous, cause);
    }
    entries(list, &path, facts);
    Ok(())
}

/// Without a type and a classifier: several files of one artifact are one package.
fn plain(key: &str) -> String {
    key.split(':').take(2).collect::<Vec<_>>().join(":")
}

/// Since version 2.
fn artifacts_by_name(
    document: &Node<'_>,
    artifacts: &Node<'_>,
    path: &Arc<str>,
    facts: &mut Facts,
) {
    if let Some(key) = repeated(artifacts) {
        let cause = format!("the artifact {} comes twice", shown(key));
        facts.unjudged(path, Some(artifacts.line), GapKind::Ambiguous, cause);
    }
    let needed = document.get("dependencies").map(Node::entries);
    let mut edges: BTreeMap<String, Vec<Arc<str>>> = BTreeMap::new();
    let mut names = Vec::new();
    for item in needed.unwrap_or_default() {
        names.push((plain(&item.key), item.line));
        let all = edges.entry(plain(&item.key)).or_default();
        for node in item.node.items() {
            if let Some(name) = node.text() {
                names.push((plain(name), node.line));
                all.push(plain(name).into());
            }
        }
    }
    let have: Vec<String> = artifacts
        .entries()
        .iter()
        .map(|item| plain(&item.key))
        .collect();
    let mut complete = Complete::default();
    for name in &have {
        complete.have(name);
    }
    for (name, line) in &names {
        complete.need(name, *line);
    }
    for item in artifacts.entries() {
        artifact(item, &mut edges, path, facts);
    }
    complete.close(path, facts);
}

fn artifact(
    item: &Entry<'_>,
    edges: &mut BTreeMap<String, Vec<Arc<str>>>,
    path: &Arc<str>,
    facts: &mut Facts,
) {
    let parts = item.key.split_once(':');
    let version = item.node.text_at("version");
    let (Some((group, rest)), Some(version)) = (parts, version) else {
        let cause = format!("artifact {} has no version", shown(&item.key));
        return facts.malformed(path, Some(item.line), cause);
    };
    if repeated(&item.node).is_some() {
        let cause = format!("artifact {} has a key twice", shown(&item.key));
        facts.unjudged(path, Some(item.line), GapKind::Ambiguous, cause);
    }
    let artifact = rest.split(':').next().unwrap_or_default();
    if let Some(mut package) = package(path, item.line, (group, artifact, version), facts) {
        package.dependencies = edges.remove(&plain(&item.key)).unwrap_or_default();
        facts.add(package);
    }
}

/// Before version 2: an entry for each file, with `coord`.
fn entries(list: &Node<'_>, path: &Arc<str>, facts: &mut Facts) {
    let mut seen = std::collections::BTreeSet::new();
    for node in list.items() {
        if let Some(key) = repeated(node) {
            let cause = format!("the key {} comes twice in one entry", shown(key));
            facts.unjudged(path, Some(node.line), GapKind::Ambiguous, cause);
        }
        let coordinates = node.get("coord");
        let parts = coordinates.and_then(Node::text).and_then(split);
        let (Some(coordinates), Some(parts)) = (coordinates, parts) else {
            facts.malformed(path, Some(node.line), "an entry without coordinates");
            continue;
        };
        if !seen.insert(parts) {
            continue; // another file of the same artifact, such as its sources
        }
        let Some(mut package) = package(path, coordinates.line, parts, facts) else {
            continue;
        };
        let needed = node.get("directDependencies").map(Node::items);
        let needed = needed.unwrap_or_default().iter().filter_map(Node::text);
        let needed = needed.filter_map(split);
        package.dependencies = needed
            .map(|(group, artifact, version)| format!("{group}:{artifact}@{version}").into())
            .collect();
        facts.add(package);
    }
}
