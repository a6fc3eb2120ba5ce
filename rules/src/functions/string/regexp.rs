//! Regular expressions in RE2's syntax, as Terraform has them, on a linear-time engine.
//!
//! Translates what the two syntaxes read differently: `\d`, `\w`, `\s` and `\b` are ASCII in
//! RE2, brackets and set operators inside a class are plain characters, `\Q…\E` quotes. Patterns
//! and their compiled size are bounded.

use std::iter::Peekable;
use std::str::Chars;
use std::sync::Arc;

use regex::{Captures, Regex, RegexBuilder};

use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{Args, argument};
use crate::functions::limits::{MAX_PATTERN, MAX_REGEX, item_count, text_size};

fn compile(pattern: &str) -> Result<Regex, FunctionError> {
    if pattern.len() > MAX_PATTERN {
        return Err(FunctionError::Limit(format!(
            "a regular expression is longer than {MAX_PATTERN} bytes"
        )));
    }
    RegexBuilder::new(&translate(pattern))
        .size_limit(MAX_REGEX)
        .dfa_size_limit(MAX_REGEX)
        .nest_limit(100)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                FunctionError::Limit("a regular expression is too large".into())
            }
            _ => argument("not a valid regular expression"),
        })
}

fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    let mut class = false;
    while let Some(character) = rest.next() {
        match character {
            '\\' => escape(&mut rest, class, &mut out),
            '[' if class && rest.peek() == Some(&':') => named_class(&mut rest, &mut out),
            '[' if class => out.push_str("\\["),
            '[' => {
                class = true;
                out.push('[');
                if rest.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                // A bracket in first place is a member.
                if rest.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            ']' if class => {
                class = false;
                out.push(']');
            }
            '&' | '~' if class => {
                out.push('\\');
                out.push(character);
            }
            // `--` would be a set difference.
            '-' if class && rest.peek() == Some(&'-') => out.push_str("\\-"),
            _ => out.push(character),
        }
    }
    out
}

fn escape(rest: &mut Peekable<Chars<'_>>, class: bool, out: &mut String) {
    let Some(letter) = rest.next() else {
        out.push('\\');
        return;
    };
    match letter {
        'd' => out.push_str("[0-9]"),
        'D' => out.push_str("[^0-9]"),
        'w' => out.push_str("[0-9A-Za-z_]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        's' => out.push_str("[\\t\\n\\f\\r ]"),
        'S' => out.push_str("[^\\t\\n\\f\\r ]"),
        'b' | 'B' if !class => {
            out.push_str("(?-u:\\");
            out.push(letter);
            out.push(')');
        }
        'Q' => quoted(rest, out),
        _ => {
            out.push('\\');
            out.push(letter);
        }
    }
}

/// `[:alpha:]` up to its end.
fn named_class(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    for character in rest.by_ref() {
        out.push(character);
        if character == ']' {
            return;
        }
    }
}

fn quoted(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    let mut text = String::new();
    while let Some(character) = rest.next() {
        if character == '\\' && rest.next_if_eq(&'E').is_some() {
            break;
        }
        text.push(character);
    }
    out.push_str(&regex::escape(&text));
}

/// The whole match, or its groups: a map if they are named, else a list.
struct Groups {
    names: Vec<Option<Arc<str>>>,
}

impl Groups {
    fn of(regex: &Regex) -> Result<Self, FunctionError> {
        let names: Vec<Option<Arc<str>>> = regex
            .capture_names()
            .skip(1)
            .map(|name| name.map(Arc::from))
            .collect();
        let named = names.iter().filter(|name| name.is_some()).count();
        if named != 0 && named != names.len() {
            return Err(argument("named and unnamed groups must not be mixed"));
        }
        Ok(Self { names })
    }

    fn value(&self, captures: &Captures<'_>) -> Value {
        let group = |position: usize| {
            captures
                .get(position)
                .map_or(Value::NULL, |found| found.as_str().into())
        };
        let groups = (1_usize..).zip(&self.names);
        match self.names.first() {
            None => group(0),
            Some(None) => Value::list(groups.map(|(position, _)| group(position))),
            Some(Some(_)) => Value::map(
                groups.filter_map(|(position, name)| Some((name.clone()?, group(position)))),
            ),
        }
    }
}

/// `regex(pattern, string)`
pub(crate) fn regex(args: &Args<'_>) -> Result<Value, FunctionError> {
    let regex = compile(args.text(0))?;
    let groups = Groups::of(&regex)?;
    regex
        .captures(args.text(1))
        .map(|captures| groups.value(&captures))
        .ok_or_else(|| argument("the pattern does not match the string"))
}

/// `regexall(pattern, string)`
pub(crate) fn regexall(args: &Args<'_>) -> Result<Value, FunctionError> {
    let regex = compile(args.text(0))?;
    let groups = Groups::of(&regex)?;
    let mut all = Vec::new();
    for captures in regex.captures_iter(args.text(1)) {
        item_count(all.len())?;
        all.push(groups.value(&captures));
    }
    Ok(Value::list(all))
}

/// `replace(string, part, replacement)`: a part between slashes is a regular expression.
pub(crate) fn replace(args: &Args<'_>) -> Result<Value, FunctionError> {
    let (text, part, replacement) = (args.text(0), args.text(1), args.text(2));
    let pattern = part
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'));
    let mut out = String::new();
    let mut last = 0_usize;
    if let Some(pattern) = pattern {
        let regex = compile(pattern)?;
        for captures in regex.captures_iter(text) {
            let Some(found) = captures.get(0) else {
                continue;
            };
            out.push_str(text.get(last..found.start()).unwrap_or_default());
            captures.expand(replacement, &mut out);
            last = found.end();
            text_size(out.len())?;
        }
    } else {
        for (start, found) in text.match_indices(part) {
            out.push_str(text.get(last..start).unwrap_or_default());
            out.push_str(replacement);
            last = start.saturating_add(found.len());
            text_size(out.len())?;
        }
    }
    out.push_str(text.get(last..).unwrap_or_default());
    Ok(out.into())
}
