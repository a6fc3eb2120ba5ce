//! Collections by example, then with unknown members and open lists.

use crate::Value;
use crate::functions::FunctionError;
use crate::functions::limits::{MAX_ITEMS, MAX_RANGE};
use crate::functions::tests::{call, good, map, numbers, open, prefixed, set, texts, unknown};
use crate::value::{Kind, Map, Type};
use std::sync::Arc;

fn t(text: &str) -> Value {
    text.into()
}

fn open_map(entries: &Value) -> Value {
    Kind::Map(Map {
        entries: entries.as_map().unwrap().entries.clone(),
        rest: unknown().as_unknown().cloned(),
    })
    .into()
}

#[test]
fn known_collections_answer_as_documented() {
    let ab = map([("a", 1.into()), ("b", 2.into())]);
    let cases: Vec<(&str, Vec<Value>, Value)> = vec![
        (
            "alltrue",
            vec![Value::list([true.into(), t("true")])],
            true.into(),
        ),
        ("alltrue", vec![Value::list([])], true.into()),
        (
            "alltrue",
            vec![Value::list([true.into(), Value::NULL])],
            false.into(),
        ),
        ("anytrue", vec![Value::list([])], false.into()),
        (
            "anytrue",
            vec![Value::list([Value::NULL, true.into()])],
            true.into(),
        ),
        (
            "chunklist",
            vec![numbers(&[1, 2, 3]), 2.into()],
            Value::list([numbers(&[1, 2]), numbers(&[3])]),
        ),
        ("coalesce", vec![t(""), Value::NULL, t("x")], t("x")),
        (
            "coalesce",
            vec![Value::NULL, true.into(), t("x")],
            t("true"),
        ),
        (
            "coalescelist",
            vec![Value::list([]), texts(&["x"])],
            texts(&["x"]),
        ),
        (
            "compact",
            vec![Value::list([t("a"), t(""), Value::NULL, 1.into()])],
            texts(&["a", "1"]),
        ),
        (
            "concat",
            vec![texts(&["a"]), Value::list([]), texts(&["b"])],
            texts(&["a", "b"]),
        ),
        ("contains", vec![texts(&["a"]), t("a")], true.into()),
        ("contains", vec![texts(&["1"]), 1.into()], false.into()),
        (
            "distinct",
            vec![texts(&["b", "a", "b", "c", "a"])],
            texts(&["b", "a", "c"]),
        ),
        ("element", vec![texts(&["a", "b"]), 3.into()], t("b")),
        ("element", vec![texts(&["a", "b"]), (-1).into()], t("b")),
        (
            "flatten",
            vec![Value::list([
                texts(&["a"]),
                Value::list([texts(&["b"]), t("c")]),
            ])],
            texts(&["a", "b", "c"]),
        ),
        ("index", vec![texts(&["a", "b"]), t("b")], 1.into()),
        ("keys", vec![ab.clone()], texts(&["a", "b"])),
        ("values", vec![ab.clone()], numbers(&[1, 2])),
        ("length", vec![t("añ")], 2.into()),
        ("length", vec![ab.clone()], 2.into()),
        ("lookup", vec![ab.clone(), t("b"), 9.into()], 2.into()),
        ("lookup", vec![ab.clone(), t("z"), 9.into()], 9.into()),
        (
            "matchkeys",
            vec![texts(&["x", "y"]), texts(&["k", "l"]), texts(&["l"])],
            texts(&["y"]),
        ),
        (
            "merge",
            vec![ab.clone(), Value::NULL, map([("b", 3.into())])],
            map([("a", 1.into()), ("b", 3.into())]),
        ),
        ("merge", vec![], map([])),
        ("one", vec![texts(&["a"])], t("a")),
        ("one", vec![Value::list([])], Value::NULL),
        ("range", vec![3.into()], numbers(&[0, 1, 2])),
        ("range", vec![1.into(), 4.into()], numbers(&[1, 2, 3])),
        ("range", vec![4.into(), 1.into()], numbers(&[4, 3, 2])),
        (
            "range",
            vec![1.into(), 8.into(), 3.into()],
            numbers(&[1, 4, 7]),
        ),
        ("reverse", vec![texts(&["a", "b"])], texts(&["b", "a"])),
        (
            "setintersection",
            vec![texts(&["a", "b"]), set(&["b", "c"])],
            set(&["b"]),
        ),
        (
            "setsubtract",
            vec![set(&["a", "b"]), texts(&["a"])],
            set(&["b"]),
        ),
        (
            "setunion",
            vec![texts(&["b"]), texts(&["a", "b"])],
            set(&["a", "b"]),
        ),
        (
            "setproduct",
            vec![texts(&["a", "b"]), texts(&["x"])],
            Value::list([texts(&["a", "x"]), texts(&["b", "x"])]),
        ),
        (
            "slice",
            vec![texts(&["a", "b", "c"]), 1.into(), 3.into()],
            texts(&["b", "c"]),
        ),
        (
            "sort",
            vec![texts(&["b", "a", "B"])],
            texts(&["B", "a", "b"]),
        ),
        (
            "sum",
            vec![Value::list([1.into(), t("2.5")])],
            good("tonumber", &[t("3.5")]),
        ),
        (
            "transpose",
            vec![map([("a", texts(&["1", "2"])), ("b", texts(&["2"]))])],
            map([("1", texts(&["a"])), ("2", texts(&["a", "b"]))]),
        ),
        ("zipmap", vec![texts(&["a", "b"]), numbers(&[1, 2])], ab),
        ("toset", vec![texts(&["b", "a", "b"])], set(&["a", "b"])),
        ("tolist", vec![set(&["b", "a"])], texts(&["a", "b"])),
        ("max", vec![1.into(), 5.into(), 3.into()], 5.into()),
        ("min", vec![1.into(), 5.into(), (-3).into()], (-3).into()),
        ("pow", vec![2.into(), 10.into()], 1024.into()),
        (
            "pow",
            vec![2.into(), (-2).into()],
            good("tonumber", &[t("0.25")]),
        ),
        ("log", vec![8.into(), 2.into()], 3.into()),
        ("parseint", vec![t("-ff"), 16.into()], (-255).into()),
        ("parseint", vec![t("Z"), 62.into()], 61.into()),
        ("signum", vec![(-9).into()], (-1).into()),
        ("ceil", vec![t("1.2")], 2.into()),
        ("floor", vec![t("-1.2")], (-2).into()),
        ("abs", vec![(-4).into()], 4.into()),
    ];
    for (name, arguments, expected) in cases {
        assert_eq!(good(name, &arguments), expected, "{name}({arguments:?})");
    }
    for (name, arguments) in [
        ("coalesce", vec![Value::NULL, t("")]),
        ("coalescelist", vec![Value::list([])]),
        ("element", vec![Value::list([]), 0.into()]),
        ("index", vec![texts(&["a"]), t("b")]),
        ("lookup", vec![map([]), t("a")]),
        ("one", vec![texts(&["a", "b"])]),
        ("range", vec![0.into(), 5.into(), (-1).into()]),
        ("slice", vec![texts(&["a"]), 1.into(), 0.into()]),
        ("slice", vec![texts(&["a"]), 0.into(), 2.into()]),
        ("zipmap", vec![texts(&["a"]), Value::list([])]),
        ("sum", vec![Value::list([])]),
        ("max", vec![]),
        ("log", vec![0.into(), 2.into()]),
    ] {
        assert!(call(name, &arguments).is_err(), "{name}({arguments:?})");
    }
}

#[test]
fn the_known_part_decides_what_it_can() {
    let x = unknown();
    let some = |items: &[Value]| Value::list(items.to_vec());
    for (name, arguments, expected) in [
        (
            "contains",
            vec![some(&[x.clone(), t("a")]), t("a")],
            Value::from(true),
        ),
        ("contains", vec![open(&[t("a")]), t("a")], true.into()),
        (
            "contains",
            vec![some(&[prefixed("arn:")]), t("s3")],
            false.into(),
        ),
        (
            "alltrue",
            vec![some(&[x.clone(), false.into()])],
            false.into(),
        ),
        ("anytrue", vec![open(&[true.into()])], true.into()),
        ("coalesce", vec![t("a"), x.clone()], t("a")),
        ("length", vec![some(&[x.clone(), x.clone()])], 2.into()),
        (
            "lookup",
            vec![open_map(&map([("k", t("v"))])), t("k")],
            t("v"),
        ),
        (
            "element",
            vec![some(&[x.clone(), t("b")]), 1.into()],
            t("b"),
        ),
        ("one", vec![open(&[t("a")])], t("a")),
        (
            "coalescelist",
            vec![open(&[t("a")]), texts(&["b"])],
            open(&[t("a")]),
        ),
    ] {
        assert_eq!(good(name, &arguments), expected, "{name}({arguments:?})");
    }
    for (name, arguments) in [
        ("contains", vec![some(std::slice::from_ref(&x)), t("a")]),
        ("contains", vec![open(&[t("b")]), t("a")]),
        ("contains", vec![texts(&["a"]), x.clone()]),
        ("alltrue", vec![some(&[x.clone(), true.into()])]),
        ("anytrue", vec![some(&[x.clone(), false.into()])]),
        ("coalesce", vec![x.clone(), t("a")]),
        ("coalescelist", vec![open(&[]), texts(&["a"])]),
        ("lookup", vec![open_map(&map([])), t("k"), t("d")]),
        ("index", vec![some(&[x.clone(), t("a")]), t("a")]),
        ("element", vec![open(&[t("a")]), 0.into()]),
        ("sum", vec![some(&[x.clone(), 1.into()])]),
    ] {
        assert!(
            good(name, &arguments).as_unknown().is_some(),
            "{name}({arguments:?})"
        );
    }
    let length = good("length", &[open(&[t("a"), t("b")])]);
    let length = length.as_unknown().unwrap();
    assert_eq!((length.at_least, &length.kind), (Some(2), &Type::Number));
    assert_eq!(
        good("max", &[7.into(), x.clone()])
            .as_unknown()
            .unwrap()
            .at_least,
        Some(7)
    );
    let set = good("toset", &[some(&[x.clone(), t("a")])]);
    assert_eq!(
        good("length", &[set]).as_unknown().unwrap().at_least,
        Some(1)
    );
    let tuple = Value::unknown_of(
        x.as_unknown().unwrap().origin.clone(),
        Type::Tuple(Arc::new([Type::Any, Type::Any])),
    );
    assert_eq!(good("length", &[tuple]), 2.into());
}

#[test]
fn unknown_parts_open_what_they_enter() {
    let x = unknown();
    let merged = good(
        "merge",
        &[map([("a", 1.into())]), x.clone(), map([("b", 2.into())])],
    );
    let merged = merged.as_map().unwrap();
    assert!(merged.rest.is_some());
    assert!(
        merged.entries["a"].as_unknown().is_some(),
        "the unknown map may override it"
    );
    assert_eq!(merged.entries["b"], 2.into());
    for (name, arguments, items) in [
        (
            "concat",
            vec![texts(&["a"]), x.clone(), texts(&["b"])],
            texts(&["a", "b"]),
        ),
        (
            "flatten",
            vec![Value::list([texts(&["a"]), x.clone()])],
            texts(&["a"]),
        ),
        ("flatten", vec![open(&[texts(&["a"])])], texts(&["a"])),
        (
            "compact",
            vec![Value::list([t("a"), x.clone()])],
            texts(&["a"]),
        ),
        (
            "distinct",
            vec![Value::list([x.clone(), t("a"), t("a")])],
            texts(&["a"]),
        ),
        (
            "keys",
            vec![open_map(&map([("k", 1.into())]))],
            texts(&["k"]),
        ),
        ("reverse", vec![open(&[t("a"), t("b")])], texts(&["b", "a"])),
        (
            "setunion",
            vec![texts(&["a"]), open(&[t("b")])],
            texts(&["a", "b"]),
        ),
        (
            "setintersection",
            vec![texts(&["a", "b"]), Value::list([x.clone(), t("b")])],
            texts(&["b"]),
        ),
        (
            "setsubtract",
            vec![texts(&["a", "b"]), open(&[t("b")])],
            Value::list([]),
        ),
    ] {
        let result = good(name, &arguments);
        let list = result.as_list().unwrap();
        assert!(list.rest.is_some(), "{name}");
        assert_eq!(Value::list(list.items.to_vec()), items, "{name}");
    }
    let listed = good(
        "tolist",
        &[good("toset", &[Value::list([x.clone(), t("b")])])],
    );
    assert!(
        listed.as_list().unwrap().rest.is_some(),
        "the order is not certain"
    );
    let zipped = good("zipmap", &[Value::list([x, t("b")]), numbers(&[1, 2])]);
    assert!(zipped.as_map().unwrap().rest.is_some());
}

#[test]
fn hostile_sizes_reach_a_limit() {
    let thousand: Vec<i64> = (0..1000).collect();
    let many = numbers(&thousand);
    let more = i64::try_from(MAX_RANGE).unwrap() + 1;
    for (name, arguments) in [
        ("range", vec![more.into()]),
        ("range", vec![i64::MAX.into()]),
        ("setproduct", vec![many.clone(), many.clone()]),
        ("concat", vec![many.clone(); MAX_ITEMS / 1000 + 1]),
        ("pow", vec![10.into(), 1_000_000_000.into()]),
        ("parseint", vec![t(&"9".repeat(60)), 10.into()]),
    ] {
        assert!(
            matches!(call(name, &arguments), Err(FunctionError::Limit(_))),
            "{name}"
        );
    }
    let other: Vec<i64> = (1000..2001).collect();
    assert!(matches!(
        call("setintersection", &[many, numbers(&other)]),
        Err(FunctionError::Limit(_))
    ));
    assert!(good("range", &[(more - 1).into()]).as_list().is_some());
}
