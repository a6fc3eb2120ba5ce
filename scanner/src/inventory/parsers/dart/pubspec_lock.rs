//! `pubspec.lock` of Dart and Flutter (dart.dev/tools/pub/package-layout). One entry for each package;
//! what comes from pub.dev is a public package, the SDK and folders are the project's own.

use std::sync::Arc;

use db_sync::version::Order;
use document::Node;

use crate::inventory::collect::shown;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::entry;
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::{PackageType, Scope};

/// Also in the workspaces that a project consists of: each has a lockfile at its root only.
pub(crate) static PARSER: Parser = Parser {
    id: "pubspec-lock",
    wants: &[Want::Name("pubspec.lock")],
    parse,
    ..Parser::LOCKFILE
};

/// The public repository, by the names that it had.
const PUBLIC: [&str; 2] = ["https://pub.dev", "https://pub.dartlang.org"];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let documents = document::yaml(input.content.utf8()?)?;
    let [document] = documents.as_slice() else {
        return Err(ParseError::new("not one document"));
    };
    if !document.get("packages").is_some_and(Node::is_table) {
        return Err(ParseError::new("no packages, which every pubspec.lock has"));
    }
    let path: Arc<str> = input.path.into();
    let mut foreign = Foreign::default();
    for item in document.entries_at("packages")? {
        package(&item.key, &item.node, item.line, &path, &mut foreign, facts);
    }
    foreign.close(&path, facts);
    Ok(())
}

fn package(
    name: &str,
    node: &Node<'_>,
    line: u32,
    path: &Arc<str>,
    foreign: &mut Foreign,
    facts: &mut Facts,
) {
    let source = node.text_at("source");
    if matches!(source, Some("sdk" | "path")) {
        return;
    }
    let (Some(source), Some(version)) = (source, node.text_at("version")) else {
        let cause = format!("package {} has no source or version", shown(name));
        return facts.malformed(path, Some(line), cause);
    };
    if !is_name(name) {
        let cause = format!("{:?} is not the name of a package", shown(name));
        return facts.malformed(path, Some(line), cause);
    }
    if Order::Semver.parse(version).is_err() {
        let cause = format!("package {name} has {} for a version", shown(version));
        return facts.gap(path, Some(line), GapKind::UnknownVersion, cause);
    }
    let (direct, scope) = match node.text_at("dependency") {
        Some("direct main" | "direct overridden") => (Some(true), Some(Scope::Runtime)),
        Some("direct dev") => (Some(true), Some(Scope::Dev)),
        // Of what a development tool needs in turn, the file does not say so.
        Some("transitive") => (Some(false), None),
        _ => (None, None),
    };
    let mut package = entry(PackageType::PUB, path, line, name, version);
    (package.direct, package.scope) = (direct, scope);
    let description = node.get("description");
    let url = description.and_then(|description| description.text_at("url"));
    match (source, url) {
        ("hosted", Some(url)) if PUBLIC.contains(&url.trim_end_matches('/')) => {}
        ("hosted", None) => {
            let cause = format!("package {name} does not say which repository it comes from");
            facts.malformed(path, Some(line), cause);
        }
        (source, url) => {
            let place = url.map_or_else(|| source.to_owned(), |url| format!("{source} {url}"));
            foreign.mark(&mut package, line, &place);
        }
    }
    facts.add(package);
}

/// An identifier of Dart in lower case.
fn is_name(text: &str) -> bool {
    let is_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.starts_with(|first: char| !first.is_ascii_digit()) && text.chars().all(is_char)
}
