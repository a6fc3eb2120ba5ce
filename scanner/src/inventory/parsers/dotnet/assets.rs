//! `project.assets.json`, which a restore of NuGet writes into `obj/`, and `project.lock.json` of the
//! first releases of .NET Core: JSON with all `libraries`, by `Name/1.2.3`, and the `targets` that
//! they are used for, with what each needs. What the project itself asks for stands in
//! `projectFileDependencyGroups`. Libraries of type `project` are projects of the repository.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::nuget::{Needs, Versions, identity, package};
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::repeated;
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::facts::Requested;
use crate::model::gap::GapKind;
use document::Node;

/// `project.assets.json` and `project.lock.json`.
pub(crate) static PARSER: Parser = Parser {
    id: "nuget-assets",
    wants: &[
        Want::Name("project.assets.json"),
        Want::Name("project.lock.json"),
    ],
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    let Some(libraries) = document.get("libraries").filter(|node| node.is_table()) else {
        return Err(ParseError::new("there is no mapping of libraries"));
    };
    let Some(targets) = document.get("targets").filter(|node| node.is_table()) else {
        return Err(ParseError::new("there is no mapping of targets"));
    };
    for node in [&document, libraries, targets] {
        if let Some(key) = repeated(node) {
            let cause = format!("the key {} comes twice", shown(key));
            facts.unjudged(&path, Some(node.line), GapKind::Ambiguous, cause);
        }
    }
    let mut edges: BTreeMap<&str, Vec<Arc<str>>> = BTreeMap::new();
    let mut needs = Needs::default();
    for item in libraries.entries() {
        needs.have(identity(&item.key).map_or(&*item.key, |(name, _)| name));
    }
    let mut roots = Vec::new();
    for target in targets.entries() {
        let mut versions = Versions::default();
        for item in target.node.entries() {
            if libraries.get(&item.key).is_none() {
                let cause = format!("{} is not in the list of libraries", shown(&item.key));
                facts.malformed(&path, Some(item.line), cause);
            }
            if let Some((name, version)) = identity(&item.key) {
                versions.put(name, version);
            }
        }
        for item in target.node.entries() {
            needs.need_all(&item.node);
            let all = edges.entry(&item.key).or_default();
            all.extend(versions.edges(&item.node, None));
        }
        roots.extend(asked(&document, &target.key, &versions, &mut needs));
    }
    for item in libraries.entries() {
        let (line, node) = (item.line, &item.node);
        let kind = node.text_at("type");
        if let Some("project" | "msbuildProject" | "externalProject") = kind {
            continue; // of the repository
        }
        if kind != Some("package") {
            let cause = format!("library {} is of no known type", shown(&item.key));
            facts.malformed(&path, Some(line), cause);
        }
        let Some((name, version)) = identity(&item.key) else {
            let cause = format!("library {} has no version", shown(&item.key));
            facts.malformed(&path, Some(line), cause);
            continue;
        };
        if let Some(mut package) = package(&path, line, name, version, facts) {
            package.dependencies = edges.remove(&*item.key).unwrap_or_default();
            facts.add(package);
        }
    }
    if document.get("projectFileDependencyGroups").is_some() {
        facts.roots = Some(roots);
    }
    needs.close(&path, facts);
    Ok(())
}

/// What the project asks for in one target: lines of `Name >= 1.2.3`.
fn asked(
    document: &Node<'_>,
    target: &str,
    versions: &Versions<'_>,
    needs: &mut Needs,
) -> Vec<Requested> {
    let groups = document.get("projectFileDependencyGroups");
    // A target may have a runtime, `net8.0/linux-x64`, which the groups do not.
    let framework = target.split('/').next().unwrap_or_default();
    let mut all = Vec::new();
    for group in groups.map(Node::entries).unwrap_or_default() {
        for item in group.node.items() {
            let name = item.text().and_then(|text| text.split_whitespace().next());
            let Some(name) = name else {
                continue; // an empty line asks for nothing
            };
            needs.need(name, item.line);
            if group.key == framework || group.key.is_empty() || is_long(framework) {
                all.push(versions.edge(name, None).into());
            }
        }
    }
    all
}

/// Whether a framework is written `.NETCoreApp,Version=v8.0`, which groups may call `net8.0`.
fn is_long(framework: &str) -> bool {
    framework.contains(',')
}
