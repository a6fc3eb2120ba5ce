//! `pubspec.lock` of Dart's pub (dart.dev, "Package dependencies"): YAML with a mapping of packages
//! by name. Only what pub.dev serves is a public package: other hosts, git and the Flutter SDK are
//! listed as from elsewhere. A package by path is a directory of the project. The file has no edges;
//! it says which packages the project itself asks for.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::{entry, is_semantic, repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::hash::{Algorithm, Checksum};
use crate::model::package::{PackageType, Scope};
use document::{Entry, Node};

/// `pubspec.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "pubspec-lock",
    wants: &[Want::Name("pubspec.lock")],
    parse,
    ..Parser::LOCKFILE
};

/// The public host, under its names since Dart 1.
const PUBLIC: [&str; 3] = [
    "https://pub.dev",
    "https://pub.dartlang.org",
    "https://pub.dartlang.org/",
];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let documents = document::yaml(input.content.utf8()?)?;
    let [document] = documents.as_slice() else {
        return Err(ParseError::new("a lockfile of pub is one document"));
    };
    let Some(packages) = document.get("packages").filter(|node| node.is_table()) else {
        return Err(ParseError::new("there is no mapping of packages"));
    };
    let path: Arc<str> = input.path.into();
    for node in [document, packages] {
        if let Some(key) = repeated(node) {
            let cause = format!("the key {} comes twice", shown(key));
            facts.unjudged(&path, Some(node.line), GapKind::Ambiguous, cause);
        }
    }
    for item in document.entries() {
        if item.key != "packages" && (item.node.get("version").is_some() || lists(&item.node)) {
            let cause = format!("the packages under {} are not read", shown(&item.key));
            facts.unjudged(&path, Some(item.line), GapKind::Malformed, cause);
        }
    }
    let mut foreign = Foreign::default();
    for item in packages.entries() {
        read(item, &path, facts, &mut foreign);
    }
    foreign.close(&path, facts);
    Ok(())
}

/// Whether a mapping has packages below it.
fn lists(node: &Node<'_>) -> bool {
    let mut below = node.entries().iter();
    below.any(|entry| entry.node.get("version").is_some())
}

fn read(item: &Entry<'_>, path: &Arc<str>, facts: &mut Facts, foreign: &mut Foreign) {
    let (name, line, node) = (item.key.as_ref(), item.line, &item.node);
    let mut malformed = |what: &str| {
        let cause = format!("package {} {what}", shown(name));
        facts.malformed(path, Some(line), cause);
    };
    if repeated(node).is_some() {
        malformed("has a key twice");
    }
    let source = node.text_at("source");
    if source == Some("path") {
        return;
    }
    let Some(version) = node.get("version").and_then(Node::scalar) else {
        return malformed("has no version");
    };
    if !is_name(name) || !is_semantic(version) {
        return malformed("has a name or version that pub does not allow");
    }
    let description = node.get("description");
    let part = |key| description.and_then(|node| node.text_at(key));
    let elsewhere = match source {
        Some("hosted") => match part("url") {
            Some(url) if PUBLIC.contains(&url) => None,
            Some(url) => Some(format!("the registry {url}")),
            None => return malformed("is hosted, and its description has no url"),
        },
        Some("git") => Some(format!("git, {}", part("url").unwrap_or("no address"))),
        Some("sdk") => Some("an SDK".to_owned()),
        _ => return malformed("has no source that we know"),
    };
    // Hosted packages are fetched under the name in their description.
    let real = part("name").filter(|_| source == Some("hosted"));
    if source == Some("hosted") && real != Some(name) {
        malformed("has another name, or none, in its description");
    }
    let (scope, direct) = match node.text_at("dependency") {
        Some("direct main" | "direct overridden") => (Some(Scope::Runtime), Some(true)),
        Some("direct dev") => (Some(Scope::Dev), Some(true)),
        Some("transitive") => (None, Some(false)),
        _ => {
            malformed("does not say whether it is a direct dependency");
            (None, None)
        }
    };
    let mut package = entry(PackageType::PUB, path, line, name, version);
    package.scope = scope;
    package.direct = direct;
    let sum = part("sha256").and_then(|digits| Checksum::hexadecimal(Algorithm::Sha256, digits));
    package.checksums = Vec::from_iter(sum);
    if let Some(source) = elsewhere {
        foreign.mark(&mut package, line, &source);
    }
    facts.add(package);
}

/// An identifier of Dart.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
