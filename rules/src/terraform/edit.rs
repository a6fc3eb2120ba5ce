//! The change to the code that gives one attribute of a resource a value, as `terraform fmt` would
//! lay it out. Refuses whatever more than one attribute decides: values that are not literals,
//! dynamic blocks, blocks that are missing or repeated, override files, JSON.

use std::fmt::Write as _;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Attribute, Block, Body, Structure};

use super::source::{Lines, MAX_FILE_BYTES, scan};
use crate::input::Edit;
use crate::{Resource, Value};

/// Levels of brackets in a file that is edited: the parser runs on the caller's stack here.
const MAX_DEPTH: usize = 16;

/// Sets the attribute at a path below a resource to a value that is written out.
pub(super) fn set(bytes: &[u8], resource: &Resource, path: &[String], value: &str) -> Option<Edit> {
    let file = &resource.span.file;
    if bytes.len() > MAX_FILE_BYTES || file.ends_with(".json") || is_elsewhere(resource, path) {
        return None;
    }
    let whole = std::str::from_utf8(bytes).ok()?;
    // Places do not count the byte order mark, and bytes do.
    let text = whole.strip_prefix('\u{feff}').unwrap_or(whole);
    let before = whole.len().saturating_sub(text.len());
    if scan(text, false).depth > MAX_DEPTH {
        return None;
    }
    let body = hcl_edit::parser::parse_body(text).ok()?;
    let lines = Lines::new(file, text);
    let mut blocks = body.iter().filter_map(Structure::as_block);
    let block = blocks.find(|block| {
        let range = block.span();
        range.is_some_and(|range| lines.span(range) == resource.span)
    })?;
    let (name, blocks) = path.split_last()?;
    let mut at = block;
    for name in blocks {
        at = only(&at.body, name)?;
    }
    let (range, text) = one(text, at, name, value)?;
    Some(Edit {
        file: file.clone(),
        span: lines.span(range.clone()),
        range: range.start.saturating_add(before)..range.end.saturating_add(before),
        text,
    })
}

/// Whether what is set there is written in another file, such as an override file.
fn is_elsewhere(resource: &Resource, path: &[String]) -> bool {
    let mut at = &resource.body;
    for name in path {
        while let crate::value::Kind::List(list) = &at.kind {
            let Some(first) = list.items.first() else {
                return false;
            };
            at = first;
        }
        let Some(next) = at.get(name) else {
            return false;
        };
        at = next;
        if Value::span(at).is_some_and(|span| span.file != resource.span.file) {
            return true;
        }
    }
    false
}

/// Whether a nested block makes blocks or attributes of a name.
fn makes(block: &Block, name: &str) -> bool {
    let is_dynamic = block.ident.as_str() == "dynamic"
        && block
            .labels
            .first()
            .is_some_and(|label| label.as_str() == name);
    is_dynamic || block.ident.as_str() == name
}

/// The only nested block of a name, written out.
fn only<'a>(body: &'a Body, name: &str) -> Option<&'a Block> {
    let mut blocks = body.iter().filter_map(Structure::as_block);
    let block = blocks.find(|block| makes(block, name))?;
    let alone = blocks.all(|other| !makes(other, name)) && block.ident.as_str() == name;
    alone.then_some(block)
}

fn one(text: &str, block: &Block, name: &str, value: &str) -> Option<(Range<usize>, String)> {
    let mut blocks = block.body.iter().filter_map(Structure::as_block);
    if blocks.any(|inner| makes(inner, name)) {
        return None;
    }
    let mut attributes = block.body.iter().filter_map(Structure::as_attribute);
    match attributes.find(|attribute| attribute.key.as_str() == name) {
        Some(attribute) if is_literal(&attribute.value) => {
            Some((attribute.value.span()?, value.to_owned()))
        }
        Some(_) => None,
        None => insert(text, block, name, value),
    }
}

/// Whether nothing but the text itself decides a value.
fn is_literal(expression: &Expression) -> bool {
    match expression {
        Expression::Null(_)
        | Expression::Bool(_)
        | Expression::Number(_)
        | Expression::String(_) => true,
        Expression::Array(items) => items.iter().all(is_literal),
        Expression::Object(entries) => entries.iter().all(|(_, value)| is_literal(value.expr())),
        _ => false,
    }
}

/// A new line behind the last attribute before the nested blocks, else at the top of the block.
fn insert(text: &str, block: &Block, name: &str, value: &str) -> Option<(Range<usize>, String)> {
    let whole = block.span()?;
    let close = whole.end.checked_sub(1)?;
    let outer = indentation(text, whole.start)?;
    let end_of_line = if text.contains("\r\n") { "\r\n" } else { "\n" };
    if !text.get(whole.clone())?.contains('\n') {
        // On one line: only where nothing stands between the braces.
        let head = text.get(..close)?.trim_end_matches([' ', '\t']);
        let is_empty = block.body.is_empty() && head.ends_with('{');
        let line = format!("{end_of_line}{outer}  {name} = {value}{end_of_line}{outer}");
        return is_empty.then_some((head.len()..close, line));
    }
    let first = block.body.iter().next().and_then(hcl_edit::Span::span);
    let inner = match first.and_then(|range| indentation(text, range.start)) {
        Some(inner) => inner.to_owned(),
        None => format!("{outer}  "),
    };
    let leading = block.body.iter().map_while(Structure::as_attribute);
    let rows: Vec<Row<'_>> = leading
        .map(|one| Row::of(text, one))
        .collect::<Option<_>>()?;
    let Some(last) = rows.last() else {
        let labels = block.labels.last().and_then(hcl_edit::Span::span);
        let head = labels.or_else(|| block.ident.span())?.end;
        let at = head.saturating_add(text.get(head..)?.find('{')?.saturating_add(1));
        let at = end_of(text, at)?;
        return Some((at..at, format!("{end_of_line}{inner}{name} = {value}")));
    };
    let mut group: Vec<&Row<'_>> = Vec::new();
    for row in rows.iter().rev() {
        let follows = group.last().is_none_or(|below| {
            text.get(row.end..below.start)
                .is_some_and(|between| between.trim_matches([' ', '\t', '\r']) == "\n")
        });
        if !row.is_aligned || !follows {
            break;
        }
        group.push(row);
    }
    let longest = group.iter().map(|row| row.key.chars().count()).max();
    let longest = longest.unwrap_or_default().max(name.chars().count());
    let new = format!("{end_of_line}{inner}{name:longest$} = {value}");
    let is_wide = group.iter().any(|row| row.width != longest);
    let Some(top) = group.last().filter(|_| is_wide) else {
        return Some((last.end..last.end, new));
    };
    // The neighbours move to the right of the longer name.
    let mut changed = String::new();
    for (number, row) in group.iter().rev().enumerate() {
        if number > 0 {
            changed.push_str(end_of_line);
            changed.push_str(&inner);
        }
        let _ = write!(changed, "{:longest$} {}", row.key, row.rest);
    }
    Some((top.start..last.end, changed + &new))
}

/// An attribute on its line.
struct Row<'a> {
    /// Where it begins.
    start: usize,
    /// The end of its last line, behind a comment.
    end: usize,
    key: &'a str,
    /// Characters before the space and the sign.
    width: usize,
    /// From the sign on.
    rest: &'a str,
    /// It is one line, on which nothing stands before it.
    is_aligned: bool,
}

impl<'a> Row<'a> {
    fn of(text: &'a str, attribute: &Attribute) -> Option<Self> {
        let (key, value) = (attribute.key.span()?, attribute.value.span()?);
        let end = end_of(text, value.end)?;
        let between = text.get(key.end..value.start)?;
        let sign = between.find('=')?;
        let width = text.get(key.clone())?.chars().count();
        let rest = text.get(key.end.saturating_add(sign)..end)?;
        let is_alone = indentation(text, key.start).is_some();
        Some(Self {
            start: key.start,
            end,
            key: text.get(key)?,
            width: width.saturating_add(sign.saturating_sub(1)),
            rest,
            is_aligned: is_alone && !rest.contains('\n') && sign > 0,
        })
    }
}

/// The end of the line of an offset, before its line break.
fn end_of(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let line = rest.split('\n').next().unwrap_or(rest);
    Some(at.saturating_add(line.trim_end_matches('\r').len()))
}

/// What stands before an offset on its line, where that is only space.
fn indentation(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?;
    let line = before.rsplit('\n').next().unwrap_or(before);
    line.trim_matches([' ', '\t']).is_empty().then_some(line)
}

#[cfg(test)]
mod tests;
