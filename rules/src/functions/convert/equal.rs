//! Terraform's `==` with three answers.
//!
//! Owns the one question "are these the same?": yes, no, or not decided by what is known.
//! Values of different types are unequal, as in Terraform; null equals null of any type.

use crate::Value;
use crate::functions::limits::bounded;
use crate::value::{Kind, List, Map, Shape, Type, Unknown};

/// `left == right`; `None` where the unknown parts decide, or where the values are larger than
/// the limits of [`crate::functions::limits`].
pub fn equals(left: &Value, right: &Value) -> Option<bool> {
    if bounded(left).is_err() || bounded(right).is_err() {
        return None;
    }
    same(left, right)
}

/// `left == right` as a value that carries the marks of both sides.
pub fn equal_value(left: &Value, right: &Value) -> Value {
    let result = match equals(left, right) {
        Some(answer) => Value::from(answer),
        None => match left.first_unknown().or_else(|| right.first_unknown()) {
            Some(origin) => Value::unknown_of(origin.clone(), Type::Bool),
            None => Value::unknown(crate::value::Origin::Function("==".into())),
        },
    };
    result.marked_by(left).marked_by(right)
}

fn same(left: &Value, right: &Value) -> Option<bool> {
    match (&left.kind, &right.kind) {
        (Kind::Unknown(a), Kind::Unknown(b)) => both_unknown(a, b),
        (Kind::Unknown(unknown), known) | (known, Kind::Unknown(unknown)) => {
            if may_be(unknown, known) {
                None
            } else {
                Some(false)
            }
        }
        (Kind::Null, Kind::Null) => Some(true),
        (Kind::Bool(a), Kind::Bool(b)) => Some(a == b),
        (Kind::Number(a), Kind::Number(b)) => Some(a == b),
        (Kind::String(a), Kind::String(b)) => Some(a == b),
        (Kind::List(a), Kind::List(b)) if a.shape != b.shape => Some(false),
        (Kind::List(a), Kind::List(b)) if a.shape == Shape::Set => same_sets(a, b),
        (Kind::List(a), Kind::List(b)) => same_lists(a, b),
        (Kind::Map(a), Kind::Map(b)) => same_maps(a, b),
        _ => Some(false),
    }
}

/// `false` where the prefixes contradict each other or the types differ.
fn both_unknown(left: &Unknown, right: &Unknown) -> Option<bool> {
    if let (Some(a), Some(b)) = (&left.prefix, &right.prefix)
        && !a.starts_with(b.as_ref())
        && !b.starts_with(a.as_ref())
    {
        return Some(false);
    }
    let primitive = |kind: &Type| matches!(kind, Type::Bool | Type::Number | Type::String);
    let apart = left.not_null
        && right.not_null
        && primitive(&left.kind)
        && primitive(&right.kind)
        && left.kind != right.kind;
    if apart { Some(false) } else { None }
}

/// Whether the unknown can turn out to be `known`.
fn may_be(unknown: &Unknown, known: &Kind) -> bool {
    let at_least = |count: usize| {
        unknown
            .at_least
            .is_none_or(|least| count >= usize::try_from(least).unwrap_or(usize::MAX))
    };
    match (&unknown.kind, known) {
        // A prefix is said of texts only.
        (_, Kind::Null) => !unknown.not_null && unknown.prefix.is_none(),
        (Type::Any | Type::String, Kind::String(text)) => unknown
            .prefix
            .as_ref()
            .is_none_or(|prefix| text.starts_with(prefix.as_ref())),
        (Type::Any | Type::Number, Kind::Number(number)) => {
            unknown.at_least.is_none_or(|least| *number >= least.into())
        }
        (Type::Any | Type::Bool, Kind::Bool(_))
        | (Type::Set(_), Kind::List(_))
        | (_, Kind::Unknown(_)) => true,
        (Type::Any | Type::List(_) | Type::Tuple(_), Kind::List(list)) => {
            list.rest.is_some() || list.shape == Shape::Set || at_least(list.items.len())
        }
        (Type::Any | Type::Map(_) | Type::Object(_), Kind::Map(map)) => {
            map.rest.is_some() || at_least(map.entries.len())
        }
        _ => false,
    }
}

/// All of them: one `false` decides, else one undecided leaves it open.
fn all(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(true);
    for answer in answers {
        match answer {
            Some(true) => {}
            Some(false) => return Some(false),
            None => result = None,
        }
    }
    result
}

fn same_lists(left: &List, right: &List) -> Option<bool> {
    let (a, b) = (left.items.len(), right.items.len());
    // Unseen members may stand anywhere, so an open list only has a least length.
    let apart = match (&left.rest, &right.rest) {
        (None, None) => a != b,
        (None, Some(_)) => b > a,
        (Some(_), None) => a > b,
        (Some(_), Some(_)) => false,
    };
    if apart {
        return Some(false);
    }
    if left.rest.is_some() || right.rest.is_some() {
        return None;
    }
    all(left
        .items
        .iter()
        .zip(right.items.iter())
        .map(|(a, b)| same(a, b)))
}

fn same_sets(left: &List, right: &List) -> Option<bool> {
    // A member that certainly has no partner in a closed set makes the difference.
    let lonely = |from: &List, to: &List| {
        to.rest.is_none()
            && from.items.iter().any(|item| {
                to.items
                    .iter()
                    .all(|other| same(item, other) == Some(false))
            })
    };
    let certain = |list: &List| list.rest.is_none() && list.items.iter().all(super::is_certain);
    if certain(left) && certain(right) {
        return Some(left.items == right.items);
    }
    if lonely(left, right) || lonely(right, left) {
        return Some(false);
    }
    None
}

fn same_maps(left: &Map, right: &Map) -> Option<bool> {
    let missing = |from: &Map, to: &Map| {
        to.rest.is_none() && from.entries.keys().any(|key| !to.entries.contains_key(key))
    };
    if missing(left, right) || missing(right, left) {
        return Some(false);
    }
    let shared = all(left
        .entries
        .iter()
        .filter_map(|(key, value)| right.entries.get(key).map(|other| same(value, other))));
    if left.rest.is_some() || right.rest.is_some() {
        return shared.filter(|equal| !equal);
    }
    shared
}
