//! `manifest.toml` of Gleam (gleam.run, "Gleam.toml"): TOML with a list of packages, each with its
//! source and what it requires, and a table of what the project asks for. Hex is the public registry;
//! git has a version that is not the registry's, and a local package is the project's.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::complete::Complete;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::{entry, is_semantic, note_repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Requested, Want};
use crate::model::package::PackageType;
use document::{Node, Value};

/// `manifest.toml`.
pub(crate) static PARSER: Parser = Parser {
    id: "gleam-manifest",
    wants: &[Want::Name("manifest.toml")],
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::toml(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    let (packages, requirements) = (document.get("packages"), document.get("requirements"));
    if packages.is_none() && requirements.is_none() {
        // Other programs have a file of this name, and Gleam's always has both.
        return Ok(());
    }
    let Some(Value::List(packages)) = packages.map(|node| &node.value) else {
        return Err(ParseError::new("there is no list of packages"));
    };
    let mut foreign = Foreign::default();
    let mut complete = Complete::default();
    for node in packages {
        note_repeated(&[Some(node)], &path, facts);
        read(node, &path, facts, &mut foreign);
        if let Some(name) = node.text_at("name") {
            complete.have(name);
        }
        let needed = node.get("requirements").map_or(&[][..], Node::items);
        for one in needed.iter().filter_map(Node::text) {
            complete.need(one, node.line);
        }
    }
    let Some(requirements) = requirements.filter(|node| node.is_table()) else {
        return Err(ParseError::new("there is no table of requirements"));
    };
    let roots = requirements.entries().iter().map(|item| {
        complete.need(&item.key, item.line);
        Requested::from(Arc::<str>::from(&*item.key))
    });
    facts.roots = Some(roots.collect());
    complete.close(&path, facts);
    foreign.close(&path, facts);
    Ok(())
}

fn read(node: &Node<'_>, path: &Arc<str>, facts: &mut Facts, foreign: &mut Foreign) {
    let source = node.text_at("source");
    if source == Some("local") && node.text_at("path").is_some() {
        return;
    }
    let (Some(name), Some(version)) = (node.text_at("name"), node.text_at("version")) else {
        return facts.malformed(path, Some(node.line), "a package without name or version");
    };
    let mut malformed = |what: &str| {
        let cause = format!("package {} {what}", shown(name));
        facts.malformed(path, Some(node.line), cause);
    };
    if !is_name(name) || !is_semantic(version) {
        return malformed("has a name or version that Hex does not allow");
    }
    let elsewhere = match source {
        Some("hex") => None,
        Some("git") => Some(format!(
            "git, {}",
            node.text_at("repo").unwrap_or("no address")
        )),
        _ => return malformed("has no source that we know"),
    };
    let mut package = entry(PackageType::HEX, path, node.line, name, version);
    let needed = node.get("requirements").map_or(&[][..], Node::items);
    package.dependencies = needed
        .iter()
        .filter_map(Node::text)
        .map(Arc::from)
        .collect();
    if let Some(source) = elsewhere {
        foreign.mark(&mut package, node.line, &source);
    }
    facts.add(package);
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
