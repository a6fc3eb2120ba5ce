//! YAML with lines, from the events of `saphyr-parser`. A file can hold several documents. An
//! alias is refused: lockfiles have none, and expanding them is how a small file becomes a large
//! one. Plain scalars stay text, except `null`, `true` and `false`.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::{Budget, Entry, Error, MAX_DEPTH, Node, Value};

/// Reads all documents.
pub fn parse(text: &str) -> Result<Vec<Node<'_>>, Error> {
    let mut documents = Vec::new();
    let mut builder = Builder {
        budget: Budget::new(),
        open: Vec::new(),
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event
            .map_err(|error| Error::at(line(error.marker().line()), error.info().to_owned()))?;
        let line = line(span.start.line());
        let node = match event {
            Event::MappingStart(..) => {
                builder.start(Open::Table(line, Vec::new(), None), line)?;
                None
            }
            Event::SequenceStart(..) => {
                builder.start(Open::List(line, Vec::new()), line)?;
                None
            }
            Event::MappingEnd | Event::SequenceEnd => builder.end()?,
            Event::Scalar(text, style, ..) => {
                builder.budget.spend(line, builder.open.len())?;
                let value = scalar(text, style);
                Some(node(line, value))
            }
            Event::Alias(_) => return Err(Error::at(line, "aliases are not read")),
            Event::StreamEnd => break,
            Event::DocumentEnd | Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {
                None
            }
        };
        if let Some(node) = node {
            documents.extend(builder.place(node));
        }
    }
    Ok(documents)
}

/// The parser counts characters and not bytes: of a place the line is kept.
const fn node(line: u32, value: Value<'_>) -> Node<'_> {
    Node {
        line,
        start: 0,
        end: 0,
        value,
    }
}

fn line(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX).max(1)
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Value<'_> {
    if style != ScalarStyle::Plain {
        return Value::Text(text);
    }
    match text.as_ref() {
        "" | "~" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => Value::Text(text),
    }
}

/// A key; one that is itself a collection has no name we could look for.
fn key_text(value: Value<'_>) -> Cow<'_, str> {
    match value {
        Value::Text(text) | Value::Number(text) => text,
        Value::Bool(true) => "true".into(),
        Value::Bool(false) => "false".into(),
        Value::Null | Value::List(_) | Value::Table(_) => "".into(),
    }
}

enum Open<'a> {
    List(u32, Vec<Node<'a>>),
    /// Line, entries, and the key that waits for its value.
    Table(u32, Vec<Entry<'a>>, Option<(Cow<'a, str>, u32)>),
}

struct Builder<'a> {
    budget: Budget,
    open: Vec<Open<'a>>,
}

impl<'a> Builder<'a> {
    fn start(&mut self, open: Open<'a>, line: u32) -> Result<(), Error> {
        debug_assert!(self.open.len() <= MAX_DEPTH.saturating_add(1));
        self.budget.spend(line, self.open.len())?;
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self) -> Result<Option<Node<'a>>, Error> {
        let Some(open) = self.open.pop() else {
            return Ok(None);
        };
        Ok(Some(match open {
            Open::List(line, items) => node(line, Value::List(items)),
            Open::Table(line, entries, _) => {
                refuse_twice(&entries)?;
                node(line, Value::Table(entries))
            }
        }))
    }

    /// Puts a finished value where it belongs; gives it back if it is the document.
    fn place(&mut self, node: Node<'a>) -> Option<Node<'a>> {
        match self.open.last_mut() {
            None => return Some(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Table(_, entries, key)) => {
                if let Some((key, line)) = key.take() {
                    entries.push(Entry {
                        key,
                        line,
                        start: 0,
                        node,
                    });
                } else {
                    *key = Some((key_text(node.value), node.line));
                }
            }
        }
        None
    }
}

/// YAML does not allow a key twice, and the package managers' parsers refuse it.
fn refuse_twice(entries: &[Entry<'_>]) -> Result<(), Error> {
    let mut keys: Vec<_> = entries
        .iter()
        .map(|entry| (&entry.key, entry.line))
        .collect();
    keys.sort_unstable();
    let twice = keys.windows(2).find_map(|pair| match pair {
        [(first, _), (second, line)] if first == second && !first.is_empty() => Some(*line),
        _ => None,
    });
    match twice {
        Some(line) => Err(Error::ambiguous(line, "a key is there twice")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn values_have_lines() {
        let nodes =
            parse("# c\na: 1.10\n'b c':\n  - x: null\n    y: 'null'\n  - {z: true}\n").unwrap();
        let node = &nodes[0];
        assert_eq!(node.text_at("a"), Some("1.10"));
        let entry = &node.entries()[1];
        assert_eq!((entry.key.as_ref(), entry.line), ("b c", 3));
        let items = entry.node.items();
        assert_eq!(items[0].get("x").unwrap().value, Value::Null);
        assert_eq!(items[0].text_at("y"), Some("null"));
        assert_eq!(items[0].entries()[1].line, 5);
        assert!(items[1].is_true("z"));
    }

    #[test]
    fn aliases_depth_and_nonsense_are_errors() {
        assert!(
            parse("a: &x [1]\nb: *x\n")
                .unwrap_err()
                .cause
                .contains("aliases")
        );
        assert!(parse(&"[".repeat(200_000)).is_err());
        assert!(parse("a: 'b\n").is_err());
        assert_eq!(parse("").unwrap(), []);
        assert_eq!(
            parse("a: 1\n---\n- b\n").unwrap()[1].items()[0].text(),
            Some("b")
        );
    }

    #[test]
    fn a_key_that_is_there_twice_is_an_error() {
        let error = parse("a: 1\nb:\n  c: 1\n  d: 1\n  c: 2\n").unwrap_err();
        assert_eq!((error.kind, error.line), (ErrorKind::Ambiguous, Some(5)));
        assert!(parse("a: {x: 1}\nb: {x: 1}\n").is_ok());
    }

    #[test]
    fn deep_block_nesting_is_limited() {
        let deep = "- ".repeat(5_000);
        assert_eq!(parse(&deep).unwrap_err().kind, ErrorKind::Limit);
    }
}
