//! `pdm.lock` (pdm-project.org, "Lock file specification"), versions 2 to 4: a list of packages in
//! TOML. A package that was asked for with extras comes a second time, with their dependencies. A
//! path to a directory is the project itself; archives, addresses and version control are listed with
//! the version that the file says.

use std::sync::Arc;

use super::installed::required;
use super::pypi;
use super::pypi::place::{self, Site};
use crate::inventory::parsers::shared::{file_name, has_extension, names, unknown_keys};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::Scope;
use document::Node;

/// `pdm.lock`, and `pdm.NAME.lock` for other environments.
pub(crate) static PARSER: Parser = Parser {
    id: "pdm-lock",
    wants: &[Want::Extension(".lock")],
    accepts: Some(|path| {
        let name = file_name(path).to_ascii_lowercase();
        name.starts_with("pdm.") && has_extension(&name, ".lock")
    }),
    parse,
    ..Parser::LOCKFILE
};

/// What PDM calls the dependencies that are needed to run.
const RUNTIME: &str = "default";

/// What it calls those for development, unless the project says otherwise; extras have any name.
const DEVELOPMENT: [&str; 2] = ["dev", "test"];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::toml(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    let metadata = document.get("metadata");
    let version = metadata.and_then(|node| node.get("lock_version"));
    let major = version
        .and_then(Node::text)
        .and_then(|text| text.split('.').next());
    match (metadata, major) {
        (_, Some("2" | "3" | "4")) => {}
        (None, _) => {
            let cause = "the table metadata is missing: the file may be cut";
            facts.unjudged(&path, None, GapKind::Malformed, cause);
        }
        (Some(node), _) => {
            let cause = "a version of pdm.lock that we do not know";
            return Err(ParseError::unknown_format(Some(node.line), cause));
        }
    }
    unknown_keys(&document, &["metadata", "package"], &path, facts);
    // A project without dependencies has no list.
    for node in document.items_at("package")? {
        read(node, &path, facts);
    }
    Ok(())
}

fn read(node: &Node<'_>, path: &Arc<str>, facts: &mut Facts) {
    let holds_other =
        |table: &Node<'_>| table.get("name").is_some() && table.get("version").is_some();
    if node.entries().iter().any(|entry| holds_other(&entry.node)) {
        let cause = "the package holds what belongs to another one";
        facts.unjudged(path, Some(node.line), GapKind::Malformed, cause);
    }
    if node.text_at("path").map(place::at) == Some(Site::Project) {
        return;
    }
    let (Some(name), Some(version)) = (node.get("name"), node.text_at("version")) else {
        return facts.malformed(path, Some(node.line), "a package without name or version");
    };
    let text = name.text().unwrap_or_default();
    let package = pypi::package(facts, path, name.line, text, version);
    facts.extend(package.map(|mut package| {
        package.scope = scope(node);
        // Versions 2 and 3 had tables for some time.
        package.dependencies = names(node, &["dependencies"]);
        let items = node
            .get("dependencies")
            .map(Node::items)
            .unwrap_or_default();
        let items = items.iter().filter_map(Node::text).filter_map(required);
        package.dependencies.extend(items);
        package
    }));
}

fn scope(node: &Node<'_>) -> Option<Scope> {
    let groups = node.get("groups").map(Node::items).unwrap_or_default();
    let mut groups = groups.iter().filter_map(Node::text).peekable();
    groups.peek()?;
    let scopes = groups.map(|group| match group {
        RUNTIME => Scope::Runtime,
        _ if DEVELOPMENT.contains(&group) => Scope::Dev,
        _ => Scope::Optional,
    });
    scopes.min()
}
