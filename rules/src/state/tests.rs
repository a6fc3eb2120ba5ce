//! States written by hand in both forms, and what is none.

use super::*;
use crate::check::{self, Verdict};
use crate::files::OneFile;
use crate::input::Options;
use crate::kinds;
use crate::pack::sample;

fn load(state: &str) -> (Vec<Stack>, Vec<Problem>) {
    let mut stacks = Vec::new();
    let paths = ["x/terraform.tfstate".to_owned()];
    let input = Input {
        files: &OneFile {
            name: &paths[0],
            content: state.as_bytes(),
        },
        paths: &paths,
        options: &Options::default(),
        sources: &mut Sources::default(),
    };
    let kind = kinds::by_name("terraform.tfstate").unwrap();
    let evaluation = kind.load(input, &mut |stack| stacks.push(stack));
    (stacks, evaluation.problems)
}

const FILE: &str = r#"{"version": 4, "terraform_version": "1.9.5", "serial": 3, "lineage": "l", "outputs": {},
  "resources": [
    {"mode": "managed", "type": "t", "name": "one", "provider": "provider[\"p\"]", "instances": [
      {"index_key": "a", "attributes": {"on": false, "secret": "s3cret", "none": [], "nothing": null,
        "list": [{"y": "hidden"}, {"y": "shown"}]},
       "sensitive_attributes": [[{"type": "get_attr", "value": "secret"}],
         [{"type": "get_attr", "value": "list"}, {"type": "index", "value": {"value": 0, "type": "number"}},
          {"type": "get_attr", "value": "y"}]]},
      {"index_key": "a", "deposed": "1234abcd", "attributes": {"on": true}}
    ]},
    {"module": "module.m[0]", "mode": "data", "type": "d", "name": "x", "instances": [{"attributes": {"k": "v"}}]},
    {"mode": "managed", "type": "t"}
  ]}"#;

const SHOWN: &str = r#"{"format_version": "1.0", "terraform_version": "1.9.5", "values": {"root_module": {
    "resources": [
      {"address": "t.one[\"a\"]", "mode": "managed", "type": "t", "name": "one", "index": "a",
       "values": {"on": false, "secret": "s3cret", "none": [], "nothing": null,
         "list": [{"y": "hidden"}, {"y": "shown"}]},
       "sensitive_values": {"secret": true, "list": [{"y": true}, {}]}},
      {"mode": "managed"}
    ],
    "child_modules": [{"address": "module.m[0]", "resources": [
      {"mode": "data", "type": "d", "name": "x", "values": {"k": "v"}}]}]
  }}}"#;

#[test]
fn both_forms_say_the_same() {
    for (text, pointer) in [
        (FILE, "/resources/0/instances/0/attributes/on"),
        (SHOWN, "/values/root_module/resources/0/values/on"),
    ] {
        let (stacks, problems) = load(text);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].cause.contains("no mode, type or name"));
        let stack = &stacks[0];
        let all: Vec<&str> = stack.resources.iter().map(|one| &*one.address).collect();
        assert_eq!(all, ["module.m[0].data.d.x", "t.one[\"a\"]"]);
        let body = &stack.resources[1].body;
        let names: Vec<_> = body
            .as_map()
            .unwrap()
            .entries
            .keys()
            .map(|k| &**k)
            .collect();
        assert_eq!(names, ["list", "on", "secret"]);
        assert!(body.get("secret").unwrap().is_sensitive());
        let list = &body.get("list").unwrap().as_list().unwrap().items;
        assert!(list[0].get("y").unwrap().is_sensitive());
        assert!(!list[1].get("y").unwrap().is_sensitive());
        let span = body.get("on").unwrap().span().unwrap();
        assert_eq!(span.pointer.as_deref(), Some(pointer));
    }
}

#[test]
fn rules_judge_a_state() {
    let check = "check {\ncondition = coalesce(self.on, true)\nmessage = \"off\"\n}";
    let (rule, _) = sample(&format!("resource \"t\" {{\n{check}\n}}"), "");
    let (stacks, _) = load(FILE);
    let results = check::run_rule(&rule, &stacks[0]);
    let failed: Vec<&str> = results
        .all
        .iter()
        .filter(|one| matches!(one.verdict, Verdict::Fail { .. }))
        .map(|one| &*one.resource)
        .collect();
    assert_eq!(failed, ["t.one[\"a\"]"]);
}

#[test]
fn what_is_not_a_state_is_not_clean() {
    for (text, cause) in [
        ("{\"version\": 3, \"modules\": []}", "format version 4"),
        ("{\"version\": 4}", "no list of resources"),
        ("{\"password\": \"hunter2", "not JSON"),
    ] {
        let (_, problems) = load(text);
        assert_eq!(problems.len(), 1);
        let found = &problems[0].cause;
        assert!(
            found.contains(cause) && !found.contains("hunter2"),
            "{found}"
        );
    }
    let (stacks, problems) = load("{\"format_version\": \"1.0\", \"terraform_version\": \"1.9\"}");
    assert_eq!((stacks.len(), problems), (1, Vec::new()));
}

#[test]
fn only_so_many_instances_are_judged() {
    let one = |n: usize| format!("{{\"index_key\": {n}, \"attributes\": {{}}}}");
    let all: Vec<String> = (0..=MAX_INSTANCES).map(one).collect();
    let text = format!(
        "{{\"version\": 4, \"resources\": [{{\"mode\": \"managed\", \"type\": \"t\", \"name\": \"n\", \"instances\": [{}]}}]}}",
        all.join(",")
    );
    let (stacks, problems) = load(&text);
    assert_eq!(stacks[0].resources.len(), MAX_INSTANCES);
    assert!(problems[0].cause.contains("20000"));
}
