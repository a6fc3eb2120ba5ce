//! YAML (1.2, one document) from parser events.
//!
//! An alias shares the value it names, yet counts with all its parts, so a document that
//! doubles itself ends at the limit. Refuses tags other than the core ones. As in Terraform, the
//! words of YAML 1.1 (`yes`, `off`, …) are booleans.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{Args, argument};
use crate::functions::convert::{format_number, parse_number};
use crate::functions::limits::{MAX_DOCUMENT, MAX_YAML_DEPTH};
use crate::value::Kind;

/// `yamldecode(string)`
pub(crate) fn yamldecode(args: &Args<'_>) -> Result<Value, FunctionError> {
    args.document("yaml", decode)
}

/// A collection that is not finished.
struct Frame {
    anchor: usize,
    started_at: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Value>),
    Mapping {
        entries: BTreeMap<Arc<str>, Value>,
        merged: Vec<Value>,
        key: Option<Key>,
    },
}

enum Key {
    Name(Arc<str>),
    /// The plain key `<<`, whose value is merged into the mapping.
    Merge,
}

#[derive(Default)]
struct Builder {
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, (Value, usize)>,
    nodes: usize,
    document: Option<Value>,
}

/// Parses one YAML document; null where the text holds none.
pub(crate) fn decode(text: &str) -> Result<Value, FunctionError> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::default();
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            argument(format!("not valid YAML in line {}", error.marker().line()))
        })?;
        builder.event(event).map_err(|error| match error {
            FunctionError::Argument(message) => {
                argument(format!("{message} in line {}", span.start.line()))
            }
            other => other,
        })?;
    }
    Ok(builder.document.unwrap_or(Value::NULL))
}

impl Builder {
    fn event(&mut self, event: Event<'_>) -> Result<(), FunctionError> {
        match event {
            Event::DocumentStart(_) if self.document.is_some() => {
                Err(argument("a second document starts"))
            }
            Event::Alias(anchor) => {
                let (value, nodes) = self
                    .anchors
                    .get(&anchor)
                    .cloned()
                    .ok_or_else(|| argument("an alias to an unfinished value"))?;
                self.count(nodes)?;
                self.put(value, false)
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1)?;
                let merge = style == ScalarStyle::Plain && text == "<<" && tag.is_none();
                let value = scalar(&text, style, tag.as_deref())?;
                if anchor > 0 {
                    self.anchors.insert(anchor, (value.clone(), 1));
                }
                self.put(value, merge)
            }
            Event::SequenceStart(anchor, tag) => {
                core(tag.as_deref(), "seq")?;
                self.open(anchor, Content::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                core(tag.as_deref(), "map")?;
                self.open(
                    anchor,
                    Content::Mapping {
                        entries: BTreeMap::new(),
                        merged: Vec::new(),
                        key: None,
                    },
                )
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize) -> Result<(), FunctionError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_DOCUMENT {
            return Err(FunctionError::Limit(format!(
                "YAML with more than {MAX_DOCUMENT} parts after its aliases"
            )));
        }
        Ok(())
    }

    fn open(&mut self, anchor: usize, content: Content) -> Result<(), FunctionError> {
        let started_at = self.nodes;
        self.count(1)?;
        if self.frames.len() >= MAX_YAML_DEPTH {
            return Err(FunctionError::Limit(format!(
                "YAML with more than {MAX_YAML_DEPTH} levels"
            )));
        }
        self.frames.push(Frame {
            anchor,
            started_at,
            content,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), FunctionError> {
        let Some(frame) = self.frames.pop() else {
            return Err(argument("an end without a start"));
        };
        let value = match frame.content {
            Content::Sequence(items) => Value::list(items),
            Content::Mapping {
                mut entries,
                merged,
                ..
            } => {
                for source in merged {
                    merge(&mut entries, &source)?;
                }
                self.count(entries.len())?;
                Value::map(entries)
            }
        };
        if frame.anchor > 0 {
            let nodes = self.nodes.saturating_sub(frame.started_at);
            self.anchors.insert(frame.anchor, (value.clone(), nodes));
        }
        self.put(value, false)
    }

    fn put(&mut self, value: Value, merge_key: bool) -> Result<(), FunctionError> {
        let Some(frame) = self.frames.last_mut() else {
            self.document = Some(value);
            return Ok(());
        };
        match &mut frame.content {
            Content::Sequence(items) => items.push(value),
            Content::Mapping {
                entries,
                merged,
                key,
            } => match key.take() {
                None if merge_key => *key = Some(Key::Merge),
                None => *key = Some(Key::Name(name(&value)?)),
                Some(Key::Merge) => merged.push(value),
                Some(Key::Name(name)) => {
                    entries.insert(name, value);
                }
            },
        }
        Ok(())
    }
}

/// Own entries win over merged ones, earlier sources over later ones.
fn merge(entries: &mut BTreeMap<Arc<str>, Value>, source: &Value) -> Result<(), FunctionError> {
    match &source.kind {
        Kind::Map(map) => {
            for (key, value) in map.entries.iter() {
                entries.entry(key.clone()).or_insert_with(|| value.clone());
            }
            Ok(())
        }
        Kind::List(list) => list.items.iter().try_for_each(|item| match item.kind {
            Kind::Map(_) => merge(entries, item),
            _ => Err(argument("only mappings can be merged")),
        }),
        _ => Err(argument("only mappings can be merged")),
    }
}

fn name(value: &Value) -> Result<Arc<str>, FunctionError> {
    Ok(match &value.kind {
        Kind::String(text) => text.clone(),
        Kind::Bool(true) => "true".into(),
        Kind::Bool(false) => "false".into(),
        Kind::Number(number) => format_number(*number).into(),
        _ => return Err(argument("a mapping key must be a string")),
    })
}

/// Accepts no tag, `!`, and the core tag of this name.
fn core(tag: Option<&Tag>, suffix: &str) -> Result<(), FunctionError> {
    match tag {
        None => Ok(()),
        Some(tag) if tag.suffix.is_empty() => Ok(()),
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == suffix => Ok(()),
        Some(tag) => Err(argument(format!("unsupported tag {tag}"))),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, FunctionError> {
    if let Some(tag) = tag {
        let core = tag.is_yaml_core_schema();
        return match tag.suffix.as_str() {
            "str" | "binary" | "timestamp" if core => Ok(text.into()),
            "" => Ok(text.into()),
            "null" if core => Ok(Value::NULL),
            "bool" | "int" | "float" if core => Ok(plain(text)?),
            _ => Err(argument(format!("unsupported tag {tag}"))),
        };
    }
    if style == ScalarStyle::Plain {
        plain(text)
    } else {
        Ok(text.into())
    }
}

fn plain(text: &str) -> Result<Value, FunctionError> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::NULL,
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            true.into()
        }
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            false.into()
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "-.inf" => {
            return Err(argument("a number that is not finite"));
        }
        _ => number(text).unwrap_or_else(|| text.into()),
    })
}

fn number(text: &str) -> Option<Value> {
    let first = text.bytes().next()?;
    if !first.is_ascii_digit() && !b"+-.".contains(&first) {
        return None;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let value = i64::from_str_radix(digits, radix).ok()?;
            return Some(Decimal::from(value).into());
        }
    }
    parse_number(text).ok().map(Value::from)
}
