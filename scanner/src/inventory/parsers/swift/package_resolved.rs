//! `Package.resolved` of the Swift package manager (docs.swift.org, "Resolving package versions"),
//! versions 1 to 3: JSON with a list of pins. A package is the address of its repository, without
//! scheme, user and `.git`. A pin at a branch or revision has no version and becomes a gap; a
//! package of a registry is listed as from elsewhere, a repository on the disk is the project's.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::{entry, is_semantic, repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;
use document::{Node, Value};

/// `Package.resolved`; Xcode keeps it below the project, older tools with a dot in front.
pub(crate) static PARSER: Parser = Parser {
    id: "swift-resolved",
    wants: &[
        Want::Name("Package.resolved"),
        Want::Name(".package.resolved"),
    ],
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::json(input.content.utf8()?)?;
    let path: Arc<str> = input.path.into();
    let version = document.get("version");
    let holder = match version.and_then(Node::scalar) {
        Some("1") => document.get("object"),
        Some("2" | "3") => Some(&document),
        _ => {
            let cause = "a version of Package.resolved that we do not know";
            return Err(ParseError::unknown_format(
                version.map(|node| node.line),
                cause,
            ));
        }
    };
    let pins = holder.and_then(|node| node.get("pins"));
    let Some(pins) = pins.filter(|node| matches!(node.value, Value::List(_))) else {
        return Err(ParseError::new("there is no list of pins"));
    };
    for node in [Some(&document), holder].into_iter().flatten() {
        if let Some(key) = repeated(node) {
            let cause = format!("the key {} comes twice", shown(key));
            facts.unjudged(&path, Some(node.line), GapKind::Ambiguous, cause);
        }
    }
    let mut foreign = Foreign::default();
    for pin in pins.items() {
        read(pin, &path, facts, &mut foreign);
    }
    foreign.close(&path, facts);
    Ok(())
}

fn read(pin: &Node<'_>, path: &Arc<str>, facts: &mut Facts, foreign: &mut Foreign) {
    let state = pin.get("state");
    let twice = [Some(pin), state].into_iter().flatten().find_map(repeated);
    if let Some(key) = twice {
        let cause = format!("the key {} comes twice in one pin", shown(key));
        facts.unjudged(path, Some(pin.line), GapKind::Ambiguous, cause);
    }
    let (Some(location), Some(state)) = (
        pin.get("location").or_else(|| pin.get("repositoryURL")),
        state,
    ) else {
        return facts.malformed(path, Some(pin.line), "a pin without location or state");
    };
    let address = location.text().unwrap_or_default();
    let is_registry = match pin.get("kind").map(Node::text) {
        // Version 1 has repositories only.
        None if pin.get("repositoryURL").is_some() => false,
        Some(Some("remoteSourceControl")) => false,
        Some(Some("registry")) => true,
        Some(Some("localSourceControl" | "localSourceControlRepository")) => return,
        _ => return facts.malformed(path, Some(pin.line), "a pin of a kind that we do not know"),
    };
    let identity = pin.get("identity").filter(|_| is_registry);
    let line = identity.map_or(location.line, |node| node.line);
    let name = match identity {
        Some(node) => node.text().map(str::to_owned),
        None => repository(address),
    };
    let Some(name) = name else {
        let cause = format!("{} is not the address of a repository", shown(address));
        return facts.malformed(path, Some(line), cause);
    };
    let Some(version) = state.text_at("version") else {
        let cause = format!(
            "package {} is at a revision, not at a version",
            shown(&name)
        );
        return facts.gap(path, Some(line), GapKind::UnknownVersion, cause);
    };
    if !is_semantic(version) {
        let cause = format!(
            "package {} has {:?} for a version",
            shown(&name),
            shown(version)
        );
        return facts.gap(path, Some(line), GapKind::UnknownVersion, cause);
    }
    let mut package = entry(PackageType::SWIFT, path, line, &name, version);
    if is_registry {
        foreign.mark(&mut package, line, "a registry of Swift packages");
    }
    facts.add(package);
}

/// `host/owner/name` of an address: `https://host/owner/name.git`, `git@host:owner/name`.
pub(in crate::inventory::parsers) fn repository(address: &str) -> Option<String> {
    let schemes = ["https://", "http://", "ssh://", "git://"];
    let after = schemes
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme));
    let (host, below) = match after {
        Some(rest) => rest.split_once('/')?,
        None => address.strip_prefix("git@")?.split_once(':')?,
    };
    let host = host.rsplit('@').next().unwrap_or(host);
    let host = host.split(':').next().unwrap_or(host);
    let below = below.trim_end_matches('/');
    let below = below.strip_suffix(".git").unwrap_or(below);
    let is_part = |part: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-~+".contains(&byte);
        !part.is_empty() && part.bytes().all(known)
    };
    let fine = is_part(host) && below.split('/').all(is_part);
    fine.then(|| format!("{host}/{below}"))
}

#[cfg(test)]
mod tests {
    use super::repository;

    #[test]
    fn addresses_are_names() {
        for address in [
            "https://code.example/acme/net.git",
            "https://me:secret@code.example/acme/net",
            "ssh://git@code.example:22/acme/net.git",
            "git@code.example:acme/net.git",
            "http://code.example/acme/net/",
        ] {
            let name = repository(address);
            assert_eq!(name.as_deref(), Some("code.example/acme/net"), "{address}");
        }
        for address in [
            "",
            "../net",
            "https://code.example",
            "https://a/b c",
            "ftp://a/b",
        ] {
            assert_eq!(repository(address), None, "{address:?}");
        }
    }
}
