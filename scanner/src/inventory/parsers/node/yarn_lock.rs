//! `yarn.lock`, the own format of version 1 and the YAML of Berry. Workspaces, links and folders
//! of the project are left out; of an alias the real name counts. A package from git or an
//! archive has the version that its manifest gave.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::manifest::{self, Dependencies};
use super::npm::{self, List};
use crate::inventory::collect::shown;
use crate::inventory::parsers::complete::Complete;
use crate::inventory::parsers::shared::{names, outside_node_modules};
use crate::inventory::{Beside, Facts, Input, ParseError, Parser, Requested, Want};
use crate::model::gap::GapKind;
use crate::model::hash::Checksum;
use document::Node;

/// Both formats have one name.
pub(crate) static PARSER: Parser = Parser {
    id: "yarn-lock",
    wants: &[Want::Name("yarn.lock")],
    accepts: Some(outside_node_modules),
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let text = input.content.utf8()?;
    let mut list = List::new(input.path, facts);
    let is_berry = |line: &str| {
        line.trim_start_matches(['"', '\''])
            .starts_with("__metadata")
    };
    if text.lines().any(is_berry) {
        let documents = document::yaml(text)?;
        berry(&documents, &mut list, input.beside)?;
    } else {
        classic(text, &mut list, input.beside)?;
    }
    list.close();
    Ok(())
}

/// Splits `@scope/name@range` into name and range.
fn descriptor(text: &str) -> Option<(&str, &str)> {
    let skip = usize::from(text.starts_with('@'));
    let at = text.get(skip..)?.find('@')?.checked_add(skip)?;
    let (name, range) = text.split_at_checked(at)?;
    Some((name, range.get(1..)?))
}

/// What a range leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leads<'a> {
    /// A part of the project.
    Project,
    /// Another package than the one that the dependency is called by.
    Alias(&'a str),
    /// The package of that name.
    Itself,
}

fn leads(range: &str) -> Leads<'_> {
    let (protocol, rest) = range.split_once(':').unwrap_or(("", range));
    match protocol {
        "workspace" | "link" | "portal" => Leads::Project,
        "file" if npm::archive_stem(rest).is_none() => Leads::Project,
        "" if is_path(range) && npm::archive_stem(range).is_none() => Leads::Project,
        "npm" => match descriptor(rest) {
            Some((real, _)) => Leads::Alias(real),
            // A name without a range, or a range of the same name.
            None if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '@')
                && npm::is_name(rest)
                && !npm::is_version(rest) =>
            {
                Leads::Alias(rest)
            }
            None => Leads::Itself,
        },
        _ => Leads::Itself,
    }
}

/// Yarn takes these for paths, with a protocol or without.
fn is_path(range: &str) -> bool {
    ["./", "../", "/", "~/"]
        .iter()
        .any(|begin| range.starts_with(begin))
}

/// Which version each descriptor is locked to, where the manifest beside the lockfile tells which
/// of them the project itself asks for.
struct Locked<'a> {
    asked: Option<Dependencies>,
    /// `name@version` by called name and range.
    edges: BTreeMap<(&'a str, &'a str), Arc<str>>,
}

impl<'a> Locked<'a> {
    fn new(beside: &dyn Beside) -> Self {
        Self {
            asked: manifest::beside(beside),
            edges: BTreeMap::new(),
        }
    }

    fn add(&mut self, keys: impl Iterator<Item = (&'a str, &'a str)>, name: &str, version: &str) {
        let Some(asked) = &self.asked else { return };
        let keys = keys.filter(|(name, _)| asked.contains_key(*name));
        let edge: Arc<str> = format!("{name}@{version}").into();
        self.edges.extend(keys.map(|key| (key, Arc::clone(&edge))));
    }

    /// What the project asks for. An entry that the lockfile has under another range, or not at
    /// all, being older than the manifest, is taken by its name.
    fn roots(&self) -> Option<Vec<Requested>> {
        let asked = self.asked.as_ref()?.iter();
        let roots = asked.map(|(name, (range, scope))| {
            let edge = self.edges.get(&(name.as_str(), range.as_str()));
            Requested {
                edge: edge.map_or_else(|| name.as_str().into(), Arc::clone),
                scope: Some(*scope),
            }
        });
        Some(roots.collect())
    }
}

/// An entry of version 1.
struct Open<'a> {
    line: u32,
    /// Name and range of each descriptor.
    keys: Vec<(&'a str, &'a str)>,
    version: Option<&'a str>,
    /// With its line.
    resolved: Option<(u32, &'a str)>,
    integrity: &'a str,
    dependencies: Vec<Arc<str>>,
}

fn classic(text: &str, list: &mut List<'_>, beside: &dyn Beside) -> Result<(), ParseError> {
    let mut locked = Locked::new(beside);
    let mut complete = Complete::default();
    let mut open: Option<Open<'_>> = None;
    let mut in_dependencies = false;
    for (line, number) in text.lines().zip(1_u32..) {
        let content = line.trim();
        if content.contains('\r') {
            return Err(ParseError::at(number, "a carriage return inside of a line"));
        }
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let indent = line.len().saturating_sub(line.trim_start().len());
        if indent == 0 {
            close(open.take(), list, &mut locked);
            let keys = content.strip_suffix(':').and_then(descriptors);
            let Some(keys) = keys else {
                return Err(ParseError::at(number, "not an entry of yarn.lock"));
            };
            for (name, _) in &keys {
                complete.have(name);
            }
            open = Some(Open {
                line: number,
                keys,
                version: None,
                resolved: None,
                integrity: "",
                dependencies: Vec::new(),
            });
            in_dependencies = false;
            continue;
        }
        let Some(open) = &mut open else {
            return Err(ParseError::at(number, "a value outside of an entry"));
        };
        let Some((key, rest)) = token(content) else {
            return Err(ParseError::at(number, "not a key of yarn.lock"));
        };
        let rest = rest.trim_start_matches(':').trim_start();
        let value = token(rest).map(|(value, _)| value);
        if indent <= 2 {
            in_dependencies = matches!(key, "dependencies" | "optionalDependencies");
            match key {
                "version" if open.version.is_some() => {
                    let cause = "an entry with two versions";
                    return Err(ParseError::ambiguous(number, cause));
                }
                "version" => open.version = value,
                "resolution" | "languageName" | "linkType" => {
                    let cause = "an entry of Yarn 2 or later in a file without __metadata";
                    return Err(ParseError::unknown_format(Some(number), cause));
                }
                "resolved" => open.resolved = value.map(|value| (number, value)),
                "integrity" => open.integrity = rest.trim_matches('"'),
                _ => {}
            }
        } else if in_dependencies {
            complete.need(key, number);
            open.dependencies.push(key.into());
        }
    }
    close(open, list, &mut locked);
    list.facts.roots = locked.roots();
    complete.close(&list.path, list.facts);
    Ok(())
}

/// The descriptors of a key: `a@1, "b@npm:c@2"`, or a bare name.
fn descriptors(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut keys = Vec::new();
    let mut rest = text;
    loop {
        let (key, after) = token(rest)?;
        if key.is_empty() {
            return None;
        }
        keys.push(descriptor(key).unwrap_or((key, "")));
        let after = after.trim_start();
        match after.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None => return after.is_empty().then_some(keys),
        }
    }
}

/// A word or a text in quotes, and what follows it.
fn token(text: &str) -> Option<(&str, &str)> {
    if let Some(inside) = text.strip_prefix('"') {
        return inside.split_once('"');
    }
    // A comma, a blank, or the colon before a value ends a word.
    let end = text.char_indices().find(|&(at, c)| {
        let last = text.get(at.saturating_add(1)..).unwrap_or_default();
        c.is_whitespace() || c == ',' || c == ':' && (last.is_empty() || last.starts_with(' '))
    });
    match end {
        Some((at, _)) => text.split_at_checked(at),
        None => Some((text, "")),
    }
}

fn close<'a>(open: Option<Open<'a>>, list: &mut List<'_>, locked: &mut Locked<'a>) {
    let Some(open) = open else { return };
    let is_project = open
        .keys
        .iter()
        .all(|(_, range)| leads(range) == Leads::Project);
    let elsewhere = open
        .resolved
        .is_some_and(|(_, at)| at.contains("://") || npm::archive_stem(at).is_some());
    if is_project && !elsewhere {
        return;
    }
    // `resolutions` puts the alias beside what it replaces, in one key.
    let alias = open.keys.iter().find_map(|(_, range)| match leads(range) {
        Leads::Alias(real) => Some(real),
        Leads::Project | Leads::Itself => None,
    });
    let first = open.keys.first().map(|(name, _)| *name);
    let name = alias.or(first).unwrap_or_default();
    let Some(version) = open.version else {
        let cause = format!("package {} has no version", shown(name));
        return list.facts.malformed(&list.path, Some(open.line), cause);
    };
    locked.add(open.keys.iter().copied(), name, version);
    let dependencies = open.dependencies;
    list.add_resolved(open.line, name, version, open.resolved, |package| {
        package.dependencies = dependencies;
        package.checksums = Checksum::integrity(open.integrity);
    });
}

/// Whether one of the descriptors in a key asks for the package of this name.
fn calls(key: &str, name: &str) -> bool {
    key.split(", ").any(|key| match descriptor(key) {
        Some((called, range)) => {
            called == name || matches!(leads(range), Leads::Alias(real) if real == name)
        }
        None => key == name,
    })
}

/// A descriptor of Berry as the manifest has it: `npm:` is left out there.
fn ranged(key: &str) -> Option<(&str, &str)> {
    let (name, range) = descriptor(key)?;
    Some((name, range.strip_prefix("npm:").unwrap_or(range)))
}

fn berry(
    documents: &[Node<'_>],
    list: &mut List<'_>,
    beside: &dyn Beside,
) -> Result<(), ParseError> {
    let mut locked = Locked::new(beside);
    let mut complete = Complete::default();
    if let Some(node) = documents.iter().find(|node| !node.is_table()) {
        return Err(ParseError::at(node.line, "not a mapping"));
    }
    for item in documents.iter().flat_map(Node::entries) {
        if item.key == "__metadata" {
            continue;
        }
        let node = &item.node;
        for key in item.key.split(", ") {
            complete.have(descriptor(key).map_or(key, |(name, _)| name));
        }
        for need in node
            .get("dependencies")
            .map(Node::entries)
            .unwrap_or_default()
        {
            complete.need(&need.key, need.line);
        }
        // `name@npm:1.2.3`, `name@patch:name@npm%3A1.2.3#…`
        let resolution = node.text_at("resolution").unwrap_or_default();
        let Some((name, range)) = descriptor(resolution) else {
            list.facts
                .malformed(&list.path, Some(item.line), "an entry without a resolution");
            continue;
        };
        if leads(range) == Leads::Project {
            continue;
        }
        // What is fetched is what the resolution says.
        let exact = range
            .strip_prefix("npm:")
            .map(|range| range.split("::").next().unwrap_or(range))
            .filter(|range| npm::is_version(range));
        let Some(version) = node.get("version").and_then(Node::scalar) else {
            let cause = format!("package {} has no version", shown(name));
            list.facts.malformed(&list.path, Some(item.line), cause);
            continue;
        };
        let differs = exact.filter(|exact| *exact != version);
        let is_called = calls(&item.key, name);
        let line = match node.get("resolution") {
            Some(resolution) if !is_called => resolution.line,
            _ => item.line,
        };
        if differs.is_some() || !is_called {
            let cause = format!(
                "the key, the version and the resolution of {} disagree",
                shown(name)
            );
            let (facts, path) = (&mut *list.facts, &list.path);
            facts.gap(path, Some(line), GapKind::Ambiguous, cause);
        }
        if differs.is_some() {
            list.add(line, name, version, |_| {});
        }
        let version = exact.unwrap_or(version);
        locked.add(item.key.split(", ").filter_map(ranged), name, version);
        list.add(line, name, version, |package| {
            package.dependencies = names(node, &["dependencies"]);
        });
    }
    list.facts.roots = locked.roots();
    complete.close(&list.path, list.facts);
    Ok(())
}
