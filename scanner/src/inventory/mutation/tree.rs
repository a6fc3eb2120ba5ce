//! Mutators of documents: keys left out, renamed, twice; values of another type. The document is
//! read with our own readers, changed, and written again in the plainest form of its format.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::items::items;
use super::{Edit, Mutant, Mutator, Source};
use crate::inventory::{Parser, corpus};
use document::{Entry, Node, Value};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Syntax {
    Json,
    Toml,
    Yaml,
}

/// A document that tells the same when it is written again.
pub(super) struct Tree {
    /// The documents of a YAML file, else one.
    documents: Vec<Node<'static>>,
    syntax: Syntax,
    /// Every value but the documents, by the indexes that lead to it.
    paths: Vec<Vec<usize>>,
}

impl Tree {
    pub(super) fn new(parser: &Parser, path: &str, bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let good = items(&corpus::run(parser, path, bytes));
        if !good.is_good() {
            return None;
        }
        [Syntax::Json, Syntax::Toml, Syntax::Yaml]
            .into_iter()
            .find_map(|syntax| {
                let documents = read(text, syntax)?;
                let tree = Self {
                    paths: paths(&documents),
                    documents,
                    syntax,
                };
                let again = write(&tree.documents, syntax);
                let told = items(&corpus::run(parser, path, again.as_bytes()));
                told.same(&good).then_some(tree)
            })
    }
}

fn read(text: &str, syntax: Syntax) -> Option<Vec<Node<'static>>> {
    let documents = match syntax {
        Syntax::Json => vec![document::json(text).ok()?],
        Syntax::Toml => vec![document::toml(text).ok()?],
        Syntax::Yaml => document::yaml(text).ok()?,
    };
    let tables = documents.iter().all(Node::is_table);
    tables.then(|| documents.iter().map(owned).collect())
}

fn owned(node: &Node<'_>) -> Node<'static> {
    let text = |text: &str| Cow::Owned(text.to_owned());
    let value = match &node.value {
        Value::Null => Value::Null,
        Value::Bool(truth) => Value::Bool(*truth),
        Value::Number(number) => Value::Number(text(number)),
        Value::Text(string) => Value::Text(text(string)),
        Value::List(items) => Value::List(items.iter().map(owned).collect()),
        Value::Table(entries) => Value::Table(
            entries
                .iter()
                .map(|entry| Entry {
                    key: text(&entry.key),
                    line: entry.line,
                    start: entry.start,
                    node: owned(&entry.node),
                })
                .collect(),
        ),
    };
    Node {
        line: node.line,
        start: node.start,
        end: node.end,
        value,
    }
}

fn paths(documents: &[Node<'_>]) -> Vec<Vec<usize>> {
    fn visit(node: &Node<'_>, path: &[usize], found: &mut Vec<Vec<usize>>) {
        let children: Vec<&Node<'_>> = match &node.value {
            Value::List(items) => items.iter().collect(),
            Value::Table(entries) => entries.iter().map(|entry| &entry.node).collect(),
            _ => Vec::new(),
        };
        for (index, child) in children.into_iter().enumerate() {
            let path = [path, &[index]].concat();
            found.push(path.clone());
            visit(child, &path, found);
        }
    }
    let mut found = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        visit(document, &[index], &mut found);
    }
    found
}

fn write(documents: &[Node<'_>], syntax: Syntax) -> String {
    let mut text = String::new();
    for (index, document) in documents.iter().enumerate() {
        if syntax == Syntax::Json {
            flow(document, syntax, &mut text);
            continue;
        }
        if index > 0 {
            text.push_str("---\n");
        }
        for entry in document.entries() {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if entry.key.chars().all(plain) && !entry.key.is_empty() {
                text.push_str(&entry.key);
            } else {
                quote(&entry.key, &mut text);
            }
            text.push_str(if syntax == Syntax::Toml { " = " } else { ": " });
            flow(&entry.node, syntax, &mut text);
            text.push('\n');
        }
    }
    text
}

fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).unwrap());
}

fn flow(node: &Node<'_>, syntax: Syntax, out: &mut String) {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(truth) => {
            let _ = write!(out, "{truth}");
        }
        Value::Number(number) => out.push_str(number),
        Value::Text(text) => quote(text, out),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                flow(item, syntax, out);
            }
            out.push(']');
        }
        Value::Table(entries) => {
            out.push('{');
            for (index, entry) in entries.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                quote(&entry.key, out);
                out.push_str(if syntax == Syntax::Toml { " = " } else { ": " });
                flow(&entry.node, syntax, out);
            }
            out.push('}');
        }
    }
}

pub(super) const ALL: &[Mutator] = &[
    Mutator {
        name: "delete value",
        count: |source| count(source, 1),
        make: |source, index| change(source, index, 1, |_| Change::Delete),
    },
    Mutator {
        name: "rename key",
        count: |source| count(source, RENAMES.len()),
        make: |source, index| {
            change(source, index, RENAMES.len(), |variant| {
                Change::Rename(RENAMES[variant])
            })
        },
    },
    Mutator {
        name: "key twice",
        count: |source| count(source, 2),
        make: |source, index| change(source, index, 2, |variant| Change::Twice(variant == 0)),
    },
    Mutator {
        name: "other type",
        count: |source| count(source, TYPES.len()),
        make: |source, index| {
            change(source, index, TYPES.len(), |variant| {
                Change::Type(TYPES[variant].clone())
            })
        },
    },
];

const RENAMES: &[fn(&str) -> String] = &[
    |key| format!("{key}x"),
    str::to_uppercase,
    |key| format!("{key} "),
    |key| format!("{key}\u{200b}"),
];

/// The number that takes the place of other values.
pub(super) const PUT: &str = "7";

const TYPES: &[Value<'static>] = &[
    Value::Null,
    Value::Bool(true),
    Value::Bool(false),
    Value::Number(Cow::Borrowed(PUT)),
    Value::Text(Cow::Borrowed("")),
    Value::Text(Cow::Borrowed("a b")),
    Value::List(Vec::new()),
    Value::Table(Vec::new()),
];

fn count(source: &Source, variants: usize) -> usize {
    source.tree.as_ref().map_or(0, |tree| tree.paths.len()) * variants
}

enum Change {
    Delete,
    Rename(fn(&str) -> String),
    /// A second entry of the key, empty; before the good one, or after it.
    Twice(bool),
    Type(Value<'static>),
}

fn change(
    source: &Source,
    index: usize,
    variants: usize,
    make: impl FnOnce(usize) -> Change,
) -> Option<Mutant> {
    let tree = source.tree.as_ref()?;
    let path = &tree.paths[index / variants];
    let change = make(index % variants);
    let mut documents = tree.documents.clone();
    let (last, above) = path.split_last()?;
    let mut parent = documents.get_mut(*above.first()?)?;
    let mut keys: Vec<String> = Vec::new();
    for step in &above[1..] {
        parent = match &mut parent.value {
            Value::List(items) => {
                keys.push(step.to_string());
                items.get_mut(*step)?
            }
            Value::Table(entries) => {
                let entry = entries.get_mut(*step)?;
                keys.push(entry.key.to_string());
                &mut entry.node
            }
            _ => return None,
        };
    }
    let mut edit = Edit::Value;
    let what;
    match &mut parent.value {
        Value::List(items) => {
            keys.push(last.to_string());
            match change {
                Change::Delete => {
                    items.remove(*last);
                    edit = Edit::Entry;
                    what = "left out".to_owned();
                }
                Change::Type(value) => {
                    what = format!("is {value:?}");
                    items[*last].value = usable(value, tree.syntax)?;
                }
                Change::Rename(_) | Change::Twice(_) => return None,
            }
        }
        Value::Table(entries) => {
            let key = entries[*last].key.to_string();
            match change {
                Change::Delete => {
                    let held = keys
                        .last()
                        .is_some_and(|key| CONTAINERS.contains(&key.as_str()));
                    if held || keys.is_empty() && key.contains('@') {
                        edit = Edit::Entry;
                    }
                    entries.remove(*last);
                    what = "left out".to_owned();
                }
                Change::Rename(rename) => {
                    let new = rename(&key);
                    if new == key {
                        return None;
                    }
                    what = format!("renamed to {new:?}");
                    entries[*last].key = Cow::Owned(new);
                    edit = Edit::Key(key.clone());
                }
                Change::Twice(before) => {
                    let mut second = entries[*last].clone();
                    second.node.value = empty(&second.node.value);
                    entries.insert(if before { *last } else { last + 1 }, second);
                    what = format!("twice, empty {}", if before { "before" } else { "after" });
                }
                Change::Type(value) => {
                    what = format!("is {value:?}");
                    let old = &mut entries[*last].node.value;
                    if empty(old) == value {
                        edit = Edit::Emptied([keys.join("/"), key.clone()].concat());
                    }
                    *old = usable(value, tree.syntax)?;
                }
            }
            keys.push(key);
        }
        _ => return None,
    }
    let again = write(&documents, tree.syntax);
    Some(Mutant {
        bytes: again.into_bytes(),
        edit,
        note: format!("{}: {what}", keys.join("/")),
    })
}

/// Mappings whose entries are packages.
const CONTAINERS: &[&str] = &[
    "packages",
    "Packages",
    "snapshots",
    "dependencies",
    "default",
    "develop",
    "artifacts",
    "libraries",
    "deps",
];

fn usable(value: Value<'static>, syntax: Syntax) -> Option<Value<'static>> {
    (syntax != Syntax::Toml || value != Value::Null).then_some(value)
}

fn empty(value: &Value<'static>) -> Value<'static> {
    match value {
        Value::List(_) => Value::List(Vec::new()),
        Value::Table(_) => Value::Table(Vec::new()),
        Value::Text(_) => Value::Text(Cow::Borrowed("")),
        other => other.clone(),
    }
}

/// Which formats are documents; without this, one whose corpus does not come back when written
/// again would be left out in silence.
#[test]
fn documents_are_recognised() {
    let mut found = std::collections::BTreeSet::new();
    for (parser, case) in corpus::cases() {
        for (path, bytes) in &case.files {
            if Tree::new(parser, path, bytes).is_some() {
                found.insert(parser.id);
            }
        }
    }
    for id in [
        "cargo-lock",
        "composer-lock",
        "node-modules",
        "package-lock",
        "pipfile-lock",
        "pnpm-lock",
        "poetry-lock",
        "uv-lock",
        "yarn-lock",
    ] {
        assert!(found.contains(id), "{id}");
    }
}
