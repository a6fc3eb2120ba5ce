//! `packages.lock.json` of NuGet (learn.microsoft.com/nuget, "Locking dependencies"): JSON with the
//! packages of every framework, and of every runtime of one as far as they differ. Version 2 adds
//! `CentralTransitive`. Entries of type `Project` are projects of the repository, which have
//! lockfiles of their own. Where a package comes from is not written there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::nuget::{Needs, Versions, package};
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{file_name, repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use document::{Entry, Node};

/// `packages.lock.json`, or `packages.NAME.lock.json` of one of several projects in a folder.
pub(crate) static PARSER: Parser = Parser {
    id: "nuget-lock",
    wants: &[Want::Extension(".json")],
    accepts: Some(|path| {
        let name = file_name(path).to_ascii_lowercase();
        name.starts_with("packages.") && name.ends_with(".lock.json")
            || name == "packages.lock.json"
    }),
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    let frameworks = document.get("dependencies").filter(|node| node.is_table());
    let Some(frameworks) = frameworks else {
        return Err(ParseError::new("there is no mapping of dependencies"));
    };
    let version = document.get("version");
    let number = version.and_then(Node::scalar).unwrap_or_default();
    if !matches!(number, "1" | "2") {
        let cause = format!(
            "version {:?} of NuGet's lockfile is not known",
            shown(number)
        );
        let line = version.map(|node| node.line);
        facts.unjudged(&path, line, GapKind::UnknownFormat, cause);
    }
    let mut versions: BTreeMap<&str, Versions<'_>> = BTreeMap::new();
    for node in [&document, frameworks]
        .into_iter()
        .chain(frameworks.entries().iter().map(|framework| &framework.node))
    {
        if let Some(key) = repeated(node) {
            let cause = format!("the key {} comes twice", shown(key));
            facts.unjudged(&path, Some(node.line), GapKind::Ambiguous, cause);
        }
    }
    for framework in frameworks.entries() {
        let here = versions.entry(&framework.key).or_default();
        for item in framework.node.entries() {
            if let Some(version) = item.node.text_at("resolved") {
                here.put(&item.key, version);
            }
        }
    }
    let mut needs = Needs::default();
    for framework in frameworks.entries() {
        if !framework.node.is_table() {
            let cause = format!("{} is not a mapping", shown(&framework.key));
            facts.unjudged(&path, Some(framework.line), GapKind::Malformed, cause);
        }
        // What a runtime does not list is as it is for the framework alone.
        let base = framework.key.split('/').next().unwrap_or_default();
        let place = Place {
            path: &path,
            here: versions.get(&*framework.key),
            base: versions.get(base),
        };
        for item in framework.node.entries() {
            needs.have(&item.key);
            needs.need_all(&item.node);
            read(item, &place, facts);
        }
    }
    needs.close(&path, facts);
    Ok(())
}

struct Place<'a> {
    path: &'a Arc<str>,
    here: Option<&'a Versions<'a>>,
    base: Option<&'a Versions<'a>>,
}

fn read(item: &Entry<'_>, place: &Place<'_>, facts: &mut Facts) {
    let (name, line, node) = (&*item.key, item.line, &item.node);
    let path = place.path;
    if repeated(node).is_some() {
        let cause = format!("package {} has a key twice", shown(name));
        facts.unjudged(path, Some(line), GapKind::Ambiguous, cause);
    }
    let kind = node.text_at("type").unwrap_or_default();
    let is_known = matches!(
        kind,
        "Direct" | "Transitive" | "CentralTransitive" | "Project"
    );
    if !is_known {
        let cause = format!("package {} has the type {:?}", shown(name), shown(kind));
        facts.malformed(path, Some(line), cause);
    }
    let Some(version) = node.text_at("resolved") else {
        if kind != "Project" || node.get("resolved").is_some() || node.get("contentHash").is_some()
        {
            let cause = format!("package {} has no version", shown(name));
            facts.malformed(path, Some(line), cause);
        }
        return; // a project of the repository
    };
    if let Some(mut package) = package(path, line, name, version, facts) {
        package.direct = is_known.then_some(kind == "Direct");
        if let Some(here) = place.here {
            package.dependencies = here.edges(node, place.base);
        }
        facts.add(package);
    }
}
