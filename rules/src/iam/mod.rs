//! IAM policy documents in one normal form, whatever way they were written: JSON text, an
//! object, or JSON of which parts are unknown.
//!
//! The form is `{version, statements = [{sid, effect, actions, not_actions, resources,
//! not_resources, principals = [{type, identifiers}], not_principals, conditions = [{test,
//! variable, values}]}]}`: single values are lists, what is absent is an empty list or null, and
//! what is unknown stays unknown (an open list). What is no policy is refused.

mod document;

use std::sync::Arc;

pub use document::document_json;

use crate::Value;
use crate::functions::convert::derived;
use crate::functions::encoding::json;
use crate::functions::error::FunctionError;
use crate::functions::limits::bounded;
use crate::value::{Kind, List, Map, Shape, Type, Unknown};

/// The normal form of a policy; null for null, unknown for a wholly unknown text.
pub fn policy(value: &Value) -> Result<Value, FunctionError> {
    bounded(value)?;
    let normal = match &value.kind {
        Kind::Null => return Ok(Value::NULL),
        Kind::String(text) => normalise(&json::decode(text)?)?,
        Kind::Unknown(unknown) => match &unknown.encoded {
            Some(inner) => {
                bounded(inner)?;
                normalise(inner)?
            }
            None => derived(unknown, Type::Any),
        },
        _ => normalise(value)?,
    };
    Ok(normal.marked_by(value))
}

fn refusal(message: &str) -> FunctionError {
    FunctionError::Argument(message.into())
}

fn object(entries: Vec<(&str, Value)>) -> Value {
    Value::map(entries.into_iter().map(|(key, value)| (key.into(), value)))
}

/// The element of this name. IAM reads the names of elements in any case. An element that an
/// open map does not show is unknown.
fn element(map: &Map, name: &str) -> Value {
    let found = map.entries.get(name).or_else(|| {
        let mut entries = map.entries.iter();
        entries.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    });
    match (found, &map.rest) {
        (Some(value), _) => value.clone(),
        (None, Some(rest)) => Value::unknown_of(rest.origin.clone(), Type::Any),
        (None, None) => Value::NULL,
    }
}

fn normalise(value: &Value) -> Result<Value, FunctionError> {
    // The form itself passes through unchanged.
    if value.get("statements").is_some() {
        return Ok(value.clone());
    }
    if let Some(unknown) = value.as_unknown() {
        return Ok(derived(unknown, Type::Any));
    }
    let map = value
        .as_map()
        .ok_or_else(|| refusal("a policy must be an object"))?;
    let given = as_list(&element(map, "Statement"));
    if given.items.is_empty() && given.rest.is_none() && map.rest.is_none() {
        let written = map
            .entries
            .keys()
            .any(|key| key.eq_ignore_ascii_case("Statement"));
        if !written {
            return Err(refusal("a policy must have a Statement"));
        }
    }
    let statements = given
        .items
        .iter()
        .map(statement)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(object(vec![
        ("version", element(map, "Version")),
        ("statements", list(statements, given.rest)),
    ]))
}

fn list(items: Vec<Value>, rest: Option<Unknown>) -> Value {
    Kind::List(List {
        items: items.into(),
        shape: Shape::List,
        rest,
    })
    .into()
}

/// One value or a list as a list. An unknown that may be either opens the list.
fn as_list(value: &Value) -> List {
    let made = |items: Vec<Value>, rest| List {
        items: items.into(),
        shape: Shape::List,
        rest,
    };
    match &value.kind {
        Kind::Null => made(Vec::new(), None),
        Kind::List(list) => {
            let items = list.items.iter().map(|item| item.clone().marked_by(value));
            made(items.collect(), list.rest.clone())
        }
        Kind::Unknown(unknown) => {
            let scalar = matches!(unknown.kind, Type::String | Type::Number | Type::Bool);
            if unknown.prefix.is_some() || (scalar && unknown.not_null) {
                made(vec![value.clone()], None)
            } else {
                made(Vec::new(), Some(unknown.clone()))
            }
        }
        _ => made(vec![value.clone()], None),
    }
}

fn listed(value: &Value) -> Value {
    Value::from(Kind::List(as_list(value))).marked_by(value)
}

fn statement(value: &Value) -> Result<Value, FunctionError> {
    if value.as_unknown().is_some() {
        return Ok(value.clone());
    }
    let map = value
        .as_map()
        .ok_or_else(|| refusal("a statement must be an object"))?;
    let all = |name: &str| listed(&element(map, name));
    let form = object(vec![
        ("sid", element(map, "Sid")),
        ("effect", element(map, "Effect")),
        ("actions", all("Action")),
        ("not_actions", all("NotAction")),
        ("resources", all("Resource")),
        ("not_resources", all("NotResource")),
        ("principals", principals(&element(map, "Principal"))?),
        ("not_principals", principals(&element(map, "NotPrincipal"))?),
        ("conditions", conditions(&element(map, "Condition"))?),
    ]);
    Ok(Value {
        kind: form.kind,
        marks: value.marks.clone(),
    })
}

/// `"*"` means every principal; an object lists identifiers by type.
fn principals(value: &Value) -> Result<Value, FunctionError> {
    let entry = |kind: &str, identifiers: Value| {
        object(vec![("type", kind.into()), ("identifiers", identifiers)])
    };
    let (items, rest) = match &value.kind {
        Kind::Null => (Vec::new(), None),
        Kind::String(_) => (vec![entry("*", listed(value))], None),
        Kind::Unknown(unknown) => (Vec::new(), Some(unknown.clone())),
        Kind::Map(map) => {
            let entries = map.entries.iter();
            let items = entries.map(|(kind, identifiers)| entry(kind, listed(identifiers)));
            (items.collect(), map.rest.clone())
        }
        _ => return Err(refusal("a principal must be \"*\" or an object")),
    };
    Ok(list(items, rest).marked_by(value))
}

/// Test → variable → values, flattened.
fn conditions(value: &Value) -> Result<Value, FunctionError> {
    let (mut items, mut rest) = (Vec::new(), None);
    match &value.kind {
        Kind::Null => {}
        Kind::Unknown(unknown) => rest = Some(unknown.clone()),
        Kind::Map(tests) => {
            rest.clone_from(&tests.rest);
            for (test, variables) in tests.entries.iter() {
                let variables = match &variables.kind {
                    Kind::Map(variables) => variables,
                    Kind::Unknown(unknown) => {
                        rest = rest.or_else(|| Some(unknown.clone()));
                        continue;
                    }
                    _ => return Err(refusal("a condition must be an object of objects")),
                };
                rest = rest.or_else(|| variables.rest.clone());
                for (variable, values) in variables.entries.iter() {
                    items.push(object(vec![
                        ("test", Arc::clone(test).as_ref().into()),
                        ("variable", variable.as_ref().into()),
                        ("values", listed(values)),
                    ]));
                }
            }
        }
        _ => return Err(refusal("a condition must be an object of objects")),
    }
    Ok(list(items, rest).marked_by(value))
}

#[cfg(test)]
mod tests;
