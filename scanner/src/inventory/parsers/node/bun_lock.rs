//! `bun.lock` (bun.com, "Lockfile"), versions 0 and 1: JSON with commas before closing brackets and
//! comments. `packages` is a mapping by the path in `node_modules`; an entry begins with
//! `name@version`. Workspaces, links and folders are the project's; git and addresses have no
//! version. `bun.lockb`, its binary predecessor, is recognised and not read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::npm::{self, List};
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{outside_node_modules, repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Requested, Want};
use crate::model::gap::GapKind;
use crate::model::hash::Checksum;
use crate::model::package::Scope;
use document::{Entry, Node, Value};

/// `bun.lock`.
pub(crate) static PARSER: Parser = Parser {
    id: "bun-lock",
    wants: &[Want::Name("bun.lock")],
    accepts: Some(outside_node_modules),
    parse,
    ..Parser::LOCKFILE
};

/// What a workspace asks for: the table, whether it is for development, whether it is optional.
const ASKED: [(&str, bool, bool); 3] = [
    ("dependencies", false, false),
    ("devDependencies", true, false),
    ("optionalDependencies", false, true),
];

/// The default registry, as an entry may name it.
const REGISTRY: &str = "https://registry.npmjs.org/";

/// Entries by their path.
type Entries<'a> = BTreeMap<&'a str, &'a str>;

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let text = strict(input.content.utf8()?);
    let document = document::json(&text)?;
    let version = document.get("lockfileVersion");
    if !matches!(version.and_then(Node::scalar), Some("0" | "1")) {
        let line = version.map(|node| node.line);
        let cause = "a version of bun.lock that we do not know";
        return Err(ParseError::unknown_format(line, cause));
    }
    document.refuse_misspelt(&["packages", "workspaces"])?;
    if document.get("workspaces").is_none() {
        return Err(ParseError::new("there are no workspaces"));
    }
    let packages = document.entries_at("packages")?;
    let mut list = List::new(input.path, facts);
    for node in [Some(&document), document.get("packages")] {
        if let Some(key) = node.and_then(repeated) {
            let cause = format!("the key {} comes twice", shown(key));
            list.facts
                .unjudged(&list.path, None, GapKind::Ambiguous, cause);
        }
    }
    let mut entries = Entries::new();
    for item in packages {
        if let Some(id) = item.node.items().first().and_then(Node::text) {
            entries.insert(&item.key, id);
        }
    }
    let mut roots = Vec::new();
    for item in document.entries_at("workspaces")? {
        let name = item.node.text_at("name").filter(|_| !item.key.is_empty());
        for (table, is_dev, is_optional) in ASKED {
            for asked in item.node.entries_at(table)? {
                let from = name.unwrap_or_default();
                match resolve(&entries, from, &asked.key) {
                    Some(id) => roots.push(Requested {
                        edge: id.into(),
                        scope: Some(Scope::of(is_dev, is_optional)),
                    }),
                    None if is_optional => {}
                    None => missing(asked, &mut list),
                }
            }
        }
    }
    list.facts.roots = Some(roots);
    for item in packages {
        package(item, &entries, &mut list)?;
    }
    list.close();
    Ok(())
}

fn missing(asked: &Entry<'_>, list: &mut List<'_>) {
    let cause = format!(
        "{} is depended on, and is not in packages",
        shown(&asked.key)
    );
    list.facts.malformed(&list.path, Some(asked.line), cause);
}

/// What a package finds under a name: the entry below its own path, or below one further up.
fn resolve<'a>(entries: &Entries<'a>, from: &str, name: &str) -> Option<&'a str> {
    let mut from = from;
    while !from.is_empty() {
        if let Some(id) = entries.get(format!("{from}/{name}").as_str()) {
            return Some(id);
        }
        from = from.rsplit_once('/').map_or("", |(above, _)| above);
    }
    entries.get(name).copied()
}

fn package(item: &Entry<'_>, entries: &Entries<'_>, list: &mut List<'_>) -> Result<(), ParseError> {
    let parts = item.node.items();
    let id = parts.first().and_then(Node::text).unwrap_or_default();
    // The name may begin with the at sign of a scope.
    let at = id.get(1..).and_then(|rest| rest.find('@'));
    let halves = at.and_then(|at| id.split_at_checked(at.saturating_add(1)));
    let Some((name, version)) = halves else {
        let cause = format!("package {} has no name@version", shown(&item.key));
        list.facts.malformed(&list.path, Some(item.line), cause);
        return Ok(());
    };
    let version = version.strip_prefix('@').unwrap_or(version);
    if ["workspace:", "link:", "root:"]
        .iter()
        .any(|start| version.starts_with(start))
    {
        return Ok(());
    }
    if version.starts_with("file:") && npm::archive_stem(version).is_none() {
        return Ok(());
    }
    let version = npm::archive_version(version, name).unwrap_or(version);
    if version.contains([':', '/']) {
        list.address(item.line, name);
        return Ok(());
    }
    let [_, registry, about, integrity] = parts else {
        let cause = format!("package {} has not the four parts of one", shown(&item.key));
        list.facts.malformed(&list.path, Some(item.line), cause);
        return Ok(());
    };
    let registry = registry.text().unwrap_or_default();
    let resolved = npm::in_registry(registry).is_some() || registry.starts_with(REGISTRY);
    let source = (!registry.is_empty() && !resolved).then(|| format!("the registry {registry}"));
    let mut edges = Vec::new();
    for (table, is_needed) in [("dependencies", true), ("optionalDependencies", false)] {
        for asked in about.entries_at(table)? {
            match resolve(entries, &item.key, &asked.key) {
                Some(id) => edges.push(Arc::from(id)),
                None if is_needed => missing(asked, list),
                None => {}
            }
        }
    }
    if !matches!(about.value, Value::Table(_)) {
        let cause = format!("package {} has no mapping of its own", shown(&item.key));
        list.facts.malformed(&list.path, Some(item.line), cause);
    }
    list.add_from(item.line, name, version, source.as_deref(), |package| {
        package.dependencies = edges;
        package.checksums = Checksum::integrity(integrity.text().unwrap_or_default());
    });
    Ok(())
}

/// The text as JSON: comments and commas before closing brackets become blanks, so that lines stay.
fn strict(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut comma = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => {
                while chars.next_if(|&next| next != '\n').is_some() {}
            }
            '/' if chars.next_if_eq(&'*').is_some() => {
                let mut before = ' ';
                for next in chars.by_ref() {
                    if next == '\n' {
                        out.push('\n');
                    }
                    if before == '*' && next == '/' {
                        break;
                    }
                    before = next;
                }
            }
            '"' => {
                comma = None;
                out.push(c);
                let mut escaped = false;
                for next in chars.by_ref() {
                    out.push(next);
                    if next == '"' && !escaped {
                        break;
                    }
                    escaped = next == '\\' && !escaped;
                }
            }
            ',' => {
                comma = Some(out.len());
                out.push(c);
            }
            ']' | '}' => {
                if let Some(at) = comma.take() {
                    out.replace_range(at..=at, " ");
                }
                out.push(c);
            }
            _ => {
                if !c.is_whitespace() {
                    comma = None;
                }
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::strict;

    #[test]
    fn comments_and_last_commas_are_blank() {
        let text = "{\n// a, ]\n\"a//b\\\",]\": [1, /* x\n*/ 2, \n],}";
        assert_eq!(strict(text), "{\n\n\"a//b\\\",]\": [1, \n 2  \n] }");
        assert_eq!(strict("/* \"open"), "");
    }
}
