//! A JSON reader that keeps the place of every value. `serde_json` has no places; findings in
//! `.tf.json` files need them.

use std::ops::Range;

/// Values inside values.
pub(super) const MAX_DEPTH: usize = 100;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) range: Range<usize>,
}

#[derive(Debug)]
pub(super) enum NodeKind {
    Null,
    Bool(bool),
    /// As written.
    Number(String),
    String(String),
    Array(Vec<Node>),
    /// Members in order; the range is that of the key.
    Object(Vec<Member>),
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) at: usize,
    pub(super) value: Node,
}

/// Where and why a text is not JSON.
pub(super) type Broken = (usize, &'static str);

/// Reads a whole text.
pub(super) fn parse(text: &str) -> Result<Node, Broken> {
    let mut reader = Reader { text, at: 0 };
    let node = reader.value(0)?;
    reader.space();
    if reader.at < text.len() {
        return Err((reader.at, "text after the end of the value"));
    }
    Ok(node)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.skip(1);
        }
    }

    fn expect(&mut self, byte: u8, message: &'static str) -> Result<(), Broken> {
        self.space();
        if self.peek() != Some(byte) {
            return Err((self.at, message));
        }
        self.skip(1);
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Node, Broken> {
        self.space();
        let start = self.at;
        if depth > MAX_DEPTH {
            return Err((start, "values are nested too deeply"));
        }
        let kind = match self.peek() {
            Some(b'"') => NodeKind::String(self.string()?),
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word()?,
        };
        Ok(Node {
            kind,
            range: start..self.at,
        })
    }

    fn word(&mut self) -> Result<NodeKind, Broken> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        for (word, kind) in [
            ("true", NodeKind::Bool(true)),
            ("false", NodeKind::Bool(false)),
            ("null", NodeKind::Null),
        ] {
            if rest.starts_with(word) {
                self.skip(word.len());
                return Ok(kind);
            }
        }
        Err((self.at, "a JSON value was expected"))
    }

    fn number(&mut self) -> NodeKind {
        let start = self.at;
        while matches!(
            self.peek(),
            Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
        ) {
            self.skip(1);
        }
        NodeKind::Number(self.text.get(start..self.at).unwrap_or_default().to_owned())
    }

    fn string(&mut self) -> Result<String, Broken> {
        let start = self.at;
        self.skip(1);
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.skip(2),
                Some(_) => self.skip(1),
                None => return Err((start, "a string does not end")),
            }
        }
        self.skip(1);
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(quoted).map_err(|_| (start, "a string is not valid"))
    }

    fn array(&mut self, depth: usize) -> Result<NodeKind, Broken> {
        self.skip(1);
        let mut items = Vec::new();
        loop {
            self.space();
            if items.is_empty() && self.peek() == Some(b']') {
                break;
            }
            items.push(self.value(depth.saturating_add(1))?);
            self.space();
            match self.peek() {
                Some(b',') => self.skip(1),
                Some(b']') => break,
                _ => return Err((self.at, "`,` or `]` was expected")),
            }
        }
        self.skip(1);
        Ok(NodeKind::Array(items))
    }

    fn object(&mut self, depth: usize) -> Result<NodeKind, Broken> {
        self.skip(1);
        let mut members = Vec::new();
        loop {
            self.space();
            if members.is_empty() && self.peek() == Some(b'}') {
                break;
            }
            let at = self.at;
            if self.peek() != Some(b'"') {
                return Err((at, "a key in quotes was expected"));
            }
            let key = self.string()?;
            self.expect(b':', "`:` was expected")?;
            let value = self.value(depth.saturating_add(1))?;
            members.push(Member { key, at, value });
            self.space();
            match self.peek() {
                Some(b',') => self.skip(1),
                Some(b'}') => break,
                _ => return Err((self.at, "`,` or `}` was expected")),
            }
        }
        self.skip(1);
        Ok(NodeKind::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_places() {
        let node = parse("{\"a\": [1, \"b\\u0041\"]}").unwrap();
        let NodeKind::Object(members) = node.kind else {
            panic!()
        };
        assert_eq!((members[0].at, members[0].value.range.clone()), (1, 6..20));
    }

    #[test]
    fn broken_texts_are_refused() {
        for text in ["", "{", "{\"a\"}", "[1,]", "\"a", "{} x", "{a: 1}", "\"\\"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&"[".repeat(MAX_DEPTH + 5)).is_err());
    }
}
