//! Regular expressions in RE2's syntax, as Terraform has them, on a linear-time engine.
//!
//! Translates what the two syntaxes read differently: `\d`, `\w`, `\s` and `\b` are ASCII in
//! RE2, brackets and set operators inside a class are plain characters, `\Q…\E` quotes. Patterns
//! and their compiled size are bounded.

use std::iter::Peekable;
use std::rc::Rc;
use std::str::Chars;
use std::sync::Arc;

use regex::{Captures, Regex, RegexBuilder};

use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{Args, argument};
use crate::functions::limits::{MAX_PATTERN, MAX_REGEX, item_count, steps_of, text_size};

/// States of a pattern up to which matching takes a fixed time per byte.
const SMALL: usize = 100;

/// Steps that compiling a pattern costs, for each state.
const STATE_STEPS: u64 = 4;

/// A compiled pattern, and what matching costs.
struct Pattern {
    regex: Rc<Regex>,
    states: usize,
}

impl Pattern {
    fn new(args: &Args<'_>, pattern: &str) -> Result<Self, FunctionError> {
        if pattern.len() > MAX_PATTERN {
            return Err(FunctionError::Limit(format!(
                "a regular expression is longer than {MAX_PATTERN} bytes"
            )));
        }
        let states = states(pattern);
        let compile = || {
            let steps = u64::try_from(states).unwrap_or(u64::MAX);
            let meter = args.context.meter;
            meter.pay(steps.min(MAX_STATES).saturating_mul(STATE_STEPS))?;
            compile(pattern)
        };
        let regex = match args.context.memory {
            Some(memory) => memory.pattern(pattern, compile)?,
            None => Rc::new(compile()?),
        };
        Ok(Self { regex, states })
    }

    /// Pays for one search through so many bytes: large automata are simulated state by state.
    fn search(&self, args: &Args<'_>, bytes: usize) -> Result<(), FunctionError> {
        let beyond = self.states.saturating_sub(SMALL);
        let factor = beyond.checked_div(2).unwrap_or(0).saturating_add(1);
        args.context
            .meter
            .pay(steps_of(bytes.saturating_mul(factor)))
    }
}

/// The compiled size of a pattern is bounded, and so are its states.
const MAX_STATES: u64 = 50_000;

/// How many states an automaton for the pattern has, roughly: repetitions multiply what they
/// repeat.
fn states(pattern: &str) -> usize {
    let mut rest = pattern.chars().peekable();
    // What the open groups hold so far, and the last operand of each, which may be repeated.
    let mut groups: Vec<(usize, usize)> = vec![(0, 0)];
    while let Some(character) = rest.next() {
        let operand = match character {
            '(' => {
                groups.push((0, 0));
                continue;
            }
            ')' => {
                let Some((sum, last)) = groups.pop().filter(|_| !groups.is_empty()) else {
                    break;
                };
                sum.saturating_add(last)
            }
            '{' => {
                let times = repetitions(&mut rest);
                if let Some((_, last)) = groups.last_mut() {
                    *last = last.saturating_mul(times);
                }
                continue;
            }
            '*' | '+' | '?' | '|' | '^' | '$' => 1,
            '.' => 10,
            '[' => {
                let mut size = 4_usize;
                let mut escaped = false;
                let mut first = true;
                for member in rest.by_ref() {
                    match member {
                        _ if escaped => escaped = false,
                        '\\' => escaped = true,
                        ']' if !first => break,
                        '^' if first => {
                            size = size.saturating_add(16);
                            continue;
                        }
                        _ if !member.is_ascii() => size = size.saturating_add(4),
                        _ => {}
                    }
                    first = false;
                }
                size
            }
            '\\' => match rest.next() {
                Some('p' | 'P') => {
                    // Its name in braces is not a repetition.
                    if rest.next_if_eq(&'{').is_some() {
                        rest.by_ref().take_while(|next| *next != '}').for_each(drop);
                    }
                    400
                }
                Some('D' | 'W' | 'S') => 20,
                _ => 4,
            },
            other => other.len_utf8(),
        };
        if groups.is_empty() {
            groups.push((0, 0));
        }
        if let Some((sum, last)) = groups.last_mut() {
            // A sign behind an operand belongs to it, which the sum does not mind.
            *sum = sum.saturating_add(*last);
            *last = operand;
        }
    }
    groups.into_iter().fold(0, |all, (sum, last)| {
        all.saturating_add(sum).saturating_add(last)
    })
}

/// The most that `{n}`, `{n,}` or `{n,m}` repeats; 1 where it is plain text.
fn repetitions(rest: &mut Peekable<Chars<'_>>) -> usize {
    let mut numbers = [0_usize; 2];
    let mut place = 0;
    for character in rest.by_ref() {
        match (character, character.to_digit(10)) {
            ('}', _) => break,
            (',', _) => place = 1,
            (_, Some(digit)) => {
                let digit = usize::try_from(digit).unwrap_or(0);
                if let Some(number) = numbers.get_mut(place) {
                    *number = number.saturating_mul(10).saturating_add(digit);
                }
            }
            _ => return 1,
        }
    }
    numbers.into_iter().max().unwrap_or(1).max(1)
}

fn compile(pattern: &str) -> Result<Regex, FunctionError> {
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
    let pattern = Pattern::new(args, args.text(0))?;
    let groups = Groups::of(&pattern.regex)?;
    pattern.search(args, args.text(1).len())?;
    let captures = pattern.regex.captures(args.text(1));
    captures
        .map(|captures| groups.value(&captures))
        .ok_or_else(|| argument("the pattern does not match the string"))
}

/// `regexall(pattern, string)`
pub(crate) fn regexall(args: &Args<'_>) -> Result<Value, FunctionError> {
    let pattern = Pattern::new(args, args.text(0))?;
    let groups = Groups::of(&pattern.regex)?;
    let text = args.text(1);
    let mut all = Vec::new();
    pattern.search(args, text.len())?;
    for captures in pattern.regex.captures_iter(text) {
        item_count(all.len())?;
        // Each search may look at the rest of the text.
        pattern.search(args, left(text, &captures))?;
        all.push(groups.value(&captures));
    }
    Ok(Value::list(all))
}

/// Bytes behind a match.
fn left(text: &str, captures: &Captures<'_>) -> usize {
    let end = captures.get(0).map_or(0, |found| found.end());
    text.len().saturating_sub(end)
}

/// `replace(string, part, replacement)`: a part between slashes is a regular expression.
pub(crate) fn replace(args: &Args<'_>) -> Result<Value, FunctionError> {
    let (text, part, replacement) = (args.text(0), args.text(1), args.text(2));
    let regex = part
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'));
    let mut out = String::new();
    let mut last = 0_usize;
    if let Some(regex) = regex {
        let pattern = Pattern::new(args, regex)?;
        pattern.search(args, text.len())?;
        for captures in pattern.regex.captures_iter(text) {
            let Some(found) = captures.get(0) else {
                continue;
            };
            pattern.search(args, left(text, &captures))?;
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

#[cfg(test)]
mod tests {
    use super::states;

    #[test]
    fn repetitions_multiply() {
        assert!(states("^[a-z0-9-]+$") < 20);
        assert!(states("(?:x[xy]{0,300}){1,5}z|q7") > 5_000);
        assert!(states("((a{100}){100}){100}") > 900_000);
        assert!(states(r"\p{L}{50}") > 10_000);
        assert!(states(r"a\{1000}") < 20);
        for odd in ["", ")", "(((", "[", "[]", "a{", "{9}", "\\", "a{,}", "]{3"] {
            assert!(states(odd) < 50, "{odd}");
        }
    }
}
