//! Functions of lists, maps and sets, over members that may be unknown and collections that may
//! have members we cannot see (*open* ones).
//!
//! In an open list the definite members are certain, their positions are not.

pub(super) mod access;
pub(super) mod build;
pub(super) mod logic;
pub(super) mod maps;
pub(super) mod sets;

use super::convert::equals;
use crate::Value;
use crate::value::{List, Type, Unknown};

/// Whether `value` is a member; an open list may still have it.
pub(super) fn member(list: &List, value: &Value) -> Option<bool> {
    let mut answer = if list.rest.is_some() {
        None
    } else {
        Some(false)
    };
    for item in list.items.iter() {
        match equals(item, value) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => answer = None,
        }
    }
    answer
}

/// The unknown answer to a question that these values leave open.
pub(super) fn undecided(values: &[&Value], kind: Type) -> Value {
    let origin = values.iter().find_map(|value| value.first_unknown());
    match origin {
        Some(origin) => {
            let unknown = Value::unknown_of(origin.clone(), Type::Any);
            unknown.as_unknown().map_or(unknown.clone(), |inner| {
                super::convert::derived(inner, kind)
            })
        }
        None => super::call::impure("equality of very large values", kind),
    }
}

/// A sequence argument that may be wholly unknown: its members and what may follow them.
pub(super) fn members(value: &Value) -> (&[Value], Option<Unknown>) {
    match value.as_list() {
        Some(list) => (&list.items, list.rest.clone()),
        None => (&[], value.as_unknown().cloned()),
    }
}

#[cfg(test)]
mod tests;
