//! `format` and `formatlist`.
//!
//! Everything before the first unknown argument becomes the known prefix of the result.

use super::text::after;
use super::verb::{Piece, Verb, parse};
use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{Args, argument, sequence};
use crate::functions::limits::{item_count, text_size};
use crate::functions::unseen::unseen;
use crate::value::{Type, Unknown};

/// `format(spec, values…)`
pub(crate) fn format(args: &Args<'_>) -> Result<Value, FunctionError> {
    print(&parse(args.text(0))?, args.from(1))
}

fn print(pieces: &[Piece], values: &[Value]) -> Result<Value, FunctionError> {
    let mut out = String::new();
    let mut next = 0_usize;
    let mut highest = 0_usize;
    let mut explicit = false;
    let mut stopped: Option<Value> = None;
    for piece in pieces {
        let verb = match piece {
            Piece::Text(text) => {
                out.push_str(text);
                continue;
            }
            Piece::Verb(verb) => verb,
        };
        let position = match verb.index {
            Some(index) => {
                explicit = true;
                index.saturating_sub(1)
            }
            None => next,
        };
        next = position.saturating_add(1);
        highest = highest.max(next);
        let value = values.get(position).ok_or_else(|| {
            argument(format!(
                "not enough arguments for the format: {next} needed"
            ))
        })?;
        if stopped.is_none() {
            stopped = put(verb, value, &mut out)?;
        }
        text_size(out.len())?;
    }
    if !explicit && highest < values.len() {
        return Err(argument(format!(
            "too many arguments: the format needs {highest}"
        )));
    }
    Ok(stopped.unwrap_or_else(|| out.into()))
}

/// Prints one value, or gives the unknown result that starts with what was printed so far.
fn put(verb: &Verb, value: &Value, out: &mut String) -> Result<Option<Value>, FunctionError> {
    if let Some(unknown) = value.as_unknown() {
        if verb.is_plain() {
            return Ok(Some(after(unknown, out.clone())));
        }
        let bare = Unknown {
            prefix: None,
            ..unknown.clone()
        };
        return Ok(Some(after(&bare, out.clone())));
    }
    if let Some(inside) = unseen(value) {
        return Ok(Some(after(&inside, out.clone())));
    }
    out.push_str(&verb.print(value)?);
    Ok(None)
}

/// `formatlist(spec, lists…)`: lists are walked in step, single values are repeated.
pub(crate) fn formatlist(args: &Args<'_>) -> Result<Value, FunctionError> {
    let pieces = parse(args.text(0))?;
    let values = args.from(1);
    let mut length: Option<usize> = None;
    let mut rest = None;
    for value in values {
        let Some(list) = value.as_list() else {
            // An unknown of unknown type may be a list.
            if let Some(unknown) = value.as_unknown()
                && !matches!(unknown.kind, Type::Bool | Type::Number | Type::String)
            {
                rest = Some(unknown.clone());
            }
            continue;
        };
        rest = rest.or_else(|| list.rest.clone());
        match length {
            Some(other) if other != list.items.len() && list.rest.is_none() && rest.is_none() => {
                return Err(argument("lists of the same length required"));
            }
            Some(other) => length = Some(other.min(list.items.len())),
            None => length = Some(list.items.len()),
        }
    }
    if rest.is_some() && values.len() > 1 {
        // Members of several open lists do not pair up by position.
        return Ok(sequence(Vec::new(), rest));
    }
    let count = match (length, &rest) {
        (Some(count), _) => count,
        (None, Some(_)) => 0,
        (None, None) => 1,
    };
    item_count(count)?;
    let mut items = Vec::with_capacity(count);
    let mut size = 0_usize;
    for row in 0..count {
        let arguments: Vec<Value> = values
            .iter()
            .map(|value| match value.as_list() {
                Some(list) => list.items.get(row).cloned().unwrap_or(Value::NULL),
                None => value.clone(),
            })
            .collect();
        let mut text = print(&pieces, &arguments)?;
        for value in &arguments {
            text = text.marked_by(value);
        }
        size = size.saturating_add(text.as_str().map_or(0, str::len));
        text_size(size)?;
        items.push(text);
    }
    Ok(sequence(items, rest))
}
