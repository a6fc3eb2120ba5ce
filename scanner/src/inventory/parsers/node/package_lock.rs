//! `package-lock.json` and `npm-shrinkwrap.json`, lockfile versions 1 to 3 (docs.npmjs.com,
//! package-lock-json). Links and workspaces are the project itself and are left out; of an alias
//! the real name counts. Files inside `node_modules` belong to other projects' development.
//!
//! npm 6 reads `dependencies` and later ones read `packages`. Where the two tell different
//! packages, both are listed, and the contradiction is a gap.

use std::collections::BTreeSet;

use super::npm::{self, List};
use crate::inventory::collect::shown;
use crate::inventory::parsers::complete::Complete;
use crate::inventory::parsers::shared::{names, outside_node_modules};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::hash::Checksum;
use crate::model::package::Scope;
use document::{Entry, Node, Value};

/// Both names.
pub(crate) static PARSER: Parser = Parser {
    id: "package-lock",
    wants: &[
        Want::Name("package-lock.json"),
        Want::Name("npm-shrinkwrap.json"),
    ],
    accepts: Some(outside_node_modules),
    parse,
    ..Parser::LOCKFILE
};

/// Where a project says what it needs.
const ASKED: [&str; 4] = [
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
];

/// What stands before the name of an installed package in a key of `packages`.
const FOLDER: &str = "node_modules/";

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path = input.path;
    let document = document::json(input.content.utf8()?)?;
    if !document.is_table() {
        return Err(ParseError::new("not a mapping"));
    }
    let version = document.get("lockfileVersion");
    let number = version.map_or(Some("1"), Node::scalar);
    if !matches!(number, Some("0" | "1" | "2" | "3")) {
        let cause = "a version of package-lock.json that we do not know";
        return Err(ParseError::unknown_format(
            version.map(|node| node.line),
            cause,
        ));
    }
    document.refuse_misspelt(&["lockfileVersion", "packages", "dependencies"])?;
    let packages = document.entries_at("packages")?;
    let tree = document.entries_at("dependencies")?;
    if document.get("packages").is_none() && matches!(number, Some("2" | "3")) {
        let cause = "no packages, which every lockfile of this version has";
        facts.unjudged(path, None, GapKind::Malformed, cause);
    }
    let mut reader = Reader {
        list: List::new(path, facts),
        complete: Complete::default(),
        listed: BTreeSet::new(),
        differs: None,
        projects: BTreeSet::new(),
        asked: BTreeSet::new(),
    };
    let links: BTreeSet<&str> = packages
        .iter()
        .filter(|item| item.node.is_true("link"))
        .filter_map(|item| item.node.text_at("resolved"))
        .collect();
    // The root and the workspaces: what they ask for is direct where it lies in their folders.
    for item in packages
        .iter()
        .filter(|item| installed(&item.key).is_none())
    {
        reader.projects.insert(&item.key);
        let tables = ASKED.iter().filter_map(|key| item.node.get(key));
        let names = tables.flat_map(Node::entries).map(|entry| &*entry.key);
        reader.asked.extend(names);
    }
    for item in packages {
        reader.package(item, &links);
    }
    reader.refuse_lookalikes(&document);
    reader.tree(tree, !packages.is_empty());
    reader.close(document.get("packages").is_some());
    Ok(())
}

struct Reader<'a, 'f> {
    list: List<'f>,
    complete: Complete<'a>,
    /// Names and versions in `packages`.
    listed: BTreeSet<(&'a str, &'a str)>,
    /// Folders of the root and of workspaces.
    projects: BTreeSet<&'a str>,
    /// Names that they ask for.
    asked: BTreeSet<&'a str>,
    /// Where `dependencies` names a package that `packages` does not.
    differs: Option<u32>,
}

impl<'a> Reader<'a, '_> {
    /// An entry of versions 2 and 3, whose key is a path.
    fn package(&mut self, item: &'a Entry<'_>, links: &BTreeSet<&str>) {
        let node = &item.node;
        let (facts, path) = (&mut *self.list.facts, &self.list.path);
        if !node.is_table() {
            let cause = format!("the entry {} is not a mapping", shown(&item.key));
            return facts.malformed(path, Some(item.line), cause);
        }
        let mut needs = vec!["dependencies"];
        if item.key.is_empty() {
            needs.push("devDependencies");
        }
        let needs = needs.into_iter().filter_map(|key| node.get(key));
        for need in needs.flat_map(Node::entries) {
            self.complete.need(&need.key, need.line);
        }
        let Some(key) = installed(&item.key) else {
            // The root, a workspace, or a folder that a link leads to.
            let known = item.key.is_empty() || links.contains(item.key.as_ref());
            if !known && !node.is_true("extraneous") {
                let cause = format!(
                    "the entry {} is neither installed nor the target of a link",
                    shown(&item.key)
                );
                facts.malformed(path, Some(item.line), cause);
            }
            return;
        };
        self.complete.have(key);
        self.refuse_misspelt(node);
        let (facts, path) = (&mut *self.list.facts, &self.list.path);
        if node.is_true("link") {
            let target = node.text_at("resolved");
            if target.is_none_or(|target| target.contains("://")) {
                let cause = format!("the link {} leads to no folder", shown(key));
                facts.malformed(path, Some(item.line), cause);
            }
            return;
        }
        let resolved = resolved(node);
        let name = node.text_at("name").unwrap_or(key);
        let Some(version) = node.text_at("version") else {
            let cause = format!("package {} has no version", shown(name));
            return facts.malformed(path, Some(item.line), cause);
        };
        self.listed.insert((name, version));
        let owner = item.key.rsplit_once(FOLDER).map_or("", |(owner, _)| owner);
        let owner = owner.trim_end_matches('/');
        let is_direct = self.asked.contains(key) && self.projects.contains(owner);
        // The line of the name: of an alias that is not the key's.
        let line = node.get("name").map_or(item.line, |name| name.line);
        self.list
            .add_resolved(line, name, version, resolved, |package| {
                // `devOptional`: for development, and optional otherwise.
                let is_optional = node.is_true("optional") || node.is_true("devOptional");
                package.scope = Some(scope(node, is_optional));
                package.direct = Some(is_direct);
                package.dependencies = names(node, &["dependencies", "optionalDependencies"]);
                package.checksums = integrity(node);
            });
    }

    /// A list of packages under a key that nobody reads is a misspelt one.
    fn refuse_lookalikes(&mut self, node: &Node<'_>) {
        for item in node.entries() {
            let lists = |entry: &Entry<'_>| entry.node.text_at("version").is_some();
            if !matches!(item.key.as_ref(), "dependencies" | "packages")
                && item.node.entries().iter().any(lists)
            {
                let cause = format!("{} lists packages and is not read", shown(&item.key));
                let kind = GapKind::Malformed;
                let path = &self.list.path;
                self.list.facts.unjudged(path, Some(item.line), kind, cause);
            }
        }
    }

    /// What says where an entry comes from must be said in the right way.
    fn refuse_misspelt(&mut self, node: &Node<'_>) {
        let (facts, path) = (&mut *self.list.facts, &self.list.path);
        if let Err(error) = node.refuse_misspelt(&["version", "resolved", "name", "link"]) {
            let error = ParseError::from(error);
            facts.gap(path, error.line, error.kind, error.cause);
        }
        for key in ["resolved", "name"] {
            let odd = node
                .get(key)
                .filter(|found| !matches!(found.value, Value::Text(_) | Value::Bool(_)));
            if let Some(odd) = odd {
                let cause = format!("{key} is not text");
                facts.malformed(path, Some(odd.line), cause);
            }
        }
    }

    /// The nested `dependencies` of version 1; with `beside`, of a file that has `packages`, too.
    fn tree(&mut self, dependencies: &'a [Entry<'_>], beside: bool) {
        for item in dependencies {
            let node = &item.node;
            self.refuse_lookalikes(node);
            self.refuse_misspelt(node);
            match node.entries_at("dependencies") {
                Ok(below) => self.tree(below, beside),
                Err(error) => {
                    let (facts, path) = (&mut *self.list.facts, &self.list.path);
                    facts.malformed(path, error.line, error.cause);
                }
            }
            let Some(found) = node.get("version").filter(|found| found.text().is_some()) else {
                let cause = format!("package {} has no version", shown(&item.key));
                let (facts, path) = (&mut *self.list.facts, &self.list.path);
                facts.malformed(path, Some(item.line), cause);
                continue;
            };
            let mut line = item.line;
            let mut name = item.key.as_ref();
            let mut version = found.text().unwrap_or_default();
            if let Some(alias) = version.strip_prefix("npm:") {
                (name, version) = alias.rsplit_once('@').unwrap_or((alias, ""));
                line = found.line;
            } else if let Some(archive) = npm::archive_version(version, name) {
                version = archive;
            } else if version.starts_with("file:") && npm::archive_stem(version).is_none() {
                // A folder of the project.
                continue;
            } else if version.contains(':') {
                // `packages` gives the version of what comes from git or another address.
                if !beside {
                    self.list.address(found.line, name);
                }
                continue;
            }
            if beside {
                if self.listed.contains(&(name, version)) {
                    continue;
                }
                self.differs = self.differs.or(Some(item.line));
            }
            let resolved = resolved(node);
            self.list
                .add_resolved(line, name, version, resolved, |package| {
                    package.scope = Some(scope(node, node.is_true("optional")));
                    package.dependencies = names(node, &["requires"]);
                    package.checksums = integrity(node);
                });
        }
    }

    fn close(self, has_packages: bool) {
        let path = &self.list.path;
        let empty = has_packages && self.listed.is_empty() && !self.list.facts.packages.is_empty();
        if self.differs.is_some() || empty {
            let cause = "dependencies names packages that packages does not; both are listed";
            self.list
                .facts
                .gap(path, self.differs, GapKind::Ambiguous, cause);
        }
        self.complete.close(path, self.list.facts);
        self.list.close();
    }
}

/// What an entry is needed for.
fn scope(node: &Node<'_>, is_optional: bool) -> Scope {
    match Scope::of(node.is_true("dev"), is_optional) {
        Scope::Runtime if node.is_true("peer") => Scope::Peer,
        scope => scope,
    }
}

/// Checksums of the archive.
fn integrity(node: &Node<'_>) -> Vec<Checksum> {
    Checksum::integrity(node.text_at("integrity").unwrap_or_default())
}

/// Where a package is fetched from, and the line that says so.
fn resolved<'a>(node: &'a Node<'_>) -> Option<(u32, &'a str)> {
    let resolved = node.get("resolved")?;
    Some((resolved.line, resolved.text()?))
}

/// The name of the package that is installed at a path.
fn installed(key: &str) -> Option<&str> {
    let (before, name) = key.rsplit_once(FOLDER)?;
    (before.is_empty() || before.ends_with('/')).then_some(name)
}
