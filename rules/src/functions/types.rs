//! Type conversion and marks: `tostring` and relatives, `sensitive`, `type`.
#![expect(
    clippy::unnecessary_wraps,
    reason = "all functions of the table have one type"
)]

use std::fmt::Write as _;
use std::sync::Arc;

use super::FunctionError;
use super::call::Args;
use super::convert::{convert, type_of};
use crate::Value;
use crate::value::{Marks, Type};

/// `tostring(value)`
pub(super) fn tostring(args: &Args<'_>) -> Result<Value, FunctionError> {
    convert(args.value(0), &Type::String)
}

/// `tonumber(value)`
pub(super) fn tonumber(args: &Args<'_>) -> Result<Value, FunctionError> {
    convert(args.value(0), &Type::Number)
}

/// `tobool(value)`
pub(super) fn tobool(args: &Args<'_>) -> Result<Value, FunctionError> {
    convert(args.value(0), &Type::Bool)
}

/// `tolist(value)`
pub(super) fn tolist(args: &Args<'_>) -> Result<Value, FunctionError> {
    convert(args.value(0), &Type::List(Arc::new(Type::Any)))
}

/// `toset(value)`
pub(super) fn toset(args: &Args<'_>) -> Result<Value, FunctionError> {
    convert(args.value(0), &Type::Set(Arc::new(Type::Any)))
}

/// `tomap(value)`
pub(super) fn tomap(args: &Args<'_>) -> Result<Value, FunctionError> {
    convert(args.value(0), &Type::Map(Arc::new(Type::Any)))
}

/// `sensitive(value)`
pub(super) fn sensitive(args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(with_sensitivity(args.value(0), true))
}

/// `nonsensitive(value)`
pub(super) fn nonsensitive(args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(with_sensitivity(args.value(0), false))
}

fn with_sensitivity(value: &Value, sensitive: bool) -> Value {
    if value.is_sensitive() == sensitive {
        return value.clone();
    }
    let marks = value.marks.as_deref().cloned().unwrap_or_default();
    Value {
        kind: value.kind.clone(),
        marks: Some(Arc::new(Marks { sensitive, ..marks })),
    }
}

/// `issensitive(value)`: an unknown value may turn out to be sensitive.
pub(super) fn issensitive(args: &Args<'_>) -> Result<Value, FunctionError> {
    let value = args.value(0);
    Ok(match value.as_unknown() {
        Some(unknown) if !value.is_sensitive() => {
            Value::unknown_of(unknown.origin.clone(), Type::Bool)
        }
        _ => value.is_sensitive().into(),
    })
}

/// `ephemeralasnull(value)`: nothing that we evaluate is ephemeral.
pub(super) fn ephemeralasnull(args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(args.value(0).clone())
}

/// `type(value)`, as text.
pub(super) fn type_text(args: &Args<'_>) -> Result<Value, FunctionError> {
    let mut text = String::new();
    write_type(&type_of(args.value(0)), &mut text);
    Ok(text.into())
}

fn write_type(kind: &Type, out: &mut String) {
    match kind {
        Type::Any => out.push_str("dynamic"),
        Type::Bool => out.push_str("bool"),
        Type::Number => out.push_str("number"),
        Type::String => out.push_str("string"),
        Type::List(member) => wrapped("list(", member, ")", out),
        Type::Set(member) => wrapped("set(", member, ")", out),
        Type::Map(member) => wrapped("map(", member, ")", out),
        Type::Tuple(members) => {
            out.push_str("tuple([");
            for (position, member) in members.iter().enumerate() {
                if position > 0 {
                    out.push_str(", ");
                }
                write_type(member, out);
            }
            out.push_str("])");
        }
        Type::Object(fields) => {
            out.push_str("object({");
            for (position, (name, field)) in fields.iter().enumerate() {
                let separator = if position > 0 { ", " } else { "" };
                // Writing to a string cannot fail.
                let _ = write!(out, "{separator}{name}: ");
                write_type(&field.kind, out);
            }
            out.push_str("})");
        }
    }
}

fn wrapped(open: &str, member: &Type, close: &str, out: &mut String) {
    out.push_str(open);
    write_type(member, out);
    out.push_str(close);
}
