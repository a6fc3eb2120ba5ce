//! `*.deps.json`, which lies beside a published .NET program, and in the shared frameworks (dotnet/sdk,
//! "runtime-configuration-file"): JSON with all `libraries`, by `Name/1.2.3`, and the files that each
//! brings in `targets`. A `runtimepack` is the runtime that a self-contained program carries, under
//! the name of its NuGet package. A package without any file there brings nothing that runs: the
//! framework has a newer one, or it was for the compiler only.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::nuget::{Versions, identity, package};
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{file_name, repeated};
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;
use document::Node;

/// Beside the program `NAME.dll`.
pub(crate) static PARSER: Parser = Parser {
    id: "dotnet-deps",
    version: 1,
    wants: &[Want::Extension(".json")],
    accepts: Some(|path| file_name(path).to_ascii_lowercase().ends_with(".deps.json")),
    need: Need::Whole(limits::LOCKFILE_BYTES),
    evidence: Evidence::Installed,
    database: false,
    parse: |input, facts| {
        list(input, facts);
        Ok(())
    },
};

/// What the name of a runtime has before that of its package.
const PACK: &str = "runtimepack.";

/// What an entry of a target says beside its files.
const WITHOUT_FILES: [&str; 3] = ["dependencies", "compile", "compileOnly"];

/// Unlike the file of one installed package, this one lists all of a program.
fn list(input: Input<'_>, facts: &mut Facts) {
    let path = input.path;
    if let Err(error) = read(input, facts) {
        facts.unjudged(path, error.line, error.kind, error.cause);
    }
}

fn read(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    let keys = ["libraries", "targets", "runtimeTarget"];
    if keys.iter().all(|key| document.get(key).is_none()) {
        return Ok(()); // a file of another program
    }
    let Some(libraries) = document.get("libraries").filter(|node| node.is_table()) else {
        return Err(ParseError::new("there is no mapping of libraries"));
    };
    let targets = document.get("targets");
    let all = targets.map(Node::entries).unwrap_or_default();
    let all = all.iter().map(|target| &target.node);
    for node in [&document, libraries].into_iter().chain(targets).chain(all) {
        if let Some(key) = repeated(node) {
            let cause = format!("the key {} comes twice", shown(key));
            facts.unjudged(&path, Some(node.line), GapKind::Ambiguous, cause);
        }
    }
    let name = document.get("runtimeTarget").and_then(|target| {
        let name = target.text_at("name");
        name.or_else(|| target.text())
    });
    let target = targets.zip(name).and_then(|(all, name)| all.get(name));
    if target.is_none() && !libraries.entries().is_empty() {
        let cause = "the target that runs is not in the list: all libraries are taken for used";
        facts.malformed(&path, targets.map(|node| node.line), cause);
    }
    let used: BTreeMap<&str, &Node<'_>> = target
        .map(Node::entries)
        .unwrap_or_default()
        .iter()
        .map(|item| (&*item.key, &item.node))
        .collect();
    let mut versions = Versions::default();
    for (key, node) in &used {
        if libraries.get(key).is_none() {
            let cause = format!("{} is not in the list of libraries", shown(key));
            facts.malformed(&path, Some(node.line), cause);
        }
        if let Some((name, version)) = identity(key) {
            versions.put(name.strip_prefix(PACK).unwrap_or(name), version);
        }
    }
    for item in libraries.entries() {
        let (line, node) = (item.line, &item.node);
        let kind = node
            .text_at("type")
            .unwrap_or_default()
            .to_ascii_lowercase();
        match kind.as_str() {
            // The program, an assembly of the framework, or one without a package.
            "project" | "reference" | "referenceassembly" => continue,
            "package" | "runtimepack" => {}
            _ => {
                let cause = format!("library {} is of no known type", shown(&item.key));
                facts.malformed(&path, Some(line), cause);
            }
        }
        let Some((name, version)) = identity(&item.key) else {
            let cause = format!("library {} has no version", shown(&item.key));
            facts.malformed(&path, Some(line), cause);
            continue;
        };
        let name = name.strip_prefix(PACK).unwrap_or(name);
        let here = used.get(&*item.key);
        if here.is_some_and(|node| brings_nothing(node)) {
            continue; // see the module
        }
        if let Some(mut package) = package(&path, line, name, version, facts) {
            package.dependencies = here.map(|node| edges(node, &versions)).unwrap_or_default();
            facts.add(package);
        }
    }
    Ok(())
}

fn edges(node: &Node<'_>, versions: &Versions<'_>) -> Vec<Arc<str>> {
    let needed = node.get("dependencies").map(Node::entries);
    let names = needed.unwrap_or_default().iter().map(|entry| {
        let name = &*entry.key;
        versions.edge(name.strip_prefix(PACK).unwrap_or(name), None)
    });
    names.collect()
}

/// Whether an entry of a target names no file that is run or loaded.
fn brings_nothing(node: &Node<'_>) -> bool {
    let mut entries = node.entries().iter();
    node.is_table() && entries.all(|entry| WITHOUT_FILES.contains(&&*entry.key))
}
