//! Encodings by example, round trips, partly unknown JSON, hostile documents.

use proptest::prelude::*;

use super::partial::partial_json;
use crate::Value;
use crate::functions::FunctionError;
use crate::functions::limits::{MAX_DEPTH, MAX_DOCUMENT, MAX_YAML_DEPTH};
use crate::functions::tests::{call, good, map, numbers, prefix_of, prefixed, texts, unknown};

fn t(text: &str) -> Value {
    text.into()
}

fn number(text: &str) -> Value {
    good("tonumber", &[t(text)])
}

#[test]
fn json_is_written_and_read_exactly() {
    let value = map([
        ("b", Value::list([1.into(), number("0.1"), Value::NULL])),
        ("a", t("<&>\"\n\u{1}é")),
    ]);
    let text = good("jsonencode", std::slice::from_ref(&value));
    let expected = r#"{"a":"\u003c\u0026\u003e\"\n\u0001é","b":[1,0.1,null]}"#;
    assert_eq!(text, t(expected));
    assert_eq!(good("jsondecode", &[text]), value);
    assert_eq!(
        good(
            "jsondecode",
            &[t(" [1e2, -0.5, \"\\ud83d\\ude00\", true] ")]
        ),
        Value::list([100.into(), number("-0.5"), t("😀"), true.into()])
    );
    for text in [
        "",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "01",
        "1.",
        "nul",
        "\"\u{1}\"",
        "\"\\x\"",
        "1 2",
        "{a:1}",
    ] {
        assert!(call("jsondecode", &[t(text)]).is_err(), "{text}");
    }
}

#[test]
fn partly_unknown_json_keeps_its_structure() {
    let value = map([("Action", t("*")), ("Sid", unknown())]);
    let text = good("jsonencode", std::slice::from_ref(&value));
    assert_eq!(prefix_of(&text), "{");
    assert_eq!(good("jsondecode", &[text]), value);
    assert!(good("jsondecode", &[unknown()]).as_unknown().is_some());

    let heredoc = [
        t("{\"Action\": \"*\", \"Sid\": \"acct-"),
        prefixed("12"),
        t("-x\", \"List\": [\"a\", "),
        unknown(),
        t("], \"Port\": "),
        unknown(),
        t(", \""),
        unknown(),
        t("\": 1}"),
    ];
    let value = partial_json(&heredoc).unwrap();
    assert_eq!(value.get("Action"), Some(&t("*")));
    assert_eq!(prefix_of(value.get("Sid").unwrap()), "acct-12");
    let list = value.get("List").unwrap().as_list().unwrap();
    assert_eq!((list.items.len(), list.rest.is_some()), (1, true));
    assert!(value.get("Port").unwrap().as_unknown().is_some());
    assert!(value.as_map().unwrap().rest.is_some());
    assert_eq!(partial_json(&[t("{}")]), None);
    assert_eq!(partial_json(&[t("{"), unknown(), t("}")]), None);
    assert_eq!(partial_json(&[t("x"), unknown()]), None);
}

#[test]
fn yaml_follows_the_core_schema_and_the_words_of_the_older_one() {
    let text = "a: &x [1, 0x10, 1.50, yes, 'true', true, ~]\nb: *x\nc: |\n  line\n  two\n2: {<<: {k: v, l: w}, k: own}\n";
    let list = Value::list([
        1.into(),
        16.into(),
        number("1.5"),
        true.into(),
        t("true"),
        true.into(),
        Value::NULL,
    ]);
    let expected = map([
        ("a", list.clone()),
        ("b", list),
        ("c", t("line\ntwo\n")),
        ("2", map([("k", t("own")), ("l", t("w"))])),
    ]);
    assert_eq!(good("yamldecode", &[t(text)]), expected);
    assert_eq!(good("yamldecode", &[t("!!str 12")]), t("12"));
    assert_eq!(good("yamldecode", &[t("[off, 'off', Off, n]")]), {
        let no = || Value::from(false);
        Value::list([no(), t("off"), no(), no()])
    });
    assert_eq!(good("yamldecode", &[t("on: 1")]), map([("true", 1.into())]));
    assert_eq!(good("yamldecode", &[t("2024-01-02")]), t("2024-01-02"));
    for text in [
        "a: !Ref x",
        "a: 1\n--- \nb: 2",
        "&x [*x]",
        "a: *y",
        "a: [",
        "? [1]\n: 2",
        "[.inf]",
    ] {
        assert!(call("yamldecode", &[t(text)]).is_err(), "{text}");
    }
    let written = good(
        "yamlencode",
        &[map([
            ("a", texts(&["x", "y"])),
            ("b", map([("c", 1.into())])),
            ("d", map([])),
        ])],
    );
    assert_eq!(
        written,
        t("\"a\":\n- \"x\"\n- \"y\"\n\"b\":\n  \"c\": 1\n\"d\": {}\n")
    );
}

#[test]
fn csv_base64_and_url_answer_as_documented() {
    let rows = good("csvdecode", &[t("a,b\r\n1,\"x, \"\"y\"\"\"\n\n3,\n")]);
    assert_eq!(
        rows,
        Value::list([
            map([("a", t("1")), ("b", t("x, \"y\""))]),
            map([("a", t("3")), ("b", t(""))]),
        ])
    );
    for text in ["", "a,a\n1,2", "a,b\n1", "a\n\"x", "a\nx\"y\""] {
        assert!(call("csvdecode", &[t(text)]).is_err(), "{text:?}");
    }
    for (name, given, expected) in [
        ("base64encode", "Hello World", "SGVsbG8gV29ybGQ="),
        ("base64decode", "SGVsbG8gV29ybGQ=", "Hello World"),
        ("urlencode", "a b&ü~", "a+b%26%C3%BC~"),
        ("urldecode", "a+b%26%C3%BC", "a b&ü"),
    ] {
        assert_eq!(good(name, &[t(given)]), t(expected), "{name}");
    }
    let wide = good("textencodebase64", &[t("Hi"), t("UTF-16LE")]);
    assert_eq!(wide, t("SABpAA=="));
    assert_eq!(good("textdecodebase64", &[wide, t("UTF-16LE")]), t("Hi"));
    assert!(
        good("textencodebase64", &[t("x"), t("Shift_JIS")])
            .as_unknown()
            .is_some()
    );
    for (name, text) in [
        ("base64decode", "abc"),
        ("base64decode", "/w=="),
        ("urldecode", "%f"),
        ("urldecode", "%ff"),
    ] {
        assert!(call(name, &[t(text)]).is_err(), "{name} {text}");
    }
}

#[test]
fn hostile_documents_reach_a_limit() {
    let mut lines = vec![String::from("a0: &a0 [x, x]")];
    for level in 1..40 {
        let below = level - 1;
        lines.push(format!("a{level}: &a{level} [*a{below}, *a{below}]"));
    }
    let deep = "[".repeat(MAX_DEPTH + 2);
    let deep_yaml = "[".repeat(MAX_YAML_DEPTH + 2);
    let wide = format!("[{}1]", "1,".repeat(MAX_DOCUMENT));
    for (name, text) in [
        ("yamldecode", lines.join("\n").as_str()),
        ("yamldecode", &deep_yaml),
        ("jsondecode", &deep),
        ("jsondecode", &wide),
        ("csvdecode", &format!("a\n{}", "1\n".repeat(MAX_DOCUMENT))),
    ] {
        assert!(
            matches!(call(name, &[t(text)]), Err(FunctionError::Limit(_))),
            "{name}"
        );
    }
    assert_eq!(good("jsondecode", &[t("[1]")]), numbers(&[1]));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn encodings_round_trip(text in "\\PC{0,40}") {
        for (there, back) in [
            ("jsonencode", "jsondecode"),
            ("yamlencode", "yamldecode"),
            ("base64encode", "base64decode"),
            ("urlencode", "urldecode"),
        ] {
            let value = t(&text);
            prop_assert_eq!(good(back, &[good(there, std::slice::from_ref(&value))]), value, "{}", there);
        }
    }

    #[test]
    fn decoders_survive_any_text(text in "[\\[\\]{}:,\"'&*!<|>%@# \\n\\\\\\-a-c0-2\u{10ffff}]{0,60}") {
        for name in ["jsondecode", "yamldecode", "csvdecode", "base64decode"] {
            let _ = call(name, &[t(&text)]);
        }
        let _ = partial_json(&[t(&text), unknown(), t(&text)]);
    }
}
