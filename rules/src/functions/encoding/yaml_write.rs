//! Writes YAML: block style, keys sorted, strings and keys always quoted.
//!
//! Multi-line strings are quoted too where Terraform prints a block; they read back the same.

use super::json;
use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::Args;
use crate::functions::convert::{derived, is_certain};
use crate::functions::limits::text_size;
use crate::functions::unseen::unseen;
use crate::value::{Kind, Type};

/// `yamlencode(value)`
pub(crate) fn yamlencode(args: &Args<'_>) -> Result<Value, FunctionError> {
    let value = args.value(0);
    if let (false, Some(unknown)) = (is_certain(value), unseen(value)) {
        return Ok(derived(&unknown, Type::String));
    }
    let mut out = String::new();
    write(value, 0, &mut out)?;
    Ok(out.into())
}

fn is_block(value: &Value) -> bool {
    match &value.kind {
        Kind::List(list) => !list.items.is_empty(),
        Kind::Map(map) => !map.entries.is_empty(),
        _ => false,
    }
}

fn indent(level: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", level));
}

/// Writes a value whose first line is indented already.
fn write(value: &Value, level: usize, out: &mut String) -> Result<(), FunctionError> {
    text_size(out.len())?;
    match &value.kind {
        Kind::List(list) if is_block(value) => {
            for (position, item) in list.items.iter().enumerate() {
                if position > 0 {
                    indent(level, out);
                }
                out.push_str("- ");
                write(item, level.saturating_add(1), out)?;
            }
        }
        Kind::Map(map) if is_block(value) => {
            for (position, (key, item)) in map.entries.iter().enumerate() {
                if position > 0 {
                    indent(level, out);
                }
                out.push_str(&json::quoted(key));
                out.push(':');
                let nested = matches!(item.kind, Kind::Map(_));
                let below = if nested {
                    level.saturating_add(1)
                } else {
                    level
                };
                if is_block(item) {
                    out.push('\n');
                    indent(below, out);
                } else {
                    out.push(' ');
                }
                write(item, below, out)?;
            }
        }
        _ => {
            out.push_str(&json::encode(value)?);
            out.push('\n');
        }
    }
    Ok(())
}
