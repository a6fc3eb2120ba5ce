//! `pylock.toml` and `pylock.NAME.toml` (PEP 751; packaging.python.org, "pylock.toml
//! Specification"), version 1: a list of packages in TOML. A directory is the project itself; what
//! comes from an archive or from version control is listed with the version that the file says, and
//! is a gap where it says none. Markers tell which packages are for a feature or a group alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::pypi;
use super::pypi::place::{self, Site};
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{file_name, unknown_keys};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::Scope;
use document::Node;

/// By the names that the specification allows.
pub(crate) static PARSER: Parser = Parser {
    id: "pylock",
    wants: &[Want::Extension(".toml")],
    accepts: Some(|path| {
        let name = file_name(path);
        let middle = name.strip_prefix("pylock.");
        let middle = middle.and_then(|rest| rest.strip_suffix(".toml"));
        name == "pylock.toml" || middle.is_some_and(|name| !name.is_empty() && !name.contains('.'))
    }),
    parse,
    ..Parser::LOCKFILE
};

/// The keys of the top; what tools add stands under the last.
const KNOWN: [&str; 9] = [
    "lock-version",
    "environments",
    "requires-python",
    "extras",
    "dependency-groups",
    "default-groups",
    "created-by",
    "packages",
    "tool",
];

/// Where a package comes from if not from an index.
const SOURCES: [&str; 3] = ["vcs", "directory", "archive"];

/// Files of an index.
const FILES: [&str; 2] = ["sdist", "wheels"];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::toml(input.content.utf8()?)?;
    let version = document.get("lock-version");
    let major = version
        .and_then(Node::text)
        .and_then(|text| text.split('.').next());
    if major != Some("1") {
        let line = version.map(|node| node.line);
        let cause = "a version of pylock.toml that we do not know";
        return Err(ParseError::unknown_format(line, cause));
    }
    if document.get("packages").is_none() {
        return Err(ParseError::new("there is no list of packages"));
    }
    let path: Arc<str> = input.path.into();
    unknown_keys(&document, &KNOWN, &path, facts);
    let groups = Groups::of(&document);
    for node in document.items_at("packages")? {
        read(node, &groups, &path, facts);
    }
    Ok(())
}

fn read(node: &Node<'_>, groups: &Groups<'_>, path: &Arc<str>, facts: &mut Facts) {
    let holds_other =
        |table: &Node<'_>| table.get("name").is_some() && table.get("version").is_some();
    if node
        .entries()
        .iter()
        .any(|entry| holds_other(&entry.node) && entry.key != "sdist")
    {
        let cause = "the package holds what belongs to another one";
        facts.unjudged(path, Some(node.line), GapKind::Malformed, cause);
    }
    let Some(name) = node.get("name") else {
        return facts.malformed(path, Some(node.line), "a package without a name");
    };
    let (line, text) = (name.line, name.text().unwrap_or_default());
    let sources = SOURCES.iter().filter(|key| node.get(key).is_some());
    let sources: Vec<_> = sources.copied().collect();
    let is_from_index = FILES.iter().any(|key| node.get(key).is_some());
    if sources.len() > 1 || !sources.is_empty() && is_from_index {
        let cause = format!("package {} comes from more than one source", shown(text));
        facts.unjudged(path, Some(line), GapKind::Ambiguous, cause);
    }
    if sources == ["directory"] && !is_from_index {
        return;
    }
    if sources.is_empty() && !is_from_index {
        let cause = format!("package {} has no source", shown(text));
        facts.malformed(path, Some(line), cause);
    }
    let in_name = node.get("archive").and_then(|archive| {
        let place = archive.text_at("url").or_else(|| archive.text_at("path"))?;
        match place::at(place) {
            Site::Package(name, version) | Site::Likely(name, version) => {
                (pypi::canonical(&name) == pypi::canonical(text)).then_some(version)
            }
            Site::Foreign | Site::Project => None,
        }
    });
    let version = node.text_at("version").map(str::to_owned).or(in_name);
    let Some(version) = version else {
        let (kind, cause) = if sources.is_empty() {
            (GapKind::Malformed, "has no version")
        } else {
            let cause = "comes from an archive or version control and has no version";
            (GapKind::ForeignPackage, cause)
        };
        let cause = format!("package {} {cause}", shown(text));
        return facts.gap(path, Some(line), kind, cause);
    };
    let package = pypi::package(facts, path, line, text, &version);
    facts.extend(package.map(|mut package| {
        package.scope = groups.scope(node.text_at("marker"));
        package.dependencies = edges(node);
        package
    }));
}

/// `{name = "…"}`, with a version where the list has several.
fn edges(node: &Node<'_>) -> Vec<Arc<str>> {
    let items = node
        .get("dependencies")
        .map(Node::items)
        .unwrap_or_default();
    let edges = items.iter().filter_map(|item| {
        let name = item.text_at("name")?;
        Some(match item.text_at("version") {
            Some(version) => format!("{name}@{version}").into(),
            None => name.into(),
        })
    });
    edges.collect()
}

/// What the file has extras and groups of.
struct Groups<'a> {
    /// Whether it has any, so that a package without a marker is needed to run.
    any: bool,
    /// Those that are installed unless the user says otherwise.
    default: BTreeSet<&'a str>,
}

impl<'a> Groups<'a> {
    fn of(document: &'a Node<'_>) -> Self {
        let list = |key| document.get(key).map(Node::items).unwrap_or_default();
        Self {
            any: !list("extras").is_empty() || !list("dependency-groups").is_empty(),
            default: list("default-groups")
                .iter()
                .filter_map(Node::text)
                .collect(),
        }
    }

    fn scope(&self, marker: Option<&str>) -> Option<Scope> {
        let marker = marker.unwrap_or_default();
        let groups: Vec<&str> = asked(marker, " in dependency_groups");
        let extras = asked(marker, " in extras");
        match (groups.as_slice(), extras.as_slice()) {
            ([], []) => self.any.then_some(Scope::Runtime),
            (groups, _) if groups.iter().any(|name| self.default.contains(name)) => {
                Some(Scope::Runtime)
            }
            (_, []) => Some(Scope::Dev),
            _ => Some(Scope::Optional),
        }
    }
}

/// The quoted names before these words.
fn asked<'m>(marker: &'m str, words: &str) -> Vec<&'m str> {
    let mut names = Vec::new();
    let mut rest = marker;
    while let Some((before, after)) = rest.split_once(words) {
        rest = after;
        let before = before.trim_end();
        let name = ['"', '\''].into_iter().find_map(|quote| {
            before
                .strip_suffix(quote)?
                .rsplit_once(quote)
                .map(|(_, name)| name)
        });
        // `"x" not in extras` says when it is left out, not what it is for.
        names.extend(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_tell_what_a_package_is_for() {
        let groups = Groups {
            any: true,
            default: BTreeSet::from(["default"]),
        };
        for (marker, scope) in [
            ("", Scope::Runtime),
            ("sys_platform == 'win32'", Scope::Runtime),
            ("'dev' in dependency_groups", Scope::Dev),
            (
                "\"default\" in dependency_groups or \"dev\" in dependency_groups",
                Scope::Runtime,
            ),
            ("'a' in extras", Scope::Optional),
            (
                "'a' in extras or 'dev' in dependency_groups",
                Scope::Optional,
            ),
            ("'a' not in extras", Scope::Runtime),
        ] {
            assert_eq!(groups.scope(Some(marker)), Some(scope), "{marker}");
        }
        let groups = Groups {
            any: false,
            default: BTreeSet::new(),
        };
        assert_eq!(groups.scope(None), None);
    }

    #[test]
    fn names_are_those_of_the_specification() {
        let accepts = PARSER.accepts.unwrap();
        assert!(accepts("a/pylock.toml") && accepts("pylock.dev.toml"));
        assert!(
            !accepts("pylock.a.b.toml") && !accepts("pylock..toml") && !accepts("mypylock.toml")
        );
    }
}
