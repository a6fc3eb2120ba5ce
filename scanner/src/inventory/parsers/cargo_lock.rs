//! `Cargo.lock`, versions 1 to 4. Only packages with a `source` are dependencies; those without
//! one are the workspace itself or lie beside it, and no advisory is about them. A crate from
//! git counts as the crate of its name: it is the same code under another roof.

use std::sync::Arc;

use super::shared::entry;
use crate::inventory::document::{self, Node};
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::package::PackageType;

/// The newest version of the format that we know.
const NEWEST: u32 = 4;

/// The public registry, as cargo writes it for its git and for its sparse index.
const CRATES_IO: [&str; 2] = [
    "registry+https://github.com/rust-lang/crates.io-index",
    "sparse+https://index.crates.io/",
];

/// `Cargo.lock`.
pub(super) static PARSER: Parser = Parser {
    id: "cargo-lock",
    wants: &[Want::Name("Cargo.lock")],
    accepts: None,
    need: Need::Whole(limits::LOCKFILE_BYTES),
    evidence: Evidence::Locked,
    database: false,
    parse,
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::toml(input.content.utf8()?)?;
    if let Some(version) = document.get("version") {
        let number = version.scalar().and_then(|text| text.parse::<u32>().ok());
        if number.is_none_or(|number| number > NEWEST) {
            let cause = "a version of Cargo.lock that we do not know";
            return Err(ParseError::unknown_format(Some(version.line), cause));
        }
    }
    let path: Arc<str> = input.path.into();
    for node in document.items_at("package")? {
        let (Some(name), Some(version)) = (node.get("name"), node.text_at("version")) else {
            facts.malformed(&path, Some(node.line), "a package without name or version");
            continue;
        };
        let Some(source) = node.text_at("source") else {
            continue;
        };
        let text = name.text().unwrap_or_default();
        let mut package = entry(PackageType::Cargo, &path, name.line, text, version);
        package.public = CRATES_IO.contains(&source);
        package.dependencies = dependencies(node);
        facts.add(package);
    }
    Ok(())
}

/// `name`, `name version` or `name version (source)`: without a version where there is only one.
fn dependencies(node: &Node<'_>) -> Vec<Arc<str>> {
    let items = node
        .get("dependencies")
        .map(Node::items)
        .unwrap_or_default();
    let edges = items.iter().filter_map(Node::text).filter_map(|text| {
        let mut words = text.split_ascii_whitespace();
        let name = words.next()?;
        Some(match words.next() {
            Some(version) => format!("{name}@{version}").into(),
            None => name.into(),
        })
    });
    edges.collect()
}
