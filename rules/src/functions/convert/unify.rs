//! The type of a value, and the one type that several members of a list can share.
//!
//! Follows Terraform: beside a string everything primitive becomes a string; a number beside a
//! bool has no common type. Objects of different attributes stay as they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{FunctionError, converted};
use crate::Value;
use crate::value::{Field, Kind, Shape, Type};

/// The type of a value; `Any` for null. Closed lists are tuples, closed maps are objects.
pub fn type_of(value: &Value) -> Type {
    match &value.kind {
        Kind::Null => Type::Any,
        Kind::Bool(_) => Type::Bool,
        Kind::Number(_) => Type::Number,
        Kind::String(_) => Type::String,
        Kind::Unknown(unknown) => unknown.kind.clone(),
        Kind::List(list) => {
            let members: Vec<Type> = list.items.iter().map(type_of).collect();
            match (list.shape, &list.rest) {
                (Shape::List, None) => Type::Tuple(members.into()),
                (Shape::List, Some(_)) => Type::List(Arc::new(Type::Any)),
                (Shape::Set, _) => Type::Set(Arc::new(unify(&members).unwrap_or(Type::Any))),
            }
        }
        Kind::Map(map) if map.rest.is_some() => Type::Map(Arc::new(Type::Any)),
        Kind::Map(map) => Type::Object(Arc::new(
            map.entries
                .iter()
                .map(|(name, member)| (name.clone(), field(type_of(member))))
                .collect(),
        )),
    }
}

fn field(kind: Type) -> Field {
    Field {
        kind,
        optional: false,
        default: None,
    }
}

/// The name of a type for messages, with its article.
pub fn type_name(kind: &Type) -> &'static str {
    match kind {
        Type::Any => "a value",
        Type::Bool => "a bool",
        Type::Number => "a number",
        Type::String => "a string",
        Type::List(_) | Type::Tuple(_) => "a list",
        Type::Set(_) => "a set",
        Type::Map(_) => "a map",
        Type::Object(_) => "an object",
    }
}

/// The type to which values of all these types convert, if there is one.
pub fn unify(kinds: &[Type]) -> Option<Type> {
    let mut known = kinds.iter().filter(|kind| **kind != Type::Any);
    let Some(first) = known.next() else {
        return Some(Type::Any);
    };
    let others: Vec<&Type> = known.collect();
    if others.iter().all(|kind| *kind == first) {
        return Some(first.clone());
    }
    let all: Vec<&Type> = std::iter::once(first).chain(others).collect();
    let primitive = |kind: &&Type| matches!(kind, Type::Bool | Type::Number | Type::String);
    if all.iter().all(primitive) {
        return all.contains(&&Type::String).then_some(Type::String);
    }
    sequences(&all).or_else(|| maps(&all))
}

fn sequences(all: &[&Type]) -> Option<Type> {
    let mut members = Vec::new();
    let mut set = true;
    for kind in all {
        match kind {
            Type::List(member) => {
                set = false;
                members.push(member.as_ref().clone());
            }
            Type::Set(member) => members.push(member.as_ref().clone()),
            Type::Tuple(kinds) => {
                set = false;
                members.extend(kinds.iter().cloned());
            }
            _ => return None,
        }
    }
    let member = Arc::new(unify(&members)?);
    Some(if set {
        Type::Set(member)
    } else {
        Type::List(member)
    })
}

fn maps(all: &[&Type]) -> Option<Type> {
    if let Some(kind) = objects(all) {
        return Some(kind);
    }
    let mut members = Vec::new();
    for kind in all {
        match kind {
            Type::Map(member) => members.push(member.as_ref().clone()),
            Type::Object(fields) => {
                members.extend(fields.values().map(|field| field.kind.clone()));
            }
            _ => return None,
        }
    }
    Some(Type::Map(Arc::new(unify(&members)?)))
}

/// Objects of the same attributes unify attribute by attribute.
fn objects(all: &[&Type]) -> Option<Type> {
    let mut columns: BTreeMap<Arc<str>, Vec<Type>> = BTreeMap::new();
    for kind in all {
        let Type::Object(fields) = kind else {
            return None;
        };
        for (name, field) in fields.iter() {
            columns
                .entry(name.clone())
                .or_default()
                .push(field.kind.clone());
        }
    }
    let fields = columns
        .into_iter()
        .map(|(name, kinds)| {
            let complete = kinds.len() == all.len();
            complete.then(|| unify(&kinds).map(|kind| (name, field(kind))))?
        })
        .collect::<Option<BTreeMap<_, _>>>()?;
    Some(Type::Object(Arc::new(fields)))
}

/// Whether no part of the type is still open: an unknown of any type may yet decide otherwise.
fn is_settled(kind: &Type) -> bool {
    match kind {
        Type::Any => false,
        Type::Bool | Type::Number | Type::String => true,
        Type::List(member) | Type::Set(member) | Type::Map(member) => is_settled(member),
        Type::Tuple(members) => members.iter().all(is_settled),
        Type::Object(fields) => fields.values().all(|field| is_settled(&field.kind)),
    }
}

/// The members of a list or map after conversion to their common type. Objects that have none
/// stay as they are: Terraform would refuse them, but what they say is still worth reading.
pub fn unify_members(items: &[Value]) -> Result<Vec<Value>, FunctionError> {
    let kinds: Vec<Type> = items.iter().map(type_of).collect();
    match unify(&kinds) {
        Some(Type::Any) => Ok(items.to_vec()),
        Some(kind) => items
            .iter()
            .zip(&kinds)
            .map(|(item, own)| {
                if is_settled(own) {
                    converted(item, &kind)
                } else {
                    Ok(item.clone())
                }
            })
            .collect(),
        None => {
            let group = |kind: &Type| match kind {
                Type::Any => 0,
                Type::Bool | Type::Number | Type::String => 1,
                Type::List(_) | Type::Set(_) | Type::Tuple(_) => 2,
                Type::Map(_) | Type::Object(_) => 3,
            };
            let mut groups: Vec<u8> = kinds.iter().map(group).filter(|group| *group > 0).collect();
            groups.dedup();
            match groups.as_slice() {
                [2 | 3] => Ok(items.to_vec()),
                _ => Err(FunctionError::Argument(
                    "all elements must be of the same type".into(),
                )),
            }
        }
    }
}
