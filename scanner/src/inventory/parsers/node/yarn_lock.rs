//! `yarn.lock`, the own format of version 1 and the YAML of Berry. Workspaces, links and folders
//! of the project are left out; of an alias the real name counts. A package from git or an
//! archive has the version that its manifest gave.

use std::sync::Arc;

use super::npm::{self, List};
use crate::inventory::collect::shown;
use crate::inventory::document::{self, Node};
use crate::inventory::parsers::complete::Complete;
use crate::inventory::parsers::shared::{names, outside_node_modules};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;

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
        berry(&documents, &mut list)?;
    } else {
        classic(text, &mut list)?;
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

/// An entry of version 1.
struct Open<'a> {
    line: u32,
    /// Name and range of each descriptor.
    keys: Vec<(&'a str, &'a str)>,
    version: Option<&'a str>,
    /// With its line.
    resolved: Option<(u32, &'a str)>,
    dependencies: Vec<Arc<str>>,
}

fn classic(text: &str, list: &mut List<'_>) -> Result<(), ParseError> {
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
            close(open.take(), list);
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
                _ => {}
            }
        } else if in_dependencies {
            complete.need(key, number);
            open.dependencies.push(key.into());
        }
    }
    close(open, list);
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

fn close(open: Option<Open<'_>>, list: &mut List<'_>) {
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
    let dependencies = open.dependencies;
    list.add_resolved(open.line, name, version, open.resolved, |package| {
        package.dependencies = dependencies;
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

fn berry(documents: &[Node<'_>], list: &mut List<'_>) -> Result<(), ParseError> {
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
        let locked = range
            .strip_prefix("npm:")
            .map(|range| range.split("::").next().unwrap_or(range))
            .filter(|range| npm::is_version(range));
        let Some(version) = node.get("version").and_then(Node::scalar) else {
            let cause = format!("package {} has no version", shown(name));
            list.facts.malformed(&list.path, Some(item.line), cause);
            continue;
        };
        let differs = locked.filter(|locked| *locked != version);
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
        let version = locked.unwrap_or(version);
        list.add(line, name, version, |package| {
            package.dependencies = names(node, &["dependencies"]);
        });
    }
    complete.close(&list.path, list.facts);
    Ok(())
}
