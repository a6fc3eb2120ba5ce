//! `vcpkg.json` (learn.microsoft.com, "vcpkg.json reference"): the manifest of a project. A version is
//! exact only under `overrides`; all other dependencies take theirs from the baseline, which is a commit
//! of the registry and stands in no file. `host` dependencies build. No advisory source covers vcpkg.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{entry, note_repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;
use document::{Node, Value};

/// `vcpkg.json`.
pub(crate) static PARSER: Parser = Parser {
    id: "vcpkg-manifest",
    wants: &[Want::Name("vcpkg.json")],
    parse,
    ..Parser::LOCKFILE
};

/// Keys that a version stands under.
const VERSIONS: [&str; 4] = [
    "version",
    "version-semver",
    "version-string",
    "version-date",
];

/// Other keys of a manifest; vcpkg refuses those that it does not know.
const OTHERS: [&str; 18] = [
    "builtin-baseline",
    "configuration",
    "default-features",
    "dependencies",
    "description",
    "documentation",
    "features",
    "homepage",
    "license",
    "maintainers",
    "name",
    "overrides",
    "port-version",
    "summary",
    "supports",
    "test-features",
    "vcpkg-configuration",
    "version-scheme",
];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    if !document.is_table() {
        return Err(ParseError::new("a manifest of vcpkg is a mapping"));
    }
    note_repeated(&[Some(&document)], &path, facts);
    for item in document.entries() {
        let key = item.key.as_ref();
        // A dollar begins a comment.
        if !key.starts_with('$') && !VERSIONS.contains(&key) && !OTHERS.contains(&key) {
            let cause = format!("{} is not a key of a manifest", shown(key));
            facts.malformed(&path, Some(item.line), cause);
        }
    }
    let list = |key: &str, facts: &mut Facts| match document.get(key) {
        None => &[][..],
        Some(node) => {
            if !matches!(node.value, Value::List(_)) {
                let cause = format!("{key} is not a list");
                facts.unjudged(&path, Some(node.line), GapKind::Malformed, cause);
            }
            node.items()
        }
    };
    let mut pinned = Vec::new();
    for node in list("overrides", facts) {
        note_repeated(&[Some(node)], &path, facts);
        if let Some((name, version)) = pin(node) {
            pinned.push(name);
            let line = node.get("name").map_or(node.line, |node| node.line);
            facts.add(entry(PackageType::VCPKG, &path, line, name, version));
        } else {
            let cause = "an override without a name and a version";
            facts.malformed(&path, Some(node.line), cause);
        }
    }
    let mut open: Option<(&str, u32, usize)> = None;
    let mut lists = vec![list("dependencies", facts)];
    if let Some(features) = document.get("features") {
        let of_each = features.entries().iter();
        lists.extend(of_each.filter_map(|one| Some(one.node.get("dependencies")?.items())));
    }
    for node in lists.into_iter().flatten() {
        let Some(name) = node
            .text()
            .or_else(|| node.text_at("name"))
            .filter(|name| is_name(name))
        else {
            facts.malformed(&path, Some(node.line), "a dependency without a name");
            continue;
        };
        if !pinned.contains(&name) {
            let (_, _, count) = open.get_or_insert((name, node.line, 0));
            *count = count.saturating_add(1);
        }
    }
    if let Some((name, line, count)) = open {
        let cause = format!(
            "{count} dependencies, {} first, take their versions from the baseline of the registry, which the file does not have",
            shown(name)
        );
        facts.gap(&path, Some(line), GapKind::Unpinned, cause);
    }
    Ok(())
}

/// Name and version; how often the port was changed since is no part of the version.
fn pin<'n>(node: &'n Node<'_>) -> Option<(&'n str, &'n str)> {
    let name = node.text_at("name").filter(|name| is_name(name))?;
    let version = VERSIONS.iter().find_map(|key| node.text_at(key))?;
    Some((name, version.split('#').next().unwrap_or(version)))
}

/// Lower case letters, digits and hyphens.
pub(super) fn is_name(text: &str) -> bool {
    let known =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    !text.is_empty() && text.bytes().all(known)
}
