//! The normal form from each way of writing, and the data source's own JSON.

use super::*;
use crate::value::Origin;

fn t(text: &str) -> Value {
    text.into()
}

fn unknown() -> Value {
    Value::unknown(Origin::Data("data.x.y".into()))
}

fn one_statement(policy: &Value) -> Value {
    let normal = super::policy(policy).unwrap();
    let statements = normal.get("statements").unwrap().as_list().unwrap();
    assert_eq!(statements.items.len(), 1);
    statements.items[0].clone()
}

#[test]
fn single_values_become_lists() {
    let text = r#"{"Version": "2012-10-17", "Statement": {"Sid": "a", "Effect": "Allow",
        "Action": "s3:*", "Resource": ["x", "y"], "Principal": {"AWS": "*"},
        "Condition": {"StringEquals": {"aws:k": "v"}}}}"#;
    let statement = one_statement(&t(text));
    assert_eq!(statement.get("actions"), Some(&Value::list([t("s3:*")])));
    assert_eq!(statement.get("not_actions"), Some(&Value::list([])));
    assert_eq!(
        statement.get("resources"),
        Some(&Value::list([t("x"), t("y")]))
    );
    let principal = object(vec![
        ("type", t("AWS")),
        ("identifiers", Value::list([t("*")])),
    ]);
    assert_eq!(statement.get("principals"), Some(&Value::list([principal])));
    let condition = object(vec![
        ("test", t("StringEquals")),
        ("variable", t("aws:k")),
        ("values", Value::list([t("v")])),
    ]);
    assert_eq!(statement.get("conditions"), Some(&Value::list([condition])));
    let normal = policy(&t(text)).unwrap();
    assert_eq!(policy(&normal).unwrap(), normal);
}

#[test]
fn unknown_parts_stay_unknown_and_hide_nothing() {
    let given = object(vec![(
        "Statement",
        Value::list([object(vec![
            ("Sid", unknown()),
            ("Action", t("*")),
            ("Resource", unknown()),
        ])]),
    )]);
    let text = crate::functions::encode_json(&given).unwrap();
    assert!(text.as_unknown().is_some());
    let statement = one_statement(&text);
    assert_eq!(statement.get("actions"), Some(&Value::list([t("*")])));
    assert!(
        statement
            .get("resources")
            .unwrap()
            .as_list()
            .unwrap()
            .rest
            .is_some()
    );
    assert!(policy(&unknown()).unwrap().as_unknown().is_some());
    assert_eq!(policy(&Value::NULL).unwrap(), Value::NULL);
}

#[test]
fn what_is_no_policy_is_refused() {
    for text in [
        "",
        "[]",
        "{}",
        "{\"Statement\": [1]}",
        "{\"Statement\": [{\"Principal\": 1}]}",
        "{\"Statement\": [{\"Condition\": {\"a\": 1}}]}",
        "not json",
    ] {
        assert!(policy(&t(text)).is_err(), "{text}");
    }
    assert!(policy(&true.into()).is_err());
}

#[test]
fn the_data_source_gives_its_json() {
    let block = |entries| object(entries);
    let narrow = document_json(&object(vec![(
        "statement",
        Value::list([block(vec![
            ("sid", t("n")),
            ("actions", Value::list([t("sqs:*")])),
        ])]),
    )]))
    .unwrap();
    assert!(narrow.as_str().unwrap().contains("\"Effect\":\"Allow\""));
    let body = object(vec![
        ("source_policy_documents", Value::list([narrow.clone()])),
        (
            "statement",
            Value::list([block(vec![
                ("effect", t("Deny")),
                ("actions", Value::list([t("*")])),
                (
                    "principals",
                    Value::list([block(vec![
                        ("type", t("AWS")),
                        ("identifiers", Value::list([t("*"), unknown()])),
                    ])]),
                ),
            ])]),
        ),
        (
            "override_policy_documents",
            Value::list([t(
                "{\"Statement\": {\"Sid\": \"n\", \"Effect\": \"Allow\", \"Action\": \"s3:*\"}}",
            )]),
        ),
    ]);
    let normal = policy(&document_json(&body).unwrap()).unwrap();
    let statements = normal.get("statements").unwrap().as_list().unwrap();
    assert_eq!(statements.items.len(), 2);
    assert_eq!(
        statements.items[0].get("actions"),
        Some(&Value::list([t("s3:*")]))
    );
    assert_eq!(statements.items[1].get("effect"), Some(&t("Deny")));
    let open = object(vec![(
        "source_policy_documents",
        Value::list([unknown(), narrow]),
    )]);
    let normal = policy(&document_json(&open).unwrap()).unwrap();
    let statements = normal.get("statements").unwrap().as_list().unwrap();
    assert!(statements.rest.is_some());
}
