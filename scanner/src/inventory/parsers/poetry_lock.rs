//! `poetry.lock` (python-poetry.org) and `uv.lock` (docs.astral.sh/uv): lists of packages in TOML.
//! Packages whose source is a directory are the project itself.

use std::sync::Arc;

use super::shared::{entry, file_name};
use crate::inventory::document::{self, Node};
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::package::PackageType;

/// Poetry.
pub(super) static POETRY: Parser = Parser {
    id: "poetry-lock",
    wants: &[Want::Name("poetry.lock")],
    accepts: None,
    need: Need::Whole(limits::LOCKFILE_BYTES),
    evidence: Evidence::Locked,
    database: false,
    parse,
};

/// uv.
pub(super) static UV: Parser = Parser {
    id: "uv-lock",
    wants: &[Want::Name("uv.lock")],
    accepts: None,
    need: Need::Whole(limits::LOCKFILE_BYTES),
    evidence: Evidence::Locked,
    database: false,
    parse,
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::toml(input.content.utf8()?)?;
    let uv = file_name(input.path) == "uv.lock";
    if uv
        && let Some(version) = document.get("version")
        && version.scalar() != Some("1")
    {
        let cause = "a version of uv.lock that we do not know";
        return Err(ParseError::unknown_format(Some(version.line), cause));
    }
    let path: Arc<str> = input.path.into();
    for node in document.items_at("package")? {
        if is_local(node) {
            continue;
        }
        let (Some(name), Some(version)) = (node.get("name"), node.text_at("version")) else {
            facts.malformed(&path, Some(node.line), "a package without name or version");
            continue;
        };
        let text = name.text().unwrap_or_default();
        let mut package = entry(PackageType::Pypi, &path, name.line, text, version);
        package.scope.dev = is_development(node);
        package.scope.optional = node.is_true("optional");
        package.dependencies = edges(node);
        facts.add(package);
    }
    Ok(())
}

/// Poetry: `source = {type = "directory"}`; uv: `source = {editable = "."}` and the like.
fn is_local(node: &Node<'_>) -> bool {
    let Some(source) = node.get("source") else {
        return false;
    };
    matches!(source.text_at("type"), Some("directory" | "file"))
        || ["editable", "virtual", "directory"]
            .iter()
            .any(|key| source.get(key).is_some())
}

/// Poetry up to 1.4 wrote `category`, from 2.0 on `groups`.
fn is_development(node: &Node<'_>) -> bool {
    let groups = node.get("groups").map(Node::items).unwrap_or_default();
    let grouped = !groups.is_empty() && groups.iter().all(|group| group.text() != Some("main"));
    grouped || node.text_at("category") == Some("dev")
}

/// Poetry has a table by name, uv a list of tables.
fn edges(node: &Node<'_>) -> Vec<Arc<str>> {
    let Some(dependencies) = node.get("dependencies") else {
        return Vec::new();
    };
    let keys = dependencies
        .entries()
        .iter()
        .map(|entry| entry.key.as_ref().into());
    let items = dependencies.items().iter().filter_map(|item| {
        let name = item.text_at("name")?;
        Some(match item.text_at("version") {
            Some(version) => format!("{name}@{version}").into(),
            None => name.into(),
        })
    });
    keys.chain(items).collect()
}
