//! Terraform evaluation from files to resources. Each folder of `testdata/terraform` is a case:
//! a root module with an `expected.json` that lists all addresses and, of each, the attributes
//! that matter; unknown values are written `{"?": "why"}`, open ends `"…"`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rules::files::{DirEntry, Files};
use rules::terraform::{Evaluation, Options, VariableFile, evaluate};
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
fn limits_end_long_chains() {
    // The first name in order needs all others.
    let mut chain = String::from("locals {\n  v5000 = 1\n");
    for number in 0..5_000 {
        let next = number + 1;
        writeln!(chain, "  v{number:04} = (local.v{next:04})").unwrap();
    }
    chain.push_str("}\n");
    ends_with(ProblemKind::Limit, &[("main.tf", &chain)]);
}

#[test]
fn limits_end_values_that_double() {
    let mut doubled = String::from("locals {\n  v0 = [1]\n  t0 = \"0123456789\"\n");
    for number in 1..100 {
        let last = number - 1;
        writeln!(doubled, "  v{number} = [local.v{last}, local.v{last}]").unwrap();
        writeln!(
            doubled,
            "  t{number} = \"${{local.t{last}}}${{local.t{last}}}\""
        )
        .unwrap();
    }
    doubled.push_str("}\nresource \"a_b\" \"c\" {\n  x = jsonencode(local.v99)\n}\n");
    ends_with(ProblemKind::Limit, &[("main.tf", &doubled)]);
}

#[test]
fn limits_end_modules_that_multiply() {
    let calls = "module \"a\" {\n  source = \"../NEXT\"\n  count = 100\n}\nmodule \"b\" {\n  source = \"../NEXT\"\n}\n";
    let modules: Vec<(String, String)> = (0..20)
        .map(|level| {
            (
                format!("m{level}/main.tf"),
                calls.replace("NEXT", &format!("m{}", level + 1)),
            )
        })
        .chain([(
            "m20/main.tf".to_owned(),
            "resource \"a_b\" \"c\" {}\n".to_owned(),
        )])
        .collect();
    let modules: Vec<(&str, &str)> = modules
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    ends_with(ProblemKind::Limit, &modules);
}

#[test]
fn limits_end_many_instances() {
    let many = "resource \"a_b\" \"NAME\" {\n  count = 10000\n}\n";
    let many: String = (0..12)
        .map(|number| many.replace("NAME", &format!("r{number}")))
        .collect();
    let evaluation = ends_with(ProblemKind::Limit, &[("main.tf", &many)]);
    // Two blocks are repeated; of each other, one instance stands for all.
    let resources = &evaluation.stacks[0].resources;
    assert_eq!(resources.len(), rules::terraform::MAX_STACK_INSTANCES + 10);
    let uncertain = resources.iter().filter(|one| one.uncertain.is_some());
    assert_eq!(uncertain.count(), 10);
}

#[test]
fn limits_end_many_and_large_files() {
    let large = format!("#{}", "x".repeat(rules::terraform::MAX_FILE_BYTES));
    ends_with(ProblemKind::Limit, &[("main.tf", &large)]);
    let nested = "moved {\n}\n".repeat(rules::terraform::MAX_BLOCKS / 4);
    let paths: Vec<String> = (0..6).map(|number| format!("{number}.tf")).collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (&**path, &*nested)).collect();
    let evaluation = ends_with(ProblemKind::Limit, &files);
    assert_eq!(evaluation.problems.len(), 1);
}

#[test]
fn limits_end_many_loops() {
    let mut loops = "locals {\n".to_owned();
    for number in 0..60 {
        writeln!(loops, "  x{number} = [for a in range(400) : range(500)]").unwrap();
    }
    loops.push_str("}\n");
    ends_with(ProblemKind::Limit, &[("main.tf", &loops)]);
}

#[test]
fn wide_objects_take_no_quadratic_time() {
    let mut wide = "locals {\n  x = {\n".to_owned();
    for key in 0..60_000 {
        writeln!(wide, "    k{key} = {key}").unwrap();
    }
    wide.push_str("  }\n}\n");
    let start = Instant::now();
    let evaluation = Memory::new(&[("main.tf", &wide)]).evaluate(&Options::default());
    assert!(kinds(&evaluation).contains(&ProblemKind::Limit));
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
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

/// A small generator of numbers; the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below.max(1)).unwrap()).unwrap()
    }
}

fn mutate(text: &mut Vec<u8>, dice: &mut Dice) {
    if text.is_empty() {
        return;
    }
    let (a, b) = (dice.roll(text.len()), dice.roll(text.len()));
    let (from, to) = (a.min(b), a.max(b));
    match dice.roll(6) {
        0 => text.truncate(a),
        1 => {
            let copy = text[from..to].to_vec();
            text.splice(from..from, copy);
        }
        2 => text.swap(a, b),
        3 => {
            text.drain(from..to.min(from + 20));
        }
        4 => {
            let tokens = [
                "${",
                "}",
                "\"",
                "%{ if ",
                "<<EOT\n",
                "[",
                "(",
                "{",
                "for x in ",
                "null",
                "...",
                "*",
                "-1",
                "\u{fffd}",
                "\\u",
                "99999999999999999999999999999",
            ];
            let token = tokens[dice.roll(tokens.len())].as_bytes();
            text.splice(a..a, token.iter().copied());
        }
        _ => text[a] = u8::try_from(dice.roll(256)).unwrap(),
    }
}

#[test]
fn mutated_modules_do_no_harm() {
    let Some(root) = corpus() else { return };
    let rounds: usize = std::env::var("PORTCULLIS_FUZZ_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(3);
    let mut dice = Dice(0x5eed_cafe_f00d_0001);
    for case in Disk(root.clone())
        .list("")
        .unwrap()
        .into_iter()
        .filter(|entry| entry.is_dir)
    {
        let original = Memory::copy_of(&root.join(&case.name));
        for _ in 0..rounds {
            let mut files = original.clone();
            for text in files.0.values_mut() {
                for _ in 0..=dice.roll(4) {
                    mutate(text, &mut dice);
                }
            }
            let start = Instant::now();
            let evaluation = files.evaluate(&Options::default());
            assert!(start.elapsed() < Duration::from_secs(20), "{}", case.name);
            for problem in &evaluation.problems {
                assert!(!problem.cause.is_empty());
            }
        }
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

/// The roots of an evaluation in the order of their names.
fn roots(files: &[(&str, &str)]) -> Vec<String> {
    let evaluation = Memory::new(files).evaluate(&Options::default());
    let stacks = evaluation.stacks.iter();
    let mut roots: Vec<String> = stacks.map(|stack| stack.root.to_string()).collect();
    roots.sort();
    roots
}

const RESOURCE: &str = "resource \"a_b\" \"c\" {}\n";

#[test]
fn a_module_with_its_own_state_is_a_root_whoever_calls_it() {
    let call = "module \"p\" {\n  source = \"../prod\"\n}\n";
    for (name, text) in [
        ("prod/state.tf", "terraform {\n  backend \"s3\" {}\n}\n"),
        ("prod/state_override.tf", "terraform {\n  cloud {}\n}\n"),
        (
            "prod/state.tf.json",
            "{\"terraform\": {\"backend\": {\"s3\": {}}}}",
        ),
        (
            "prod/override.tf.json",
            "{\"terraform\": [{\"cloud\": {}}]}",
        ),
        ("prod/terraform.tfvars", "x = 1\n"),
        ("prod/eu.tfvars.json", "{}"),
    ] {
        let files = [
            ("prod/main.tf", RESOURCE),
            (name, text),
            ("x/main.tf", call),
        ];
        assert_eq!(roots(&files), ["prod", "x"], "{name}");
    }
    let files = [("prod/main.tf", RESOURCE), ("x/main.tf", call)];
    assert_eq!(roots(&files), ["x"]);
}

#[test]
fn what_no_call_brings_into_being_is_judged_alone() {
    for hidden in [
        "count = 0",
        "for_each = {}",
        "for_each = toset([])",
        "count = var.no ? 1 : 0",
        "for_each = var.none",
    ] {
        let call = format!(
            "variable \"no\" {{\n  default = false\n}}\nvariable \"none\" {{\n  default = {{}}\n}}\nmodule \"p\" {{\n  source = \"../a\"\n  {hidden}\n}}\n"
        );
        let files = [
            ("a/main.tf", "module \"q\" {\n  source = \"../b\"\n}\n"),
            ("b/main.tf", RESOURCE),
            ("x/main.tf", &call),
        ];
        // The module of the module that is not there exists through it.
        assert_eq!(roots(&files), ["a", "x"], "{hidden}");
    }
    let unknown = "variable \"n\" {}\nmodule \"p\" {\n  source = \"../a\"\n  count = var.n\n}\n";
    assert_eq!(
        roots(&[("a/main.tf", RESOURCE), ("x/main.tf", unknown)]),
        ["x"]
    );
    let one = "module \"o\" {\n  source = \"../a\"\n}\n";
    let both = format!("{}{one}", unknown.replace("var.n", "0"));
    assert_eq!(
        roots(&[("a/main.tf", RESOURCE), ("x/main.tf", &both)]),
        ["x"]
    );
}

#[test]
fn opentofu_files_are_read_and_hide_nothing() {
    let volume = |name: &str| format!("resource \"a_b\" \"{name}\" {{}}\n");
    let addresses = |files: &[(&str, &str)]| {
        let evaluation = Memory::new(files).evaluate(&Options::default());
        let stacks = evaluation.stacks.into_iter();
        let all = stacks.map(|stack| {
            let resources = stack.resources.iter();
            let names: Vec<String> = resources.map(|one| one.address.to_string()).collect();
            (stack.again, names.join(" "))
        });
        all.collect::<Vec<_>>()
    };
    let (one, two) = (volume("one"), volume("two"));
    let json = "{\"resource\": {\"a_b\": {\"json\": {}}}}";
    assert_eq!(
        addresses(&[("a.tf", &one), ("b.tofu", &two), ("c.tofu.json", json)]),
        [(false, "a_b.json a_b.one a_b.two".to_owned())]
    );
    // OpenTofu reads one file in the place of the other, Terraform the other.
    assert_eq!(
        addresses(&[("a.tf", &one), ("a.tofu", &two)]),
        [(false, "a_b.two".to_owned()), (true, "a_b.one".to_owned())]
    );
}

#[test]
fn files_beside_the_modules_are_reported() {
    let evaluation = Memory::new(&[
        ("main.tf", RESOURCE),
        ("terraform.tfvars", "a = 1\n"),
        ("prod.tfvars", "a = 2\n"),
        ("env/eu.tfvars.json", "{}"),
        ("live/terragrunt.hcl", "inputs = {}\n"),
        ("stack/x.tfdeploy.hcl", ""),
    ]);
    let directories: Vec<String> = ["", "env", "live", "stack"].map(str::to_owned).into();
    let evaluation = evaluate(&evaluation, &directories, &Options::default());
    let found: Vec<(String, ProblemKind, bool)> = evaluation
        .problems
        .iter()
        .map(|one| (one.path.to_string(), one.kind, one.whole))
        .collect();
    assert_eq!(
        found,
        [
            ("env/eu.tfvars.json".into(), ProblemKind::NotLoaded, false),
            ("live/terragrunt.hcl".into(), ProblemKind::NotRead, false),
            ("prod.tfvars".into(), ProblemKind::NotLoaded, false),
            ("stack/x.tfdeploy.hcl".into(), ProblemKind::NotRead, false),
        ]
    );
}

#[test]
fn named_files_of_values_win_in_their_order() {
    let files = Memory::new(&[
        (
            "main.tf",
            "variable \"x\" {}\nvariable \"deep\" {}\nresource \"a_b\" \"c\" {\n  x = var.x\n  deep = var.deep\n}\n",
        ),
        ("z.auto.tfvars", "x = 1\n"),
    ]);
    let file = |text: &str| VariableFile::new("v.tfvars", text.into(), None).unwrap();
    let nested = format!("deep = {}1{}\n", "[".repeat(40), "]".repeat(40));
    let options = Options {
        environment: BTreeMap::from([("x".to_owned(), "0".to_owned())]),
        variable_files: vec![file("x = 2\n"), file("x = 3\n"), file(&nested)],
        ..Options::default()
    };
    let evaluation = files.evaluate(&options);
    assert_eq!(evaluation.problems, []);
    let body = &evaluation.stacks[0].resources[0].body;
    assert_eq!(body.get("x").unwrap(), &Value::from(3_i64));
    assert!(body.get("deep").unwrap().as_list().is_some());
}

#[test]
fn the_ledger_counts_each_call_once() {
    let evaluation = Memory::new(&[
        (
            "main.tf",
            "module \"a\" {\n  source = \"./a\"\n  count = 3\n}\nmodule \"r\" {\n  source = \"x/y/z\"\n}\n",
        ),
        ("a/main.tf", "module \"b\" {\n  source = \"../b\"\n}\n"),
        ("b/main.tf", RESOURCE),
        ("c/main.tf", RESOURCE),
    ])
    .evaluate(&Options::default());
    let coverage = evaluation.coverage;
    assert_eq!(
        (
            coverage.roots,
            coverage.modules_resolved,
            coverage.modules_unresolved
        ),
        (2, 2, 1)
    );
}

#[test]
fn limits_end_blocks_within_blocks() {
    let text = "resource \"a_b\" \"c\" {\n  dynamic \"x\" {\n    for_each = range(1000)\n    content {\n      dynamic \"y\" {\n        for_each = range(1000)\n        content {\n          dynamic \"z\" {\n            for_each = range(1000)\n            content {\n              c = 1\n            }\n          }\n        }\n      }\n    }\n  }\n}\n";
    let evaluation = ends_with(ProblemKind::Limit, &[("main.tf", text)]);
    assert!(evaluation.problems.iter().any(|one| one.whole));
}

#[test]
fn limits_end_the_run_and_not_each_root() {
    let mut loops = String::new();
    for number in 0..200 {
        writeln!(
            loops,
            "  x{number} = [for a in range(300) : [for b in range(60) : b]]"
        )
        .unwrap();
    }
    let text = format!("locals {{\n{loops}}}\n{RESOURCE}");
    let paths: Vec<String> = (0..40).map(|number| format!("r{number}/main.tf")).collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (&**path, &*text)).collect();
    let evaluation = ends_with(ProblemKind::Limit, &files);
    assert_eq!(evaluation.coverage.roots, 40);
    let cut = evaluation.problems.iter().filter(|one| one.whole).count();
    assert!(cut >= 20, "{cut}");
}

#[test]
fn work_that_leaves_little_behind_is_paid_for() {
    let big = "x".repeat(3 << 20);
    for expression in [
        "[for i in range(1000) : md5(\"${local.big}${i}\")]",
        "[for i in range(1000) : filemd5(\"big.txt\")]",
        "[for i in range(1000) : length(regexall(\"(a|b)*c\", local.big))]",
        "[for i in range(1000) : replace(local.big, \"/(?:x[xy]{0,300}){1,5}z|${i}/\", \"\")]",
        "[for i in range(1000) : contains([local.big], \"${local.big}y\")]",
        "[for i in range(1000) : length(setproduct(range(1000), range(50)))]",
    ] {
        let main =
            format!("locals {{\n  big = file(\"big.txt\")\n  y = {expression}\n}}\n{RESOURCE}");
        ends_with(ProblemKind::Limit, &[("main.tf", &main), ("big.txt", &big)]);
    }
}

#[test]
fn values_of_files_are_never_repeated() {
    let main = "variable \"pw\" {\n  sensitive = true\n}\nvariable \"n\" {\n  type = number\n  sensitive = true\n}\nresource \"a_b\" \"c\" {\n  x = var.pw\n  y = tonumber(strrev(\"${var.pw}9\"))\n  z = regex(var.pw, \"q\")\n  f = file(upper(var.pw))\n  t = templatefile(var.pw, {})\n}\n";
    for (name, text) in [
        ("terraform.tfvars", "pw = hunter2-SECRET-9f\n"),
        ("terraform.tfvars", "pw = hunter2\n"),
        ("terraform.tfvars", "pw = hunter2(1)\n"),
        ("terraform.tfvars", "pw = \"hunter2\nn = \"x\"\n"),
        ("terraform.tfvars", "pw = \"hunter2\"\nn = \"hunter2\"\n"),
        ("terraform.tfvars", "hunter2 {\n}\n"),
        ("a.auto.tfvars", "pw = \"${hunter2}\"\n"),
        ("terraform.tfvars.json", "{\"pw\": hunter2}"),
        (
            "terraform.tfvars.json",
            "{\"pw\": \"hunter2\", \"n\": [\"hunter2\"]}",
        ),
    ] {
        let evaluation = Memory::new(&[("main.tf", main), (name, text)]);
        let evaluation = evaluation.evaluate(&Options::default());
        let problems = format!("{:?}", evaluation.problems).to_lowercase();
        assert!(!evaluation.problems.is_empty(), "{text}");
        assert!(!problems.contains("hunter2"), "{problems}");
        assert!(!problems.contains("2retnuh"), "{problems}");
    }
}
