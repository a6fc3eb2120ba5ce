//! `Manifest.toml` of Julia's Pkg (pkgdocs.julialang.org, "Project.toml and Manifest.toml"), formats 1 and
//! 2: for each name one or more packages, told apart by their UUIDs. A package that names its tree is one
//! of a registry, or of the repository that it names; one with a path is a directory of the project; one
//! with neither came with Julia, in the version of Julia itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::complete::Complete;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::{
    entry, file_name, has_extension, is_semantic, note_repeated,
};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;
use document::{Entry, Node};

/// `Manifest.toml`, and those of single versions of Julia, `Manifest-v1.11.toml`.
pub(crate) static PARSER: Parser = Parser {
    id: "julia-manifest",
    wants: &[Want::Extension(".toml")],
    accepts: Some(|path| {
        let name = file_name(path);
        let name = name.strip_prefix("Julia").unwrap_or(name);
        name == "Manifest.toml" || name.starts_with("Manifest-v") && has_extension(name, ".toml")
    }),
    parse,
    ..Parser::LOCKFILE
};

/// The public registry.
const PUBLIC: &str = "General";

/// Keys of the first format that are no packages.
const HEAD: [&str; 4] = [
    "julia_version",
    "manifest_format",
    "project_hash",
    "registries",
];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::toml(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    let format = document.get("manifest_format");
    let number = format.and_then(Node::scalar).unwrap_or("1.0");
    let is_first = number.split('.').next() == Some("1");
    let deps = match number.split('.').next() {
        Some("1") => &document,
        Some("2") => match document.get("deps") {
            Some(deps) if deps.is_table() => deps,
            Some(deps) => return Err(ParseError::at(deps.line, "deps is not a table")),
            None => return Err(ParseError::new("there is no table of deps")),
        },
        _ => {
            let cause = "a version of Manifest.toml that we do not know";
            return Err(ParseError::unknown_format(
                format.map(|node| node.line),
                cause,
            ));
        }
    };
    if deps.entries().is_empty() && document.get("registries").is_some() {
        let cause = "there are registries, and no packages of them";
        facts.malformed(&path, Some(deps.line), cause);
    }
    if !is_first {
        let known = |key: &str| key == "deps" || HEAD.contains(&key);
        for item in document.entries().iter().filter(|item| !known(&item.key)) {
            let cause = format!("{} is not a key of the file", shown(&item.key));
            facts.unjudged(&path, Some(item.line), GapKind::Malformed, cause);
        }
    }
    let versions = versions(deps);
    let mut reading = Reading {
        path: &path,
        julia: document.text_at("julia_version"),
        has_registries: document.get("registries").is_some_and(Node::is_table),
        versions: &versions,
        foreign: Foreign::default(),
        complete: Complete::default(),
        untold: None,
    };
    for item in deps.entries() {
        let is_head = is_first && HEAD.contains(&item.key.as_ref());
        if is_head {
            continue;
        }
        if item.node.items().is_empty() {
            let cause = format!("{} is not a list of packages", shown(&item.key));
            facts.unjudged(&path, Some(item.line), GapKind::Malformed, cause);
        }
        for node in item.node.items() {
            reading.read(item, node, facts);
        }
    }
    reading.complete.close(&path, facts);
    reading.foreign.close(&path, facts);
    if let Some((name, line, count)) = reading.untold {
        let cause = format!(
            "{count} packages, {name} first, come with Julia, whose version the file does not have"
        );
        facts.gap(&path, Some(line), GapKind::UnknownVersion, cause);
    }
    Ok(())
}

/// What each UUID stands for.
type Versions<'n> = BTreeMap<&'n str, (&'n str, Option<&'n str>)>;

fn versions<'n>(deps: &'n Node<'_>) -> Versions<'n> {
    let mut versions = BTreeMap::new();
    for item in deps.entries() {
        for node in item.node.items() {
            if let Some(uuid) = node.text_at("uuid") {
                versions.insert(uuid, (item.key.as_ref(), node.text_at("version")));
            }
        }
    }
    versions
}

struct Reading<'n> {
    path: &'n Arc<str>,
    julia: Option<&'n str>,
    /// The file says of each package which registries have it.
    has_registries: bool,
    versions: &'n Versions<'n>,
    foreign: Foreign,
    complete: Complete<'n>,
    /// What came with a Julia of unknown version: the first, its line, and how many.
    untold: Option<(Arc<str>, u32, usize)>,
}

impl<'n> Reading<'n> {
    fn read(&mut self, item: &'n Entry<'_>, node: &'n Node<'_>, facts: &mut Facts) {
        let (name, line) = (item.key.as_ref(), node.line);
        let path = self.path;
        self.complete.have(name);
        let dependencies = self.edges(node);
        note_repeated(&[Some(node)], path, facts);
        if node.get("path").is_some() {
            return;
        }
        let malformed = |facts: &mut Facts, what: &str| {
            let cause = format!("package {} {what}", shown(name));
            facts.malformed(path, Some(line), cause);
        };
        if node.text_at("uuid").is_none() {
            return malformed(facts, "has no UUID");
        }
        let is_of_registry = node.get("git-tree-sha1").is_some();
        let version = match (node.get("version"), self.julia) {
            (Some(version), _) => version.text(),
            (None, _) if is_of_registry => return malformed(facts, "has no version"),
            (None, Some(julia)) => Some(julia),
            (None, None) => {
                let (_, _, count) = self.untold.get_or_insert_with(|| (name.into(), line, 0));
                *count = count.saturating_add(1);
                return;
            }
        };
        let Some(version) = version.filter(|text| is_semantic(text) && is_name(name)) else {
            return malformed(facts, "has a name or version that Julia does not allow");
        };
        let mut package = entry(PackageType::JULIA, path, line, name, version);
        package.dependencies = dependencies;
        let registries = node.get("registries");
        let is_named = |node: &Node<'_>| node.text().is_some() || !node.items().is_empty();
        let is_untold = !registries.is_some_and(is_named) && node.get("repo-url").is_none();
        if self.has_registries && is_of_registry && is_untold {
            malformed(facts, "does not say which registry has it");
        }
        if let Some(place) = elsewhere(node) {
            self.foreign.mark(&mut package, line, &place);
        }
        facts.add(package);
    }

    /// A list of names, or names with UUIDs where a name is not enough.
    fn edges(&mut self, node: &'n Node<'_>) -> Vec<Arc<str>> {
        let Some(deps) = node.get("deps") else {
            return Vec::new();
        };
        let mut edges: Vec<Arc<str>> = Vec::new();
        for name in deps.items().iter().filter_map(Node::text) {
            self.complete.need(name, node.line);
            edges.push(name.into());
        }
        for item in deps.entries() {
            let known = item.node.text().and_then(|uuid| self.versions.get(uuid));
            edges.push(match known {
                Some((name, Some(version))) => format!("{name}@{version}").into(),
                Some((name, None)) => (*name).into(),
                None => {
                    self.complete.need(&item.key, node.line);
                    item.key.as_ref().into()
                }
            });
        }
        edges
    }
}

/// Where a package comes from, if not from the public registry.
fn elsewhere(node: &Node<'_>) -> Option<String> {
    if node.get("repo-url").is_some() || node.get("repo-rev").is_some() {
        let address = node.text_at("repo-url").unwrap_or("no address");
        return Some(format!("git, {address}"));
    }
    let registries = node.get("registries")?;
    let one = registries.text().into_iter();
    let mut all = one.chain(registries.items().iter().filter_map(Node::text));
    let first = all.clone().next()?;
    (!all.any(|name| name == PUBLIC)).then(|| format!("the registry {first}"))
}

/// An identifier of Julia, as the public registry allows it.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
