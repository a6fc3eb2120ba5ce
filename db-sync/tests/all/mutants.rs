//! Damaged records: one that loses its package, its versions or itself in silence makes a clean
//! scan. Every value of a good record is left out, renamed, put there twice or made another type;
//! the package is still found, the version is undecided, or a warning names the record.
//!
//! All mutants of all records go into one database, each under an id and a package name of its own.

use super::support::{ask, own};
use db_sync::{BuildRequest, Db, build};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A good record, and a version that it affects.
struct Good {
    record: Value,
    ecosystem: String,
    name: String,
    version: String,
}

fn records(directory: &Path, found: &mut Vec<Value>) {
    let mut entries: Vec<_> = fs::read_dir(directory)
        .expect("directory")
        .map(|entry| entry.expect("entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            records(&path, found);
        } else if path.extension().is_some_and(|end| end == "json") {
            found.push(serde_json::from_slice(&fs::read(&path).expect("record")).expect("JSON"));
        }
    }
}

/// The first package of each record with a version that its first range or list affects.
fn good() -> Vec<Good> {
    let mut all = Vec::new();
    records(&own().join("osv"), &mut all);
    let good = all.into_iter().filter_map(|record| {
        let affected = &record["affected"][0];
        let ecosystem = affected["package"]["ecosystem"].as_str()?.to_owned();
        let name = affected["package"]["name"].as_str()?.to_owned();
        let listed = affected["versions"][0].as_str();
        let introduced = affected["ranges"][0]["events"][0]["introduced"].as_str();
        let version = listed.or(introduced)?;
        let version = if version == "0" { "0.0.1" } else { version };
        let version = version.to_owned();
        // One entry, so that no other speaks for what it lost.
        let mut record = record;
        record["affected"] = json!([record["affected"][0]]);
        for other in ["aliases", "related", "upstream", "withdrawn"] {
            record.as_object_mut()?.remove(other);
        }
        Some(Good {
            record,
            ecosystem,
            name,
            version,
        })
    });
    good.collect()
}

/// A change of the value at a path: its name, and what it makes of the parent.
type Change = (&'static str, fn(&mut Value, &str));

fn put(parent: &mut Value, key: &str, value: Value) {
    match parent {
        Value::Object(entries) => {
            entries.insert(key.to_owned(), value);
        }
        Value::Array(items) => items[key.parse::<usize>().expect("index")] = value,
        _ => {}
    }
}

const CHANGES: &[Change] = &[
    ("left out", |parent, key| match parent {
        Value::Object(entries) => {
            entries.remove(key);
        }
        Value::Array(items) => {
            items.remove(key.parse().expect("index"));
        }
        _ => {}
    }),
    ("renamed", |parent, key| {
        rename(parent, key, &format!("{key}x"));
    }),
    ("in capitals", |parent, key| {
        rename(parent, key, &key.to_uppercase());
    }),
    ("is null", |parent, key| put(parent, key, Value::Null)),
    ("is a number", |parent, key| put(parent, key, json!(7))),
    ("is true", |parent, key| put(parent, key, json!(true))),
    ("is an empty text", |parent, key| {
        put(parent, key, json!(""));
    }),
    ("is a text", |parent, key| put(parent, key, json!("a b"))),
    ("is an empty list", |parent, key| {
        put(parent, key, json!([]));
    }),
    ("is an empty mapping", |parent, key| {
        put(parent, key, json!({}));
    }),
];

fn rename(parent: &mut Value, key: &str, new: &str) {
    if let Value::Object(entries) = parent
        && let Some(value) = entries.remove(key)
    {
        entries.insert(new.to_owned(), value);
    }
}

/// The pointers of all values below one.
fn pointers(value: &Value, above: &str, found: &mut Vec<(String, String)>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (key, value) in below {
        found.push((above.to_owned(), key.clone()));
        pointers(value, &format!("{above}/{key}"), found);
    }
}

/// Changes that a good record may have, with reasons.
fn is_no_loss(pointer: &str, change: &str, record: &Value) -> bool {
    // A key of another name is one of a later schema.
    let gone = matches!(change, "left out" | "is null" | "renamed" | "in capitals");
    let affected = &record["affected"][0];
    match pointer {
        // Another name: then it is a record about another package.
        "/affected/0/package/name" | "/affected/0/package/ecosystem" => change == "is a text",
        // A record without affected packages is a good record.
        "/affected" => gone || change == "is an empty list",
        "/affected/0" => change == "left out",
        // A range that begins later: what comes before its first introduction says nothing.
        "/affected/0/ranges/0/events/0" => {
            let mut events = affected["ranges"][0]["events"]
                .as_array()
                .into_iter()
                .flatten();
            change == "left out" && events.any(|event| event["introduced"] != "0")
        }
        // Versions in a list and in ranges are alternatives: one of them may be missing.
        _ if pointer.starts_with("/affected/0/versions") => affected["ranges"].is_array(),
        _ => false,
    }
}

#[test]
fn no_damage_of_a_record_loses_its_package_in_silence() {
    let directory = TempDir::new().expect("directory");
    let mut mutants = Vec::new();
    for good in good() {
        let mut all = Vec::new();
        pointers(&good.record, "", &mut all);
        all.insert(0, (String::new(), String::new()));
        for (parent, key) in &all {
            for (what, change) in CHANGES {
                let number = mutants.len();
                let (id, name) = (
                    format!("MUT-2026-{number:05}"),
                    format!("{}{number}", good.name),
                );
                let mut record = good.record.clone();
                record["id"] = json!(id);
                record["affected"][0]["package"]["name"] = json!(name);
                let pointer = format!("{parent}/{key}");
                if key.is_empty() && *what != "left out" {
                    continue;
                }
                if let Some(parent) = record.pointer_mut(parent) {
                    change(parent, key);
                }
                fs::write(
                    directory.path().join(format!("{id}.json")),
                    record.to_string(),
                )
                .expect("written");
                mutants.push((
                    id,
                    name,
                    good.ecosystem.clone(),
                    good.version.clone(),
                    pointer,
                    *what,
                    good.record.clone(),
                ));
            }
        }
    }
    let database = directory.path().join("m.db");
    let request = BuildRequest {
        osv: vec![directory.path().to_path_buf()],
        output: database.clone(),
        ..BuildRequest::default()
    };
    let report = build(&request).expect("build");
    let warnings: Vec<String> = report.warnings.iter().map(ToString::to_string).collect();
    let warnings = warnings.join("\n");
    let db = Db::open(&database).expect("open");
    let mut survivors = Vec::new();
    let mut tried = 0;
    for (id, name, ecosystem, version, pointer, what, record) in &mutants {
        tried += 1;
        let outcome = ask(&db, ecosystem, name, version);
        let told = !outcome.matches.is_empty()
            || !outcome.undecided.is_empty()
            || warnings.contains(id.as_str())
            || is_no_loss(pointer, what, record);
        if !told {
            survivors.push(format!("{ecosystem} {pointer} {what}"));
        } else if pointer == "/" {
            assert!(!outcome.matches.is_empty(), "{ecosystem} {name} as it is");
        }
    }
    assert!(tried > 500, "{tried}");
    assert!(
        survivors.is_empty(),
        "{} of {tried} survive:\n{}",
        survivors.len(),
        survivors.join("\n")
    );
}
