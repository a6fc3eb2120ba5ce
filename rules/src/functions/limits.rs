//! Bounds of what functions accept and produce. They keep hostile configurations from taking
//! unbounded time, memory or stack; each is far above what a provider accepts.

use super::FunctionError;
use crate::Value;
use crate::value::Kind;

/// Nesting of lists and maps in a value that functions walk through.
pub const MAX_DEPTH: usize = 256;
/// Values inside a value, shared ones counted each time (`[x, x]` of `[y, y]` of … doubles).
pub const MAX_NODES: usize = 1_000_000;
/// Bytes of a string that a function produces.
pub const MAX_TEXT: usize = 4 << 20;
/// Members of a list, set or map that a function produces.
pub const MAX_ITEMS: usize = 100_000;
/// Members of `range()`, as in Terraform.
pub const MAX_RANGE: usize = 1024;
/// Width and precision in `format()`.
pub const MAX_WIDTH: usize = 4096;
/// Bytes of a regular expression.
pub const MAX_PATTERN: usize = 16 << 10;
/// Bytes of a compiled regular expression.
pub const MAX_REGEX: usize = 1 << 20;
/// Parts of a decoded JSON, YAML (once its aliases are expanded) or CSV document.
pub const MAX_DOCUMENT: usize = 200_000;
/// Nesting of a YAML document; its parser refuses more by itself, with an error of its own.
pub const MAX_YAML_DEPTH: usize = 100;
/// Files that `fileset()` visits.
pub const MAX_FILES: usize = 20_000;

/// Refuses a value that is nested deeper than [`MAX_DEPTH`] or has more than [`MAX_NODES`]
/// values inside. Walks without recursion and stops at the limit.
pub fn bounded(value: &Value) -> Result<(), FunctionError> {
    bounded_within(value, &mut 0)
}

/// As [`bounded`], counting into `nodes` over several values.
pub(super) fn bounded_within(value: &Value, nodes: &mut usize) -> Result<(), FunctionError> {
    if !matches!(value.kind, Kind::List(_) | Kind::Map(_)) {
        return Ok(());
    }
    let mut open = vec![(value, 0_usize)];
    while let Some((value, depth)) = open.pop() {
        *nodes = nodes.saturating_add(1);
        if depth > MAX_DEPTH {
            return Err(FunctionError::Limit(format!(
                "a value is nested deeper than {MAX_DEPTH} levels"
            )));
        }
        if *nodes > MAX_NODES {
            return Err(FunctionError::Limit(format!(
                "a value has more than {MAX_NODES} parts"
            )));
        }
        let below = depth.saturating_add(1);
        match &value.kind {
            Kind::List(list) => {
                *nodes = nodes.saturating_add(list.items.len());
                open.extend(nested(list.items.iter()).map(|item| (item, below)));
            }
            Kind::Map(map) => {
                *nodes = nodes.saturating_add(map.entries.len());
                open.extend(nested(map.entries.values()).map(|item| (item, below)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Bytes that are looked at, copied or hashed in one step.
const BYTES_PER_STEP: usize = 256;

/// Steps that the members of a value cost beside its own: a map takes more than a kilobyte.
const MAP_STEPS: u64 = 10;

/// Steps for walking over so many bytes.
pub(super) fn steps_of(bytes: usize) -> u64 {
    let steps = bytes.checked_div(BYTES_PER_STEP).unwrap_or(0);
    u64::try_from(steps).unwrap_or(u64::MAX)
}

/// Steps for walking over arguments, whatever is made of them: their texts and members. Bounded
/// values only.
pub(super) fn weight(arguments: &[Value]) -> u64 {
    let (mut bytes, mut members) = (0_usize, 0_usize);
    let mut open: Vec<&Value> = Vec::new();
    let mut look = |value: &Value| match &value.kind {
        Kind::String(text) => {
            bytes = bytes.saturating_add(text.len());
            false
        }
        Kind::List(_) | Kind::Map(_) => true,
        _ => false,
    };
    open.extend(arguments.iter().filter(|value| look(value)));
    while let Some(value) = open.pop() {
        match &value.kind {
            Kind::List(list) => {
                members = members.saturating_add(list.items.len());
                open.extend(list.items.iter().filter(|item| look(item)));
            }
            Kind::Map(map) => {
                members = members.saturating_add(map.entries.len());
                open.extend(map.entries.values().filter(|item| look(item)));
            }
            _ => {}
        }
    }
    steps_of(bytes.saturating_add(members.saturating_mul(16)))
}

/// Steps for making a value.
pub(super) fn parts(value: &Value) -> u64 {
    let mut steps = 0_u64;
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        steps = steps.saturating_add(1);
        match &value.kind {
            Kind::List(list) => open.extend(list.items.iter()),
            Kind::Map(map) => {
                steps = steps.saturating_add(MAP_STEPS);
                open.extend(map.entries.values());
            }
            Kind::String(text) => steps = steps.saturating_add(steps_of(text.len())),
            _ => {}
        }
    }
    steps
}

fn nested<'a>(items: impl Iterator<Item = &'a Value>) -> impl Iterator<Item = &'a Value> {
    items.filter(|item| matches!(item.kind, Kind::List(_) | Kind::Map(_)))
}

/// Refuses a text longer than [`MAX_TEXT`] bytes, before it is built where that can be told.
pub(super) fn text_size(bytes: usize) -> Result<(), FunctionError> {
    if bytes > MAX_TEXT {
        return Err(FunctionError::Limit(format!(
            "a string would be longer than {MAX_TEXT} bytes"
        )));
    }
    Ok(())
}

/// Refuses more than [`MAX_ITEMS`] members.
pub(super) fn item_count(items: usize) -> Result<(), FunctionError> {
    if items > MAX_ITEMS {
        return Err(FunctionError::Limit(format!(
            "a collection would have more than {MAX_ITEMS} members"
        )));
    }
    Ok(())
}
