//! JSON with exact numbers (RFC 8259).
//!
//! Writes as Terraform does: compact, keys sorted, `<`, `>` and `&` escaped. A value with
//! unknown parts encodes to an unknown text that carries the value, and decodes back to it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{Args, argument, sequence};
use crate::functions::convert::{derived, format_number, is_certain, parse_number};
use crate::functions::limits::{MAX_DEPTH, MAX_DOCUMENT, text_size};
use crate::functions::unseen::unseen;
use crate::value::{Kind, Map, Type};

/// `jsonencode(value)`
pub(in crate::functions) fn jsonencode(args: &Args<'_>) -> Result<Value, FunctionError> {
    encode_value(args.value(0))
}

/// The text, or an unknown text that carries the value.
pub(crate) fn encode_value(value: &Value) -> Result<Value, FunctionError> {
    if is_certain(value) {
        return Ok(encode(value)?.into());
    }
    let Some(unknown) = unseen(value) else {
        return Err(argument("the value cannot be encoded"));
    };
    let mut text = derived(&unknown, Type::String);
    if let Kind::Unknown(inner) = &mut text.kind {
        inner.prefix = match value.kind {
            Kind::List(_) => Some("[".into()),
            Kind::Map(_) => Some("{".into()),
            _ => None,
        };
        inner.encoded = Some(Arc::new(value.clone()));
    }
    Ok(text)
}

/// `jsondecode(string)`
pub(in crate::functions) fn jsondecode(args: &Args<'_>) -> Result<Value, FunctionError> {
    match args.value(0).as_unknown() {
        None => args.document("json", decode),
        Some(unknown) => Ok(match &unknown.encoded {
            Some(value) => value.as_ref().clone(),
            None => Value::unknown_of(unknown.origin.clone(), Type::Any),
        }),
    }
}

/// The compact JSON text of a wholly known value, whose depth is bounded by the caller.
pub(crate) fn encode(value: &Value) -> Result<String, FunctionError> {
    let mut out = String::new();
    write(value, &mut out)?;
    Ok(out)
}

fn write(value: &Value, out: &mut String) -> Result<(), FunctionError> {
    text_size(out.len())?;
    match &value.kind {
        Kind::Null => out.push_str("null"),
        Kind::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Kind::Number(number) => out.push_str(&format_number(*number)),
        Kind::String(text) => write_quoted(text, out),
        Kind::List(list) => {
            out.push('[');
            for (position, item) in list.items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        Kind::Map(map) => {
            out.push('{');
            for (position, (key, item)) in map.entries.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_quoted(key, out);
                out.push(':');
                write(item, out)?;
            }
            out.push('}');
        }
        Kind::Unknown(_) => return Err(argument("an unknown value cannot be encoded")),
    }
    Ok(())
}

/// The text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::new();
    write_quoted(text, &mut out);
    out
}

fn write_quoted(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// Stands for an unknown piece in [`decode_with`]; a code point that is no character.
pub(super) const PLACEHOLDER: char = '\u{10ffff}';

/// Parses one JSON document.
pub(crate) fn decode(text: &str) -> Result<Value, FunctionError> {
    decode_with(text, Vec::new())
}

/// Parses a document in which each [`PLACEHOLDER`] stands for the next of `unknowns`.
pub(super) fn decode_with(text: &str, unknowns: Vec<Value>) -> Result<Value, FunctionError> {
    let mut reader = Reader {
        text,
        position: 0,
        nodes: 0,
        unknowns: unknowns.into_iter(),
    };
    let value = reader.value(0)?;
    reader.blanks();
    if reader.position < text.len() {
        return Err(reader.refusal());
    }
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    position: usize,
    nodes: usize,
    unknowns: std::vec::IntoIter<Value>,
}

impl<'a> Reader<'a> {
    fn refusal(&self) -> FunctionError {
        argument(format!("not valid JSON at byte {}", self.position))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn step(&mut self, bytes: usize) {
        self.position = self.position.saturating_add(bytes);
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| b" \t\r\n".contains(&byte)) {
            self.step(1);
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.blanks();
        let found = self.peek() == Some(byte);
        if found {
            self.step(1);
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<Value, FunctionError> {
        self.nodes = self.nodes.saturating_add(1);
        if depth > MAX_DEPTH || self.nodes > MAX_DOCUMENT {
            return Err(FunctionError::Limit(format!(
                "JSON with more than {MAX_DEPTH} levels or {MAX_DOCUMENT} parts"
            )));
        }
        self.blanks();
        let below = depth.saturating_add(1);
        match self.peek() {
            Some(b'{') => self.object(below),
            Some(b'[') => self.array(below),
            Some(b'"') => self.text(),
            _ if self.at_placeholder() => Ok(self.placeholder()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                for (word, value) in [
                    ("null", Value::NULL),
                    ("true", true.into()),
                    ("false", false.into()),
                ] {
                    if self.rest().starts_with(word) {
                        self.step(word.len());
                        return Ok(value);
                    }
                }
                Err(self.refusal())
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, FunctionError> {
        self.step(1);
        let mut entries: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        let mut rest = None;
        if self.eat(b'}') {
            return Ok(Value::map(entries));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.refusal());
            }
            let key = self.text()?;
            if !self.eat(b':') {
                return Err(self.refusal());
            }
            let value = self.value(depth)?;
            match key.kind {
                Kind::String(key) => drop(entries.insert(key, value)),
                // An entry whose key is not known.
                _ => rest = rest.or_else(|| unseen(&key)),
            }
            if self.eat(b'}') {
                return Ok(Kind::Map(Map {
                    entries: Arc::new(entries),
                    rest,
                })
                .into());
            }
            if !self.eat(b',') {
                return Err(self.refusal());
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, FunctionError> {
        self.step(1);
        let mut items = Vec::new();
        let mut rest = None;
        if self.eat(b']') {
            return Ok(Value::list(items));
        }
        loop {
            self.blanks();
            let piece = self.at_placeholder();
            let value = self.value(depth)?;
            // An unknown piece may hold any number of members.
            if piece && value.as_unknown().is_some() {
                rest = rest.or_else(|| unseen(&value));
            } else {
                items.push(value);
            }
            if self.eat(b']') {
                return Ok(sequence(items, rest));
            }
            if !self.eat(b',') {
                return Err(self.refusal());
            }
        }
    }

    fn at_placeholder(&self) -> bool {
        self.rest().starts_with(PLACEHOLDER) && self.unknowns.len() > 0
    }

    /// The unknown in place of a value: what it encodes, if that is known in part.
    fn placeholder(&mut self) -> Value {
        self.step(PLACEHOLDER.len_utf8());
        let Some(piece) = self.unknowns.next() else {
            return Value::NULL;
        };
        match piece.as_unknown() {
            Some(unknown) => match &unknown.encoded {
                Some(value) => value.as_ref().clone().marked_by(&piece),
                None => Value::unknown_of(unknown.origin.clone(), Type::Any).marked_by(&piece),
            },
            None => piece,
        }
    }

    /// A string, unknown from its first placeholder on.
    fn text(&mut self) -> Result<Value, FunctionError> {
        let text = self.string()?;
        let Some((head, _)) = text
            .split_once(PLACEHOLDER)
            .filter(|_| self.unknowns.len() > 0)
        else {
            return Ok(text.into());
        };
        let mut result = Value::NULL;
        for position in 0..text.matches(PLACEHOLDER).count() {
            let Some(piece) = self.unknowns.next() else {
                break;
            };
            result = match piece.as_unknown() {
                Some(unknown) if position == 0 => {
                    let mut whole = derived(unknown, Type::String);
                    if let Kind::Unknown(inner) = &mut whole.kind {
                        let tail = unknown.prefix.as_deref().unwrap_or_default();
                        inner.prefix = Some(format!("{head}{tail}").into())
                            .filter(|prefix: &Arc<str>| !prefix.is_empty());
                    }
                    whole.marked_by(&piece)
                }
                _ => result.marked_by(&piece),
            };
        }
        Ok(result)
    }

    fn number(&mut self) -> Result<Value, FunctionError> {
        let rest = self.rest();
        let length = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte))
            .count();
        let text = rest.get(..length).unwrap_or_default();
        let digits = text.strip_prefix('-').unwrap_or(text);
        let whole = digits.bytes().take_while(u8::is_ascii_digit).count();
        let padded = whole > 1 && digits.starts_with('0');
        let after = digits.get(whole..).unwrap_or_default();
        let bare_point =
            after.starts_with('.') && !after.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        if whole == 0 || padded || bare_point {
            return Err(self.refusal());
        }
        let number = parse_number(text).map_err(|error| match error {
            FunctionError::Argument(_) => self.refusal(),
            other => other,
        })?;
        self.step(length);
        Ok(number.into())
    }

    fn string(&mut self) -> Result<String, FunctionError> {
        self.step(1);
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let plain = rest
                .bytes()
                .take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f))
                .count();
            out.push_str(rest.get(..plain).unwrap_or_default());
            self.step(plain);
            match self.peek() {
                Some(b'"') => {
                    self.step(1);
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.step(1);
                    out.push(self.escape()?);
                }
                _ => return Err(self.refusal()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, FunctionError> {
        let letter = self.peek().ok_or_else(|| self.refusal())?;
        self.step(1);
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                if (0xd800..0xdc00).contains(&unit) && self.rest().starts_with("\\u") {
                    let start = self.position;
                    self.step(2);
                    let low = self.unit()?;
                    match char::decode_utf16([unit, low]).next() {
                        Some(Ok(character)) => return Ok(character),
                        _ => self.position = start,
                    }
                }
                // A lone surrogate is no character.
                char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(self.refusal()),
        })
    }

    fn unit(&mut self) -> Result<u16, FunctionError> {
        let digits = self
            .rest()
            .get(..4)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.refusal())?;
        self.step(4);
        Ok(unit)
    }
}
