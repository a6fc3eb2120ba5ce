use super::{MAX_MEMBERS, MAX_RELATED, MAX_WORK, Results, Verdict, World, judge, run_rule};
use crate::ProblemKind;
use crate::pack::sample;

fn run(subjects: &str, configuration: &str) -> Results {
    let (rule, stack) = sample(subjects, configuration);
    run_rule(&rule, &stack)
}

/// Verdicts in one line each: `address pass`, `address fail LINE message`, `address ? cause`.
fn verdicts(subjects: &str, configuration: &str) -> Vec<String> {
    let results = run(subjects, configuration);
    assert_eq!(results.failures, []);
    let shown = results.all.iter().map(|o| match &o.verdict {
        Verdict::Pass => format!("{} pass", o.resource),
        Verdict::Fail { message, span, .. } => {
            format!("{} fail {} {message}", o.resource, span.start_line)
        }
        Verdict::Undecided { cause } => format!("{} ? {cause}", o.resource),
    });
    shown.collect()
}

fn check(condition: &str) -> String {
    format!(
        "resource \"t\" {{\ncheck {{\nattribute = \"a\"\ncondition = {condition}\nmessage = \"a is ${{self.a}}\"\nfix = \"b\"\n}}\n}}"
    )
}

#[test]
fn true_passes_false_fails_and_unknown_is_undecided() {
    let configuration = "variable \"v\" {}\nvariable \"s\" {\n default = \"x\"\n sensitive = true\n}\nresource \"t\" \"bad\" {\n\n a = \"x\"\n}\nresource \"t\" \"good\" {\n a = \"y\"\n}\nresource \"t\" \"none\" {}\nresource \"t\" \"open\" {\n a = var.v\n}\nresource \"t\" \"secret\" {\n a = var.s\n}\n";
    assert_eq!(
        verdicts(&check("coalesce(self.a, \"y\") != \"x\""), configuration),
        [
            "t.bad fail 8 a is x",
            "t.good pass",
            "t.none pass",
            "t.open ? var.v has no value",
            "t.secret fail 18 a is (sensitive)",
        ]
    );
    let results = run(&check("false"), "resource \"t\" \"x\" {\n}\n");
    let Verdict::Fail { fix, span, .. } = &results.all[0].verdict else {
        panic!("not a failure");
    };
    assert_eq!(fix.as_deref(), Some("\"b\""));
    assert_eq!(
        span.start_line, 1,
        "what was not written points to the block"
    );
}

#[test]
fn a_condition_that_fails_is_undecided_and_told_to_the_tests() {
    let results = run(
        &check("self.a + 1 > 0"),
        "resource \"t\" \"x\" {\n a = \"n\"\n}\n",
    );
    assert!(matches!(results.all[0].verdict, Verdict::Undecided { .. }));
    assert_eq!(results.failures.len(), 1);
}

#[test]
fn members_are_judged_one_by_one_and_unseen_ones_stay_open() {
    let rule = "resource \"t\" {\ncheck {\nfor_each = self.b\nattribute = \"p\"\ncondition = each.value.p != 22\nmessage = \"${each.key}: ${each.value.p}\"\n}\n}";
    let block = |p: &str| format!(" b {{\n  p = {p}\n }}\n");
    let resource =
        |blocks: &str| format!("variable \"v\" {{}}\nresource \"t\" \"x\" {{\n{blocks}}}\n");
    let dynamic = " dynamic \"b\" {\n  for_each = var.v\n  content {\n   p = b.value\n  }\n }\n";
    let three = block("1") + &block("22") + &block("22");
    assert_eq!(
        verdicts(rule, &resource(&three)),
        ["t.x fail 7 1: 22", "t.x fail 10 2: 22"]
    );
    assert_eq!(verdicts(rule, &resource("")), ["t.x pass"]);
    let open = verdicts(rule, &resource(&(block("1") + dynamic)));
    assert_eq!(open, ["t.x ? var.v has no value"]);
    let both = verdicts(rule, &resource(&(block("22") + dynamic)));
    assert_eq!(both.len(), 1);
    assert!(both[0].starts_with("t.x fail"), "{both:?}");
}

#[test]
fn when_limits_a_subject_and_an_open_when_decides_nothing_against_the_user() {
    let rule =
        "resource \"t\" {\nwhen = self.on\ncheck {\ncondition = self.a == 1\nmessage = \"m\"\n}\n}";
    let configuration = "variable \"v\" {}\nresource \"t\" \"a\" {\n on = false\n a = 2\n}\nresource \"t\" \"b\" {\n on = var.v\n a = 2\n}\nresource \"t\" \"c\" {\n on = var.v\n a = 1\n}\n";
    assert_eq!(
        verdicts(rule, configuration),
        ["t.b ? var.v has no value", "t.c pass"]
    );
}

const COMPANION: &str = "resource \"t\" {\ncheck {\ncondition = length(related(self, \"c\", \"of\")) > 0\nmessage = \"alone\"\n}\n}";

#[test]
fn companions_are_found_by_reference_name_and_origin() {
    let found = |configuration: &str| verdicts(COMPANION, configuration);
    let plain = "resource \"t\" \"x\" {\n name = \"n\"\n}\nresource \"t\" \"y\" {}\n";
    assert_eq!(
        found(&format!(
            "{plain}resource \"c\" \"c\" {{\n of = t.x.id\n}}\n"
        )),
        ["t.x pass", "t.y fail 4 alone"]
    );
    assert_eq!(
        found(&format!(
            "{plain}resource \"c\" \"c\" {{\n of = \"n\"\n}}\n"
        )),
        ["t.x pass", "t.y fail 4 alone"]
    );
    let each = "resource \"t\" \"x\" {\n for_each = toset([\"a\", \"b\"])\n}\nresource \"c\" \"c\" {\n for_each = toset([\"a\"])\n of = t.x[each.key].id\n}\n";
    assert_eq!(found(each), ["t.x[\"a\"] pass", "t.x[\"b\"] fail 1 alone"]);
    let origin = "variable \"n\" {}\nresource \"t\" \"x\" {\n name = var.n\n}\nresource \"c\" \"c\" {\n of = var.n\n}\n";
    assert_eq!(found(origin), ["t.x pass"]);
    let none = "resource \"t\" \"x\" {}\nresource \"c\" \"c\" {\n count = 0\n of = t.x.id\n}\n";
    assert_eq!(found(none), ["t.x fail 1 alone"]);
}

#[test]
fn companions_that_may_exist_leave_the_question_open() {
    let open = |configuration: &str| {
        let found = verdicts(COMPANION, configuration);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("t.x ? "), "{found:?}");
    };
    open(
        "variable \"v\" {}\nresource \"t\" \"x\" {}\nresource \"c\" \"c\" {\n count = var.v ? 1 : 0\n of = t.x.id\n}\n",
    );
    open(
        "variable \"v\" {}\nresource \"t\" \"x\" {}\nresource \"t2\" \"y\" {}\nresource \"c\" \"c\" {\n of = var.v ? t.x.id : t2.y.id\n}\n",
    );
    open(
        "resource \"t\" \"x\" {}\nmodule \"m\" {\n source = \"git::https://example.com/m\"\n of = t.x.id\n}\n",
    );
    open(
        "variable \"v\" {}\nresource \"t\" \"x\" {\n name = \"n\"\n}\nresource \"c\" \"c\" {\n of = var.v\n}\n",
    );
}

#[test]
fn a_stack_is_judged_as_a_whole() {
    let rule = "stack {\nwhen = length(all(\"t\")) > 0\ncheck {\ncondition = length(all(\"c\")) > 0\nmessage = \"none\"\n}\n}";
    assert_eq!(
        verdicts(rule, "resource \"t\" \"x\" {}\n"),
        [" fail 1 none"]
    );
    assert_eq!(verdicts(rule, "resource \"d\" \"x\" {}\n"), [""; 0]);
    let both = "resource \"t\" \"x\" {}\nresource \"c\" \"x\" {}\n";
    assert_eq!(verdicts(rule, both), [" pass"]);
}

#[test]
fn a_finding_may_be_on_another_resource() {
    let rule = "resource \"t\" {\ncheck {\nfor_each = target(self.of, \"b\")\nat = each.value\nattribute = \"open\"\ncondition = !coalesce(each.value.open, false)\nmessage = \"${self.name}\"\n}\n}";
    let configuration = "resource \"t\" \"x\" {\n name = \"n\"\n of = b.y.id\n}\nresource \"b\" \"y\" {\n open = true\n}\n";
    assert_eq!(verdicts(rule, configuration), ["b.y fail 6 n"]);
    let source =
        "resource \"t\" {\ncheck {\ncondition = refers(self.of, \"b\")\nmessage = \"m\"\n}\n}";
    assert_eq!(verdicts(source, configuration), ["t.x pass"]);
}

#[test]
fn locals_are_seen_from_the_blocks_within() {
    let rule = "locals {\n one = 1\n}\nresource \"t\" {\nlocals {\n two = local.one + self.a\n}\ncheck {\nfor_each = [5]\nlocals {\n three = local.two + each.value\n}\ncondition = local.three == 8\nmessage = \"m\"\n}\n}";
    assert_eq!(
        verdicts(rule, "resource \"t\" \"x\" {\n a = 2\n}\n"),
        ["t.x pass"]
    );
}

#[test]
fn too_many_members_are_a_problem_and_leave_the_resource_undecided() {
    let rule = "resource \"t\" {\ncheck {\nfor_each = flatten([for x in range(101) : range(100)])\ncondition = true\nmessage = \"m\"\n}\n}";
    let results = run(rule, "resource \"t\" \"x\" {}\n");
    const { assert!(101 * 100 > MAX_MEMBERS) };
    assert_eq!(results.problems[0].kind, ProblemKind::Limit);
    assert!(matches!(results.all[0].verdict, Verdict::Undecided { .. }));
}

#[test]
fn too_many_companions_leave_the_list_open() {
    let configuration = format!(
        "resource \"t\" \"x\" {{\n name = \"n\"\n}}\nresource \"c\" \"c\" {{\n count = {}\n of = \"n\"\n}}\n",
        MAX_RELATED + 1
    );
    let rule = COMPANION.replace("> 0", "< 1000000");
    let found = verdicts(&rule, &configuration);
    assert!(found[0].starts_with("t.x ? "), "{found:?}");
    assert_eq!(verdicts(COMPANION, &configuration), ["t.x pass"]);
}

#[test]
fn a_stack_that_costs_too_much_is_undecided_and_told_once() {
    let configuration = "resource \"t\" \"x\" {\n count = 3\n a = \"x\"\n}\n";
    let (rule, stack) = sample(&check("self.a == \"x\""), configuration);
    let world = World::new(&stack);
    world.pay(MAX_WORK);
    let mut results = Results::default();
    judge::rule(&rule, &world, &mut results);
    assert_eq!(results.problems.len(), 1);
    assert_eq!(results.all.len(), 3);
    let open = |o: &super::RuleResult| matches!(o.verdict, Verdict::Undecided { .. });
    assert!(results.all.iter().all(open));
}

#[test]
fn what_stands_in_the_known_part_of_a_text_is_found() {
    let rule = "resource \"t\" {\ncheck {\ncondition = !anytrue([for part in known_parts(self.a) : strcontains(part, \"key\")])\nmessage = \"m\"\n}\n}";
    let configuration = "variable \"v\" {}\nresource \"t\" \"bad\" {\n a = \"the key ${var.v}\"\n}\nresource \"t\" \"open\" {\n a = \"no ${var.v}\"\n}\nresource \"t\" \"z\" {\n a = \"no\"\n}\n";
    assert_eq!(
        verdicts(rule, configuration),
        ["t.bad fail 2 m", "t.open ? var.v has no value", "t.z pass"]
    );
}

const BESIDE: &str = r#"
terraform {
  required_version = ">= 1.6"
  backend "s3" {
    encrypt = false
  }
}
provider "aws" {
  region = "eu-central-1"
  default_tags {
    tags = { team = "x" }
  }
}
variable "password" {
  type    = string
  default = "hunter2"
}
output "token" {
  value = var.password
}
module "logs" {
  source = "git::https://example.org/logs.git?ref=v1"
  public = true
}
resource "aws_t" "a" {
  lifecycle {
    prevent_destroy = false
    ignore_changes  = [tags, a.b]
  }
  provisioner "local-exec" {
    command = "echo"
  }
}
resource "other_t" "b" {}
"#;

/// One check whose condition is false where it applies.
fn subject(head: &str, condition: &str) -> String {
    format!("{head} {{\ncheck {{\ncondition = {condition}\nmessage = \"m\"\n}}\n}}")
}

#[test]
fn every_class_of_block_can_be_spoken_of() {
    for (head, condition, expected) in [
        ("module", "self.public != true", "module.logs fail 21 m"),
        (
            "module \"git::*example.org*\"",
            "strcontains(self.source, \"?ref=v2\")",
            "module.logs fail 21 m",
        ),
        ("module \"./*\"", "false", ""),
        (
            "provider \"aws\"",
            "self.region == \"us-east-1\"",
            "provider.aws fail 8 m",
        ),
        (
            "terraform",
            "alltrue([for b in list(self.backend) : coalesce(b.encrypt, true)])",
            "terraform fail 2 m",
        ),
        (
            "terraform",
            "[for b in list(self.backend) : b.type] != [\"s3\"]",
            "terraform fail 2 m",
        ),
        (
            "variable",
            "self.type != \"string\" || coalesce(self.sensitive, false)",
            "var.password fail 14 m",
        ),
        (
            "output \"tok*\"",
            "self.value != \"hunter2\"",
            "output.token fail 18 m",
        ),
        ("resource \"aws_*\"", "false", "aws_t.a fail 25 m"),
        (
            "resource \"*\"",
            "self.provider == null",
            "aws_t.a fail 25 m; other_t.b pass",
        ),
        (
            "resource \"aws_t\"",
            "self.provider.default_tags[0].tags.team != \"x\"",
            "aws_t.a fail 25 m",
        ),
        (
            "resource \"aws_t\"",
            "self.lifecycle[0].prevent_destroy",
            "aws_t.a fail 25 m",
        ),
        (
            "resource \"aws_t\"",
            "!contains(self.lifecycle[0].ignore_changes, \"a.b\")",
            "aws_t.a fail 25 m",
        ),
        (
            "resource \"aws_t\"",
            "self.provisioner[0].type != \"local-exec\"",
            "aws_t.a fail 25 m",
        ),
        (
            "stack",
            "length(all(\"module\")) == 0 && length(all(\"provider.aws\")) == 1",
            " fail 1 m",
        ),
    ] {
        let found = verdicts(&subject(head, condition), BESIDE).join("; ");
        assert_eq!(found, expected, "{head} {condition}");
    }
}

#[test]
fn calls_of_a_module_are_spoken_of_one_by_one() {
    let configuration = "module \"m\" {\n source = \"x/y/z\"\n for_each = { a = 1, b = 2 }\n size = each.value\n}\n";
    let found = verdicts(&subject("module", "self.size != 2"), configuration);
    assert_eq!(found, ["module.m[\"a\"] pass", "module.m[\"b\"] fail 1 m"]);
}

#[test]
fn what_is_not_there_is_null_and_values_compare_as_a_schema_would_have_them() {
    let configuration = "resource \"t\" \"x\" {\n m = { k = \"0\" }\n n = 0\n b = \"true\"\n}\n";
    for condition in [
        "self.m[\"none\"] == null",
        "self.m.none == null",
        "self.none[\"k\"] == null",
        "self.m[\"k\"] == 0",
        "self.n == \"0\"",
        "self.b == true",
        "self.b != false",
        "self.n != \"1\"",
        "self.n != \"x\"",
        "self.b == \"true\"",
    ] {
        let found = verdicts(&subject("resource \"t\"", condition), configuration);
        assert_eq!(found, ["t.x pass"], "{condition}");
    }
    // Terraform's own comparison stays as it is.
    let own = "resource \"t\" \"x\" {\n same = \"0\" == 0\n}\n";
    let found = verdicts(&subject("resource \"t\"", "self.same == false"), own);
    assert_eq!(found, ["t.x pass"]);
}

#[test]
fn a_check_is_said_once_over_differing_names() {
    let subjects = r#"
check {
  locals {
    hit = port_in(22, local.ports)
  }
  condition = !local.open || !local.hit
  message   = "${local.ports} is open"
}
resource "one" {
  for_each  = self.rule
  attribute = "from"
  locals {
    open  = each.value.from == "*"
    ports = each.value.ports
  }
}
resource "two" "three" {
  when      = self.kind == "in"
  attribute = "source"
  locals {
    open  = self.source == "any"
    ports = list(self.port)
  }
}
"#;
    let configuration = r#"resource "one" "a" {
  rule {
    from  = "*"
    ports = "80"
  }
  rule {
    from  = "*"
    ports = "20-30"
  }
}
resource "two" "b" {
  kind   = "in"
  source = "any"
  port   = 22
}
resource "three" "c" {
  kind   = "out"
  source = "any"
  port   = 22
}
resource "two" "d" {
  kind   = "in"
  source = "me"
}
"#;
    assert_eq!(
        verdicts(subjects, configuration),
        [
            "one.a fail 7 20-30 is open",
            "two.b fail 13 22 is open",
            "two.d pass"
        ]
    );
}

#[test]
fn classes_and_patterns_are_arguments_of_functions() {
    let stack = |condition: &str| {
        format!("stack {{\ncheck {{\ncondition = {condition}\nmessage = \"m\"\n}}\n}}")
    };
    let configuration = "module \"a\" {\n source = \"team/vpc/aws\"\n id = t.x.id\n}\nmodule \"b\" {\n source = \"./b\"\n}\nresource \"t\" \"x\" {\n}\nprovider \"aws\" {\n region = \"r\"\n}\n";
    for condition in [
        "length(all(\"module\")) >= 2",
        "length(all(\"module.team/*\")) >= 1",
        "contains(all(\"module.*\")[*].source, \"./b\")",
        "length(all(\"provider.aws\")) >= 1",
    ] {
        let found = verdicts(&stack(condition), configuration);
        assert!(
            found.iter().all(|one| one.ends_with(" pass")),
            "{condition}: {found:?}"
        );
    }
    let related = "resource \"t\" {\ncheck {\ncondition = length(related(self, \"module.team/*\", \"id\")) >= 1\nmessage = \"m\"\n}\n}";
    assert_eq!(verdicts(related, configuration), ["t.x pass"]);
    let other = related.replace("team/", "other/");
    assert!(
        verdicts(&other, configuration)[0].starts_with("t.x ?"),
        "the module is not in the tree"
    );
}
