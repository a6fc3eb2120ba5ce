//! `Pipfile.lock` (pipenv): JSON with the sections `default`, `develop` and those of further
//! categories, versions as `==1.2`. A path to a directory is the project itself; archives,
//! addresses and version control are somebody's packages.

use std::sync::Arc;

use super::pypi;
use super::pypi::place::{self, Site};
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{file_name, has_extension, repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::hash::Checksum;
use crate::model::package::Scope;
use document::{Entry, Node};

/// `Pipfile.lock`, or `Pipfile.dev.lock` where `PIPENV_PIPFILE` names another file.
pub(crate) static PARSER: Parser = Parser {
    id: "pipfile-lock",
    wants: &[Want::Extension(".lock")],
    accepts: Some(|path| {
        let name = file_name(path).to_ascii_lowercase();
        name.starts_with("pipfile") && has_extension(&name, ".lock")
    }),
    parse,
    ..Parser::LOCKFILE
};

/// The keys of version control.
const VERSION_CONTROL: [&str; 4] = ["git", "hg", "svn", "bzr"];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    let sections = ["default", "develop"];
    if sections.iter().all(|key| document.get(key).is_none()) {
        return Err(ParseError::new(
            "neither of the sections default and develop is there",
        ));
    }
    for key in sections.iter().filter(|key| document.get(key).is_none()) {
        let cause = format!("there is no section {key}, which pipenv always writes");
        facts.malformed(&path, None, cause);
    }
    let sections = document.entries().iter();
    for section in sections.filter(|entry| entry.key != "_meta") {
        if !section.node.is_table() {
            let cause = format!("the section {} is not a mapping", shown(&section.key));
            facts.unjudged(&path, Some(section.line), GapKind::Malformed, cause);
        }
        for item in section.node.entries() {
            if let Some(key) = repeated(&item.node) {
                let cause = format!("the key {} comes twice in one package", shown(key));
                facts.unjudged(&path, Some(item.line), GapKind::Ambiguous, cause);
            }
            read(item, section.key == "develop", &path, facts);
        }
    }
    Ok(())
}

fn read(item: &Entry<'_>, is_dev: bool, path: &Arc<str>, facts: &mut Facts) {
    let (name, line) = (item.key.as_ref(), item.line);
    let version = item.node.get("version");
    // Some writers leave the mapping out.
    let version = version.unwrap_or(&item.node).text();
    let pinned = version.and_then(|text| text.strip_prefix("=="));
    let pinned = pinned.map(|text| text.trim_start_matches('=').trim());
    let place = ["path", "file"]
        .iter()
        .find_map(|key| item.node.text_at(key));
    let is_own = |own: &str| pypi::canonical(own) == pypi::canonical(name);
    let version = match (place.map(place::at), pinned) {
        (Some(Site::Project), _) => return,
        // Where pipenv writes the version of an archive, it has looked into it.
        (_, Some(version)) => Some(version.to_owned()),
        (Some(Site::Package(own, version)), None) if is_own(&own) => Some(version),
        (Some(Site::Likely(own, version)), None) if is_own(&own) => {
            let cause = format!(
                "package {}: only the archive's name says the version",
                shown(name)
            );
            facts.gap(path, Some(line), GapKind::ForeignPackage, cause);
            Some(version)
        }
        _ => None,
    };
    if let Some(version) = version {
        let package = pypi::package(facts, path, line, name, &version);
        facts.extend(package.map(|mut package| {
            package.scope = Some(Scope::of(is_dev, false));
            let hashes = item.node.get("hashes").map_or(&[][..], Node::items);
            let hashes = hashes.iter().filter_map(Node::text);
            package.checksums = hashes.filter_map(Checksum::named).collect();
            package
        }));
        return;
    }
    let is_foreign = |node: &Node<'_>| VERSION_CONTROL.iter().any(|key| node.get(key).is_some());
    let (kind, cause) = if place.is_some() || is_foreign(&item.node) {
        let cause = "comes from an archive or address that does not say its version";
        (GapKind::ForeignPackage, cause)
    } else if version_is_open(&item.node) {
        (GapKind::Unpinned, "is not pinned to a version")
    } else {
        (GapKind::Malformed, "has no version")
    };
    let cause = format!("package {} {cause}", shown(name));
    facts.gap(path, Some(line), kind, cause);
}

/// Whether there is a specifier, even if it is not `==`.
fn version_is_open(node: &Node<'_>) -> bool {
    node.text_at("version").or(node.text()).is_some()
}
