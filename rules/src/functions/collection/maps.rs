//! Functions of maps and objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::members;
use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{Args, argument, sequence};
use crate::functions::convert::to_string;
use crate::functions::limits::item_count;
use crate::value::{Kind, Map, Type, Unknown};

type Entries = BTreeMap<Arc<str>, Value>;

fn map(entries: Entries, rest: Option<Unknown>) -> Value {
    Kind::Map(Map {
        entries: Arc::new(entries),
        rest,
    })
    .into()
}

/// `keys(map)`
pub(crate) fn keys(args: &Args<'_>) -> Result<Value, FunctionError> {
    let map = args.map(0)?;
    Ok(sequence(
        map.entries
            .keys()
            .map(|key| Value::from(key.as_ref()))
            .collect(),
        map.rest.clone(),
    ))
}

/// `values(map)`, in the order of the keys.
pub(crate) fn values(args: &Args<'_>) -> Result<Value, FunctionError> {
    let map = args.map(0)?;
    Ok(sequence(
        map.entries.values().cloned().collect(),
        map.rest.clone(),
    ))
}

/// `lookup(map, key, default)`
pub(crate) fn lookup(args: &Args<'_>) -> Result<Value, FunctionError> {
    let map = args.map(0)?;
    if let Some(found) = map.entries.get(args.text(1)) {
        return Ok(found.clone());
    }
    if let Some(rest) = &map.rest {
        return Ok(Value::unknown_of(rest.origin.clone(), Type::Any));
    }
    if args.has(2) {
        return Ok(args.value(2).clone());
    }
    Err(argument("the map has no such key and no default is given"))
}

/// `merge(maps…)`: later entries win. A map with entries that we cannot see may override all
/// earlier ones, so those become unknown; what follows it is certain.
pub(crate) fn merge(args: &Args<'_>) -> Result<Value, FunctionError> {
    let mut entries = Entries::new();
    let mut rest: Option<Unknown> = None;
    for value in args.all() {
        let (more, open) = match &value.kind {
            Kind::Null => continue,
            Kind::Map(map) => (Some(&map.entries), map.rest.clone()),
            Kind::Unknown(unknown) => match &unknown.kind {
                Type::Any | Type::Map(_) | Type::Object(_) => (None, Some(unknown.clone())),
                _ => return Err(argument("every argument must be a map")),
            },
            _ => return Err(argument("every argument must be a map")),
        };
        if let Some(unknown) = open {
            let named = match &unknown.kind {
                Type::Object(fields) if more.is_none() => Some(fields.clone()),
                _ => None,
            };
            for (key, entry) in &mut entries {
                if named.as_ref().is_none_or(|fields| fields.contains_key(key)) {
                    *entry = Value::unknown_of(unknown.origin.clone(), Type::Any)
                        .marked_by(entry)
                        .marked_by(value);
                }
            }
            // An unknown of an object type has just the attributes of the type.
            match named {
                Some(fields) => entries.extend(fields.iter().map(|(name, field)| {
                    let kind = field.kind.clone();
                    (
                        name.clone(),
                        Value::unknown_of(unknown.origin.clone(), kind),
                    )
                })),
                None => rest = rest.or(Some(unknown)),
            }
        }
        if let Some(more) = more {
            item_count(entries.len().saturating_add(more.len()))?;
            entries.extend(more.iter().map(|(key, entry)| (key.clone(), entry.clone())));
        }
    }
    Ok(map(entries, rest))
}

/// `zipmap(keys, values)`: an unknown key opens the map.
pub(crate) fn zipmap(args: &Args<'_>) -> Result<Value, FunctionError> {
    let (keys, values) = (args.list(0)?, args.list(1)?);
    if let Some(rest) = keys.rest.as_ref().or(values.rest.as_ref()) {
        return Ok(map(Entries::new(), Some(rest.clone())));
    }
    if keys.items.len() != values.items.len() {
        return Err(argument("as many keys as values required"));
    }
    let mut entries = Entries::new();
    let mut rest = None;
    for (key, value) in keys.items.iter().zip(values.items.iter()) {
        match to_string(key)?.kind {
            Kind::String(key) => {
                entries.insert(key, value.clone());
            }
            Kind::Unknown(unknown) => rest = rest.or(Some(unknown)),
            _ => return Err(argument("a key must not be null")),
        }
    }
    if let Some(unknown) = &rest {
        // The unknown key may repeat a known one that stands before it.
        for entry in entries.values_mut() {
            *entry = Value::unknown_of(unknown.origin.clone(), Type::Any).marked_by(entry);
        }
    }
    Ok(map(entries, rest))
}

/// `transpose(map)`: from keys → lists of strings to strings → lists of keys.
pub(crate) fn transpose(args: &Args<'_>) -> Result<Value, FunctionError> {
    let given = args.map(0)?;
    let mut turned: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
    let mut rest = given.rest.clone();
    let mut count = 0_usize;
    for (key, list) in given.entries.iter() {
        if list.as_list().is_none() && list.as_unknown().is_none() {
            return Err(argument("a map of lists required"));
        }
        let (items, more) = members(list);
        rest = rest.or(more);
        for item in items {
            count = count.saturating_add(1);
            item_count(count)?;
            match to_string(item)?.kind {
                Kind::String(text) => {
                    turned
                        .entry(text)
                        .or_default()
                        .push(Value::from(key.as_ref()));
                }
                Kind::Unknown(unknown) => rest = rest.or(Some(unknown)),
                _ => return Err(argument("null cannot become a key")),
            }
        }
    }
    let entries = turned
        .into_iter()
        .map(|(key, keys)| (key, sequence(keys, rest.clone())))
        .collect();
    Ok(map(entries, rest))
}

/// `map(key, value, …)`: gone from Terraform, yet old modules call it.
pub(crate) fn map_of(args: &Args<'_>) -> Result<Value, FunctionError> {
    let mut entries = Entries::new();
    let (pairs, rest) = args.all().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(argument("a value for every key required"));
    }
    let mut open = None;
    for [key, value] in pairs {
        match to_string(key)?.kind {
            Kind::String(key) => {
                entries.insert(key, value.clone());
            }
            Kind::Unknown(unknown) => open = open.or(Some(unknown)),
            _ => return Err(argument("a key must not be null")),
        }
    }
    Ok(map(entries, open))
}
