//! `conda-lock.yml` (conda.github.io/conda-lock), version 1: a list with one entry for each package
//! and platform. Those that pip installs are packages of Python.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::python::pypi;
use crate::inventory::parsers::shared::{file_name, other_lists, repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::{Package, Scope};
use document::{Node, Value};

/// `conda-lock.yml` and `NAME.conda-lock.yml`.
pub(crate) static PARSER: Parser = Parser {
    id: "conda-lock",
    wants: &[Want::Extension(".yml"), Want::Extension(".yaml")],
    accepts: Some(|path| {
        let name = file_name(path).to_ascii_lowercase();
        let stem = name.rsplit_once('.').map_or("", |(stem, _)| stem);
        stem == "conda-lock" || stem.ends_with(".conda-lock")
    }),
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let documents = document::yaml(input.content.utf8()?)?;
    let [document] = documents.as_slice() else {
        return Err(ParseError::new("not one YAML document"));
    };
    let version = document.get("version");
    if version.and_then(Node::scalar) != Some("1") {
        let line = version.map(|node| node.line);
        let cause = "a version of conda-lock.yml that we do not know";
        return Err(ParseError::unknown_format(line, cause));
    }
    let path: Arc<str> = input.path.into();
    let packages = document.get("package");
    let Some(packages) = packages.filter(|node| matches!(node.value, Value::List(_))) else {
        return Err(ParseError::new("there is no list of packages"));
    };
    if repeated(document).is_some() {
        let cause = "a key comes twice";
        facts.unjudged(&path, None, GapKind::Ambiguous, cause);
    }
    other_lists(document, &["package"], &path, facts);
    for node in packages.items() {
        read(node, &path, facts);
    }
    Ok(())
}

fn read(node: &Node<'_>, path: &Arc<str>, facts: &mut Facts) {
    if let Some(key) = repeated(node) {
        let cause = format!("the key {} comes twice in one package", shown(key));
        facts.unjudged(path, Some(node.line), GapKind::Ambiguous, cause);
    }
    let version = node.get("version").and_then(Node::scalar);
    let (Some(name), Some(version)) = (node.get("name"), version) else {
        return facts.malformed(path, Some(node.line), "a package without name or version");
    };
    let (line, text) = (name.line, name.scalar().unwrap_or_default());
    let needs = node.get("dependencies").map(Node::entries);
    let needs = needs.unwrap_or_default().iter();
    let package: Option<Package> = match node.text_at("manager") {
        Some("conda") => {
            let needs = needs.filter_map(|entry| super::dependency(&entry.key));
            let needs = needs.collect();
            super::package(facts, path, line, text, version).map(|package| Package {
                dependencies: needs,
                ..package
            })
        }
        Some("pip") => {
            let needs = needs.map(|entry| Arc::from(&*entry.key)).collect();
            pypi::package(facts, path, line, text, version).map(|package| Package {
                dependencies: needs,
                ..package
            })
        }
        _ => {
            let cause = format!("package {} is of no manager that we know", shown(text));
            return facts.malformed(path, Some(line), cause);
        }
    };
    facts.extend(package.map(|mut package| {
        let category = node.text_at("category");
        package.scope = category.map(|category| {
            Scope::of(
                category == "dev",
                category != "main" || node.is_true("optional"),
            )
        });
        package
    }));
}
