//! `Podfile.lock` of CocoaPods (guides.cocoapods.org, "Using CocoaPods"): YAML. `PODS` has every pod and
//! subspec (`Firebase/Core`) with its version and what it needs, `DEPENDENCIES` what the project asks
//! for, `SPEC REPOS` and `EXTERNAL SOURCES` where pods come from, and `SPEC CHECKSUMS` one sum for each
//! pod: a pod without an entry has lost it. No advisory source covers CocoaPods; pods are listed.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::complete::Complete;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::{entry, note_repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Requested, Want};
use crate::model::package::PackageType;
use document::{Node, Value};

/// `Podfile.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "podfile-lock",
    wants: &[Want::Name("Podfile.lock")],
    parse,
    ..Parser::LOCKFILE
};

/// The public repository, under its names.
const PUBLIC: [&str; 4] = [
    "trunk",
    "master",
    "https://github.com/CocoaPods/Specs.git",
    "https://github.com/cocoapods/specs.git",
];

/// The keys of the file whose values are read.
const KEYS: [&str; 5] = [
    "PODS",
    "DEPENDENCIES",
    "SPEC REPOS",
    "EXTERNAL SOURCES",
    "SPEC CHECKSUMS",
];

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let documents = document::yaml(input.content.utf8()?)?;
    let [document] = documents.as_slice() else {
        return Err(ParseError::new("a lockfile of CocoaPods is one document"));
    };
    let path: Arc<str> = input.path.into();
    let of_key = |key: &str| document.get(key);
    note_repeated(&[Some(document)], &path, facts);
    note_repeated(&KEYS.map(of_key), &path, facts);
    let pods = of_key("PODS");
    // A Podfile without pods has a lockfile with its checksum alone.
    let is_empty = pods.is_none() && !KEYS.iter().any(|key| of_key(key).is_some());
    if is_empty && of_key("PODFILE CHECKSUM").is_some() {
        return Ok(());
    }
    let Some(Value::List(items)) = pods.map(|node| &node.value) else {
        return Err(ParseError::new("there is no list of PODS"));
    };
    let mut foreign = Foreign::default();
    let mut complete = Complete::default();
    for item in items {
        match &item.value {
            Value::Text(text) => read(text, item, &[], document, (&path, facts, &mut foreign)),
            Value::Table(entries) if !entries.is_empty() => {
                for one in entries {
                    let needed = one.node.items();
                    if needed.is_empty() {
                        let cause = format!("{} has no list behind its colon", shown(&one.key));
                        facts.malformed(&path, Some(one.line), cause);
                    }
                    read(
                        &one.key,
                        item,
                        needed,
                        document,
                        (&path, facts, &mut foreign),
                    );
                }
            }
            _ => facts.malformed(&path, Some(item.line), "an item of PODS that is not a pod"),
        }
    }
    for text in items.iter().flat_map(heads) {
        if let Some((name, _)) = pod(text) {
            complete.have(name);
            complete.have(name.split('/').next().unwrap_or(name));
        }
    }
    let mut roots = Vec::new();
    for node in of_key("DEPENDENCIES").map_or(&[][..], Node::items) {
        let Some(name) = node.text().and_then(needed) else {
            facts.malformed(&path, Some(node.line), "a dependency without a name");
            continue;
        };
        complete.need(name, node.line);
        roots.push(Requested::from(Arc::<str>::from(name)));
    }
    for item in of_key("SPEC CHECKSUMS").map_or(&[][..], Node::entries) {
        complete.need(&item.key, item.line);
    }
    for node in items
        .iter()
        .flat_map(Node::entries)
        .flat_map(|one| one.node.items())
    {
        match node.text().and_then(needed) {
            Some(name) => complete.need(name, node.line),
            None => facts.malformed(&path, Some(node.line), "a dependency without a name"),
        }
    }
    facts.roots = (!roots.is_empty()).then_some(roots);
    complete.close(&path, facts);
    foreign.close(&path, facts);
    Ok(())
}

/// `Name (version)` of an item of `PODS`.
fn heads<'n>(item: &'n Node<'_>) -> Vec<&'n str> {
    let keys = item.entries().iter().map(|entry| entry.key.as_ref());
    item.text().into_iter().chain(keys).collect()
}

fn read(
    text: &str,
    item: &Node<'_>,
    dependencies: &[Node<'_>],
    document: &Node<'_>,
    (path, facts, foreign): (&Arc<str>, &mut Facts, &mut Foreign),
) {
    let Some((name, version)) = pod(text) else {
        let cause = format!("{} is not a pod and its version", shown(text));
        return facts.malformed(path, Some(item.line), cause);
    };
    let mut package = entry(PackageType::COCOAPODS, path, item.line, name, version);
    let names = dependencies.iter().filter_map(|node| needed(node.text()?));
    package.dependencies = names.map(Arc::from).collect();
    let root = name.split('/').next().unwrap_or(name);
    match source(root, document) {
        Source::Public => {}
        Source::Elsewhere(place) => foreign.mark(&mut package, item.line, &place),
        Source::Untold => {
            let cause = format!("pod {} does not say where it comes from", shown(root));
            facts.malformed(path, Some(item.line), cause);
        }
    }
    facts.add(package);
}

/// Where a pod comes from.
enum Source {
    /// The public repository, or a directory of the project.
    Public,
    Elsewhere(String),
    Untold,
}

fn source(root: &str, document: &Node<'_>) -> Source {
    let external = document
        .get("EXTERNAL SOURCES")
        .and_then(|node| node.get(root));
    if let Some(external) = external {
        let mut kinds = [":path", ":git", ":http", ":podspec", ":hg", ":svn"].iter();
        let found = kinds.find_map(|kind| Some((*kind, external.text_at(kind)?)));
        return match found {
            None | Some((":podspec", "")) => Source::Untold,
            Some((":path", _)) => Source::Public,
            Some((":podspec", place)) if !place.contains("://") => Source::Public,
            Some((kind, place)) => {
                Source::Elsewhere(format!("{}, {place}", kind.trim_start_matches(':')))
            }
        };
    }
    let Some(repositories) = document.get("SPEC REPOS") else {
        // CocoaPods writes them since 1.7.
        let version = document
            .get("COCOAPODS")
            .and_then(Node::scalar)
            .unwrap_or("0");
        let mut numbers = version
            .split('.')
            .map(|part| part.parse::<u32>().unwrap_or(0));
        let told = (numbers.next(), numbers.next()) >= (Some(1), Some(7));
        // A file without its own version, which stands last, may be cut.
        let is_cut = document.get("COCOAPODS").is_none();
        return if told || is_cut {
            Source::Untold
        } else {
            Source::Public
        };
    };
    let repositories = repositories.entries();
    let holds = |node: &Node<'_>| node.items().iter().any(|one| one.text() == Some(root));
    let mut holding = repositories.iter().filter(|one| holds(&one.node));
    let Some(from) = holding.next() else {
        return Source::Untold;
    };
    let is_public = PUBLIC
        .iter()
        .any(|name| from.key.eq_ignore_ascii_case(name));
    if is_public {
        return Source::Public;
    }
    Source::Elsewhere(format!("the repository {}", from.key))
}

/// The name of `Name (requirement)` or `Name`.
fn needed(text: &str) -> Option<&str> {
    let name = text.split(" (").next()?;
    is_name(name).then_some(name)
}

fn pod(text: &str) -> Option<(&str, &str)> {
    let (name, version) = text.strip_suffix(')')?.split_once(" (")?;
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-+_".contains(&byte);
    let is_version =
        version.starts_with(|c: char| c.is_ascii_digit()) && version.bytes().all(known);
    (is_name(name) && is_version).then_some((name, version))
}

/// A pod and its subspecs: letters, digits and signs, with slashes between.
fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte);
    text.split('/')
        .all(|part| !part.is_empty() && part.bytes().all(known))
}
