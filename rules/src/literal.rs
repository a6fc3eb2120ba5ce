//! Values as they are written in HCL, for fixes. Control characters are escaped and lengths are
//! bounded: what a user's file contains reaches terminals and reports through here.

use std::fmt::Write as _;

use crate::Value;
use crate::value::Kind;

/// Longest literal, in characters.
const MAX_LENGTH: usize = 300;

/// Deepest nesting of a value that is written.
const MAX_DEPTH: usize = 4;

/// Writes a value as HCL, for a fix. `None` where a part is unknown, sensitive or too deep.
pub(crate) fn write(value: &Value) -> Option<String> {
    let mut out = String::new();
    write_hcl(value, &mut out, MAX_DEPTH)?;
    (out.chars().count() <= MAX_LENGTH).then_some(out)
}

fn write_hcl(value: &Value, out: &mut String, depth: usize) -> Option<()> {
    let deeper = depth.checked_sub(1)?;
    if value.is_sensitive() {
        return None;
    }
    match &value.kind {
        Kind::Null => out.push_str("null"),
        Kind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Kind::Number(number) => out.push_str(&number.normalize().to_string()),
        Kind::String(text) => quote(text, out),
        Kind::Unknown(_) => return None,
        Kind::List(list) => {
            if list.rest.is_some() {
                return None;
            }
            out.push('[');
            for (place, item) in list.items.iter().enumerate() {
                out.push_str(if place > 0 { ", " } else { "" });
                write_hcl(item, out, deeper)?;
            }
            out.push(']');
        }
        Kind::Map(map) => {
            if map.rest.is_some() {
                return None;
            }
            out.push_str("{ ");
            for (place, (key, item)) in map.entries.iter().enumerate() {
                out.push_str(if place > 0 { ", " } else { "" });
                quote(key, out);
                out.push_str(" = ");
                write_hcl(item, out, deeper)?;
            }
            out.push_str(" }");
        }
    }
    Some(())
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '$' | '%' if rest.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            c if c.is_control() => {
                let code = u32::from(c);
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{code:04x}");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
