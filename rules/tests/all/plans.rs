//! Every example of every shipped rule, as code and as the plan that Terraform would make of it: the
//! same verdicts. The plan is written here, from what the evaluator knows, in the shape of
//! `terraform show -json`: attributes that are not written are null, unknown ones are in
//! `after_unknown`, and references stand in the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use rules::check::{self, Verdict};
use rules::files::{DirEntry, Files};
use rules::input::Options;
use rules::input::{Input, Sources};
use rules::language::Ruleset;
use rules::terraform::{self};
use rules::value::Kind;
use rules::{Class, Stack, Value};
use serde_json::{Map, Value as Json, json};

/// One file of any name.
struct OneFile(&'static str, Vec<u8>);

impl Files for OneFile {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if path == self.0 {
            Ok(self.1.clone())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        if path.is_empty() {
            Ok(vec![DirEntry {
                name: self.0.to_owned(),
                is_dir: false,
            }])
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

/// A value as a plan has it: known parts, unknown parts, and the expression that made it.
struct Planned {
    after: Json,
    unknown: Json,
    expression: Json,
}

/// Whether any part is unknown in a way that a plan can only say of the whole.
fn is_open(value: &Value) -> bool {
    match &value.kind {
        Kind::Unknown(_) => true,
        Kind::List(list) => list.rest.is_some(),
        Kind::Map(map) => map.rest.is_some(),
        _ => false,
    }
}

fn all_references(value: &Value, all: &mut BTreeSet<String>) {
    if let Some(marks) = &value.marks {
        all.extend(marks.identity.iter().map(ToString::to_string));
        all.extend(marks.references.iter().map(ToString::to_string));
    }
    match &value.kind {
        Kind::List(list) => list.items.iter().for_each(|item| all_references(item, all)),
        Kind::Map(map) => map
            .entries
            .values()
            .for_each(|item| all_references(item, all)),
        _ => {}
    }
}

fn attribute(value: &Value) -> Planned {
    let mut references = BTreeSet::new();
    all_references(value, &mut references);
    let expression = if references.is_empty() {
        json!({"constant_value": true})
    } else {
        json!({ "references": references })
    };
    let (after, unknown) = data(value);
    Planned {
        after,
        unknown,
        expression,
    }
}

fn data(value: &Value) -> (Json, Json) {
    if is_open(value) {
        return (Json::Null, true.into());
    }
    match &value.kind {
        Kind::Null | Kind::Unknown(_) => (Json::Null, false.into()),
        Kind::Bool(truth) => ((*truth).into(), false.into()),
        Kind::Number(number) => (
            serde_json::from_str(&number.normalize().to_string()).unwrap(),
            false.into(),
        ),
        Kind::String(text) => ((**text).into(), false.into()),
        Kind::List(list) => {
            let (after, unknown): (Vec<Json>, Vec<Json>) = list.items.iter().map(data).unzip();
            (after.into(), unknown.into())
        }
        Kind::Map(map) => {
            let mut after = Map::new();
            let mut unknown = Map::new();
            for (name, value) in map.entries.iter() {
                let (known, open) = data(value);
                if open != Json::Bool(true) {
                    after.insert(name.to_string(), known);
                }
                unknown.insert(name.to_string(), open);
            }
            (after.into(), unknown.into())
        }
    }
}

/// A body with its nested blocks. Blocks are lists that stand at no place of their own.
fn body(value: &Value, all_names: &BTreeSet<String>) -> Planned {
    let Kind::Map(map) = &value.kind else {
        return attribute(value);
    };
    let (mut after, mut unknown, mut expressions) = (Map::new(), Map::new(), Map::new());
    for name in all_names {
        after.insert(name.clone(), Json::Null);
    }
    for (name, value) in map.entries.iter() {
        let name = name.to_string();
        let is_block = value.span().is_none() && value.as_list().is_some();
        let planned = match value.as_list() {
            Some(list) if is_block && list.rest.is_none() => {
                let none = BTreeSet::new();
                let items: Vec<Planned> = list.items.iter().map(|item| body(item, &none)).collect();
                Planned {
                    after: items.iter().map(|item| item.after.clone()).collect(),
                    unknown: items.iter().map(|item| item.unknown.clone()).collect(),
                    expression: items.into_iter().map(|item| item.expression).collect(),
                }
            }
            _ => attribute(value),
        };
        if planned.unknown == Json::Bool(true) {
            after.remove(&name);
        } else {
            after.insert(name.clone(), planned.after);
        }
        unknown.insert(name.clone(), planned.unknown);
        expressions.insert(name, planned.expression);
    }
    Planned {
        after: after.into(),
        unknown: unknown.into(),
        expression: expressions.into(),
    }
}

/// The plan of a stack with a root module only.
fn plan(stack: &Stack, names: &BTreeMap<String, BTreeSet<String>>) -> Json {
    let (mut resources, mut changes, mut configured) = (Vec::new(), Vec::new(), Vec::new());
    let mut read = Vec::new();
    let mut blocks = BTreeSet::new();
    for resource in &stack.resources {
        let mode = match resource.class {
            Class::Managed => "managed",
            Class::Data => "data",
            _ => continue,
        };
        let none = BTreeSet::new();
        let mut planned = body(&resource.body, names.get(&*resource.kind).unwrap_or(&none));
        repeated(&resource.address, &mut planned.expression);
        let one = json!({
            "address": &*resource.address, "mode": mode, "type": &*resource.kind,
            "name": &*resource.name, "values": planned.after, "sensitive_values": {},
        });
        if mode == "data" && !planned.unknown.to_string().contains("true") {
            read.push(one);
        } else {
            resources.push(one);
            changes.push(json!({
                "address": &*resource.address,
                "change": {"actions": ["create"], "after_unknown": planned.unknown},
            }));
        }
        if blocks.insert((mode, resource.kind.clone(), resource.name.clone())) {
            configured.push(json!({
                "address": &*resource.address, "mode": mode, "type": &*resource.kind,
                "name": &*resource.name, "expressions": planned.expression,
                "provider_config_key": resource.provider.as_deref(),
            }));
        }
    }
    json!({
        "format_version": "1.2",
        "terraform_version": "1.9.5",
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": changes,
        "prior_state": {"values": {"root_module": {"resources": read}}},
        "configuration": {"root_module": {"resources": configured}},
    })
}

/// As Terraform writes a block that is repeated: `x.y[each.key].id` gives `x.y` and `each.key`.
fn repeated(address: &str, expression: &mut Json) {
    let Some(key) = address.find('[').map(|at| &address[at..]) else {
        return;
    };
    match expression {
        Json::Object(map) => {
            if let Some(Json::Array(references)) = map.get_mut("references") {
                let with_key = |one: &Json| one.as_str().is_some_and(|text| text.contains(key));
                if references.iter().any(with_key) {
                    let bare = |one: &Json| Json::from(one.as_str().unwrap().split('[').next());
                    let mut all: Vec<Json> = references.iter().map(bare).collect();
                    all.push("each.key".into());
                    *references = all;
                }
            }
            map.values_mut().for_each(|one| repeated(address, one));
        }
        Json::Array(items) => items.iter_mut().for_each(|one| repeated(address, one)),
        _ => {}
    }
}

/// Verdicts as a set: which rule says what of which resource.
fn verdicts(ruleset: &Ruleset, stack: &Stack) -> BTreeMap<(String, String), &'static str> {
    let (outcomes, problems) = check::run(ruleset, stack);
    assert!(problems.is_empty(), "{problems:?}");
    let mut all = BTreeMap::new();
    for outcome in outcomes {
        let key = (outcome.rule.to_string(), outcome.resource.to_string());
        let word = match outcome.verdict {
            Verdict::Fail { .. } => "fail",
            Verdict::Undecided { .. } => "undecided",
            Verdict::Pass => "pass",
        };
        all.insert(key, word);
    }
    all
}

fn stacks(kind: &str, files: &OneFile, path: &str) -> Vec<Stack> {
    let mut stacks = Vec::new();
    let paths = [path.to_owned()];
    let input = Input {
        files,
        paths: &paths,
        options: &Options::default(),
        sources: &mut Sources::default(),
    };
    let kind = rules::kinds::by_id(kind).unwrap();
    let evaluation = kind.load(input, &mut |stack| stacks.push(stack));
    assert_eq!(evaluation.problems, [], "{path}");
    stacks
}

fn rule_files(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rule_files(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            all.push(path);
        }
    }
}

/// The examples of a rule's file.
fn examples(text: &str) -> Vec<String> {
    let fences = text.split("\n```").skip(1).step_by(2);
    let examples = fences.filter_map(|fence| fence.strip_prefix("hcl\n"));
    examples.map(str::to_owned).collect()
}

#[test]
fn a_plan_is_judged_as_the_code_it_is_made_of() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ruleset = Ruleset::embedded();
    let mut files = Vec::new();
    for provider in crate::providers() {
        rule_files(&root.join(provider), &mut files);
    }
    files.sort();
    let mut sources = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        sources.extend(
            examples(&text)
                .into_iter()
                .map(|source| (name.clone(), source)),
        );
    }
    // What a provider would write for an attribute that is not set: null.
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut evaluated = Vec::new();
    for (name, source) in sources {
        let files = OneFile("main.tf", source.into_bytes());
        let directories = [String::new()];
        let evaluation = terraform::evaluate(&files, &directories, &Options::default());
        for stack in evaluation.stacks {
            for resource in &stack.resources {
                let entries = resource.body.as_map().unwrap().entries.keys();
                let all = names.entry(resource.kind.to_string()).or_default();
                all.extend(entries.map(ToString::to_string));
            }
            evaluated.push((name.clone(), stack));
        }
    }
    let (mut same, mut open, mut modules) = (0_usize, 0_usize, 0_usize);
    let mut wrong = Vec::new();
    for (name, stack) in &evaluated {
        if !stack.unresolved_modules.is_empty() {
            // Nobody can plan what is not there.
            modules += 1;
            continue;
        }
        let text = plan(stack, &names).to_string();
        let planned = stacks(
            "plan",
            &OneFile("plan.json", text.into_bytes()),
            "plan.json",
        );
        let (code, plan) = (verdicts(&ruleset, stack), verdicts(&ruleset, &planned[0]));
        for (key, word) in &code {
            match (*word, plan.get(key).copied()) {
                (word, Some(other)) if word == other => same += 1,
                // A plan knows a text of which a part is unknown not at all.
                ("fail" | "pass", Some("undecided")) => open += 1,
                (word, other) => wrong.push(format!("{name}: {key:?}: {word}, planned {other:?}")),
            }
        }
        let more = plan.keys().filter(|key| !code.contains_key(key));
        wrong.extend(more.map(|key| format!("{name}: {key:?} only in the plan")));
    }
    println!(
        "{} examples: {same} verdicts the same, {open} open in the plan; {modules} not planned",
        evaluated.len()
    );
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(
        open * 50 < same,
        "{open} of {same} verdicts are open in plans"
    );
}
