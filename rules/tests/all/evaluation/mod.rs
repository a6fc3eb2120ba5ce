//! Terraform evaluation from files to resources. Each folder of `testdata/terraform` is a case:
//! a root module with an `expected.json` that lists all addresses and, of each, the attributes
//! that matter; unknown values are written `{"?": "why"}`, open ends `"…"`.

mod limits;
mod mutants;
mod roots;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rules::files::{DirEntry, Files};
use rules::input::{Evaluation, Options, VariableFile};
use rules::terraform::{MAX_COMMENTS, evaluate};
use rules::value::{Kind, Origin};
use rules::{ProblemKind, Value};
use serde_json::{Value as Json, json};

/// Files of a directory on disk.
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

/// Files in memory.
#[derive(Clone, Default)]
struct Memory(BTreeMap<String, Vec<u8>>);

impl Memory {
    fn new(files: &[(&str, &str)]) -> Self {
        let files = files.iter();
        Self(
            files
                .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
                .collect(),
        )
    }

    /// All files of a directory.
    fn copy_of(root: &Path) -> Self {
        fn add(root: &Path, path: &str, files: &mut BTreeMap<String, Vec<u8>>) {
            for entry in Disk(root.to_owned()).list(path).unwrap() {
                let below = if path.is_empty() {
                    entry.name
                } else {
                    format!("{path}/{}", entry.name)
                };
                if entry.is_dir {
                    add(root, &below, files);
                } else {
                    files.insert(below.clone(), std::fs::read(root.join(&below)).unwrap());
                }
            }
        }
        let mut files = BTreeMap::new();
        add(root, "", &mut files);
        Self(files)
    }

    fn evaluate(&self, options: &Options) -> Evaluation {
        evaluate(self, &directories(self, ""), options)
    }
}

impl Files for Memory {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.0
            .get(path)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        let prefix = if path.is_empty() {
            String::new()
        } else {
            format!("{path}/")
        };
        let below = self.0.keys().filter_map(|name| name.strip_prefix(&prefix));
        let entries: BTreeSet<DirEntry> = below
            .map(|name| match name.split_once('/') {
                Some((directory, _)) => DirEntry {
                    name: directory.to_owned(),
                    is_dir: true,
                },
                None => DirEntry {
                    name: name.to_owned(),
                    is_dir: false,
                },
            })
            .collect();
        Ok(entries.into_iter().collect())
    }
}

fn directories(files: &dyn Files, path: &str) -> Vec<String> {
    let entries = files.list(path).unwrap();
    let is_source = |entry: &DirEntry| rules::terraform::is_infrastructure(&entry.name);
    let mut found = Vec::new();
    if entries.iter().any(is_source) {
        found.push(path.to_owned());
    }
    for entry in entries.into_iter().filter(|entry| entry.is_dir) {
        let below = if path.is_empty() {
            entry.name
        } else {
            format!("{path}/{}", entry.name)
        };
        found.extend(directories(files, &below));
    }
    found
}

fn reason(origin: &Origin) -> String {
    match origin {
        Origin::Variable(name) => format!("var {name}"),
        Origin::Computed { address, attribute } => format!("computed {address}.{attribute}"),
        Origin::Data(address) | Origin::Module(address) => address.to_string(),
        Origin::Function(name) => format!("{name}()"),
        Origin::Failed(what) => format!("failed {what}"),
        Origin::Repetition(address) => format!("each {address}"),
    }
}

fn to_json(value: &Value) -> Json {
    match &value.kind {
        Kind::Null => Json::Null,
        Kind::Bool(value) => json!(value),
        Kind::Number(number) => number.to_string().parse().map_or(Json::Null, Json::Number),
        Kind::String(text) => json!(&**text),
        Kind::List(list) => {
            let mut items: Vec<Json> = list.items.iter().map(to_json).collect();
            items.extend(list.rest.as_ref().map(|_| json!("…")));
            Json::Array(items)
        }
        Kind::Map(map) => {
            let entries = map
                .entries
                .iter()
                .map(|(key, value)| (key.to_string(), to_json(value)));
            let rest = map.rest.as_ref().map(|_| ("…".to_owned(), Json::Null));
            Json::Object(entries.chain(rest).collect())
        }
        Kind::Unknown(unknown) => match &unknown.encoded {
            Some(encoded) => json!({"encodes": to_json(encoded)}),
            None => json!({"?": reason(&unknown.origin)}),
        },
    }
}

/// What an evaluation gave, in the form of `expected.json`.
fn summary(evaluation: &Evaluation) -> (BTreeMap<String, Json>, BTreeSet<String>) {
    let mut resources = BTreeMap::new();
    for stack in &evaluation.stacks {
        for resource in &stack.resources {
            let mut body = to_json(&resource.body);
            let more = body.as_object_mut().unwrap();
            more.insert(
                "@lines".into(),
                json!(format!(
                    "{}:{}-{}",
                    resource.span.file, resource.span.start_line, resource.span.end_line
                )),
            );
            if let Some(why) = &resource.uncertain {
                more.insert("@uncertain".into(), json!(&**why));
            }
            for (name, value) in resource.body.as_map().unwrap().entries.iter() {
                let marks = value.marks.as_deref();
                if let Some(marks) = marks.filter(|marks| !marks.references.is_empty()) {
                    let references: Vec<&str> =
                        marks.references.iter().map(AsRef::as_ref).collect();
                    more.insert(format!("@{name}"), json!(references));
                }
                if value.is_sensitive() {
                    more.insert(format!("@{name} sensitive"), json!(true));
                }
            }
            let address = if stack.root.is_empty() {
                resource.address.to_string()
            } else {
                format!("{}: {}", stack.root, resource.address)
            };
            assert!(
                resources.insert(address, body).is_none(),
                "{}",
                resource.address
            );
        }
    }
    let problems = evaluation.problems.iter().map(|problem| {
        let kind = serde_json::to_value(problem.kind).unwrap();
        format!(
            "{} {}:{}",
            kind.as_str().unwrap(),
            problem.path,
            problem.line.unwrap_or_default()
        )
    });
    (resources, problems.collect())
}

#[test]
fn cases() {
    let root = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../testdata/terraform"
    ));
    let mut count = 0;
    let mut wrong = Vec::new();
    for entry in Disk(root.to_owned()).list("").unwrap() {
        let case = root.join(&entry.name);
        let Ok(text) = std::fs::read_to_string(case.join("expected.json")) else {
            continue;
        };
        count += 1;
        let expected: Json =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", entry.name));
        let environment = expected["environment"].as_object().into_iter().flatten();
        let options = Options {
            environment: environment
                .map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()))
                .collect(),
            workspace: expected["workspace"].as_str().map(ToOwned::to_owned),
            ..Options::default()
        };
        let files = Disk(case);
        let evaluation = evaluate(&files, &directories(&files, ""), &options);
        let (resources, problems) = summary(&evaluation);
        let wanted = expected["resources"].as_object().unwrap();
        if resources.keys().collect::<BTreeSet<_>>() != wanted.keys().collect() {
            let got: Vec<&String> = resources.keys().collect();
            wrong.push(format!("{}: the addresses are {got:?}", entry.name));
        }
        for (address, attributes) in wanted {
            for (name, value) in attributes.as_object().unwrap() {
                let body = resources.get(address).unwrap_or(&Json::Null);
                let got = body.get(name).unwrap_or(&Json::Null);
                if got != value {
                    wrong.push(format!(
                        "{}: {address}.{name} is {got}, not {value}",
                        entry.name
                    ));
                }
            }
        }
        let wanted = expected["problems"].as_array().into_iter().flatten();
        let wanted: BTreeSet<String> = wanted
            .map(|problem| problem.as_str().unwrap().to_owned())
            .collect();
        if problems != wanted {
            let problems = &evaluation.problems;
            wrong.push(format!("{}: the problems are {problems:#?}", entry.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 5, "the cases are not there");
}

fn kinds(evaluation: &Evaluation) -> BTreeSet<ProblemKind> {
    evaluation
        .problems
        .iter()
        .map(|problem| problem.kind)
        .collect()
}

/// Evaluates hostile input and expects one kind of problem, soon.
#[track_caller]
fn ends_with(kind: ProblemKind, files: &[(&str, &str)]) -> Evaluation {
    let start = Instant::now();
    let evaluation = Memory::new(files).evaluate(&Options::default());
    assert!(
        kinds(&evaluation).contains(&kind),
        "{:?}",
        evaluation.problems
    );
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    evaluation
}

#[test]
fn nothing_sensitive_is_told() {
    let evaluation = ends_with(
        ProblemKind::Evaluation,
        &[(
            "main.tf",
            "variable \"p\" {\n  sensitive = true\n  default = \"canary-17\"\n}\nresource \"a_b\" \"c\" {\n  x = tonumber(var.p)\n  y = {}[var.p]\n  z = file(var.p)\n}\n",
        )],
    );
    assert!(!format!("{:?}", evaluation.problems).contains("canary-17"));
}

/// The shared corpus, where it is there.
fn corpus() -> Option<PathBuf> {
    let shared = std::env::var_os("PORTCULLIS_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")),
        PathBuf::from,
    );
    let root = shared.join("iac-corpus/hcl-eval");
    if root.is_dir() {
        return Some(root);
    }
    println!("skipped: no shared data");
    None
}

#[test]
fn results_do_not_depend_on_the_run() {
    let Some(root) = corpus() else { return };
    for case in Disk(root.clone())
        .list("")
        .unwrap()
        .into_iter()
        .filter(|entry| entry.is_dir)
    {
        let files = Memory::copy_of(&root.join(case.name));
        let (first, second) = (
            files.evaluate(&Options::default()),
            files.evaluate(&Options::default()),
        );
        assert_eq!(
            format!("{:?}", first.stacks),
            format!("{:?}", second.stacks)
        );
        assert_eq!(first.problems, second.problems);
    }
}

#[test]
fn a_block_that_is_none_of_terraforms_is_told() {
    let typo = "resorce \"a_b\" \"c\" {}\n\nresource \"a_b\" {}\n";
    let evaluation = ends_with(ProblemKind::Syntax, &[("main.tf", typo)]);
    assert_eq!(evaluation.problems.len(), 2);
    let many = "oops {\n}\n".repeat(1000);
    let evaluation = ends_with(ProblemKind::Limit, &[("main.tf", &many)]);
    assert_eq!(evaluation.problems.len(), 101);
}

const RESOURCE: &str = "resource \"a_b\" \"c\" {}\n";
