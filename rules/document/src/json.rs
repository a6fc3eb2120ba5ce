//! JSON (RFC 8259) with lines. Strings without escapes are borrowed; duplicate keys are kept in
//! order, so that the last one wins, as in `JSON.parse`.

use std::borrow::Cow;

use super::{Budget, Entry, Error, Node, Value, place};

/// Reads a document.
pub fn parse(text: &str) -> Result<Node<'_>, Error> {
    let mut reader = Reader {
        text,
        at: 0,
        line: 1,
        budget: Budget::new(),
    };
    let node = reader.value(0)?;
    reader.space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.error("text after the end of the document")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    budget: Budget,
}

impl<'a> Reader<'a> {
    fn error(&self, cause: &str) -> Error {
        Error {
            offset: Some(self.at),
            ..Error::at(self.line, cause)
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => self.line = self.line.saturating_add(1),
                b' ' | b'\t' | b'\r' => {}
                _ => break,
            }
            self.step();
        }
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn value(&mut self, depth: usize) -> Result<Node<'a>, Error> {
        self.space();
        self.budget.spend(self.line, depth)?;
        let line = self.line;
        let start = place(self.at);
        let value = match self.peek() {
            Some(b'{') => Value::Table(self.table(depth)?),
            Some(b'[') => Value::List(self.list(depth)?),
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(Cow::Borrowed(self.word())),
            Some(_) => match self.word() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => Value::Null,
                _ => return Err(self.error("not a JSON value")),
            },
            None => return Err(self.error("the document ends too early")),
        };
        Ok(Node {
            line,
            start,
            end: place(self.at),
            value,
        })
    }

    /// Letters, digits and signs: a number or a literal. The form of a number is not checked.
    fn word(&mut self) -> &'a str {
        let start = self.at;
        while matches!(
            self.peek(),
            Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E')
        ) {
            self.step();
        }
        self.since(start)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node<'a>>, Error> {
        let mut items = Vec::new();
        self.step();
        self.space();
        if self.peek() == Some(b']') {
            self.step();
            return Ok(items);
        }
        loop {
            items.push(self.value(depth.saturating_add(1))?);
            if self.ends(b']')? {
                return Ok(items);
            }
        }
    }

    fn table(&mut self, depth: usize) -> Result<Vec<Entry<'a>>, Error> {
        let mut entries = Vec::new();
        self.step();
        self.space();
        if self.peek() == Some(b'}') {
            self.step();
            return Ok(entries);
        }
        loop {
            self.space();
            let line = self.line;
            let start = place(self.at);
            if self.peek() != Some(b'"') {
                return Err(self.error("a key must be a string"));
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.error("a colon is missing after a key"));
            }
            self.step();
            let node = self.value(depth.saturating_add(1))?;
            entries.push(Entry {
                key,
                line,
                start,
                node,
            });
            if self.ends(b'}')? {
                return Ok(entries);
            }
        }
    }

    /// After an item: whether the list or mapping ends here.
    fn ends(&mut self, close: u8) -> Result<bool, Error> {
        self.space();
        let byte = self.peek();
        self.step();
        match byte {
            Some(b',') => Ok(false),
            Some(byte) if byte == close => Ok(true),
            Some(_) => Err(self.error("a comma or a closing bracket is missing")),
            None => Err(self.error("the document ends too early")),
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Error> {
        self.step();
        let mut start = self.at;
        let mut owned: Option<String> = None;
        loop {
            match self.peek() {
                None => return Err(self.error("a string has no end")),
                Some(b'"') => {
                    let rest = self.since(start);
                    self.step();
                    return Ok(match owned {
                        None => Cow::Borrowed(rest),
                        Some(text) => Cow::Owned(text + rest),
                    });
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_default();
                    text.push_str(self.text.get(start..self.at).unwrap_or_default());
                    self.step();
                    let character = self.escape()?;
                    owned.get_or_insert_default().push(character);
                    start = self.at;
                }
                Some(b'\n') => return Err(self.error("a string must not span lines")),
                Some(_) => self.step(),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let byte = self.peek();
        self.step();
        Ok(match byte {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'u') => {
                let first = self.hex()?;
                if !(0xD800..0xDC00).contains(&first) {
                    return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                if self.text.get(self.at..self.at.saturating_add(2)) != Some("\\u") {
                    return Ok(char::REPLACEMENT_CHARACTER);
                }
                self.at = self.at.saturating_add(2);
                let second = self.hex()?;
                let high = first.wrapping_sub(0xD800) << 10;
                let low = second.wrapping_sub(0xDC00);
                let valid = (0xDC00..0xE000).contains(&second);
                let code = if valid {
                    0x10000_u32.saturating_add(high | low)
                } else {
                    0xD800
                };
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(self.error("an escape that JSON does not know")),
        })
    }

    fn hex(&mut self) -> Result<u32, Error> {
        let end = self.at.saturating_add(4);
        let digits = self.text.get(self.at..end);
        self.at = end;
        digits
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.error("an escape needs four hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, MAX_DEPTH, MAX_VALUES};

    #[test]
    fn values_lines_and_escapes() {
        let text =
            "{\n \"a\": [1.5e3, true, null],\n \"b\\n\\u00e4\\ud83d\\ude00\": {\"c\": \"x\"}\n}\n";
        let node = parse(text).unwrap();
        assert_eq!(node.get("a").unwrap().items()[0].scalar(), Some("1.5e3"));
        let entry = &node.entries()[1];
        assert_eq!((entry.key.as_ref(), entry.line), ("b\nä😀", 3));
        assert_eq!(entry.node.text_at("c"), Some("x"));
    }

    #[test]
    fn what_is_not_json_is_an_error_with_its_line() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\" 1}",
            "\"\\x\"",
            "\"\\u12",
            "{a: 1}",
            "1 2",
            "\"a",
            "tru",
            "[1 2]",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse("{\n\"a\": 1,\n x}").unwrap_err().line, Some(3));
    }

    #[test]
    fn nesting_and_size_are_limited() {
        let deep = "[".repeat(200_000);
        assert_eq!(parse(&deep).unwrap_err().kind, ErrorKind::Limit);
        let ok = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
        assert!(parse(&ok).is_ok());
        let many = format!("[{}1]", "1,".repeat(MAX_VALUES));
        assert_eq!(parse(&many).unwrap_err().kind, ErrorKind::Limit);
    }

    #[test]
    fn lone_surrogates_are_replaced() {
        for text in ["\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\""] {
            assert_eq!(parse(text).unwrap().text(), Some("\u{fffd}"), "{text}");
        }
    }
}
