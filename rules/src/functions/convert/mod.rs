//! Terraform's type conversion over three-way values: primitives to each other, tuples and
//! lists to sets, objects to maps and back, `optional()` defaults.
//!
//! Null converts to null of any type; an unknown keeps its origin and takes the new type. What
//! Terraform refuses is an error, never a guess. Values deeper or larger than
//! [`limits`](super::limits) are refused before any recursion starts.

mod equal;
mod number;
mod order;
mod unify;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use equal::{equal_value, equals};
pub use number::{format_number, parse_number};
pub use order::{compare, is_certain, make_set};
pub use unify::{type_name, type_of, unify, unify_members};

use super::FunctionError;
use super::limits::bounded;
use super::unseen::unseen;
use crate::Value;
use crate::value::{Field, Kind, List, Map, Shape, Type, Unknown};

/// Converts to a string: numbers in plain decimal notation, bools as `true` and `false`.
pub fn to_string(value: &Value) -> Result<Value, FunctionError> {
    convert(value, &Type::String)
}

/// Converts to a number: numbers, and strings that spell one.
pub fn to_number(value: &Value) -> Result<Value, FunctionError> {
    convert(value, &Type::Number)
}

/// Converts to a bool: bools, and the strings `true`, `false`, `1` and `0`.
pub fn to_bool(value: &Value) -> Result<Value, FunctionError> {
    convert(value, &Type::Bool)
}

/// Converts `value` to `kind`, as Terraform does for variables with a type and for arguments.
pub fn convert(value: &Value, kind: &Type) -> Result<Value, FunctionError> {
    bounded(value)?;
    converted(value, kind)
}

/// An unknown of another type for the same reason, certainly not null: what a function gives
/// for an unknown argument.
pub fn derived(unknown: &Unknown, kind: Type) -> Value {
    let mut value = Value::unknown_of(unknown.origin.clone(), kind);
    if let Kind::Unknown(inner) = &mut value.kind {
        inner.not_null = true;
    }
    value
}

fn converted(value: &Value, kind: &Type) -> Result<Value, FunctionError> {
    if value.is_null() {
        return Ok(value.clone());
    }
    if let Some(unknown) = value.as_unknown() {
        return Ok(with_kind(value, Kind::Unknown(retyped(unknown, kind)?)));
    }
    match kind {
        Type::Any => Ok(value.clone()),
        Type::Bool | Type::Number | Type::String => primitive(value, kind),
        Type::List(member) => sequence(value, member, kind, Shape::List),
        Type::Set(member) => sequence(value, member, kind, Shape::Set),
        Type::Tuple(members) => tuple(value, members, kind),
        Type::Map(member) => map(value, member, kind),
        Type::Object(fields) => object(value, fields, kind),
    }
}

fn with_kind(value: &Value, kind: Kind) -> Value {
    Value {
        kind,
        marks: value.marks.clone(),
    }
}

fn refusal(value: &Value, kind: &Type) -> FunctionError {
    FunctionError::Argument(format!(
        "{} required, not {}",
        type_name(kind),
        type_name(&type_of(value)).trim_start_matches("a ")
    ))
}

fn primitive(value: &Value, kind: &Type) -> Result<Value, FunctionError> {
    let payload = match (&value.kind, kind) {
        (Kind::Bool(_), Type::Bool)
        | (Kind::Number(_), Type::Number)
        | (Kind::String(_), Type::String) => return Ok(value.clone()),
        (Kind::Bool(flag), Type::String) => {
            Kind::String(if *flag { "true" } else { "false" }.into())
        }
        (Kind::Number(number), Type::String) => Kind::String(format_number(*number).into()),
        (Kind::String(text), Type::Number) => Kind::Number(parse_number(text)?),
        (Kind::String(text), Type::Bool) => match text.as_ref() {
            "true" | "1" => Kind::Bool(true),
            "false" | "0" => Kind::Bool(false),
            _ => return Err(refusal(value, kind)),
        },
        _ => return Err(refusal(value, kind)),
    };
    Ok(with_kind(value, payload))
}

/// The unknown with the new type. Prefix and encoded structure only survive between strings,
/// a lower bound only among numbers or among collections.
fn retyped(unknown: &Unknown, kind: &Type) -> Result<Unknown, FunctionError> {
    if *kind == Type::Any || unknown.kind == *kind {
        return Ok(unknown.clone());
    }
    if !convertible(&unknown.kind, kind) {
        return Err(FunctionError::Argument(format!(
            "{} required, not {}",
            type_name(kind),
            type_name(&unknown.kind)
        )));
    }
    let text = *kind == Type::String;
    let counted = matches!(kind, Type::List(_) | Type::Map(_) | Type::Tuple(_))
        || (*kind == Type::Number && unknown.kind == Type::Number);
    Ok(Unknown {
        origin: unknown.origin.clone(),
        kind: kind.clone(),
        not_null: unknown.not_null,
        at_least: unknown.at_least.filter(|_| counted),
        prefix: unknown.prefix.clone().filter(|_| text),
        encoded: unknown.encoded.clone().filter(|_| text),
    })
}

/// Whether some value of type `from` converts to `to`; only the outermost type is looked at.
fn convertible(from: &Type, to: &Type) -> bool {
    use Type::{Any, Bool, List, Map, Number, Object, Set, String, Tuple};
    matches!(
        (from, to),
        (Any, _)
            | (_, Any)
            | (Bool | Number | String, String)
            | (Bool | String, Bool)
            | (Number | String, Number)
            | (List(_) | Set(_) | Tuple(_), List(_) | Set(_) | Tuple(_))
            | (Map(_) | Object(_), Map(_) | Object(_))
    )
}

fn sequence(
    value: &Value,
    member: &Type,
    kind: &Type,
    shape: Shape,
) -> Result<Value, FunctionError> {
    let list = value.as_list().ok_or_else(|| refusal(value, kind))?;
    let items = if *member == Type::Any {
        unify_members(&list.items)?
    } else {
        list.items
            .iter()
            .map(|item| converted(item, member))
            .collect::<Result<_, _>>()?
    };
    // The order of a set is not certain while some of its members are unknown.
    let unordered = shape == Shape::List && list.shape == Shape::Set;
    let rest = match &list.rest {
        None if unordered => list.items.iter().find(|item| !is_certain(item)),
        _ => None,
    };
    let rest = rest.and_then(unseen).or_else(|| list.rest.clone());
    let payload = match shape {
        Shape::Set => make_set(items, rest),
        Shape::List => Kind::List(List {
            items: items.into(),
            shape,
            rest,
        }),
    };
    Ok(with_kind(value, payload))
}

fn tuple(value: &Value, members: &[Type], kind: &Type) -> Result<Value, FunctionError> {
    let list = value
        .as_list()
        .filter(|list| list.shape == Shape::List)
        .ok_or_else(|| refusal(value, kind))?;
    if let Some(rest) = &list.rest {
        return Ok(derived(rest, kind.clone()).marked_by(value));
    }
    if list.items.len() != members.len() {
        return Err(FunctionError::Argument(format!(
            "a tuple of {} elements required, not of {}",
            members.len(),
            list.items.len()
        )));
    }
    let items = list
        .items
        .iter()
        .zip(members)
        .map(|(item, member)| converted(item, member))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(with_kind(
        value,
        Kind::List(List {
            items: items.into(),
            shape: Shape::List,
            rest: None,
        }),
    ))
}

fn map(value: &Value, member: &Type, kind: &Type) -> Result<Value, FunctionError> {
    let map = value.as_map().ok_or_else(|| refusal(value, kind))?;
    let values: Vec<Value> = if *member == Type::Any {
        let members: Vec<Value> = map.entries.values().cloned().collect();
        unify_members(&members)?
    } else {
        map.entries
            .values()
            .map(|item| converted(item, member))
            .collect::<Result<_, _>>()?
    };
    let entries = map.entries.keys().cloned().zip(values).collect();
    Ok(with_kind(
        value,
        Kind::Map(Map {
            entries: Arc::new(entries),
            rest: map.rest.clone(),
        }),
    ))
}

/// Keeps the attributes that the type names and drops the rest; fills in `optional` ones. An
/// absent attribute of an open map is unknown.
fn object(
    value: &Value,
    fields: &BTreeMap<Arc<str>, Field>,
    kind: &Type,
) -> Result<Value, FunctionError> {
    let map = value.as_map().ok_or_else(|| refusal(value, kind))?;
    let mut entries = BTreeMap::new();
    for (name, field) in fields {
        let given = map.entries.get(name);
        let attribute = match (given, &map.rest, &field.default) {
            (Some(item), _, Some(default)) if item.is_null() => default.clone().marked_by(item),
            (Some(item), _, _) => item.clone(),
            (None, Some(rest), _) => {
                Value::unknown_of(rest.origin.clone(), field.kind.clone()).marked_by(value)
            }
            (None, None, Some(default)) => default.clone(),
            (None, None, None) if field.optional => Value::NULL,
            (None, None, None) => {
                return Err(FunctionError::Argument(format!(
                    "attribute \"{name}\" is required"
                )));
            }
        };
        entries.insert(name.clone(), converted(&attribute, &field.kind)?);
    }
    Ok(with_kind(
        value,
        Kind::Map(Map {
            entries: Arc::new(entries),
            rest: None,
        }),
    ))
}

#[cfg(test)]
mod tests;
