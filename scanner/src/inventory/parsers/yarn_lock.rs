//! `yarn.lock`, the own format of version 1 and the YAML of Berry. Workspaces, links and files
//! of the project are left out; of an alias the real name counts. A package from git or an
//! archive has the version that its manifest gave.

use std::sync::Arc;

use super::shared::{entry, names, outside_node_modules};
use crate::inventory::document::{self, Node};
use crate::inventory::facts::shown;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::package::PackageType;

/// Both formats have one name.
pub(super) static PARSER: Parser = Parser {
    id: "yarn-lock",
    wants: &[Want::Name("yarn.lock")],
    accepts: Some(outside_node_modules),
    need: Need::Whole(limits::LOCKFILE_BYTES),
    evidence: Evidence::Locked,
    database: false,
    parse,
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let text = input.content.utf8()?;
    let path: Arc<str> = input.path.into();
    if text.lines().any(|line| line.starts_with("__metadata:")) {
        berry(text, &path, facts)
    } else {
        classic(text, &path, facts)
    }
}

/// Splits `@scope/name@range` into name and range.
fn descriptor(text: &str) -> Option<(&str, &str)> {
    let skip = usize::from(text.starts_with('@'));
    let at = text.get(skip..)?.find('@')?.checked_add(skip)?;
    let (name, range) = text.split_at_checked(at)?;
    Some((name, range.get(1..)?))
}

/// The real name behind `alias@npm:name@range`, or the name itself; `None` for what is part of
/// the project.
fn real_name<'a>(name: &'a str, range: &'a str) -> Option<&'a str> {
    let (protocol, rest) = range.split_once(':').unwrap_or(("", range));
    match protocol {
        "workspace" | "link" | "portal" | "file" => None,
        "npm" => Some(descriptor(rest).map_or(name, |(real, _)| real)),
        _ => Some(name),
    }
}

struct Open {
    line: u32,
    /// `None`: part of the project.
    name: Option<String>,
    version: Option<String>,
    dependencies: Vec<Arc<str>>,
}

fn classic(text: &str, path: &Arc<str>, facts: &mut Facts) -> Result<(), ParseError> {
    let mut open: Option<Open> = None;
    let mut in_dependencies = false;
    for (line, number) in text.lines().zip(1_u32..) {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let indent = line.len().saturating_sub(line.trim_start().len());
        if indent == 0 {
            close(open.take(), path, facts);
            let first = content
                .strip_suffix(':')
                .and_then(|specs| specs.split(", ").next());
            let Some((name, range)) = first
                .map(|spec| spec.trim_matches('"'))
                .and_then(descriptor)
            else {
                return Err(ParseError::at(number, "not an entry of yarn.lock"));
            };
            open = Some(Open {
                line: number,
                name: real_name(name, range).map(str::to_owned),
                version: None,
                dependencies: Vec::new(),
            });
            in_dependencies = false;
            continue;
        }
        let Some(open) = &mut open else {
            return Err(ParseError::at(number, "a value outside of an entry"));
        };
        let (key, value) = content.split_once(' ').unwrap_or((content, ""));
        if indent <= 2 {
            in_dependencies = matches!(key, "dependencies:" | "optionalDependencies:");
            if key == "version" {
                open.version = Some(value.trim_matches('"').to_owned());
            }
        } else if in_dependencies {
            open.dependencies.push(key.trim_matches('"').into());
        }
    }
    close(open, path, facts);
    Ok(())
}

fn close(open: Option<Open>, path: &Arc<str>, facts: &mut Facts) {
    let Some(open) = open else { return };
    let Some(name) = &open.name else { return };
    let Some(version) = &open.version else {
        let cause = format!("package {} has no version", shown(name));
        return facts.malformed(path, Some(open.line), cause);
    };
    let mut package = entry(PackageType::Npm, path, open.line, name, version);
    package.dependencies = open.dependencies;
    facts.add(package);
}

fn berry(text: &str, path: &Arc<str>, facts: &mut Facts) -> Result<(), ParseError> {
    let documents = document::yaml(text)?;
    for item in documents.iter().flat_map(Node::entries) {
        if item.key == "__metadata" {
            continue;
        }
        if item.node.text_at("linkType") == Some("soft") {
            continue;
        }
        // `name@npm:1.2.3`, `name@patch:name@npm%3A1.2.3#…`
        let resolution = item.node.text_at("resolution").unwrap_or_default();
        let Some((name, range)) = descriptor(resolution) else {
            facts.malformed(path, Some(item.line), "an entry without a resolution");
            continue;
        };
        if real_name(name, range).is_none() {
            continue;
        }
        let version = item
            .node
            .get("version")
            .and_then(Node::scalar)
            .unwrap_or_default();
        let mut package = entry(PackageType::Npm, path, item.line, name, version);
        package.dependencies = names(&item.node, &["dependencies"]);
        facts.add(package);
    }
    Ok(())
}
