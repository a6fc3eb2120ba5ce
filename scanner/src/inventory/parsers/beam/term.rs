//! Terms of Erlang as files of terms have them (erlang.org, "Erlang Reference Manual", chapter "Data
//! types"; `file:consult/1`): tuples, lists, texts, binaries, atoms and numbers, each term with a full
//! stop. Maps, functions and expressions are refused: no lockfile has them.

use crate::inventory::ParseError;

/// How deep terms may be nested.
const MAX_DEPTH: usize = 64;

/// A term and the line it begins on.
#[derive(Debug)]
pub(super) struct Term<'a> {
    pub(super) line: u32,
    pub(super) value: Value<'a>,
}

#[derive(Debug)]
pub(super) enum Value<'a> {
    Tuple(Vec<Term<'a>>),
    List(Vec<Term<'a>>),
    /// A string or a binary.
    Text(&'a str),
    Atom(&'a str),
    Number(&'a str),
}

impl<'a> Term<'a> {
    pub(super) fn text(&self) -> Option<&'a str> {
        match self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn atom(&self) -> Option<&'a str> {
        match self.value {
            Value::Atom(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<&'a str> {
        match self.value {
            Value::Number(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list.
    pub(super) fn list(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The elements of a tuple.
    pub(super) fn tuple(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Tuple(items) => Some(items),
            _ => None,
        }
    }
}

/// The terms of a file.
pub(super) fn terms(text: &str) -> Result<Vec<Term<'_>>, ParseError> {
    let mut reader = Reader {
        rest: text,
        line: 1,
    };
    let mut terms = Vec::new();
    loop {
        reader.skip_blanks();
        if reader.rest.is_empty() {
            return Ok(terms);
        }
        terms.push(reader.term(0)?);
        reader.expect(".")?;
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: u32,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        let lines = taken.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self
            .line
            .saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.rest = rest;
        taken
    }

    fn skip_blanks(&mut self) {
        loop {
            let blanks = self.rest.len().saturating_sub(self.rest.trim_start().len());
            self.take(blanks);
            if !self.rest.starts_with('%') {
                return;
            }
            self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
        }
    }

    fn eat(&mut self, mark: &str) -> bool {
        self.skip_blanks();
        let is_there = self.rest.starts_with(mark);
        if is_there {
            self.take(mark.len());
        }
        is_there
    }

    fn expect(&mut self, mark: &str) -> Result<(), ParseError> {
        if self.eat(mark) {
            return Ok(());
        }
        Err(ParseError::at(self.line, format!("{mark} is missing")))
    }

    fn term(&mut self, depth: usize) -> Result<Term<'a>, ParseError> {
        if depth > MAX_DEPTH {
            let cause = format!("terms are nested deeper than {MAX_DEPTH}");
            return Err(ParseError::limit(Some(self.line), cause));
        }
        self.skip_blanks();
        let line = self.line;
        let first = self.rest.chars().next();
        let value = match first {
            Some('{') => Value::Tuple(self.items("{", "}", depth)?),
            Some('[') => Value::List(self.items("[", "]", depth)?),
            Some('"') => Value::Text(self.quoted('"')?),
            Some('\'') => Value::Atom(self.quoted('\'')?),
            Some('<') => {
                self.expect("<<")?;
                self.skip_blanks();
                // An empty binary has no text.
                let text = if self.rest.starts_with('"') {
                    self.quoted('"')?
                } else {
                    ""
                };
                self.eat("/utf8");
                self.expect(">>")?;
                Value::Text(text)
            }
            Some(c) if c.is_ascii_digit() || c == '-' => Value::Number(self.word()),
            Some(c) if c.is_ascii_lowercase() => Value::Atom(self.word()),
            _ => return Err(ParseError::at(line, "not a term of Erlang")),
        };
        Ok(Term { line, value })
    }

    fn items(
        &mut self,
        open: &str,
        close: &str,
        depth: usize,
    ) -> Result<Vec<Term<'a>>, ParseError> {
        self.expect(open)?;
        let mut items = Vec::new();
        if self.eat(close) {
            return Ok(items);
        }
        loop {
            items.push(self.term(depth.saturating_add(1))?);
            if self.eat(close) {
                return Ok(items);
            }
            self.expect(",")?;
        }
    }

    fn word(&mut self) -> &'a str {
        let first = usize::from(self.rest.starts_with('-'));
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_@".contains(&byte);
        let rest = self.rest.get(first..).unwrap_or_default();
        let length = rest.bytes().take_while(|byte| is_word(*byte)).count();
        self.take(first.saturating_add(length))
    }

    /// A text between two signs. An escape stands in no name, version or sum.
    fn quoted(&mut self, quote: char) -> Result<&'a str, ParseError> {
        let line = self.line;
        self.take(1);
        let end = self.rest.find([quote, '\\']);
        let end = end.filter(|at| {
            self.rest
                .get(*at..)
                .is_some_and(|rest| rest.starts_with(quote))
        });
        let Some(end) = end else {
            return Err(ParseError::at(
                line,
                "a text without an end, or with an escape",
            ));
        };
        let text = self.take(end);
        self.take(1);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_with_their_lines() {
        let all =
            terms("% a\n{\"1.2.0\",\n[<<\"é\"/utf8>>, <<>>,\n a_b, -1, 'X y']}.\n[].").unwrap();
        let [first, second] = all.as_slice() else {
            panic!("{all:?}");
        };
        let items = first.tuple().unwrap();
        assert_eq!(
            (first.line, items[0].text(), items[1].line),
            (2, Some("1.2.0"), 3)
        );
        let list = items[1].list().unwrap();
        assert_eq!((list[0].text(), list[1].text()), (Some("é"), Some("")));
        assert_eq!(
            (list[2].atom(), list[3].number()),
            (Some("a_b"), Some("-1"))
        );
        assert_eq!((list[4].atom(), list[2].line), (Some("X y"), 4));
        assert_eq!(second.list().map(<[_]>::len), Some(0));
    }

    #[test]
    fn what_is_no_term_is_refused() {
        for text in [
            "{",
            "[1,]",
            "a",
            "{a} {b}.",
            "<<\"a\".",
            "\"a\\n\".",
            "#{}.",
            "A.",
        ] {
            assert!(terms(text).is_err(), "{text}");
        }
        let deep = format!(
            "{}{}.",
            "[".repeat(MAX_DEPTH + 2),
            "]".repeat(MAX_DEPTH + 2)
        );
        let error = terms(&deep).unwrap_err();
        assert_eq!(error.kind, crate::model::gap::GapKind::Limit);
    }
}
