//! Plans written by hand: modules, keys, unknown and sensitive values, and what is no plan.

use super::*;
use crate::check::{self, Verdict};
use crate::files::OneFile;
use crate::kinds;
use crate::pack::sample;
use crate::value::Kind;

fn load(plan: &str) -> (Vec<Stack>, Vec<Problem>) {
    let mut stacks = Vec::new();
    let paths = ["x/plan.json".to_owned()];
    let input = Input {
        files: &OneFile {
            name: &paths[0],
            content: plan.as_bytes(),
        },
        paths: &paths,
        options: &Options {
            classes: crate::Class::ON_DEMAND.to_vec(),
            ..Options::default()
        },
        sources: &mut Sources::default(),
    };
    let kind = kinds::by_id("plan").unwrap();
    let evaluation = kind.load(input, &mut |stack| stacks.push(stack));
    (stacks, evaluation.problems)
}

const PLAN: &str = r#"{
  "format_version": "1.2", "terraform_version": "1.9.5",
  "planned_values": {"root_module": {
    "resources": [
      {"address": "t.one[\"a\"]", "mode": "managed", "type": "t", "name": "one", "index": "a",
       "values": {"name": "n", "secret": "s3cret", "tags": {"a/b": "c"}, "block": {"x": 1.50},
                  "list": [{"y": true}], "nothing": null, "none": []},
       "sensitive_values": {"secret": true}}
    ],
    "child_modules": [
      {"address": "module.m[0]", "resources": [
        {"address": "module.m[0].u.two", "mode": "managed", "type": "u", "name": "two",
         "values": {"of": "n"}, "sensitive_values": {}}
      ]}
    ]
  }},
  "resource_changes": [
    {"address": "t.one[\"a\"]", "change": {"after_unknown": {"id": true, "arn": true}}},
    {"address": "module.m[0].u.two", "change": {"after_unknown": {"to": true, "made": true}}}
  ],
  "prior_state": {"values": {"root_module": {"resources": [
    {"address": "data.d.x", "mode": "data", "type": "d", "name": "x", "values": {"k": "v"}},
    {"address": "t.old", "mode": "managed", "type": "t", "name": "old", "values": {}}
  ]}}},
  "configuration": {
    "provider_config": {"p": {"name": "p", "expressions": {"region": {"constant_value": "eu"}}}},
    "root_module": {
      "resources": [
        {"mode": "managed", "type": "t", "name": "one", "provider_config_key": "p",
         "expressions": {"name": {"constant_value": "n"}, "secret": {"references": ["var.s"]},
                         "arn": {"references": ["local.arn"]},
                         "block": {"x": {"constant_value": 1.5}}, "list": [{"y": {}}]}}
      ],
      "module_calls": {"m": {
        "source": "./m",
        "expressions": {"of": {"references": ["t.one[\"a\"].id", "t.one[\"a\"]", "t.one"]},
                        "public": {"constant_value": true}},
        "module": {"resources": [
          {"mode": "managed", "type": "u", "name": "two",
           "expressions": {"of": {"references": ["var.of"]}, "to": {"references": ["var.of"]}}}
        ]}
      }},
      "variables": {"s": {"sensitive": true, "default": "x"}},
      "outputs": {"o": {"expression": {"references": ["var.s"]}}}
    }
  }
}"#;

#[test]
fn a_plan_says_what_the_code_says() {
    let (stacks, problems) = load(PLAN);
    assert_eq!(problems, []);
    let stack = &stacks[0];
    let addresses: Vec<&str> = stack.resources.iter().map(|one| &*one.address).collect();
    assert_eq!(
        addresses,
        [
            "data.d.x",
            "module.m",
            "module.m[0].u.two",
            "output.o",
            "provider.p",
            "t.one[\"a\"]",
            "var.s"
        ]
    );
    let of = |address: &str| {
        let mut all = stack.resources.iter();
        all.find(|one| &*one.address == address).unwrap()
    };
    let one = of("t.one[\"a\"]");
    assert_eq!(one.provider.as_deref(), Some("p"));
    let body = &one.body;
    let names: Vec<_> = body
        .as_map()
        .unwrap()
        .entries
        .keys()
        .map(|k| &**k)
        .collect();
    // What is null, empty or only the provider's to know is not there; what is written is.
    assert_eq!(names, ["arn", "block", "list", "name", "secret", "tags"]);
    assert!(body.get("secret").unwrap().is_sensitive());
    let pointer = |value: &crate::Value| value.span().unwrap().pointer.clone().unwrap();
    assert_eq!(
        &*pointer(body.get("tags").unwrap()),
        "/planned_values/root_module/resources/0/values/tags"
    );
    // A block that comes once is a list here, as in code.
    let block = body.get("block").unwrap().as_list().unwrap();
    assert_eq!(
        block.items[0].get("x").unwrap().kind,
        Kind::Number("1.50".parse().unwrap())
    );
    assert!(body.get("tags").unwrap().as_map().is_some());
    // References lead through the variable of the module to its caller.
    let two = of("module.m[0].u.two");
    assert_eq!(&*two.module, "module.m[0]");
    for (name, is_known) in [("of", true), ("to", false)] {
        let value = two.body.get(name).unwrap();
        assert_eq!(value.as_unknown().is_none(), is_known);
        let references = &value.marks.as_ref().unwrap().references;
        assert_eq!(
            references.iter().map(|one| &**one).collect::<Vec<_>>(),
            ["t.one[\"a\"]"]
        );
    }
    let identity = two.body.get("to").unwrap().identity().unwrap();
    assert_eq!(&**identity, "t.one[\"a\"].id");
    assert!(two.body.get("made").is_none());
    assert_eq!(
        of("module.m").body.get("source").unwrap().as_str(),
        Some("./m")
    );
}

#[test]
fn rules_ask_about_a_plan_as_about_code() {
    let (stacks, _) = load(PLAN);
    for (subjects, expected) in [
        (
            "resource \"t\" {\ncheck {\ncondition = length(related(self, \"u\", \"to\")) == 0\nmessage = \"m\"\n}\n}",
            "fail",
        ),
        (
            "resource \"t\" {\ncheck {\ncondition = self.provider.region == \"eu\"\nmessage = \"m\"\n}\n}",
            "pass",
        ),
        (
            "module {\ncheck {\ncondition = !self.public\nmessage = \"m\"\n}\n}",
            "fail",
        ),
        (
            "resource \"u\" {\ncheck {\ncondition = self.to == \"x\"\nmessage = \"m\"\n}\n}",
            "undecided",
        ),
    ] {
        let (rule, _) = sample(subjects, "");
        let report = check::run_rule(&rule, &stacks[0]);
        let words: Vec<&str> = report
            .all
            .iter()
            .map(|result| match result.verdict {
                Verdict::Pass => "pass",
                Verdict::Fail { .. } => "fail",
                Verdict::Undecided { .. } => "undecided",
            })
            .collect();
        assert_eq!(words, [expected], "{subjects}");
    }
}

#[test]
fn what_is_no_whole_plan_leaves_it_unjudged() {
    for (plan, cause) in [
        ("{", "EOF"),
        ("[]", "not a Terraform plan"),
        (r#"{"format_version": "2.0"}"#, "not a Terraform plan"),
        (r#"{"format_version": "1.2"}"#, "no planned values"),
        (
            r#"{"format_version": "1.2", "errored": true, "planned_values": {"root_module": {}}}"#,
            "ended with an error",
        ),
        (
            r#"{"format_version": "1.2", "planned_values": {"root_module": {"resources": [{}]}}}"#,
            "without an address",
        ),
    ] {
        let (_, problems) = load(plan);
        assert_eq!(problems.len(), 1, "{plan}");
        assert!(problems[0].whole, "{plan}");
        assert!(problems[0].cause.contains(cause), "{}", problems[0].cause);
    }
}

#[test]
fn depth_and_number_are_limited() {
    let mut deep = r#"{"address": "module.x"}"#.to_owned();
    // Deeper than this the JSON itself is refused.
    for _ in 0..40 {
        deep = format!(r#"{{"address": "module.x", "child_modules": [{deep}]}}"#);
    }
    let plan = |module: &str| {
        format!(r#"{{"format_version": "1.2", "planned_values": {{"root_module": {module}}}}}"#)
    };
    assert_eq!(load(&plan(&deep)).1, []);
    let deeper = (0..100).fold(deep, |deep, _| {
        format!(r#"{{"address": "module.x", "child_modules": [{deep}]}}"#)
    });
    assert!(load(&plan(&deeper)).1[0].whole);
    let many: Vec<String> = (0..=MAX_INSTANCES)
        .map(|number| format!(r#"{{"address": "t.x[{number}]", "mode": "managed", "type": "t"}}"#))
        .collect();
    let (stacks, problems) = load(&plan(&format!(r#"{{"resources": [{}]}}"#, many.join(","))));
    assert_eq!(stacks[0].resources.len(), MAX_INSTANCES);
    assert!(problems[0].cause.contains("20000"));
}

#[test]
fn no_damage_makes_it_panic() {
    for cut in 0..PLAN.len() {
        let mut text = PLAN.to_owned();
        text.truncate(cut);
        let _ = load(&text);
    }
    for (from, to) in [
        ("{", "["),
        ("\"", "1"),
        ("[", "{}"),
        ("true", "[]"),
        ("1.50", "1e999"),
    ] {
        for (at, _) in PLAN.match_indices(from) {
            let mut text = PLAN.to_owned();
            text.replace_range(at..at + from.len(), to);
            let _ = load(&text);
        }
    }
}
