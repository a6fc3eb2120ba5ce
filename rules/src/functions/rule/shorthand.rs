//! Shorthands for attributes and blocks that may be absent.
#![expect(
    clippy::unnecessary_wraps,
    reason = "all functions of the table have one type"
)]

use std::sync::Arc;

use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{Args, sequence};
use crate::functions::collection::undecided;
use crate::functions::convert::to_bool;
use crate::value::{Kind, Type};

/// `list(x)`: null is an empty list, a list or set stays, anything else is a list of one. An
/// unknown that may be either gives an open list.
pub(crate) fn list(args: &Args<'_>) -> Result<Value, FunctionError> {
    let value = args.value(0);
    Ok(match &value.kind {
        Kind::Null => Value::list([]),
        Kind::List(_) => value.clone(),
        Kind::Unknown(unknown) => match unknown.kind {
            Type::List(_) | Type::Set(_) | Type::Tuple(_) => {
                sequence(Vec::new(), Some(unknown.clone()))
            }
            Type::Any => sequence(Vec::new(), Some(unknown.clone())),
            _ if !unknown.not_null => sequence(Vec::new(), Some(unknown.clone())),
            _ => Value::list([value.clone()]),
        },
        _ => Value::list([value.clone()]),
    })
}

/// `first(x)`: the first member of a list, the value itself if it is none, null if there is
/// nothing.
pub(crate) fn first(args: &Args<'_>) -> Result<Value, FunctionError> {
    let value = args.value(0);
    Ok(match &value.kind {
        Kind::List(list) => match (list.items.first(), &list.rest) {
            (Some(first), _) => first.clone(),
            (None, Some(rest)) => Value::unknown_of(rest.origin.clone(), Type::Any),
            (None, None) => Value::NULL,
        },
        Kind::Unknown(unknown) => match &unknown.kind {
            Type::List(member) | Type::Set(member) => {
                Value::unknown_of(unknown.origin.clone(), member.as_ref().clone())
            }
            _ => Value::unknown_of(unknown.origin.clone(), Type::Any),
        },
        _ => value.clone(),
    })
}

/// `bool(x)`: as `tobool`, but null is false and the words may be in any case.
pub(crate) fn bool(args: &Args<'_>) -> Result<Value, FunctionError> {
    let value = args.value(0);
    match &value.kind {
        Kind::Null => Ok(false.into()),
        Kind::String(text) => to_bool(&Value::from(text.to_ascii_lowercase())),
        _ => to_bool(value),
    }
}

/// `configured(x)`: written in the configuration, though its value may be unknown. Null, the
/// empty text and the empty list of an absent block are not.
pub(crate) fn configured(args: &Args<'_>) -> Result<Value, FunctionError> {
    let value = args.value(0);
    Ok(match &value.kind {
        Kind::Null => false.into(),
        // Providers take the empty text for absent.
        Kind::String(text) if text.is_empty() => false.into(),
        Kind::List(list) if list.items.is_empty() => match &list.rest {
            Some(_) => undecided(&[value], Type::Bool),
            None => false.into(),
        },
        _ => true.into(),
    })
}

/// An answer that may be open for the reasons in these values.
pub(super) fn answer(answer: Option<bool>, values: &[&Value]) -> Value {
    match answer {
        Some(answer) => answer.into(),
        None => undecided(values, Type::Bool),
    }
}

/// One yes decides, else one undecided leaves it open.
pub(super) fn any(answers: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(false);
    for answer in answers {
        match answer {
            Some(true) => return Some(true),
            Some(false) => {}
            None => result = None,
        }
    }
    result
}

/// One no decides, else one undecided leaves it open.
pub(super) fn both(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// A member of an object; null if it has none, unknown if it may have one.
pub(super) fn member(value: &Value, name: &str) -> Value {
    match &value.kind {
        Kind::Map(map) => match (map.entries.get(name), &map.rest) {
            (Some(found), _) => found.clone(),
            (None, Some(rest)) => Value::unknown_of(Arc::clone(&rest.origin), Type::Any),
            (None, None) => Value::NULL,
        },
        Kind::Unknown(unknown) => Value::unknown_of(unknown.origin.clone(), Type::Any),
        _ => Value::NULL,
    }
}
