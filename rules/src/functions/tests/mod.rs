//! The table as a whole: every function on arbitrary arguments, and what all calls share.

mod arbitrary;

use std::io;
use std::sync::Arc;

use super::convert::{is_certain, make_set};
use super::limits::{MAX_DEPTH, MAX_TEXT};
use super::*;
use crate::files::DirEntry;
use crate::value::{Kind, List, Map, Marks, Origin, Shape, Type, Unknown};

/// A folder of three files.
pub(super) struct Folder;

const FILES: [(&str, &[u8]); 3] = [
    ("a.txt", b"hello"),
    ("sub/b.json", b"{\"x\": 1}"),
    ("sub/c.bin", &[0xff, 0]),
];

impl Files for Folder {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        FILES
            .iter()
            .find(|(name, _)| *name == path)
            .map(|(_, bytes)| bytes.to_vec())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        let entry = |name: &str, is_dir| DirEntry {
            name: name.into(),
            is_dir,
        };
        match path {
            "" => Ok(vec![entry("a.txt", false), entry("sub", true)]),
            "sub" => Ok(vec![entry("b.json", false), entry("c.bin", false)]),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// Calls a function in the root of [`Folder`].
pub(super) fn call(name: &str, arguments: &[Value]) -> Result<Value, FunctionError> {
    let context = Context::alone(&Folder, "");
    let function = lookup_rule(name).or_else(|| lookup(name));
    function.unwrap_or_else(|| panic!("{name} is not known"))(arguments, &context)
}

/// The result of a call that succeeds.
pub(super) fn good(name: &str, arguments: &[Value]) -> Value {
    call(name, arguments).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A list of strings.
pub(super) fn texts(items: &[&str]) -> Value {
    Value::list(items.iter().map(|item| Value::from(*item)))
}

/// A list of numbers.
pub(super) fn numbers(items: &[i64]) -> Value {
    Value::list(items.iter().map(|item| Value::from(*item)))
}

/// A map or object.
pub(super) fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::map(entries.map(|(key, value)| (key.into(), value)))
}

/// A set of strings.
pub(super) fn set(items: &[&str]) -> Value {
    make_set(items.iter().map(|item| Value::from(*item)).collect(), None).into()
}

/// An unknown of any type.
pub(super) fn unknown() -> Value {
    Value::unknown(Origin::Variable("v".into()))
}

/// An unknown string with a prefix.
pub(super) fn prefixed(prefix: &str) -> Value {
    let mut value = Value::unknown_of(Arc::new(Origin::Variable("v".into())), Type::String);
    if let Kind::Unknown(inner) = &mut value.kind {
        inner.prefix = Some(prefix.into());
    }
    value
}

/// An open list with these definite members.
pub(super) fn open(items: &[Value]) -> Value {
    Kind::List(List {
        items: items.to_vec().into(),
        shape: Shape::List,
        rest: unknown().as_unknown().cloned(),
    })
    .into()
}

/// The prefix of an unknown string.
pub(super) fn prefix_of(value: &Value) -> &str {
    value
        .as_unknown()
        .and_then(|unknown| unknown.prefix.as_deref())
        .unwrap_or_default()
}

fn sensitive(value: Value) -> Value {
    let marks = Marks {
        sensitive: true,
        references: ["aws_x.y".into()].into(),
        ..Marks::default()
    };
    value.marked_by(&Value {
        kind: Kind::Null,
        marks: Some(Arc::new(marks)),
    })
}

#[test]
fn marks_of_arguments_reach_the_result() {
    let secret = sensitive("a".into());
    for (name, arguments) in [
        ("upper", vec![secret.clone()]),
        ("join", vec!["-".into(), Value::list([secret.clone()])]),
        ("split", vec![",".into(), secret.clone()]),
        ("jsonencode", vec![map([("k", secret.clone())])]),
        ("upper", vec![sensitive(unknown())]),
        ("contains", vec![Value::list([secret.clone()]), "b".into()]),
    ] {
        let result = good(name, &arguments);
        assert!(result.is_sensitive(), "{name}");
        let marks = result.marks.as_ref().unwrap();
        assert!(marks.references.contains("aws_x.y"), "{name}");
    }
    let joined = good("concat", &[Value::list([secret.clone()]), texts(&["b"])]);
    assert!(!joined.is_sensitive());
    assert!(joined.as_list().unwrap().items[0].is_sensitive());
    assert!(!good("nonsensitive", std::slice::from_ref(&secret)).is_sensitive());
    assert!(good("sensitive", &["a".into()]).is_sensitive());
    assert_eq!(good("issensitive", &[secret]), true.into());
    assert!(good("issensitive", &[unknown()]).as_unknown().is_some());
}

#[test]
fn impure_functions_are_unknown_and_not_null() {
    for (name, arguments) in [
        ("timestamp", vec![]),
        ("plantimestamp", vec![]),
        ("uuid", vec![]),
        ("bcrypt", vec![Value::from("x")]),
        ("rsadecrypt", vec!["x".into(), "k".into()]),
        ("abspath", vec!["x".into()]),
        ("pathexpand", vec!["~/x".into()]),
    ] {
        let result = good(name, &arguments);
        let unknown = result.as_unknown().unwrap_or_else(|| panic!("{name}"));
        assert_eq!(*unknown.origin, Origin::Function(name.into()));
        assert!(unknown.not_null);
    }
}

/// Folders all the way down.
struct Endless;

impl Files for Endless {
    fn read(&self, _path: &str) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn list(&self, _path: &str) -> io::Result<Vec<DirEntry>> {
        let entry = |name: &str, is_dir| DirEntry {
            name: name.into(),
            is_dir,
        };
        Ok(vec![entry("a", true), entry("b", true), entry("c", false)])
    }
}

#[test]
fn fileset_stops_at_its_limit() {
    let context = Context::alone(&Endless, "");
    let result = lookup("fileset").unwrap()(&[".".into(), "**".into()], &context);
    assert!(matches!(result, Err(FunctionError::Limit(_))));
}

#[test]
fn functions_of_old_terraform_are_still_understood() {
    let context = Context::alone(&Folder, "");
    let old = |name: &str, arguments: &[Value]| lookup(name).unwrap()(arguments, &context).unwrap();
    assert_eq!(old("list", &["a".into(), 1.into()]), texts(&["a", "1"]));
    assert_eq!(old("map", &["a".into(), 1.into()]), map([("a", 1.into())]));
}

#[test]
fn wrong_counts_nulls_and_types_are_refused() {
    for (name, arguments) in [
        ("upper", vec![]),
        ("upper", vec!["a".into(), "b".into()]),
        ("upper", vec![Value::NULL]),
        ("upper", vec![texts(&["a"])]),
        ("abs", vec![Value::from("x")]),
        ("sort", vec!["x".into()]),
        ("keys", vec![texts(&[])]),
    ] {
        assert!(
            matches!(call(name, &arguments), Err(FunctionError::Argument(_))),
            "{name}"
        );
    }
}

#[test]
fn too_deep_and_too_long_is_refused() {
    let mut deep = Value::list([]);
    for _ in 0..=MAX_DEPTH {
        deep = Value::list([deep]);
    }
    for name in ["jsonencode", "flatten", "length"] {
        assert!(
            matches!(call(name, &[deep.clone()]), Err(FunctionError::Limit(_))),
            "{name}"
        );
    }
    let long = Value::from("x".repeat(MAX_TEXT / 2 + 1));
    let both = [Value::from(""), Value::list([long.clone(), long.clone()])];
    assert!(matches!(call("join", &both), Err(FunctionError::Limit(_))));
    assert!(matches!(
        call("format", &["%s%s".into(), long.clone(), long]),
        Err(FunctionError::Limit(_))
    ));
}

#[test]
fn hashes_addresses_times_and_files_answer_as_documented() {
    let t = |text: &str| Value::from(text);
    for (name, arguments, expected) in [
        ("md5", vec![t("hello")], "5d41402abc4b2a76b9719d911017c592"),
        (
            "sha1",
            vec![t("hello")],
            "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
        ),
        (
            "filesha1",
            vec![t("./a.txt")],
            "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d",
        ),
        (
            "base64sha256",
            vec![t("hello")],
            "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        ),
        (
            "uuidv5",
            vec![t("dns"), t("www.example.com")],
            "2ed6657d-e927-568b-95e1-2665a8aea6a2",
        ),
        (
            "cidrhost",
            vec![t("10.12.112.0/20"), 16.into()],
            "10.12.112.16",
        ),
        (
            "cidrhost",
            vec![t("10.0.0.0/24"), (-1).into()],
            "10.0.0.255",
        ),
        ("cidrhost", vec![t("fd00::/64"), 34.into()], "fd00::22"),
        ("cidrnetmask", vec![t("172.16.0.0/12")], "255.240.0.0"),
        (
            "cidrsubnet",
            vec![t("172.16.0.0/12"), 4.into(), 2.into()],
            "172.18.0.0/16",
        ),
        (
            "cidrsubnet",
            vec![t("0.0.0.0/0"), 0.into(), 0.into()],
            "0.0.0.0/0",
        ),
        (
            "cidrsubnet",
            vec![t("fd00::/8"), 8.into(), 255.into()],
            "fdff::/16",
        ),
        (
            "timeadd",
            vec![t("2017-11-22T00:00:00Z"), t("-10m30s")],
            "2017-11-21T23:49:30Z",
        ),
        (
            "timeadd",
            vec![t("2017-11-22T00:00:00+02:00"), t("1.5h")],
            "2017-11-22T01:30:00+02:00",
        ),
        (
            "formatdate",
            vec![t("EEEE, DD-MMM-YY hh:mm:ss ZZZ"), t("2018-01-02T23:12:01Z")],
            "Tuesday, 02-Jan-18 23:12:01 UTC",
        ),
        (
            "formatdate",
            vec![t("H:mm aa 'o''clock' Z"), t("2018-01-02T23:12:01-08:00")],
            "11:12 pm o'clock -08:00",
        ),
        ("file", vec![t("sub/../a.txt")], "hello"),
        ("filebase64", vec![t("sub/c.bin")], "/wA="),
        ("basename", vec![t("a/b.txt")], "b.txt"),
        ("dirname", vec![t("a/b/c")], "a/b"),
        ("dirname", vec![t("c")], "."),
        ("abspath", vec![t("/a/../b")], "/b"),
    ] {
        assert_eq!(good(name, &arguments), t(expected), "{name}");
    }
    let nets = good(
        "cidrsubnets",
        &["10.1.0.0/16".into(), 4.into(), 4.into(), 8.into(), 4.into()],
    );
    assert_eq!(
        nets,
        texts(&[
            "10.1.0.0/20",
            "10.1.16.0/20",
            "10.1.32.0/24",
            "10.1.48.0/20"
        ])
    );
    assert_eq!(
        good(
            "timecmp",
            &[t("2017-11-22T01:00:00+01:00"), t("2017-11-22T00:00:00Z")]
        ),
        0.into()
    );
    assert_eq!(
        good("fileset", &[t("."), t("**/*.{json,txt}")]),
        set(&["a.txt", "sub/b.json"])
    );
    assert_eq!(good("fileset", &[t("."), t("*")]), set(&["a.txt"]));
    assert_eq!(good("fileexists", &[t("nope")]), false.into());
    assert!(
        good("fileexists", &[t("/etc/passwd")])
            .as_unknown()
            .is_some()
    );
    for path in ["../../etc/hostname", "/etc/hostname", "nope"] {
        assert!(
            matches!(
                call("file", &[t(path)]),
                Err(FunctionError::FileNotFound(_))
            ),
            "{path}"
        );
    }
    for (name, arguments) in [
        ("cidrhost", vec![t("10.0.0.0/30"), 4.into()]),
        ("cidrhost", vec![t("10.0.0.0/33"), 0.into()]),
        ("cidrnetmask", vec![t("::/0")]),
        ("cidrsubnet", vec![t("10.0.0.0/30"), 3.into(), 0.into()]),
        ("cidrsubnet", vec![t("10.0.0.0/24"), 2.into(), 4.into()]),
        (
            "cidrsubnets",
            vec![t("10.0.0.0/24"), 1.into(), 1.into(), 1.into()],
        ),
        ("timeadd", vec![t("2017-11-22"), t("1h")]),
        ("timeadd", vec![t("2017-11-22T00:00:00Z"), t("1 hour")]),
        ("formatdate", vec![t("YYYYY"), t("2018-01-02T23:12:01Z")]),
        ("formatdate", vec![t("'x"), t("2018-01-02T23:12:01Z")]),
        ("uuidv5", vec![t("nope"), t("x")]),
    ] {
        assert!(
            matches!(call(name, &arguments), Err(FunctionError::Argument(_))),
            "{name}({arguments:?})"
        );
    }
}
