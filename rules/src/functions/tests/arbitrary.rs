//! Every function on arbitrary arguments.

use proptest::prelude::*;

use super::*;

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::NULL),
        any::<bool>().prop_map(Value::from),
        (-5_i64..200).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (any::<i64>(), 0_u32..28)
            .prop_map(|(number, scale)| rust_decimal::Decimal::new(number, scale).into()),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "10.0.0.0/8",
            "::/0",
            "2020-01-02T03:04:05Z",
            "/a(b)?/",
            "%[2]*d",
            "%05.3f%v",
            "1h",
            "{\"Statement\":[{\"Action\":\"*\"}]}",
            "a: &x [*x]",
            "YYYY-MM",
            "UTF-16LE",
            "[0-9]+",
            "sub",
            "**",
            "x,y\n1,2",
            "AAA=",
            "-1",
            "0",
            "1e28",
            "\u{130}\u{301}",
            "{[a-",
            "%%%",
        ])
        .prop_map(Value::from),
        Just(unknown()),
        Just(prefixed("arn:aws:")),
        Just(sensitive("s".into())),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 4, |inner| {
        let rest = prop::option::weighted(0.2, Just(unknown().as_unknown().cloned().unwrap()));
        let items = prop::collection::vec(inner.clone(), 0..4);
        let entries = prop::collection::btree_map("[a-zA-Z]{1,9}", inner, 0..4);
        prop_oneof![
            (items.clone(), rest.clone()).prop_map(|(items, rest)| {
                Value::from(Kind::List(List {
                    items: items.into(),
                    shape: Shape::List,
                    rest,
                }))
            }),
            (items, rest.clone()).prop_map(|(items, rest)| Value::from(make_set(items, rest))),
            (entries, rest).prop_map(|(entries, rest): (_, Option<Unknown>)| {
                let entries = entries
                    .into_iter()
                    .map(|(key, value)| (key.into(), value))
                    .collect();
                Value::from(Kind::Map(Map {
                    entries: Arc::new(entries),
                    rest,
                }))
            }),
        ]
    })
}

/// The value with every unknown replaced and every open collection closed.
fn filled(value: &Value, filler: &Value) -> Value {
    let kind = match &value.kind {
        Kind::Unknown(unknown) => match (&unknown.prefix, &filler.kind) {
            (None, _) => return filler.clone(),
            (Some(prefix), Kind::String(text)) => Kind::String(format!("{prefix}{text}").into()),
            (Some(prefix), _) => Kind::String(prefix.clone()),
        },
        Kind::List(list) => {
            let mut items: Vec<Value> =
                list.items.iter().map(|item| filled(item, filler)).collect();
            if list.rest.is_some() {
                items.insert(0, filler.clone());
            }
            match list.shape {
                Shape::Set => make_set(items, None),
                Shape::List => return Value::list(items),
            }
        }
        Kind::Map(map) => {
            let mut entries: std::collections::BTreeMap<Arc<str>, Value> = map
                .entries
                .iter()
                .map(|(key, item)| (key.clone(), filled(item, filler)))
                .collect();
            if map.rest.is_some() {
                entries.entry("zz".into()).or_insert_with(|| filler.clone());
            }
            return Value::map(entries);
        }
        known => known.clone(),
    };
    kind.into()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, max_global_rejects: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_function_panics_and_each_answers_the_same_twice(
        arguments in prop::collection::vec(value(), 0..4),
    ) {
        let context = Context::alone(&Folder, "sub");
        let standard = names().iter().map(|name| (name, lookup(name)));
        for (name, function) in standard.chain(rule_names().iter().map(|name| (name, lookup_rule(name)))) {
            let function = function.unwrap();
            let first = function(&arguments, &context);
            prop_assert_eq!(&first, &function(&arguments, &context), "{}", name);
        }
    }

    #[test]
    fn unknowns_only_stem_from_unknown_arguments(arguments in prop::collection::vec(value(), 0..4)) {
        prop_assume!(arguments.iter().all(is_certain));
        for name in ["contains", "merge", "length", "coalesce", "alltrue", "setunion", "format", "join", "lookup"] {
            if let Ok(result) = call(name, &arguments) {
                prop_assert!(is_certain(&result), "{}", name);
            }
        }
    }

    #[test]
    fn what_is_decided_early_stays_decided(
        arguments in prop::collection::vec(value(), 1..4),
        filler in prop_oneof![
            scalar(),
            prop::collection::vec(scalar(), 0..3).prop_map(Value::list),
        ],
    ) {
        prop_assume!(is_certain(&filler));
        let filled: Vec<Value> = arguments.iter().map(|value| filled(value, &filler)).collect();
        // Those that bring members to one type are left out: the generator mixes types within
        // a set, which no configuration can.
        for name in [
            "contains", "alltrue", "anytrue", "length", "lookup", "merge", "concat", "join", "max",
            "startswith", "strcontains", "substr", "split", "format", "jsonencode", "jsondecode",
            "trimprefix", "compact", "distinct", "keys", "values", "element", "index", "reverse",
        ] {
            let function = lookup(name).unwrap();
            let context = Context::alone(&Folder, "");
            let (early, late) = (function(&arguments, &context), function(&filled, &context));
            if let (Ok(early), Ok(late)) = (early, late) {
                let agrees = crate::functions::convert::equals(&early, &late) != Some(false);
                prop_assert!(agrees, "{name}: {early:?} then {late:?} for {filled:?}");
            }
        }
    }
}
