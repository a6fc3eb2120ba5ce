//! String functions by example: known, partly known, hostile.

use crate::Value;
use crate::functions::FunctionError;
use crate::functions::limits::{MAX_PATTERN, MAX_TEXT, MAX_WIDTH};
use crate::functions::tests::{
    call, good, map, numbers, open, prefix_of, prefixed, texts, unknown,
};

fn t(text: &str) -> Value {
    text.into()
}

#[test]
fn text_functions_answer_as_documented() {
    let cases: Vec<(&str, Vec<Value>, Value)> = vec![
        ("chomp", vec![t("line\r\n\n")], t("line")),
        ("endswith", vec![t("main.tf"), t(".tf")], true.into()),
        ("startswith", vec![t("main.tf"), t("tf")], false.into()),
        ("strcontains", vec![t("main.tf"), t("n.t")], true.into()),
        ("indent", vec![2.into(), t("a\nb\n")], t("a\n  b\n  ")),
        (
            "join",
            vec![t("-"), texts(&["a", "b"]), texts(&["c"])],
            t("a-b-c"),
        ),
        ("join", vec![t("-"), numbers(&[1, 2])], t("1-2")),
        ("lower", vec![t("ÀB")], t("àb")),
        ("upper", vec![t("straße")], t("STRASSE")),
        (
            "title",
            vec![t("one two-three's x_y")],
            t("One Two-Three'S X_y"),
        ),
        ("split", vec![t(","), t("a,,b")], texts(&["a", "", "b"])),
        ("split", vec![t(","), t("")], texts(&[""])),
        ("split", vec![t(""), t("añb")], texts(&["a", "ñ", "b"])),
        ("strrev", vec![t("añb")], t("bña")),
        (
            "substr",
            vec![t("portcullis"), 4.into(), 3.into()],
            t("cul"),
        ),
        (
            "substr",
            vec![t("portcullis"), (-3).into(), (-1).into()],
            t("lis"),
        ),
        ("substr", vec![t("port"), 2.into(), 99.into()], t("rt")),
        ("substr", vec![t("port"), 9.into(), 1.into()], t("")),
        ("trim", vec![t("?!hi?!"), t("!?")], t("hi")),
        ("trimprefix", vec![t("aab"), t("a")], t("ab")),
        ("trimsuffix", vec![t("baa"), t("a")], t("ba")),
        ("trimspace", vec![t("\n x \t")], t("x")),
        ("replace", vec![t("a.b.c"), t("."), t("-")], t("a-b-c")),
        (
            "replace",
            vec![t("ab1c22"), t("/[a-z]+(\\d)/"), t("<$1>")],
            t("<1><2>2"),
        ),
        ("replace", vec![t("a/b"), t("/"), t("-")], t("a-b")),
        ("regex", vec![t("[a-z]+"), t("12ab3")], t("ab")),
        (
            "regex",
            vec![t("(\\d+)-(x)?"), t("12-")],
            Value::list([t("12"), Value::NULL]),
        ),
        (
            "regex",
            vec![t("(?P<y>\\d{4})"), t("in 2024")],
            map([("y", t("2024"))]),
        ),
        ("regexall", vec![t("\\d"), t("a1b2٣")], texts(&["1", "2"])),
        (
            "regexall",
            vec![t("[[&&-]"), t("a[&-")],
            texts(&["[", "&", "-"]),
        ),
        (
            "regexall",
            vec![t("\\Qa.b\\E"), t("a.b axb")],
            texts(&["a.b"]),
        ),
        ("regexall", vec![t("x"), t("abc")], Value::list([])),
    ];
    for (name, arguments, expected) in cases {
        assert_eq!(good(name, &arguments), expected, "{name}({arguments:?})");
    }
    for (name, arguments) in [
        ("regex", vec![t("x"), t("abc")]),
        ("regex", vec![t("(a)(?P<n>b)"), t("ab")]),
        ("regex", vec![t("(?=a)"), t("ab")]),
        ("join", vec![t(","), Value::list([Value::NULL])]),
        ("indent", vec![(-1).into(), t("a\nb")]),
    ] {
        assert!(call(name, &arguments).is_err(), "{name}({arguments:?})");
    }
}

#[test]
fn format_knows_the_verbs() {
    let cases: Vec<(&str, Vec<Value>, &str)> = vec![
        ("%s is %d%%", vec![t("x"), 5.into()], "x is 5%"),
        (
            "%v %v %v %v",
            vec![t("a"), 1.into(), true.into(), Value::NULL],
            "a 1 true null",
        ),
        ("%v", vec![texts(&["a"])], "[\"a\"]"),
        ("%#v", vec![t("a\"")], "\"a\\\"\""),
        ("%q", vec![t("a<")], "\"a\\u003c\""),
        (
            "%05d|%-4d|%+d|% d",
            vec![42.into(), 7.into(), 3.into(), 3.into()],
            "00042|7   |+3| 3",
        ),
        (
            "%x %X %o %b %#x",
            vec![255.into(), 255.into(), 8.into(), 5.into(), 16.into()],
            "ff FF 10 101 0x10",
        ),
        ("%x", vec![t("hi")], "6869"),
        (
            "%.2f|%8.3f|%f",
            vec![t("2.345"), t("1.5"), 1.into()],
            "2.34|   1.500|1.000000",
        ),
        (
            "%e %g %g",
            vec![1500.into(), t("0.00001"), t("1.50")],
            "1.500000e+03 1e-05 1.5",
        ),
        ("%-6.2s|", vec![t("abcdef")], "ab    |"),
        ("%[2]s %[1]s", vec![t("a"), t("b")], "b a"),
        ("%t", vec![t("true")], "true"),
        ("%03d", vec![(-5).into()], "-05"),
    ];
    for (spec, values, expected) in cases {
        let mut arguments = vec![t(spec)];
        arguments.extend(values);
        assert_eq!(good("format", &arguments), t(expected), "{spec}");
    }
    for arguments in [
        vec![t("%s")],
        vec![t("%s"), t("a"), t("b")],
        vec![t("%d"), t("a")],
        vec![t("%s"), Value::NULL],
        vec![t("%s"), texts(&[])],
        vec![t("%y"), t("a")],
        vec![t("%")],
        vec![t("%[0]s"), t("a")],
    ] {
        assert!(call("format", &arguments).is_err(), "{arguments:?}");
    }
    let listed = good("formatlist", &[t("%s-%d"), texts(&["a", "b"]), 1.into()]);
    assert_eq!(listed, texts(&["a-1", "b-1"]));
    assert!(
        call(
            "formatlist",
            &[t("%s%s"), texts(&["a"]), texts(&["b", "c"])]
        )
        .is_err()
    );
}

#[test]
fn a_known_prefix_decides_what_it_can() {
    let arn = prefixed("arn:aws:");
    assert_eq!(good("startswith", &[arn.clone(), t("arn:")]), true.into());
    assert_eq!(good("startswith", &[arn.clone(), t("s3")]), false.into());
    assert!(
        good("startswith", &[arn.clone(), t("arn:aws:s3")])
            .as_unknown()
            .is_some()
    );
    assert_eq!(good("strcontains", &[arn.clone(), t("aws")]), true.into());
    assert_eq!(good("substr", &[arn.clone(), 0.into(), 3.into()]), t("arn"));
    assert!(
        good("substr", &[arn.clone(), 0.into(), 30.into()])
            .as_unknown()
            .is_some()
    );
    assert_eq!(
        prefix_of(&good("upper", std::slice::from_ref(&arn))),
        "ARN:AWS:"
    );
    assert_eq!(
        prefix_of(&good("trimprefix", &[arn.clone(), t("arn:")])),
        "aws:"
    );
    assert_eq!(
        prefix_of(&good("format", &[t("x-%s-%s"), arn.clone(), t("y")])),
        "x-arn:aws:"
    );
    assert_eq!(prefix_of(&good("format", &[t("x-%5s"), arn.clone()])), "x-");
    let joined = good("join", &[t("/"), Value::list([t("a"), unknown(), t("b")])]);
    assert_eq!(prefix_of(&joined), "a/");
    let parts = good("split", &[t(":"), arn]);
    let parts = parts.as_list().unwrap();
    assert_eq!(parts.items.as_ref(), [t("arn"), t("aws")]);
    assert!(parts.rest.is_some());
    assert!(
        good("join", &[t(","), open(&[t("a")])])
            .as_unknown()
            .is_some()
    );
    let listed = good("formatlist", &[t("%s!"), Value::list([t("a"), unknown()])]);
    assert_eq!(listed.as_list().unwrap().items[0], t("a!"));
}

#[test]
fn hostile_text_reaches_a_limit_and_no_further() {
    let half = t(&"a".repeat(MAX_TEXT / 2 + 1));
    for (name, arguments) in [
        ("format", vec![t("%999999999d"), 1.into()]),
        (
            "format",
            vec![t(&format!("%.{}f", MAX_WIDTH + 1)), 1.into()],
        ),
        ("indent", vec![1_000_000_000.into(), t("a\nb")]),
        ("replace", vec![t("aaaa"), t("a"), half.clone()]),
        ("replace", vec![t("aaaa"), t("/a/"), half]),
        ("regex", vec![t(&"a".repeat(MAX_PATTERN + 1)), t("a")]),
        ("regex", vec![t("(a{1000}){1000}"), t("a")]),
    ] {
        assert!(
            matches!(call(name, &arguments), Err(FunctionError::Limit(_))),
            "{name}"
        );
    }
    assert_eq!(good("indent", &[1_000_000_000.into(), t("ab")]), t("ab"));
}
