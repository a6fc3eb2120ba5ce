//! `deno.lock` (docs.deno.com, "Lock file"; the crate `deno_lockfile`), versions 1 to 5: JSON with
//! packages of npm and of JSR, and the addresses of remote modules, which have no version of their
//! own. `specifiers` says what was asked for, by the project, its code and packages of JSR.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::npm::{self, List};
use crate::inventory::collect::shown;
use crate::inventory::parsers::complete::Complete;
use crate::inventory::parsers::shared::{entry, is_semantic, outside_node_modules, repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Requested, Want};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;
use document::{Entry, Node};

/// `deno.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "deno-lock",
    wants: &[Want::Name("deno.lock")],
    accepts: Some(outside_node_modules),
    parse,
    ..Parser::LOCKFILE
};

/// The keys of the top; in version 1, all are addresses.
const KNOWN: [&str; 8] = [
    "version",
    "specifiers",
    "jsr",
    "npm",
    "redirects",
    "remote",
    "workspace",
    "packages",
];

/// The tables of a version, wherever they stand.
#[derive(Default)]
struct Tables<'d, 'a> {
    specifiers: &'d [Entry<'a>],
    npm: &'d [Entry<'a>],
    jsr: &'d [Entry<'a>],
    remote: &'d [Entry<'a>],
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    if !document.is_table() {
        return Err(ParseError::new("not a mapping"));
    }
    let tables = tables(&document)?;
    let mut list = List::new(input.path, facts);
    if let Some(key) = repeated(&document) {
        let cause = format!("the key {} comes twice", shown(key));
        list.facts
            .unjudged(&list.path, None, GapKind::Ambiguous, cause);
    }
    let mut complete = Complete::default();
    for item in tables.npm {
        npm_package(item, &mut complete, &mut list);
    }
    for item in tables.jsr {
        jsr_package(item, &mut list);
    }
    roots(&tables, &mut complete, &mut list);
    complete.close(&list.path, list.facts);
    for item in tables.remote {
        let mut parts = item.key.splitn(4, '/');
        let host: Vec<_> = parts.by_ref().take(3).collect();
        let name = parts.next().unwrap_or_default();
        list.foreign.note(name, item.line, &host.join("/"));
    }
    list.close();
    Ok(())
}

fn tables<'d, 'a>(document: &'d Node<'a>) -> Result<Tables<'d, 'a>, ParseError> {
    let version = document.get("version");
    let Some(version) = version else {
        // Version 1 is a mapping of addresses to digests.
        let is_address =
            |entry: &Entry<'_>| entry.key.contains("://") && entry.node.text().is_some();
        if let Some(odd) = document.entries().iter().find(|entry| !is_address(entry)) {
            let cause = format!("{} is not the address of a module", shown(&odd.key));
            return Err(ParseError::at(odd.line, cause));
        }
        return Ok(Tables {
            remote: document.entries(),
            ..Tables::default()
        });
    };
    if let Some(odd) = document
        .entries()
        .iter()
        .find(|entry| !KNOWN.contains(&&*entry.key))
    {
        let cause = format!("{} is not a part of a lockfile of Deno", shown(&odd.key));
        return Err(ParseError::at(odd.line, cause));
    }
    let remote = document.entries_at("remote")?;
    let (holder, npm) = match version.scalar() {
        Some("2") => {
            let holder = document.get("npm");
            (holder, "packages")
        }
        Some("3") => (document.get("packages"), "npm"),
        Some("4" | "5") => (Some(document), "npm"),
        _ => {
            let cause = "a version of deno.lock that we do not know";
            return Err(ParseError::unknown_format(Some(version.line), cause));
        }
    };
    let Some(holder) = holder else {
        return Ok(Tables {
            remote,
            ..Tables::default()
        });
    };
    if !holder.is_table() {
        return Err(ParseError::at(
            holder.line,
            "the packages are not a mapping",
        ));
    }
    let known = |entry: &&Entry<'_>| {
        let key = entry.key.as_ref();
        KNOWN.contains(&key) || key == npm
    };
    if let Some(odd) = holder.entries().iter().find(|entry| !known(entry)) {
        let cause = format!("{} is not a part of a lockfile of Deno", shown(&odd.key));
        return Err(ParseError::at(odd.line, cause));
    }
    Ok(Tables {
        specifiers: holder.entries_at("specifiers")?,
        npm: holder.entries_at(npm)?,
        jsr: holder.entries_at("jsr")?,
        remote,
    })
}

/// `name@version`, with peers behind `_`.
fn halves(key: &str) -> Option<(&str, &str)> {
    let at = key.get(1..)?.find('@')?.checked_add(1)?;
    let (name, version) = key.split_at_checked(at)?;
    let version = version.get(1..)?.split('_').next()?;
    Some((name, version))
}

/// A key without its peers.
fn plain(key: &str) -> &str {
    match halves(key) {
        Some((name, version)) => key
            .get(..name.len().saturating_add(version.len()).saturating_add(1))
            .unwrap_or(key),
        None => key,
    }
}

/// The name or key that a dependency leads to: `name`, `name@version`, `alias@npm:name@version`, and
/// in old versions a mapping from the alias to the key.
fn target(asked: &str) -> &str {
    let asked = asked.split_once("@npm:").map_or(asked, |(_, real)| real);
    plain(asked)
}

fn npm_package<'d>(item: &'d Entry<'_>, complete: &mut Complete<'d>, list: &mut List<'_>) {
    let Some((name, version)) = halves(&item.key) else {
        let cause = format!("package {} has no name@version", shown(&item.key));
        return list.facts.malformed(&list.path, Some(item.line), cause);
    };
    complete.have(name);
    complete.have(plain(&item.key));
    if !item.node.is_table() {
        let cause = format!("package {} has no mapping of its own", shown(&item.key));
        list.facts.malformed(&list.path, Some(item.line), cause);
    }
    let mut edges: Vec<Arc<str>> = Vec::new();
    for (key, is_needed) in [("dependencies", true), ("optionalDependencies", false)] {
        let Some(node) = item.node.get(key) else {
            continue;
        };
        let listed = node.items().iter().map(|one| (one.text(), one.line));
        let mapped = node.entries().iter().map(|one| (one.node.text(), one.line));
        for (asked, line) in listed.chain(mapped) {
            let Some(asked) = asked.map(target) else {
                let cause = format!(
                    "package {} has a dependency that is not a string",
                    shown(name)
                );
                list.facts.malformed(&list.path, Some(line), cause);
                continue;
            };
            if is_needed {
                complete.need(asked, line);
            }
            edges.push(asked.into());
        }
    }
    list.add(item.line, name, version, |package| {
        package.dependencies = edges;
    });
}

fn jsr_package(item: &Entry<'_>, list: &mut List<'_>) {
    let told =
        halves(&item.key).filter(|(name, version)| npm::is_name(name) && is_semantic(version));
    let Some((name, version)) = told else {
        let cause = format!(
            "{} is not a package of JSR and its version",
            shown(&item.key)
        );
        return list.facts.malformed(&list.path, Some(item.line), cause);
    };
    let mut package = entry(PackageType::JSR, &list.path, item.line, name, version);
    list.foreign
        .mark(&mut package, item.line, "the JSR registry");
    list.facts.add(package);
}

/// What the project asks for: all specifiers, without those that only packages of JSR have. Each
/// leads to a package of the list.
fn roots<'d>(tables: &Tables<'d, '_>, complete: &mut Complete<'d>, list: &mut List<'_>) {
    let of_jsr = tables
        .jsr
        .iter()
        .filter_map(|item| item.node.get("dependencies"));
    let of_jsr: BTreeSet<&str> = of_jsr
        .flat_map(Node::items)
        .filter_map(Node::text)
        .collect();
    let jsr: BTreeMap<&str, u32> = tables
        .jsr
        .iter()
        .map(|item| (&*item.key, item.line))
        .collect();
    let mut roots = Vec::new();
    for item in tables.specifiers {
        let Some(resolved) = item.node.text() else {
            let cause = format!("{} leads to no version", shown(&item.key));
            list.facts.malformed(&list.path, Some(item.line), cause);
            continue;
        };
        // Version 2 has npm alone, without a prefix; version 3 repeats the whole key.
        let asked = item.key.as_ref();
        let is_jsr = asked.starts_with("jsr:");
        let resolved = resolved
            .trim_start_matches("npm:")
            .trim_start_matches("jsr:");
        let bare = asked.trim_start_matches("npm:").trim_start_matches("jsr:");
        let name = halves(bare).map_or(bare, |(name, _)| name);
        // In version 3 the name stands there again; peers have names, too.
        let edge = if resolved.starts_with(|c: char| c.is_ascii_digit()) {
            format!("{name}@{}", resolved.split('_').next().unwrap_or(resolved))
        } else {
            plain(resolved).to_owned()
        };
        if !of_jsr.contains(asked) {
            roots.push(Requested::from(Arc::<str>::from(edge.as_str())));
        }
        if is_jsr {
            if !jsr.contains_key(edge.as_str()) {
                let cause = format!("{} is asked for, and is not listed", shown(&edge));
                list.facts.malformed(&list.path, Some(item.line), cause);
            }
            continue;
        }
        complete.need(name, item.line);
    }
    if !tables.specifiers.is_empty() {
        list.facts.roots = Some(roots);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_dependencies() {
        for (key, expected) in [
            ("a@1.0.0", "a@1.0.0"),
            ("@s/a@1.0.0_b@2.0.0_c@3.0.0", "@s/a@1.0.0"),
            ("x@npm:@s/a@1.0.0_b@2.0.0", "@s/a@1.0.0"),
            ("a", "a"),
            ("@s/a", "@s/a"),
        ] {
            assert_eq!(target(key), expected, "{key}");
        }
        assert_eq!(halves("@s/a"), None);
        assert_eq!(halves(""), None);
    }
}
