//! Conversions and comparisons by example.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::value::Origin;

fn unknown(kind: Type) -> Value {
    Value::unknown_of(Arc::new(Origin::Variable("v".into())), kind)
}

fn with_prefix(prefix: &str) -> Value {
    let mut value = unknown(Type::String);
    if let Kind::Unknown(inner) = &mut value.kind {
        inner.prefix = Some(prefix.into());
    }
    value
}

fn strings(items: &[&str]) -> Value {
    Value::list(items.iter().map(|item| Value::from(*item)))
}

fn list_of(member: Type) -> Type {
    Type::List(Arc::new(member))
}

#[test]
fn primitives_convert_as_terraform_prints_them() {
    for (text, printed) in [
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("-0", "0"),
        (".5", "0.5"),
        ("2.5E-1", "0.25"),
    ] {
        let number = to_number(&text.into()).unwrap();
        assert_eq!(to_string(&number).unwrap(), Value::from(printed), "{text}");
    }
    assert_eq!(to_bool(&"1".into()).unwrap(), true.into());
    assert_eq!(to_string(&false.into()).unwrap(), "false".into());
    for text in ["", "0x10", " 1", "1_000", "1e", "Inf", "--1", "."] {
        assert!(to_number(&text.into()).is_err(), "{text}");
    }
    assert!(matches!(
        to_number(&"1e40".into()),
        Err(FunctionError::Limit(_))
    ));
    assert!(to_bool(&"True".into()).is_err());
    assert!(to_bool(&1.into()).is_err());
    assert!(to_number(&true.into()).is_err());
    assert_eq!(to_number(&Value::NULL).unwrap(), Value::NULL);
}

#[test]
fn collections_convert_member_by_member() {
    let mixed = Value::list([1.into(), "a".into(), true.into()]);
    assert_eq!(
        convert(&mixed, &list_of(Type::Any)).unwrap(),
        strings(&["1", "a", "true"])
    );
    let set = convert(
        &strings(&["b", "a", "b"]),
        &Type::Set(Arc::new(Type::String)),
    )
    .unwrap();
    assert_eq!(set.as_list().unwrap().items.len(), 2);
    assert_eq!(set.as_list().unwrap().items[0], "a".into());
    assert!(convert(&"a".into(), &list_of(Type::String)).is_err());
    assert!(convert(&Value::list([1.into(), strings(&[])]), &list_of(Type::Any)).is_err());
    assert!(convert(&strings(&["x"]), &Type::Tuple([Type::Number].into())).is_err());
    assert!(convert(&strings(&["1", "2"]), &Type::Tuple([Type::Number].into())).is_err());
}

#[test]
fn objects_take_defaults_and_drop_what_is_not_named() {
    let field = |kind, optional, default| Field {
        kind,
        optional,
        default,
    };
    let kind = Type::Object(Arc::new(BTreeMap::from([
        ("a".into(), field(Type::Bool, false, None)),
        (
            "b".into(),
            field(Type::Number, true, Some(Value::from("7"))),
        ),
        ("c".into(), field(Type::String, true, None)),
    ])));
    let given = Value::map([
        ("a".into(), "true".into()),
        ("b".into(), Value::NULL),
        ("z".into(), 1.into()),
    ]);
    let expected = Value::map([
        ("a".into(), true.into()),
        ("b".into(), 7.into()),
        ("c".into(), Value::NULL),
    ]);
    assert_eq!(convert(&given, &kind).unwrap(), expected);
    assert!(convert(&Value::map([]), &kind).is_err());
}

#[test]
fn unknown_values_take_the_type_and_keep_what_is_known() {
    let text = convert(&with_prefix("arn:"), &Type::String).unwrap();
    assert_eq!(text.as_unknown().unwrap().prefix.as_deref(), Some("arn:"));
    assert!(convert(&unknown(Type::Bool), &list_of(Type::Any)).is_err());
    let flag = convert(&unknown(Type::Any), &Type::Bool).unwrap();
    assert_eq!(flag.as_unknown().unwrap().kind, Type::Bool);
    let list = Value::list([unknown(Type::Any), 1.into()]);
    let list = convert(&list, &list_of(Type::String)).unwrap();
    assert_eq!(list.as_list().unwrap().items[1], "1".into());
}

#[test]
fn equality_has_three_answers() {
    let x = unknown(Type::Any);
    let cases = [
        (Value::from(1), Value::from("1"), Some(false)),
        (Value::NULL, Value::NULL, Some(true)),
        (x.clone(), "a".into(), None),
        (x.clone(), x.clone(), None),
        (with_prefix("arn:"), "s3".into(), Some(false)),
        (with_prefix("arn:"), "arn:aws".into(), None),
        (with_prefix("a"), with_prefix("b"), Some(false)),
        (unknown(Type::Bool), "a".into(), Some(false)),
        (
            Value::list([x.clone(), 1.into()]),
            Value::list([2.into(), 2.into()]),
            Some(false),
        ),
        (
            Value::list([x.clone()]),
            Value::list([2.into(), 2.into()]),
            Some(false),
        ),
        (Value::list([x.clone()]), Value::list([2.into()]), None),
        (
            Value::map([("a".into(), x.clone())]),
            Value::map([("b".into(), 1.into())]),
            Some(false),
        ),
        (
            Value::map([("a".into(), 1.into())]),
            Value::map([("a".into(), 1.into())]),
            Some(true),
        ),
    ];
    for (left, right, answer) in cases {
        assert_eq!(equals(&left, &right), answer, "{left:?} == {right:?}");
        assert_eq!(equals(&right, &left), answer, "{right:?} == {left:?}");
    }
}

#[test]
fn deep_and_doubling_values_are_refused() {
    let mut deep = Value::list([]);
    for _ in 0..300 {
        deep = Value::list([deep]);
    }
    assert!(matches!(
        convert(&deep, &list_of(Type::Any)),
        Err(FunctionError::Limit(_))
    ));
    assert_eq!(equals(&deep, &deep), None);
    let mut doubling = Value::list([1.into()]);
    for _ in 0..60 {
        doubling = Value::list([doubling.clone(), doubling]);
    }
    assert!(matches!(
        convert(&doubling, &list_of(Type::Any)),
        Err(FunctionError::Limit(_))
    ));
}
