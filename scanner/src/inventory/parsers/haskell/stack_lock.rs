//! `stack.yaml.lock` (docs.haskellstack.org, "Lock files"): YAML with the packages that the project adds
//! to its snapshot, and the address of the snapshot. What is in the snapshot stands elsewhere, and is a
//! gap. One from Hackage is `name-version@sum`; archives and git have a name and version that are not
//! Hackage's. Has no edges.

use std::sync::Arc;

use super::cabal_freeze::{is_name, is_version};
use crate::inventory::collect::shown;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::{entry, file_name, has_extension, note_repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;
use document::{Node, Value};

/// `stack.yaml.lock`, or `stack-9.2.yaml.lock` where `STACK_YAML` names another file.
pub(crate) static PARSER: Parser = Parser {
    id: "stack-lock",
    wants: &[Want::Extension(".lock")],
    accepts: Some(|path| {
        let name = file_name(path);
        name.starts_with("stack") && has_extension(name, ".yaml.lock")
    }),
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let documents = document::yaml(input.content.utf8()?)?;
    let [document] = documents.as_slice() else {
        return Err(ParseError::new("a lockfile of Stack is one document"));
    };
    let path: Arc<str> = input.path.into();
    note_repeated(&[Some(document)], &path, facts);
    let Some(Value::List(packages)) = document.get("packages").map(|node| &node.value) else {
        return Err(ParseError::new("there is no list of packages"));
    };
    let mut foreign = Foreign::default();
    for node in packages {
        read(node, &path, facts, &mut foreign);
    }
    let Some(Value::List(snapshots)) = document.get("snapshots").map(|node| &node.value) else {
        let cause = "there is no list of snapshots, which Stack always writes";
        facts.unjudged(&path, None, GapKind::Malformed, cause);
        return Ok(());
    };
    for node in snapshots {
        let original = node.get("original");
        let name = original.and_then(|node| {
            let keys = ["snapshot", "resolver", "url", "filepath"];
            node.text()
                .or_else(|| keys.iter().find_map(|key| node.text_at(key)))
        });
        let cause = format!(
            "the packages of the snapshot {} are not in the file",
            shown(name.unwrap_or("without a name"))
        );
        facts.unjudged(&path, Some(node.line), GapKind::NotRead, cause);
    }
    foreign.close(&path, facts);
    Ok(())
}

fn read(node: &Node<'_>, path: &Arc<str>, facts: &mut Facts, foreign: &mut Foreign) {
    let completed = node.get("completed");
    note_repeated(&[Some(node), completed], path, facts);
    let Some(completed) = completed else {
        return facts.malformed(path, Some(node.line), "a package that is not completed");
    };
    let hackage = completed.get("hackage");
    let (line, found, source) = if let Some(hackage) = hackage {
        let found = hackage.text().and_then(|text| {
            let name = text.split('@').next()?;
            name.rsplit_once('-')
        });
        (hackage.line, found, None)
    } else {
        let name = completed.get("name");
        let found = name
            .and_then(Node::text)
            .zip(completed.get("version").and_then(Node::scalar));
        let place = ["git", "hg", "url"]
            .iter()
            .find_map(|key| completed.text_at(key));
        let line = name.map_or(completed.line, |node| node.line);
        (line, found, Some(place.unwrap_or("elsewhere")))
    };
    match found.filter(|(name, version)| is_name(name) && is_version(version)) {
        Some((name, version)) => {
            let mut package = entry(PackageType::HACKAGE, path, line, name, version);
            if let Some(source) = source {
                foreign.mark(&mut package, line, source);
            }
            facts.add(package);
        }
        None => facts.malformed(path, Some(line), "a package without a name and version"),
    }
}
