//! `renv.lock` of R's renv (rstudio.github.io/renv, "Lockfiles"): JSON with `Packages` by name.
//! Its `Repository` says whether a package comes from CRAN or a mirror of it; Bioconductor, git and
//! other repositories are listed as from elsewhere, a package of the disk is the project's. R itself
//! is not a package of CRAN and is left out.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::{entry, repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;
use document::{Entry, Node};

/// `renv.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "renv-lock",
    wants: &[Want::Name("renv.lock")],
    parse,
    ..Parser::LOCKFILE
};

/// Names that renv has for CRAN and for Posit's mirror of it.
pub(super) const PUBLIC: [&str; 4] = ["CRAN", "RSPM", "PPM", "P3M"];

/// Where an entry says what it needs: renv before 1.1, and the fields of `DESCRIPTION` since.
const EDGES: [&str; 4] = ["Requirements", "Depends", "Imports", "LinkingTo"];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    let Some(packages) = document.get("Packages").filter(|node| node.is_table()) else {
        return Err(ParseError::new("there is no mapping of packages"));
    };
    for node in [&document, packages] {
        if let Some(key) = repeated(node) {
            let cause = format!("the key {} comes twice", shown(key));
            facts.unjudged(&path, Some(node.line), GapKind::Ambiguous, cause);
        }
    }
    let mut foreign = Foreign::default();
    for item in packages.entries() {
        read(item, packages, &path, facts, &mut foreign);
    }
    foreign.close(&path, facts);
    Ok(())
}

fn read(
    item: &Entry<'_>,
    packages: &Node<'_>,
    path: &Arc<str>,
    facts: &mut Facts,
    foreign: &mut Foreign,
) {
    let (name, line, node) = (item.key.as_ref(), item.line, &item.node);
    let mut malformed = |what: &str| {
        let cause = format!("package {} {what}", shown(name));
        facts.malformed(path, Some(line), cause);
    };
    if repeated(node).is_some() {
        malformed("has a key twice");
    }
    let source = node.text_at("Source");
    if source == Some("Local") {
        return;
    }
    let Some(version) = node.text_at("Version") else {
        return malformed("has no version");
    };
    if !is_name(name) || !is_version(version) {
        return malformed("has a name or version that R does not allow");
    }
    if node.text_at("Package") != Some(name) {
        malformed("has another name, or none, inside");
    }
    let repository = node.text_at("Repository");
    let elsewhere = match (source, repository) {
        (Some("Repository" | "CRAN"), Some(name)) if PUBLIC.contains(&name) => None,
        (Some("Repository"), Some(name)) => Some(format!("the repository {name}")),
        (Some("Repository"), None) | (None, _) => {
            return malformed("does not say where it comes from");
        }
        (Some("CRAN"), _) => None,
        (Some(source), _) => Some(source.to_owned()),
    };
    let lists = EDGES.iter().filter_map(|key| node.get(key));
    let texts = lists.flat_map(Node::items).filter_map(Node::text);
    let needed = texts.filter_map(|text| text.split([' ', '(']).next());
    // R and the packages that come with it are not in the list.
    let needed = needed.filter(|name| packages.get(name).is_some());
    let mut package = entry(PackageType::CRAN, path, line, name, version);
    package.dependencies = needed.map(Arc::from).collect();
    if let Some(source) = elsewhere {
        foreign.mark(&mut package, line, &source);
    }
    facts.add(package);
}

/// "Writing R Extensions": letters, digits and dots, first a letter, last no dot.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with('.')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}

/// Numbers with dots and hyphens between them.
pub(super) fn is_version(text: &str) -> bool {
    text.split(['.', '-'])
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}
