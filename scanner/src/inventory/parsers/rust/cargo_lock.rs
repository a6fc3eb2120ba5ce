//! `Cargo.lock`, versions 1 to 4. Packages without a `source` are the workspace itself or lie
//! beside it, and no advisory is about them. Only crates of crates.io are judged, as cargo-audit
//! does it: one from another registry shares its name at most, and one from git may be a fork
//! that was mended. These are listed, and are gaps.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::complete::Complete;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::{entry, file_name};
use crate::inventory::{Facts, Input, ParseError, Parser, Requested, Want};
use crate::model::gap::GapKind;
use crate::model::hash::{Algorithm, Checksum};
use crate::model::package::PackageType;
use document::Node;

/// The newest version of the format that we know.
const NEWEST: u32 = 4;

/// The public registry, as cargo writes it for its git and for its sparse index.
const CRATES_IO: [&str; 2] = [
    "registry+https://github.com/rust-lang/crates.io-index",
    "sparse+https://index.crates.io",
];

/// What cargo writes of a package; anything else may be one of these, misspelt.
const KEYS: [&str; 6] = [
    "name",
    "version",
    "source",
    "checksum",
    "dependencies",
    "replace",
];

/// What it writes beside the packages.
const TOP: [&str; 5] = ["version", "package", "root", "metadata", "patch"];

/// `Cargo.lock`, and those that a build puts in its place: `Cargo.Bazel.lock`,
/// `Cargo-minimal.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "cargo-lock",
    wants: &[Want::Name("Cargo.lock"), Want::Extension(".lock")],
    accepts: Some(|path| {
        let stem = file_name(path).strip_suffix(".lock");
        let rest = stem.and_then(|stem| stem.strip_prefix("Cargo"));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
    }),
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let document = document::toml(input.content.utf8()?)?;
    if let Some(version) = document.get("version") {
        let number = version.scalar().and_then(|text| text.parse::<u32>().ok());
        if number.is_none_or(|number| number > NEWEST) {
            let cause = "a version of Cargo.lock that we do not know";
            return Err(ParseError::unknown_format(Some(version.line), cause));
        }
    }
    let path: Arc<str> = input.path.into();
    let packages = document.items_at("package")?;
    if packages.is_empty() && document.get("root").is_none() {
        return Err(ParseError::new("no package, which every Cargo.lock has"));
    }
    let mut reader = Reader {
        path: &path,
        facts,
        foreign: Foreign::default(),
        complete: Complete::default(),
    };
    reader.refuse_others(&document, &TOP);
    // The oldest files have the project apart.
    if let Some(root) = document.get("root") {
        reader.needs(root);
        let roots = reader.facts.roots.get_or_insert_default();
        roots.extend(dependencies(root).into_iter().map(Requested::from));
    }
    for node in packages {
        reader.package(node);
    }
    reader.sources(&document, packages);
    reader.complete.close(&path, reader.facts);
    reader.foreign.close(&path, reader.facts);
    Ok(())
}

struct Reader<'a, 'f> {
    path: &'a Arc<str>,
    facts: &'f mut Facts,
    foreign: Foreign,
    complete: Complete<'a>,
}

impl<'a> Reader<'a, '_> {
    fn malformed(&mut self, line: u32, cause: String) {
        self.facts.malformed(self.path, Some(line), cause);
    }

    fn package(&mut self, node: &'a Node<'_>) {
        let (Some(name), Some(version)) = (node.get("name"), node.text_at("version")) else {
            return self.malformed(node.line, "a package without name or version".to_owned());
        };
        let text = name.text().unwrap_or_default();
        self.refuse_others(node, &KEYS);
        self.complete.have(text);
        self.needs(node);
        let Some(source) = node.get("source") else {
            // Only what comes from a registry has a checksum here.
            if node.get("checksum").is_some() {
                let cause = format!("package {} has a checksum and no source", shown(text));
                self.malformed(name.line, cause);
            }
            // A member of the workspace.
            let roots = self.facts.roots.get_or_insert_default();
            roots.extend(dependencies(node).into_iter().map(Requested::from));
            return;
        };
        if !is_name(text) {
            let cause = format!("{} is not a name that a crate can have", shown(text));
            return self.malformed(name.line, cause);
        }
        if !is_version(version) {
            let cause = format!(
                "package {} has {} for a version",
                shown(text),
                shown(version)
            );
            let kind = GapKind::UnknownVersion;
            return self.facts.gap(self.path, Some(name.line), kind, cause);
        }
        let Some(source) = source.text() else {
            let cause = format!("package {} has a source that is not text", shown(text));
            return self.malformed(name.line, cause);
        };
        let mut package = entry(PackageType::CARGO, self.path, name.line, text, version);
        package.public = is_public(source);
        package.dependencies = dependencies(node);
        let digits = node.text_at("checksum").unwrap_or_default();
        package.checksums = Vec::from_iter(Checksum::hexadecimal(Algorithm::Sha256, digits));
        if !package.public {
            self.foreign.mark(&mut package, name.line, &place(source));
        }
        self.facts.add(package);
    }

    fn refuse_others(&mut self, node: &Node<'_>, known: &[&str]) {
        for entry in node.entries() {
            if !known.contains(&entry.key.as_ref()) {
                let cause = format!("{} is not a key of Cargo.lock", shown(&entry.key));
                self.malformed(entry.line, cause);
            }
        }
    }

    fn needs(&mut self, node: &'a Node<'_>) {
        let items = match node.items_at("dependencies") {
            Ok(items) => items,
            Err(error) => return self.malformed(error.line.unwrap_or(node.line), error.cause),
        };
        for item in items {
            let name = item.text().and_then(|text| text.split_whitespace().next());
            match name {
                Some(name) => self.complete.need(name, item.line),
                None => self.malformed(item.line, "a dependency without a name".to_owned()),
            }
        }
    }

    /// Old files keep checksums apart, by name, version and source: a package with a checksum
    /// there and without a source here lost it.
    fn sources(&mut self, document: &Node<'_>, packages: &[Node<'_>]) {
        let Some(metadata) = document.get("metadata") else {
            return;
        };
        let mut have = BTreeSet::new();
        for node in packages {
            let part = |key| node.text_at(key).unwrap_or_default();
            have.insert((part("name"), part("version"), part("source")));
        }
        for entry in metadata.entries() {
            let mut words = entry.key.split(' ').skip_while(|word| *word == "checksum");
            let (name, version) = (words.next(), words.next());
            let source = words.next().map(|word| word.trim_matches(['(', ')']));
            let key = (
                name.unwrap_or_default(),
                version.unwrap_or_default(),
                source.unwrap_or_default(),
            );
            if !have.contains(&key) {
                let cause = format!("{} has a checksum, and no package is it", shown(key.0));
                self.malformed(entry.line, cause);
            }
        }
    }
}

/// Whether a source is the public registry; cargo takes an index with `.git` or a slash at its
/// end for the same.
fn is_public(source: &str) -> bool {
    let source = source.trim_end_matches('/');
    let source = source.strip_suffix(".git").unwrap_or(source);
    CRATES_IO.contains(&source)
}

/// A source as a sentence names it. Of a git source all revisions are one.
fn place(source: &str) -> String {
    let address = source.split(['?', '#']).next().unwrap_or(source);
    match address.split_once('+') {
        Some(("registry" | "sparse", address)) => format!("the registry {address}"),
        Some(("git", address)) => format!("the git repository {address}"),
        _ => format!("the source {address}"),
    }
}

/// The names that cargo allows.
fn is_name(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Whether a text can be a semantic version: three numbers, and what follows them.
fn is_version(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    let numbers = text.split(['-', '+']).next().unwrap_or_default();
    let mut parts = numbers.split('.');
    let three = parts
        .by_ref()
        .take(3)
        .filter(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
        .count()
        == 3;
    three && parts.next().is_none() && text.bytes().all(allowed)
}

/// `name`, `name version` or `name version (source)`: without a version where there is only one.
fn dependencies(node: &Node<'_>) -> Vec<Arc<str>> {
    let items = node
        .get("dependencies")
        .map(Node::items)
        .unwrap_or_default();
    let edges = items.iter().filter_map(Node::text).filter_map(|text| {
        let mut words = text.split_ascii_whitespace();
        let name = words.next()?;
        Some(match words.next() {
            Some(version) => format!("{name}@{version}").into(),
            None => name.into(),
        })
    });
    edges.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_registry_has_two_indexes() {
        for source in [
            "registry+https://github.com/rust-lang/crates.io-index",
            "registry+https://github.com/rust-lang/crates.io-index.git",
            "sparse+https://index.crates.io/",
        ] {
            assert!(is_public(source), "{source}");
        }
        for source in [
            "sparse+https://crates.example.org/index/",
            "registry+https://github.com/rust-lang/crates.io-index-archive",
            "registry+https://github.com.evil.example/rust-lang/crates.io-index",
            "git+https://github.com/rust-lang/crates.io-index",
        ] {
            assert!(!is_public(source), "{source}");
        }
        assert_eq!(
            place("git+https://x/a?rev=1#2"),
            "the git repository https://x/a"
        );
        assert_eq!(place("sparse+https://x/"), "the registry https://x/");
    }

    #[test]
    fn names_and_versions() {
        assert!(is_name("serde_json") && is_name("_a-1"));
        assert!(!is_name("serde\u{200b}") && !is_name("") && !is_name("1a"));
        assert!(is_version("1.2.3-rc.1+x") && is_version("0.0.0"));
        assert!(!is_version("1.2") && !is_version("1.2.3.4") && !is_version("1.2.x"));
    }
}
