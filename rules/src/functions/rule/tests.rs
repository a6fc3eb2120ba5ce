//! What rules ask, with certain and uncertain answers.

use crate::Value;
use crate::functions::tests::{call, good, map, open, prefixed, texts, unknown};
use crate::value::{Kind, List, Shape};

fn t(text: &str) -> Value {
    text.into()
}

fn statement(effect: Value, key: &str, actions: Value) -> Value {
    map([("Statement", map([("Effect", effect), (key, actions)]))])
}

/// `None` for an unknown answer.
fn ask(name: &str, arguments: &[Value]) -> Option<bool> {
    good(name, arguments).as_bool()
}

#[test]
fn allows_matches_patterns_and_knows_when_it_does_not_know() {
    let allow = |actions| statement(t("Allow"), "Action", actions);
    for (policy, action, expected) in [
        (allow(t("*")), "s3:GetObject", Some(true)),
        (allow(t("S3:get*")), "s3:GetObject", Some(true)),
        (allow(t("s3:?etObject")), "s3:GetObject", Some(true)),
        (
            allow(texts(&["sqs:*", "s3:Put*"])),
            "s3:GetObject",
            Some(false),
        ),
        (allow(t("s3:*")), "*", Some(false)),
        (
            statement(t("Deny"), "Action", t("*")),
            "s3:GetObject",
            Some(false),
        ),
        (
            statement(t("Allow"), "NotAction", t("iam:*")),
            "s3:GetObject",
            Some(true),
        ),
        (
            statement(t("Allow"), "NotAction", t("s3:*")),
            "s3:GetObject",
            Some(false),
        ),
        (statement(unknown(), "Action", t("*")), "s3:GetObject", None),
        (
            statement(unknown(), "Action", t("sqs:*")),
            "s3:GetObject",
            Some(false),
        ),
        (allow(unknown()), "s3:GetObject", None),
        (
            allow(Value::list([unknown(), t("s3:*")])),
            "s3:GetObject",
            Some(true),
        ),
        (allow(prefixed("sqs:")), "s3:GetObject", Some(false)),
        (allow(prefixed("s3:")), "s3:GetObject", None),
        (allow(prefixed("s*q")), "s3:GetObject", None),
        (unknown(), "s3:GetObject", None),
        (Value::NULL, "s3:GetObject", Some(false)),
    ] {
        assert_eq!(
            ask("allows", &[policy.clone(), t(action)]),
            expected,
            "{policy:?}"
        );
    }
    assert!(call("allows", &[t("not json"), t("x")]).is_err());
}

#[test]
fn public_principals_are_seen_in_each_way_of_writing() {
    for (principal, expected) in [
        (t("*"), Some(true)),
        (map([("AWS", t("*"))]), Some(true)),
        (
            map([("AWS", texts(&["arn:aws:iam::111122223333:root", "*"]))]),
            Some(true),
        ),
        (map([("Service", t("*"))]), Some(false)),
        (map([("AWS", prefixed("arn:"))]), Some(false)),
        (map([("AWS", unknown())]), None),
        (unknown(), None),
        (Value::NULL, Some(false)),
    ] {
        let policy = map([("Statement", map([("Principal", principal.clone())]))]);
        let policy = good("policy", &[policy]);
        let statement = policy.get("statements").unwrap().as_list().unwrap().items[0].clone();
        assert_eq!(
            ask("public_principal", &[statement]),
            expected,
            "{principal:?}"
        );
    }
    let all_but = map([("Statement", map([("NotPrincipal", map([("AWS", t("x"))]))]))]);
    let all_but = good("policy", &[all_but]);
    let statement = all_but.get("statements").unwrap().as_list().unwrap().items[0].clone();
    assert_eq!(ask("public_principal", &[statement]), Some(true));
}

#[test]
fn public_addresses_are_seen_in_each_way_of_writing() {
    for (address, expected) in [
        (t("0.0.0.0/0"), Some(true)),
        (t("10.1.2.3/0"), Some(true)),
        (t("::/0"), Some(true)),
        (t("0:0:0:0::/0"), Some(true)),
        (texts(&["128.0.0.0/1", "0.0.0.0/1"]), Some(true)),
        (texts(&["::/1", "8000::/1"]), Some(true)),
        (texts(&["0.0.0.0/1", "::/1"]), Some(false)),
        (texts(&["0.0.0.0/1", "192.0.0.0/2"]), Some(false)),
        (
            Value::list([texts(&["10.0.0.0/8"]), texts(&["0.0.0.0/0"])]),
            Some(true),
        ),
        (
            texts(&["10.0.0.0/8", "sg-1", "0.0.0.0/33", "0.0.0.0/-0"]),
            Some(false),
        ),
        (Value::list([unknown(), t("::/0")]), Some(true)),
        (Value::list([unknown(), t("10.0.0.0/8")]), None),
        (open(&[]), None),
        (prefixed("10.0.0.1/3"), Some(false)),
        (Value::NULL, Some(false)),
        (Value::list([]), Some(false)),
    ] {
        assert_eq!(
            ask("public_cidr", std::slice::from_ref(&address)),
            expected,
            "{address:?}"
        );
    }
}

#[test]
fn ports_lie_in_ranges_with_unknown_ends() {
    for (port, from, to, expected) in [
        (22, 22.into(), t("22"), Some(true)),
        (22, 0.into(), 65535.into(), Some(true)),
        (22, 80.into(), unknown(), Some(false)),
        (22, unknown(), 21.into(), Some(false)),
        (22, unknown(), 80.into(), None),
        (22, Value::NULL, Value::NULL, Some(true)),
        (22, 23.into(), Value::NULL, Some(false)),
    ] {
        assert_eq!(ask("port_in", &[port.into(), from, to]), expected);
    }
}

#[test]
fn ports_lie_in_ranges_that_are_texts() {
    let open = |items: Vec<Value>| {
        Value::from(Kind::List(List {
            items: items.into(),
            shape: Shape::List,
            rest: unknown().as_unknown().cloned(),
        }))
    };
    for (ranges, expected) in [
        (t("22"), Some(true)),
        (22.into(), Some(true)),
        (t("20-25"), Some(true)),
        (t("*"), Some(true)),
        (t("80, 20 - 25"), Some(true)),
        (t("80"), Some(false)),
        (t("ssh"), Some(false)),
        (t(""), Some(false)),
        (Value::NULL, Some(false)),
        (unknown(), None),
        (Value::list([t("80"), 22.into()]), Some(true)),
        (Value::list([t("80"), Value::list([t("443")])]), Some(false)),
        (Value::list([t("80"), unknown()]), None),
        (Value::list([t("1-65535"), unknown()]), Some(true)),
        (open(vec![t("80")]), None),
        (open(vec![t("22")]), Some(true)),
    ] {
        assert_eq!(
            ask("port_in", &[22.into(), ranges.clone()]),
            expected,
            "{ranges:?}"
        );
    }
}

#[test]
fn shorthands_take_what_is_absent() {
    assert_eq!(good("list", &[Value::NULL]), Value::list([]));
    assert_eq!(good("list", &[t("a")]), texts(&["a"]));
    assert_eq!(good("list", &[texts(&["a"])]), texts(&["a"]));
    assert!(good("list", &[unknown()]).as_list().unwrap().rest.is_some());
    assert_eq!(good("first", &[Value::NULL]), Value::NULL);
    assert_eq!(good("first", &[Value::list([])]), Value::NULL);
    assert_eq!(good("first", &[texts(&["a", "b"])]), t("a"));
    assert_eq!(good("first", &[t("a")]), t("a"));
    assert!(good("first", &[open(&[])]).as_unknown().is_some());
    assert_eq!(ask("bool", &[Value::NULL]), Some(false));
    assert_eq!(ask("bool", &[t("True")]), Some(true));
    assert_eq!(ask("bool", &[unknown()]), None);
    assert!(call("bool", &[t("maybe")]).is_err());
    assert_eq!(ask("configured", &[unknown()]), Some(true));
    assert_eq!(ask("configured", &[Value::NULL]), Some(false));
    assert_eq!(ask("configured", &[Value::list([])]), Some(false));
    assert_eq!(ask("configured", &[open(&[])]), None);
    assert_eq!(ask("configured", &[false.into()]), Some(true));
}
