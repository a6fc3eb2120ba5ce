//! Case, joining, splitting and the other plain text functions.
#![expect(
    clippy::unnecessary_wraps,
    reason = "all functions of the table have one type"
)]

use super::affix::prefixed;
use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{Args, argument, sequence, settled};
use crate::functions::convert::to_string;
use crate::functions::limits::text_size;
use crate::functions::unseen::unseen;
use crate::value::{Kind, Unknown};

fn cased(args: &Args<'_>, change: fn(&str) -> String) -> Result<Value, FunctionError> {
    Ok(match args.value(0).as_unknown() {
        None => change(args.text(0)).into(),
        Some(unknown) => {
            let prefix = unknown.prefix.as_deref().unwrap_or_default();
            // Beyond ASCII, the case of a letter can depend on what follows.
            prefixed(
                unknown,
                &if prefix.is_ascii() {
                    change(prefix)
                } else {
                    String::new()
                },
            )
        }
    })
}

/// `lower(string)`
pub(crate) fn lower(args: &Args<'_>) -> Result<Value, FunctionError> {
    cased(args, str::to_lowercase)
}

/// `upper(string)`
pub(crate) fn upper(args: &Args<'_>) -> Result<Value, FunctionError> {
    cased(args, str::to_uppercase)
}

/// `title(string)`
pub(crate) fn title(args: &Args<'_>) -> Result<Value, FunctionError> {
    let mut out = String::new();
    let mut start = true;
    for character in args.text(0).chars() {
        if start {
            out.extend(character.to_uppercase());
        } else {
            out.push(character);
        }
        start = if character.is_ascii() {
            !character.is_ascii_alphanumeric() && character != '_'
        } else {
            character.is_whitespace()
        };
    }
    Ok(out.into())
}

/// `strrev(string)`
pub(crate) fn strrev(args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(args.text(0).chars().rev().collect::<String>().into())
}

/// `indent(spaces, string)`: all lines but the first.
pub(crate) fn indent(args: &Args<'_>) -> Result<Value, FunctionError> {
    let (spaces, text) = (args.count(0)?, args.text(1));
    let lines = text.bytes().filter(|byte| *byte == b'\n').count();
    text_size(lines.saturating_mul(spaces).saturating_add(text.len()))?;
    // Without a line break nothing is built, however large the number.
    if lines == 0 {
        return Ok(text.into());
    }
    Ok(text
        .replace('\n', &format!("\n{}", " ".repeat(spaces)))
        .into())
}

/// `split(separator, string)`: of an unknown string, the parts of its known prefix are certain
/// up to the last separator.
pub(crate) fn split(args: &Args<'_>) -> Result<Value, FunctionError> {
    let separator = args.text(0);
    if let Some(unknown) = args.value(1).as_unknown() {
        let prefix = unknown.prefix.as_deref().unwrap_or_default();
        let mut parts = parts(prefix, separator);
        parts.pop();
        return Ok(sequence(parts, Some(unknown.clone())));
    }
    Ok(sequence(parts(args.text(1), separator), None))
}

fn parts(text: &str, separator: &str) -> Vec<Value> {
    if separator.is_empty() {
        return text.chars().map(|part| part.to_string().into()).collect();
    }
    text.split(separator).map(Value::from).collect()
}

/// `join(separator, lists…)`: an unknown member leaves what stands before it as prefix.
pub(crate) fn join(args: &Args<'_>) -> Result<Value, FunctionError> {
    let separator = args.text(0);
    let mut out = String::new();
    let mut first = true;
    for list in args.from(1) {
        if let Some(unknown) = list.as_unknown() {
            return Ok(prefixed(unknown, &out));
        }
        let list = settled(list);
        let list = list.as_list().ok_or_else(|| argument("a list required"))?;
        // Where the order is not certain, neither is the beginning.
        if let Some(rest) = &list.rest {
            return Ok(prefixed(rest, &out));
        }
        for item in list.items.iter() {
            let item = to_string(item)?;
            if !first {
                out.push_str(separator);
            }
            first = false;
            match &item.kind {
                Kind::String(text) => out.push_str(text),
                Kind::Unknown(unknown) => return Ok(after(unknown, out)),
                _ => return Err(argument("null cannot be joined")),
            }
            text_size(out.len())?;
        }
    }
    if let Some(unknown) = args.from(1).iter().find_map(unseen) {
        return Ok(prefixed(&unknown, &out));
    }
    Ok(out.into())
}

/// An unknown string that continues `out` with `unknown`.
pub(super) fn after(unknown: &Unknown, mut out: String) -> Value {
    out.push_str(unknown.prefix.as_deref().unwrap_or_default());
    prefixed(unknown, &out)
}
