//! Prints what the evaluation makes of a directory: addresses, bodies, problems. A tool for
//! working on the evaluator; sensitive values are masked.
#![expect(clippy::print_stdout, reason = "an example program")]

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use rules::Value;
use rules::files::{DirEntry, Files};
use rules::terraform::{Options, evaluate};
use rules::value::Kind;

struct Disk(PathBuf);

impl Files for Disk {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.0.join(path))
    }

    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(self.0.join(path))? {
            let entry = entry?;
            entries.push(DirEntry {
                name: entry.file_name().to_string_lossy().into_owned(),
                is_dir: entry.file_type()?.is_dir(),
            });
        }
        entries.sort();
        Ok(entries)
    }
}

fn directories(files: &Disk, path: &str, found: &mut Vec<String>) {
    let entries = files.list(path).unwrap_or_default();
    let is_source =
        |entry: &DirEntry| entry.name.ends_with(".tf") || entry.name.ends_with(".tf.json");
    if entries.iter().any(is_source) {
        found.push(path.to_owned());
    }
    for entry in entries.iter().filter(|entry| entry.is_dir) {
        let below = if path.is_empty() {
            entry.name.clone()
        } else {
            format!("{path}/{}", entry.name)
        };
        directories(files, &below, found);
    }
}

fn show(value: &Value) -> String {
    let rest = |open: bool| if open { ", …" } else { "" };
    let text = match &value.kind {
        _ if value.is_sensitive() => "(sensitive)".to_owned(),
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(value) => value.to_string(),
        Kind::String(value) => format!("{value:?}"),
        Kind::List(list) => {
            let items: Vec<String> = list.items.iter().map(show).collect();
            format!("[{}{}]", items.join(", "), rest(list.rest.is_some()))
        }
        Kind::Map(map) => {
            let entry = |(key, value): (&_, &_)| format!("{key} = {}", show(value));
            let entries: Vec<String> = map.entries.iter().map(entry).collect();
            format!("{{{}{}}}", entries.join(", "), rest(map.rest.is_some()))
        }
        Kind::Unknown(unknown) => format!(
            "?{:?}{}",
            unknown.origin,
            unknown
                .encoded
                .as_ref()
                .map_or_else(String::new, |encoded| format!("<{}>", show(encoded)))
        ),
    };
    match value.marks.as_ref() {
        Some(marks) if !marks.references.is_empty() => format!("{text}@{:?}", marks.references),
        _ => text,
    }
}

fn main() {
    let root = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let quiet = std::env::args().nth(2).is_some();
    let files = Disk(root.into());
    let mut found = Vec::new();
    directories(&files, "", &mut found);
    let environment: BTreeMap<String, String> = std::env::vars()
        .filter_map(|(key, value)| Some((key.strip_prefix("TF_VAR_")?.to_owned(), value)))
        .collect();
    let options = Options {
        environment,
        workspace: None,
    };
    let evaluation = evaluate(&files, &found, &options);
    for stack in &evaluation.stacks {
        println!(
            "stack {:?}: {} instances",
            stack.root,
            stack.resources.len()
        );
        for resource in stack.resources.iter().filter(|_| !quiet) {
            println!(
                "  {} {}:{}-{}{} {}",
                resource.address,
                resource.span.file,
                resource.span.start_line,
                resource.span.end_line,
                resource
                    .uncertain
                    .as_ref()
                    .map_or_else(String::new, |why| format!(" MAYBE({why})")),
                show(&resource.body)
            );
        }
        for (address, arguments) in &stack.unresolved_modules {
            println!("  unresolved {address} {}", show(arguments));
        }
    }
    for problem in &evaluation.problems {
        println!(
            "  {:?} {:?} {}:{:?} {}",
            problem.severity, problem.kind, problem.path, problem.line, problem.cause
        );
    }
}
