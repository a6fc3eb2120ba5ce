//! Comments that accept findings, and what is said of those that do not.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::{Run, run};

/// The rule of [`VOLUME`], with an alias.
const RULE: &str = "aws-ec2-volume-unencrypted";

fn scan(files: &[(&str, &str)]) -> Run {
    let directory = TempDir::new().unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        fs::write(path, text).unwrap();
    }
    let arguments = ["scan", ".", "--date", "2026-06-01", "--format", "json"];
    run(directory.path(), &arguments)
}

/// Rule, line, and source of the suppression, in order.
fn found(run: &Run) -> Vec<(String, u64, Option<String>)> {
    let report = run.json();
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let mut all: Vec<_> = findings
        .iter()
        .map(|one| {
            let line = one["location"]["start_line"].as_u64();
            (
                text(&one["rule_id"]).unwrap(),
                line.unwrap_or_default(),
                text(&one["suppressed"]["source"]),
            )
        })
        .filter(|(rule, ..)| rule == RULE || rule.starts_with("ignore-"))
        .collect();
    all.sort_by_key(|one| one.1);
    all
}

/// A finding of the volume, as [`found`] shows it.
fn volume(line: u64, by: Option<&str>) -> (String, u64, Option<String>) {
    (RULE.to_owned(), line, by.map(str::to_owned))
}

fn own(rule: &str, line: u64) -> (String, u64, Option<String>) {
    (rule.to_owned(), line, None)
}

/// A volume whose attribute is on the third line, with one comment above and one inside.
fn around(above: &str, beside: &str) -> String {
    format!("{above}\nresource \"aws_ebs_volume\" \"a\" {{\n  encrypted = false {beside}\n}}\n")
}

#[test]
fn each_form_suppresses_by_id_and_alias() {
    for comment in [
        "#trivy:ignore:AVD-AWS-0026",
        "# trivy:ignore:AWS-0026",
        "// trivy:ignore:aws-ec2-volume-unencrypted",
        "/* tfsec:ignore:AVD-AWS-9999,AWS-0026 */",
        "#tfsec:ignore:*",
        "# checkov:skip=CKV_AWS_3:a reason",
        "# portcullis:ignore aws-ec2-volume-unencrypted until=2026-06-01 reason=a reason",
        "# trivy:ignore:AWS-0026:exp:2026-06-01",
    ] {
        for text in [around(comment, ""), around("", comment)] {
            let run = scan(&[("main.tf", &text)]);
            let line = if text.starts_with('\n') { 3 } else { 1 };
            let by = format!("main.tf:{line}");
            assert_eq!(found(&run), [volume(3, Some(&by))], "{text}");
            assert_eq!(run.code, 0, "{text}: {}", run.err);
        }
    }
}

#[test]
fn the_reason_and_the_day_are_part_of_the_report() {
    let comment = "# portcullis:ignore AWS-0026 until=2027-01-31 reason=scratch data";
    let run = scan(&[("main.tf", &around(comment, ""))]);
    let report = run.json();
    let findings = report["findings"].as_array().unwrap();
    let by = findings.iter().find(|one| one["rule_id"] == RULE).unwrap();
    let expected = serde_json::json!({
        "by": "comment",
        "source": "main.tf:1",
        "status": "accepted",
        "reason": "scratch data",
        "until": "2027-01-31",
    });
    assert_eq!(by["suppressed"], expected);
}

#[test]
fn an_expired_comment_is_reported_and_suppresses_nothing() {
    for comment in [
        "# trivy:ignore:AWS-0026:exp:2026-05-31",
        "# portcullis:ignore AWS-0026 until=2026-05-31",
    ] {
        let run = scan(&[("main.tf", &around(comment, ""))]);
        let expected = [own("ignore-expired", 1), volume(3, None)];
        assert_eq!(found(&run), expected, "{comment}");
        assert_eq!(run.code, 1, "{comment}");
    }
}

#[test]
fn a_comment_without_effect_is_reported_if_it_names_a_rule_of_ours() {
    let fine = "resource \"aws_ebs_volume\" \"a\" {\n  encrypted = true\n}\n";
    for comment in [
        "# trivy:ignore:AWS-0026",
        "# checkov:skip=CKV_AWS_3",
        "# portcullis:ignore AWS-0026",
        "# portcullis:ignore not-a-rule",
        "# portcullis:ignore",
    ] {
        let run = scan(&[("main.tf", &format!("{comment}\n{fine}"))]);
        assert_eq!(found(&run), [own("ignore-unused", 1)], "{comment}");
        assert_eq!(run.code, 0, "{comment}: it is of severity LOW");
    }
    for comment in [
        "# trivy:ignore:AWS-9999",
        "# tfsec:ignore:*",
        "# checkov:skip=CKV2_GHA_1:x",
    ] {
        let run = scan(&[("main.tf", &format!("{comment}\n{fine}"))]);
        assert_eq!(found(&run), [], "{comment}");
    }
    // A condition that is not understood never makes a comment wider.
    let run = scan(&[("main.tf", &around("# trivy:ignore:AWS-0026:ws:prod", ""))]);
    assert_eq!(found(&run), [own("ignore-unused", 1), volume(3, None)]);
}

#[test]
fn an_undecided_check_is_no_proof_that_a_comment_is_unused() {
    let text = "variable \"x\" {}\n\nresource \"aws_ebs_volume\" \"a\" {\n  # trivy:ignore:AWS-0026\n  encrypted = var.x\n}\n";
    assert_eq!(found(&scan(&[("main.tf", text)])), []);
}

#[test]
fn a_comment_speaks_of_its_place_only() {
    // Inside the block, Checkov speaks of all of it and the others of the next line.
    let inside = |comment: &str| {
        format!(
            "resource \"aws_ebs_volume\" \"a\" {{\n  size = 1\n  {comment}\n  type = \"x\"\n\n  encrypted = false\n}}\n"
        )
    };
    let run = scan(&[("main.tf", &inside("# checkov:skip=CKV_AWS_3"))]);
    assert_eq!(found(&run), [volume(6, Some("main.tf:3"))]);
    let run = scan(&[("main.tf", &inside("# trivy:ignore:AWS-0026"))]);
    assert_eq!(found(&run), [own("ignore-unused", 3), volume(6, None)]);
    // Another block.
    let two = format!(
        "{}{}",
        around("# trivy:ignore:AWS-0026", ""),
        around("", "").replace("\"a\"", "\"b\"")
    );
    let run = scan(&[("main.tf", &two)]);
    assert_eq!(found(&run), [volume(3, Some("main.tf:1")), volume(7, None)]);
    // The whole file, and not the file beside it.
    let text = format!("# trivy:ignore:AWS-0026\n{}", around("", ""));
    let other = around("", "").replace("\"a\"", "\"b\"");
    let run = scan(&[("a.tf", &text), ("b.tf", &other)]);
    assert_eq!(found(&run), [volume(3, None), volume(4, Some("a.tf:1"))]);
}

#[test]
fn a_comment_at_a_module_call_speaks_of_that_call() {
    let volume_text = around("", "");
    let main = "# tfsec:ignore:AWS-0026\nmodule \"a\" {\n  source = \"./disk\"\n}\n\nmodule \"b\" {\n  source = \"./disk\"\n}\n";
    let run = scan(&[("main.tf", main), ("disk/disk.tf", &volume_text)]);
    let mut all = found(&run);
    all.sort();
    assert_eq!(all, [volume(3, None), volume(3, Some("main.tf:1"))]);
    assert_eq!(run.code, 1);
}

#[test]
fn sarif_says_that_the_source_suppresses() {
    let directory = TempDir::new().unwrap();
    let text = around("# trivy:ignore:AWS-0026", "# portcullis:ignore nothing");
    fs::write(directory.path().join("main.tf"), text).unwrap();
    let run = run(directory.path(), &["scan", ".", "--format", "sarif"]);
    let report = run.json();
    let results = report["runs"][0]["results"].as_array().unwrap();
    let one = |rule: &str| results.iter().find(|one| one["ruleId"] == rule).unwrap();
    assert_eq!(one(RULE)["suppressions"][0]["kind"], "inSource");
    let index = one("ignore-unused")["ruleIndex"].as_u64().unwrap();
    let rules = &report["runs"][0]["tool"]["driver"]["rules"];
    assert_eq!(
        rules[usize::try_from(index).unwrap()]["id"],
        "ignore-unused"
    );
}

#[test]
fn a_finding_of_a_plan_is_accepted_in_the_code_beside_it() {
    let plan = r#"{"format_version": "1.2", "planned_values": {"root_module": {"resources": [
        {"address": "aws_ebs_volume.a", "mode": "managed", "type": "aws_ebs_volume", "name": "a",
         "values": {"encrypted": false}}]}}}"#;
    // The code does not know the value, and the plan does.
    let code = |comment: &str| {
        format!(
            "variable \"x\" {{}}\n\n{comment}\nresource \"aws_ebs_volume\" \"a\" {{\n  encrypted = var.x\n}}\n"
        )
    };
    let run = scan(&[("main.tf", &code("")), ("plan.json", plan)]);
    assert_eq!(found(&run), [volume(5, None)]);
    let run = scan(&[
        ("main.tf", &code("# trivy:ignore:AWS-0026")),
        ("plan.json", plan),
    ]);
    assert_eq!(found(&run), [volume(5, Some("main.tf:3"))]);
}

#[test]
fn comments_of_a_prefixed_target_are_shown_as_reports_show_paths() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("live")).unwrap();
    let text = around("# trivy:ignore:AWS-0026", "");
    fs::write(directory.path().join("live/main.tf"), text).unwrap();
    let run = run(directory.path(), &["scan", "live", "--format", "json"]);
    assert_eq!(found(&run), [volume(3, Some("live/main.tf:1"))]);
}
