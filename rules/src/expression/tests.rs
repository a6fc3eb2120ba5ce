use std::sync::Arc;

use hcl_edit::Decorated;
use hcl_edit::expr::TraversalOperator;

use super::*;
use crate::files::{DirEntry, Files};
use crate::value::{Kind, List, Origin, Shape, Type};

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        match path {
            "d/t.tftpl" => Ok(
                b"%{ for i, a in xs ~}\n<${a}>%{ if i < 1 },%{ endif }\n%{ endfor ~}\nend".to_vec(),
            ),
            "d/loop.tftpl" => Ok(b"a ${templatefile(\"loop.tftpl\", {})}".to_vec()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        }
    }
    fn list(&self, _path: &str) -> std::io::Result<Vec<DirEntry>> {
        Ok(Vec::new())
    }
}

struct Names;

fn open(items: &[&str]) -> Value {
    let rest = Value::unknown(Origin::Data("data.x.y".into()));
    Kind::List(List {
        items: items.iter().map(|item| Value::from(*item)).collect(),
        shape: Shape::List,
        rest: rest.as_unknown().cloned(),
    })
    .into()
}

impl Scope for Names {
    fn resolve(
        &self,
        root: &str,
        _: &[Decorated<TraversalOperator>],
    ) -> Option<Result<(Value, usize), EvalError>> {
        let value = match root {
            "u" => {
                let mut value = Value::unknown(Origin::Variable("u".into()));
                value.edit_marks(|marks| marks.identity = Some("var.u".into()));
                value
            }
            "secret" => {
                let mut value = Value::from("s3cret");
                value.edit_marks(|marks| marks.sensitive = true);
                value
            }
            "bucket" => {
                let mut value = Value::map([("name".into(), "n".into())]);
                value.edit_marks(|marks| {
                    marks.references.insert("aws_s3_bucket.b".into());
                });
                value
            }
            "open" => open(&["a", "b"]),
            "three" => Value::list([1.into(), 2.into(), 3.into()]),
            _ => return None,
        };
        Some(Ok((value, 0)))
    }
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, EvalError>> {
        (name == "length").then(|| {
            let length = arguments
                .first()
                .and_then(Value::as_list)
                .map(|list| list.items.len());
            Ok(count(length.unwrap_or_default()))
        })
    }
    fn context(&self) -> Context<'_> {
        Context::alone(&NoFiles, "d")
    }
}

fn eval(text: &str) -> Result<Value, EvalError> {
    evaluate(&text.parse().expect(text), &Names)
}

#[track_caller]
fn same(left: &str, right: &str) {
    let (a, b) = (eval(left), eval(right));
    assert_eq!(a, b, "{left}");
    assert!(a.is_ok(), "{left}: {a:?}");
}

#[track_caller]
fn unknown(text: &str) -> Value {
    let value = eval(text).expect(text);
    assert!(value.as_unknown().is_some(), "{text}: {value:?}");
    value
}

#[test]
fn operators_convert_as_terraform_does() {
    same("\"5\" + 1", "6");
    same("1 < \"2\"", "true");
    same("\"10\" == 10", "false");
    same("0.1 + 0.2", "0.3");
    same("(4 * 5) + 2", "22");
    same("7 % 4", "3");
    same("-\"3\"", "-3");
    same("!\"false\"", "true");
    same("1e3 == 1000", "true");
    same("[1, {a = 2}] == [1, {a = 2}]", "true");
    assert!(eval("1 / 0").is_err());
    assert!(eval("null && true").is_err());
}

#[test]
fn unknown_decides_nothing_that_the_known_part_decides() {
    same("u && false", "false");
    same("false && u", "false");
    same("u || true", "true");
    unknown("u || false");
    unknown("u == 1");
    same("u == u", "true");
    unknown("u.a == u.b");
    same("[u, 1] == [u, 2]", "false");
    same("\"public-${u}\" == \"private\"", "false");
    unknown("\"public-${u}\" == \"public-read\"");
    same("open == [\"x\"]", "false");
    unknown("open == [\"a\", \"b\", \"c\"]");
    unknown("open[0]");
    same("u ? 1 : 1", "1");
    unknown("u ? 1 : 2");
}

#[test]
fn conditionals_take_one_arm() {
    same("true ? 1 : nowhere.x", "1");
    let value = unknown("u ? \"ab\" : \"ac\"");
    assert_eq!(value.as_unknown().unwrap().prefix.as_deref(), Some("a"));
    assert_eq!(value.as_unknown().unwrap().kind, Type::String);
}

#[test]
fn for_expressions() {
    same("[for x in three : x * 2 if x != 2]", "[2, 6]");
    same(
        "{for i, x in three : x => i}",
        "{\"1\" = 0, \"2\" = 1, \"3\" = 2}",
    );
    same(
        "{for x in three : (x % 2 == 0 ? \"e\" : \"o\") => x...}",
        "{e = [2], o = [1, 3]}",
    );
    same(
        "[for k, v in {a = 1, b = 2} : \"${k}${v}\"]",
        "[\"a1\", \"b2\"]",
    );
    same(
        "[for x in three : [for y in three : x * y][x - 1]]",
        "[1, 4, 9]",
    );
    assert!(eval("{for x in three : \"same\" => x}").is_err());
    let value = eval("[for x in open : \"${x}!\"]").unwrap();
    let list = value.as_list().unwrap();
    assert_eq!(list.items.len(), 2);
    assert!(list.rest.is_some());
    let value = eval("[for x in three : x if x == 1 || u]").unwrap();
    assert_eq!(value.as_list().unwrap().items.len(), 1);
    assert!(value.as_list().unwrap().rest.is_some());
    unknown("[for x in u : x]");
}

#[test]
fn traversals_and_splats() {
    same("{a = [{b = 1}, {b = 2}]}.a[*].b", "[1, 2]");
    same("{a = [{b = [1]}, {b = [2]}]}.a.*.b[0]", "[1]");
    same("{a = 5}[*].a", "[5]");
    same("null[*]", "[]");
    same("[1, 2].1", "2");
    same("[1, 2][\"1\"]", "2");
    same("{\"0\" = 7}[0]", "7");
    assert!(eval("[1][1]").is_err());
    assert!(eval("{a = 1}.b").is_err());
    unknown("u.a[0].b");
    unknown("u[*].x");
}

#[test]
fn templates() {
    same("\"a${1}${true}\"", "\"a1true\"");
    same("\"${three}\"", "[1, 2, 3]");
    same("\"%{ if true }x%{ else }y%{ endif }\"", "\"x\"");
    same("\"%{ for x in three }${x},%{ endfor }\"", "\"1,2,3,\"");
    same("\"%{ if false ~} a %{~ else ~} b %{~ endif }\"", "\"b\"");
    same("\"a ${~ 1 ~} b\"", "\"a1b\"");
    same(
        "templatefile(\"t.tftpl\", {xs = [\"p\", \"q\"]})",
        "\"<p>,\\n<q>\\nend\"",
    );
    let value = unknown("\"x-${u}-y\"");
    let pieces = value.pieces().unwrap();
    assert_eq!(pieces.len(), 3);
    assert_eq!(pieces[0], crate::value::Piece::Text("x-".into()));
    assert!(eval("\"a${null}\"").is_err());
    assert!(eval("\"a${three}\"").is_err());
}

#[test]
fn marks_flow() {
    assert!(eval("\"a${secret}\"").unwrap().is_sensitive());
    assert!(eval("secret == \"x\" ? 1 : 2").unwrap().is_sensitive());
    assert!(eval("[for x in [secret] : x][0]").unwrap().is_sensitive());
    let value = eval("\"${bucket.name}-x\"").unwrap();
    let references = &value.marks.as_ref().unwrap().references;
    assert!(references.contains(&Arc::<str>::from("aws_s3_bucket.b")));
}

#[test]
fn try_and_can() {
    same("try(three[9], {a = 1}.b, 4)", "4");
    same("can(three[9])", "false");
    same("can(three[0])", "true");
    unknown("try(u.x, 1)");
    unknown("provider::a::b(1)");
    assert!(matches!(
        eval("try(nowhere, 1)"),
        Err(EvalError::Undeclared(_))
    ));
    same("core::length(three)", "3");
    same("length([three]...)", "3");
}

#[test]
fn limits_end_hostile_expressions() {
    let looped = eval("templatefile(\"loop.tftpl\", {})");
    assert!(matches!(looped, Err(EvalError::Limit(_))), "{looped:?}");
    let hundred = format!("[{}]", vec!["1"; 100].join(","));
    let cube = format!(
        "[for a in {hundred} : [for b in {hundred} : [for c in {hundred} : [for d in {hundred} : 1]]]]"
    );
    assert!(matches!(eval(&cube), Err(EvalError::Limit(_))));
    let mut doubled = "1".to_owned();
    for level in 0..30 {
        doubled = format!("[for x{level} in [{doubled}] : [x{level}, x{level}]]");
    }
    assert!(matches!(eval(&doubled), Err(EvalError::Limit(_))));
    let mut text = "\"0123456789\"".to_owned();
    for level in 0..25 {
        text = format!("[for x{level} in [{text}] : \"${{x{level}}}${{x{level}}}\"][0]");
    }
    assert!(matches!(eval(&text), Err(EvalError::Limit(_))));
}
