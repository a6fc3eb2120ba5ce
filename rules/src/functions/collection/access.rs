//! Looking into collections: length, membership, single members.

use rust_decimal::prelude::ToPrimitive;

use super::{member, undecided};
use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{Args, argument, sequence, whole};
use crate::functions::convert::{derived, equals, is_certain};
use crate::functions::unseen::unseen;
use crate::value::{Kind, List, Shape, Type, Unknown};

fn number(count: usize) -> Value {
    i64::try_from(count).unwrap_or(i64::MAX).into()
}

fn at_least(unknown: &Unknown, count: usize) -> Value {
    let mut result = derived(unknown, Type::Number);
    if let Kind::Unknown(inner) = &mut result.kind {
        inner.at_least = u32::try_from(count).ok();
    }
    result
}

/// `length(value)`: of an open collection at least its definite members, of a set with unknown
/// members at least the distinct known ones.
pub(crate) fn length(args: &Args<'_>) -> Result<Value, FunctionError> {
    let value = args.value(0);
    Ok(match &value.kind {
        Kind::String(text) => number(text.chars().count()),
        Kind::List(list) => match (&list.rest, list.shape) {
            (Some(rest), Shape::List) => at_least(rest, list.items.len()),
            (None, Shape::List) => number(list.items.len()),
            (rest, Shape::Set) => set_length(value, list, rest.as_ref()),
        },
        Kind::Map(map) => match &map.rest {
            Some(rest) => at_least(rest, map.entries.len()),
            None => number(map.entries.len()),
        },
        Kind::Unknown(unknown) => match &unknown.kind {
            Type::Tuple(members) => number(members.len()),
            Type::Object(fields) => number(fields.len()),
            Type::List(_) | Type::Set(_) | Type::Map(_) => {
                let least = unknown.at_least.unwrap_or_default();
                at_least(unknown, usize::try_from(least).unwrap_or_default())
            }
            Type::String if unknown.prefix.is_some() => {
                let prefix = unknown.prefix.as_deref().unwrap_or_default();
                at_least(unknown, prefix.chars().count())
            }
            Type::Bool | Type::Number => return Err(refusal()),
            Type::Any | Type::String => derived(unknown, Type::Number),
        },
        Kind::Null | Kind::Bool(_) | Kind::Number(_) => return Err(refusal()),
    })
}

fn refusal() -> FunctionError {
    argument("a string or a collection required")
}

fn set_length(value: &Value, list: &List, rest: Option<&Unknown>) -> Value {
    let certain = list.items.iter().filter(|item| is_certain(item)).count();
    if rest.is_none() && (certain == list.items.len() || list.items.len() == 1) {
        return number(list.items.len());
    }
    let least = certain.max(usize::from(!list.items.is_empty()));
    match unseen(value) {
        Some(unknown) => at_least(&unknown, least),
        None => number(list.items.len()),
    }
}

/// `contains(list, value)`
pub(crate) fn contains(args: &Args<'_>) -> Result<Value, FunctionError> {
    let (collection, value) = (args.value(0), args.value(1));
    if let Some(unknown) = collection.as_unknown() {
        return Ok(derived(unknown, Type::Bool));
    }
    Ok(match member(args.list(0)?, value) {
        Some(answer) => answer.into(),
        None => undecided(&[collection, value], Type::Bool),
    })
}

/// `element(list, index)`: wraps around at both ends.
pub(crate) fn element(args: &Args<'_>) -> Result<Value, FunctionError> {
    let list = args.list(0)?;
    let length = i64::try_from(list.items.len()).unwrap_or(i64::MAX);
    if let Some(rest) = &list.rest {
        return Ok(Value::unknown_of(rest.origin.clone(), Type::Any));
    }
    let index = whole(args.number(1))?
        .to_i64()
        .ok_or_else(|| argument("the index is too large"))?;
    let wrapped = index
        .checked_rem_euclid(length)
        .ok_or_else(|| argument("an empty list has no elements"))?;
    usize::try_from(wrapped)
        .ok()
        .and_then(|wrapped| list.items.get(wrapped))
        .cloned()
        .ok_or_else(|| argument("an empty list has no elements"))
}

/// `index(list, value)`
pub(crate) fn index(args: &Args<'_>) -> Result<Value, FunctionError> {
    let (list, value) = (args.list(0)?, args.value(1));
    if list.rest.is_none() {
        for (position, item) in list.items.iter().enumerate() {
            match equals(item, value) {
                Some(true) => return Ok(number(position)),
                Some(false) => {}
                None => return Ok(undecided(&[item, value], Type::Number)),
            }
        }
        return Err(argument("the value is not in the list"));
    }
    Ok(undecided(&[args.value(0)], Type::Number))
}

/// `one(list)`: null, the only member, or an error. If an open list has one definite member the
/// call can only give that one.
pub(crate) fn one(args: &Args<'_>) -> Result<Value, FunctionError> {
    let list = args.list(0)?;
    match (list.items.as_ref(), &list.rest) {
        ([], None) => Ok(Value::NULL),
        ([], Some(rest)) => Ok(Value::unknown_of(rest.origin.clone(), Type::Any)),
        ([only], _) => Ok(only.clone()),
        (items, _) if list.shape == Shape::Set && !items.iter().all(is_certain) => {
            Ok(undecided(&[args.value(0)], Type::Any))
        }
        _ => Err(argument("a collection of at most one member required")),
    }
}

/// `reverse(list)`
pub(crate) fn reverse(args: &Args<'_>) -> Result<Value, FunctionError> {
    let list = args.list(0)?;
    Ok(sequence(
        list.items.iter().rev().cloned().collect(),
        list.rest.clone(),
    ))
}

/// `slice(list, start, end)`
pub(crate) fn slice(args: &Args<'_>) -> Result<Value, FunctionError> {
    let list = args.list(0)?;
    let (start, end) = (args.count(1)?, args.count(2)?);
    if list.shape == Shape::Set {
        return Err(argument("a set has no positions"));
    }
    if let Some(rest) = &list.rest {
        return Ok(sequence(Vec::new(), Some(rest.clone())));
    }
    list.items
        .get(start..end)
        .map(|items| sequence(items.to_vec(), None))
        .ok_or_else(|| argument("start and end must lie in the list, in this order"))
}

/// `matchkeys(values, keys, search)`: the values whose key is searched for.
pub(crate) fn matchkeys(args: &Args<'_>) -> Result<Value, FunctionError> {
    let (values, keys, search) = (args.list(0)?, args.list(1)?, args.list(2)?);
    if let Some(rest) = values.rest.as_ref().or(keys.rest.as_ref()) {
        return Ok(sequence(Vec::new(), Some(rest.clone())));
    }
    if values.items.len() != keys.items.len() {
        return Err(argument("as many keys as values required"));
    }
    let mut found = Vec::new();
    let mut rest = None;
    for (value, key) in values.items.iter().zip(keys.items.iter()) {
        match member(search, key) {
            Some(true) => found.push(value.clone()),
            Some(false) => {}
            None => {
                rest = rest
                    .or_else(|| unseen(key))
                    .or_else(|| unseen(args.value(2)));
            }
        }
    }
    Ok(sequence(found, rest))
}
