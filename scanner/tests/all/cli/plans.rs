//! Terraform plans as targets, and in trees.

use serde_json::Value;

use super::run;

#[test]
fn a_plan_is_a_target_and_lies_in_trees() {
    let root = tempfile::tempdir().unwrap();
    let plan = r#"{"format_version": "1.2", "terraform_version": "1.9.5",
        "planned_values": {"root_module": {"resources": [
            {"address": "aws_s3_bucket.b", "mode": "managed", "type": "aws_s3_bucket",
             "name": "b", "values": {"bucket": "b"}}]}},
        "configuration": {"root_module": {"resources": [
            {"address": "aws_s3_bucket.b", "mode": "managed", "type": "aws_s3_bucket",
             "name": "b", "expressions": {"bucket": {"constant_value": "b"}}}]}}}"#;
    std::fs::create_dir(root.path().join("live")).unwrap();
    std::fs::write(root.path().join("live/plan.json"), plan).unwrap();
    let scan = |arguments: &[&str]| {
        let arguments = [
            &["scan", "--format", "json", "--only", "misconfig"],
            arguments,
        ]
        .concat();
        let output = run(root.path(), &arguments);
        (output.code, output.json())
    };
    let places = |report: &Value| -> Vec<String> {
        let findings = report["findings"].as_array().unwrap().iter();
        let place = |finding: &Value| {
            let at = &finding["location"];
            format!("{} {}", at["path"], at["pointer"])
        };
        findings.map(place).collect()
    };
    let (code, in_tree) = scan(&["."]);
    assert_eq!(code, 1);
    let found = places(&in_tree);
    assert_eq!(
        found[0],
        "\"live/plan.json\" \"/planned_values/root_module/resources/0\""
    );
    for name in ["live/plan.json", "plan:live/plan.json"] {
        let (code, named) = scan(&[name]);
        assert_eq!((code, &places(&named)), (1, &found), "{name}");
        assert_eq!(named["targets"][0]["kind"], "plan");
        let prints = |report: &Value| report["findings"][0]["fingerprint"].clone();
        assert_eq!(prints(&named), prints(&in_tree));
    }
    std::fs::write(root.path().join("live/plan.json"), "{").unwrap();
    assert_eq!(scan(&["plan:live/plan.json"]).0, 2);
}
