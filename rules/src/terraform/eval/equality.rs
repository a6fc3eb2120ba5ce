//! Equality under Kleene's logic: decided where the known parts decide.

use super::types::{apart, type_of};
use crate::Value;
use crate::value::{Kind, List, Map, Shape, Unknown};

/// Whether two values are equal; `None` where unknown parts leave it open. Values of different
/// types are never equal (`"10" == 10` is false), as in Terraform.
pub fn equals(left: &Value, right: &Value) -> Option<bool> {
    match (&left.kind, &right.kind) {
        (Kind::Unknown(unknown), _) => unknown_equals(left, unknown, right),
        (_, Kind::Unknown(unknown)) => unknown_equals(right, unknown, left),
        (Kind::Null, Kind::Null) => Some(true),
        (Kind::Bool(a), Kind::Bool(b)) => Some(a == b),
        (Kind::Number(a), Kind::Number(b)) => Some(a == b),
        (Kind::String(a), Kind::String(b)) => Some(a == b),
        (Kind::List(a), Kind::List(b)) => lists(a, b),
        (Kind::Map(a), Kind::Map(b)) => maps(a, b),
        _ => Some(false),
    }
}

fn unknown_equals(left: &Value, unknown: &Unknown, right: &Value) -> Option<bool> {
    if let (Some(a), Some(b)) = (left.identity(), right.identity())
        && a == b
    {
        return Some(true);
    }
    let never = match &right.kind {
        Kind::Null => unknown.not_null,
        Kind::Unknown(other) => {
            let prefixes_differ = match (&unknown.prefix, &other.prefix) {
                (Some(a), Some(b)) => !a.starts_with(&**b) && !b.starts_with(&**a),
                _ => false,
            };
            unknown.not_null
                && other.not_null
                && (prefixes_differ || apart(&unknown.kind, &other.kind))
        }
        Kind::String(text) => {
            let prefix = unknown.prefix.as_deref();
            apart(&unknown.kind, &type_of(right))
                || prefix.is_some_and(|prefix| !text.starts_with(prefix))
        }
        Kind::Number(number) => {
            let least = unknown.at_least.filter(|_| unknown.not_null);
            apart(&unknown.kind, &type_of(right))
                || (unknown.kind == crate::value::Type::Number
                    && least.is_some_and(|least| *number < least.into()))
        }
        Kind::List(list) => {
            let longer = unknown
                .at_least
                .is_some_and(|least| list.items.len() < least as usize);
            apart(&unknown.kind, &type_of(right)) || (longer && list.rest.is_none())
        }
        Kind::Bool(_) | Kind::Map(_) => apart(&unknown.kind, &type_of(right)),
    };
    if never { Some(false) } else { None }
}

/// All of them: false as soon as one is false, else unknown as soon as one is.
fn all(mut decisions: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut open = false;
    let differs = decisions.any(|decision| {
        open |= decision.is_none();
        decision == Some(false)
    });
    match (differs, open) {
        (true, _) => Some(false),
        (false, true) => None,
        (false, false) => Some(true),
    }
}

fn lists(a: &List, b: &List) -> Option<bool> {
    if std::ptr::eq(a.items.as_ref(), b.items.as_ref()) && a.rest.is_none() && b.rest.is_none() {
        return sure(a.items.iter()).then_some(true);
    }
    if a.shape == Shape::Set || b.shape == Shape::Set {
        return sets(a, b);
    }
    match (&a.rest, &b.rest) {
        (None, None) if a.items.len() != b.items.len() => Some(false),
        (None, None) => all(a
            .items
            .iter()
            .zip(b.items.iter())
            .map(|(a, b)| equals(a, b))),
        // The further members of an open list may stand anywhere.
        (Some(_), None) if a.items.len() > b.items.len() => Some(false),
        (None, Some(_)) if b.items.len() > a.items.len() => Some(false),
        (Some(_), None) => misses(a, b).then_some(false),
        (None, Some(_)) => misses(b, a).then_some(false),
        (Some(_), Some(_)) => None,
    }
}

fn sets(a: &List, b: &List) -> Option<bool> {
    if misses(a, b) && b.rest.is_none() || misses(b, a) && a.rest.is_none() {
        return Some(false);
    }
    let closed = a.rest.is_none() && b.rest.is_none();
    (closed && sure(a.items.iter()) && sure(b.items.iter())).then_some(true)
}

/// Whether some member of `a` is certainly no member of `b`.
fn misses(a: &List, b: &List) -> bool {
    // Fully known sets and most lists meet their counterpart at the same place.
    a.items.iter().enumerate().any(|(place, item)| {
        b.items
            .get(place)
            .is_none_or(|other| equals(item, other) != Some(true))
            && b.items
                .iter()
                .all(|other| equals(item, other) == Some(false))
    })
}

fn maps(a: &Map, b: &Map) -> Option<bool> {
    if a.rest.is_none() && b.rest.is_none() && a.entries.len() != b.entries.len() {
        return Some(false);
    }
    let forth = a
        .entries
        .iter()
        .map(|(key, value)| match b.entries.get(key) {
            Some(other) => equals(value, other),
            None if b.rest.is_some() => None,
            None => Some(false),
        });
    let back = b.entries.keys().map(|key| match a.entries.get(key) {
        Some(_) => Some(true),
        None if a.rest.is_some() => None,
        None => Some(false),
    });
    let further = (a.rest.is_some() || b.rest.is_some()).then_some(None);
    all(forth.chain(back).chain(further))
}

fn sure<'a>(mut items: impl Iterator<Item = &'a Value>) -> bool {
    items.all(|item| item.first_unknown().is_none())
}
