//! Which directories are judged, and with which values.

use super::*;

/// The roots of an evaluation in the order of their names.
fn roots(files: &[(&str, &str)]) -> Vec<String> {
    let evaluation = Memory::new(files).evaluate(&Options::default());
    let stacks = evaluation.stacks.iter();
    let mut roots: Vec<String> = stacks.map(|stack| stack.root.to_string()).collect();
    roots.sort();
    roots
}

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
