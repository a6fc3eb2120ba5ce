//! `build.sbt.lock` of sbt-dependency-lock (stringbean.github.io/sbt-dependency-lock): JSON with all
//! modules and the configurations that use them.

use std::sync::Arc;

use super::coordinates::package;
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{other_lists, repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::Scope;
use document::{Node, Value};

/// `build.sbt.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "sbt-lock",
    wants: &[Want::Name("build.sbt.lock")],
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    let list = document.get("dependencies");
    let Some(list) = list.filter(|node| matches!(node.value, Value::List(_))) else {
        return Err(ParseError::new("there is no list of dependencies"));
    };
    let version = document.get("lockVersion");
    if version.and_then(Node::scalar) != Some("1") {
        let cause = "a version of sbt's lockfile that is not known";
        let line = version.map(|node| node.line);
        facts.unjudged(&path, line, GapKind::UnknownFormat, cause);
    }
    if let Some(key) = repeated(&document) {
        let cause = format!("the key {} comes twice", shown(key));
        facts.unjudged(&path, None, GapKind::Ambiguous, cause);
    }
    other_lists(&document, &["dependencies"], &path, facts);
    for node in list.items() {
        read(node, &path, facts);
    }
    Ok(())
}

fn read(node: &Node<'_>, path: &Arc<str>, facts: &mut Facts) {
    if let Some(key) = repeated(node) {
        let cause = format!("the key {} comes twice in one module", shown(key));
        facts.unjudged(path, Some(node.line), GapKind::Ambiguous, cause);
    }
    let parts = (
        node.text_at("org"),
        node.get("name"),
        node.text_at("version"),
    );
    let (Some(group), Some(name), Some(version)) = parts else {
        return facts.malformed(
            path,
            Some(node.line),
            "a module without org, name or version",
        );
    };
    let parts = (group, name.text().unwrap_or_default(), version);
    if let Some(mut package) = package(path, name.line, parts, facts) {
        let configurations = node.get("configurations").map(Node::items);
        let names = configurations.unwrap_or_default().iter();
        package.scope = names.filter_map(Node::text).map(scope).min();
        facts.add(package);
    }
}

/// Of a configuration of Ivy, as sbt names them.
fn scope(configuration: &str) -> Scope {
    match configuration {
        "test" | "it" | "test-internal" => Scope::Dev,
        "provided" | "optional" => Scope::Optional,
        "plugin" | "scala-tool" | "scala-doc-tool" => Scope::Build,
        _ => Scope::Runtime,
    }
}
