//! `poetry.lock` (python-poetry.org) and `uv.lock` (docs.astral.sh/uv): lists of packages in TOML.
//! Packages whose source is a directory are the project itself; those from archives, addresses and
//! version control are listed with the version that the file says.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::pypi;
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{file_name, other_lists};
use crate::inventory::{Facts, Input, ParseError, Parser, Requested, Want};
use crate::model::gap::GapKind;
use crate::model::hash::Checksum;
use crate::model::package::Scope;
use document::Node;

const BASE: Parser = Parser {
    id: "poetry-lock",
    wants: &[Want::Extension(".lock")],
    accepts: Some(|path| file_name(path).eq_ignore_ascii_case("poetry.lock")),
    parse: poetry,
    ..Parser::LOCKFILE
};

/// Poetry.
pub(crate) static POETRY: Parser = BASE;

/// uv, and the lockfiles that it writes beside scripts.
pub(crate) static UV: Parser = Parser {
    id: "uv-lock",
    accepts: Some(|path| {
        let name = file_name(path).to_ascii_lowercase();
        name == "uv.lock" || name.ends_with(".py.lock")
    }),
    parse: uv,
    ..BASE
};

fn poetry(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::toml(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    packages(&document, &path, facts)?;
    // Poetry writes it last.
    if document.get("metadata").is_none() {
        let cause = "the table metadata is missing: the file may be cut";
        facts.unjudged(&path, None, GapKind::Malformed, cause);
    }
    Ok(())
}

fn uv(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::toml(input.content.utf8()?)?;
    if let Some(version) = document.get("version")
        && version.scalar() != Some("1")
    {
        let cause = "a version of uv.lock that we do not know";
        return Err(ParseError::unknown_format(Some(version.line), cause));
    }
    let path: Arc<str> = input.path.into();
    packages(&document, &path, facts)?;
    // The project itself is always in it.
    if document.items_at("package")?.is_empty() {
        return Err(ParseError::new("the list of packages is empty"));
    }
    check_edges(&document, &path, facts);
    Ok(())
}

fn packages(document: &Node<'_>, path: &Arc<str>, facts: &mut Facts) -> Result<(), ParseError> {
    if document.get("package").is_none() {
        return Err(ParseError::new("there is no list of packages"));
    }
    other_lists(document, &["package"], path, facts);
    for node in document.items_at("package")? {
        if has_foreign_keys(node) {
            let cause = "the package holds what belongs to another one";
            facts.unjudged(path, Some(node.line), GapKind::Malformed, cause);
        }
        if is_local(node) {
            if is_project(node) {
                let roots = facts.roots.get_or_insert_default();
                roots.extend(asked(node).into_iter().map(Requested::from));
            }
            continue;
        }
        let (Some(name), Some(version)) = (node.get("name"), node.text_at("version")) else {
            facts.malformed(path, Some(node.line), "a package without name or version");
            continue;
        };
        let text = name.text().unwrap_or_default();
        let package = pypi::package(facts, path, name.line, text, version);
        facts.extend(package.map(|mut package| {
            let says = ["groups", "category", "optional"];
            package.scope = says
                .iter()
                .any(|key| node.get(key).is_some())
                .then(|| Scope::of(is_development(node), node.is_true("optional")));
            package.dependencies = edges(node);
            package.checksums = checksums(node);
            package
        }));
    }
    Ok(())
}

/// Poetry: `source = {type = "directory"}`; uv: `source = {editable = "."}` and the like. An
/// archive in the tree is not local: it is somebody's package.
fn is_local(node: &Node<'_>) -> bool {
    let Some(source) = node.get("source") else {
        return false;
    };
    source.text_at("type") == Some("directory")
        || ["editable", "virtual", "directory"]
            .iter()
            .any(|key| source.text_at(key).is_some_and(|path| !path.is_empty()))
}

/// Whether a package is the project itself, or a member of its workspace, which only uv lists.
fn is_project(node: &Node<'_>) -> bool {
    node.get("source")
        .is_some_and(|source| source.text_at("type").is_none())
}

/// What a project of uv asks for: at run time, for features and for development.
fn asked(node: &Node<'_>) -> Vec<Arc<str>> {
    let mut all = edges(node);
    let tables = ["optional-dependencies", "dev-dependencies"];
    let tables = tables.iter().filter_map(|key| node.get(key));
    for list in tables.flat_map(Node::entries) {
        all.extend(list.node.items().iter().filter_map(edge));
    }
    all
}

/// Poetry up to 1.4 wrote `category`, from 2.0 on `groups`.
fn is_development(node: &Node<'_>) -> bool {
    let groups = node.get("groups").map(Node::items).unwrap_or_default();
    let grouped = !groups.is_empty() && groups.iter().all(|group| group.text() != Some("main"));
    grouped || node.text_at("category") == Some("dev")
}

/// Those of each archive: Poetry from 1.3 on has them under `files`, uv by kind.
fn checksums(node: &Node<'_>) -> Vec<Checksum> {
    let lists = ["files", "wheels"].map(|key| node.get(key).map_or(&[][..], Node::items));
    let archives = lists.into_iter().flatten().chain(node.get("sdist"));
    let texts = archives.filter_map(|archive| archive.text_at("hash"));
    texts.filter_map(Checksum::named).collect()
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
    let items = dependencies.items().iter().filter_map(edge);
    keys.chain(items).collect()
}

/// An item of a list of uv.
fn edge(item: &Node<'_>) -> Option<Arc<str>> {
    let name = item.text_at("name")?;
    Some(match item.text_at("version") {
        Some(version) => format!("{name}@{version}").into(),
        None => name.into(),
    })
}

/// Whether a table of a package holds what belongs to another one, whose heading is lost: its name
/// and version, or what is not a constraint among Poetry's dependencies.
fn has_foreign_keys(node: &Node<'_>) -> bool {
    let is_constraint = |node: &Node<'_>| node.text().is_some() || node.is_table();
    node.entries().iter().any(|entry| {
        let table = &entry.node;
        let is_package = table.get("name").is_some() && table.get("version").is_some();
        let mut dependencies = table
            .entries()
            .iter()
            .filter(|_| entry.key == "dependencies");
        is_package
            || dependencies.any(|entry| {
                let items = entry.node.items();
                let is_list = !items.is_empty() && items.iter().all(is_constraint);
                !is_constraint(&entry.node) && !is_list
            })
    })
}

/// uv lists every package that another one needs, for whatever platform, and every member of the
/// workspace: if one is missing, so may others be.
fn check_edges(document: &Node<'_>, path: &Arc<str>, facts: &mut Facts) {
    let items = document.get("package").map(Node::items).unwrap_or_default();
    let mut listed: BTreeSet<(&str, Option<&str>)> = BTreeSet::new();
    for node in items {
        if let Some(name) = node.text_at("name") {
            listed.extend([(name, None), (name, node.text_at("version"))]);
        }
    }
    let mut needed = Vec::new();
    let members = document
        .get("manifest")
        .and_then(|node| node.get("members"));
    for member in members.map(Node::items).unwrap_or_default() {
        needed.extend(member.text().map(|name| (name, None, member.line)));
    }
    for node in items {
        let lists = ["optional-dependencies", "dev-dependencies"];
        let tables = lists.iter().filter_map(|key| node.get(key));
        let lists = tables.flat_map(Node::entries).map(|entry| &entry.node);
        let own = node.get("dependencies").into_iter();
        for edge in own.chain(lists).flat_map(Node::items) {
            let name = edge.text_at("name");
            needed.extend(name.map(|name| (name, edge.text_at("version"), edge.line)));
        }
    }
    for (name, version, line) in needed {
        if listed.insert((name, version)) {
            let cause = format!("{} is needed, but not listed", shown(name));
            facts.unjudged(path, Some(line), GapKind::Malformed, cause);
        }
    }
}
