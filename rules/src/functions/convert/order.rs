//! One total order over values, and sets built on it.
//!
//! Strings, numbers and bools sort as Terraform sorts sets; unknown members sort last and are
//! never taken as duplicates of each other.

use std::cmp::Ordering;

use crate::Value;
use crate::value::{Kind, List, Shape, Unknown};

/// A total order: bools, numbers, strings, lists, maps, null, unknown; marks do not count.
pub fn compare(left: &Value, right: &Value) -> Ordering {
    match (&left.kind, &right.kind) {
        (Kind::Bool(a), Kind::Bool(b)) => a.cmp(b),
        (Kind::Number(a), Kind::Number(b)) => a.cmp(b),
        (Kind::String(a), Kind::String(b)) => a.cmp(b),
        (Kind::List(a), Kind::List(b)) => members(a.items.iter(), b.items.iter())
            .then_with(|| a.rest.is_some().cmp(&b.rest.is_some()))
            .then_with(|| (a.shape == Shape::Set).cmp(&(b.shape == Shape::Set))),
        (Kind::Map(a), Kind::Map(b)) => a
            .entries
            .keys()
            .cmp(b.entries.keys())
            .then_with(|| members(a.entries.values(), b.entries.values()))
            .then_with(|| a.rest.is_some().cmp(&b.rest.is_some())),
        (Kind::Unknown(a), Kind::Unknown(b)) => a
            .origin
            .cmp(&b.origin)
            .then_with(|| a.prefix.cmp(&b.prefix)),
        _ => rank(left).cmp(&rank(right)),
    }
}

fn members<'a>(
    mut left: impl Iterator<Item = &'a Value>,
    mut right: impl Iterator<Item = &'a Value>,
) -> Ordering {
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match compare(a, b) {
                Ordering::Equal => {}
                unequal => return unequal,
            },
        }
    }
}

fn rank(value: &Value) -> u8 {
    match value.kind {
        Kind::Bool(_) => 0,
        Kind::Number(_) => 1,
        Kind::String(_) => 2,
        Kind::List(_) => 3,
        Kind::Map(_) => 4,
        Kind::Null => 5,
        Kind::Unknown(_) => 6,
    }
}

/// Whether no part of the value is unknown or open.
pub fn is_certain(value: &Value) -> bool {
    match &value.kind {
        Kind::Unknown(_) => false,
        Kind::List(list) => list.rest.is_none() && list.items.iter().all(is_certain),
        Kind::Map(map) => map.rest.is_none() && map.entries.values().all(is_certain),
        _ => true,
    }
}

/// A set of these members: sorted, and without duplicates among the wholly known ones.
pub fn make_set(mut items: Vec<Value>, rest: Option<Unknown>) -> Kind {
    items.sort_by(compare);
    items.dedup_by(|later, earlier| {
        let same = compare(later, earlier) == Ordering::Equal && is_certain(later);
        if same {
            let kept = std::mem::replace(earlier, Value::NULL);
            *earlier = kept.marked_by(later);
        }
        same
    });
    Kind::List(List {
        items: items.into(),
        shape: Shape::Set,
        rest,
    })
}
