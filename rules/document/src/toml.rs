//! TOML with lines, on the `toml` crate's spanned tree (its parser stops at 80 levels).

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::lines::LineTable;
use super::{Budget, Entry, Error, MAX_TOML_TABLES, MAX_VALUES, Node, Value, place};

/// Reads a document.
pub fn parse(text: &str) -> Result<Node<'_>, Error> {
    check_size(text)?;
    let lines = LineTable::new(text);
    let table = DeTable::parse(text).map_err(|error| Error {
        line: error.span().map(|span| lines.line(span.start)),
        offset: error.span().map(|span| span.start),
        ..Error::new(error.message().lines().next().unwrap_or("not TOML"))
    })?;
    let mut builder = Builder {
        lines,
        budget: Budget::new(),
    };
    let entries = builder.table(table.into_inner(), 0)?;
    Ok(Node {
        line: 1,
        start: 0,
        end: place(text.len()),
        value: Value::Table(entries),
    })
}

/// Refuses a text that would make too many tables or values, since the parser itself has no
/// limit. Each table needs a bracket, or a dot in a key; each value one of the others. Quoted
/// text is left out of the count, line by line.
fn check_size(text: &str) -> Result<(), Error> {
    let mut quote = None;
    let mut escaped = false;
    let (mut tables, mut values) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match (quote, byte) {
            (_, b'\n') => quote = None,
            (Some(b'"'), b'\\') if !escaped => {
                escaped = true;
                continue;
            }
            (Some(open), _) if open == byte && !escaped => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'[' | b'{' | b'.') => tables = tables.saturating_add(1),
            (None, b'=' | b',') => values = values.saturating_add(1),
            _ => {}
        }
        escaped = false;
    }
    if tables > MAX_TOML_TABLES || values > MAX_VALUES {
        let cause = format!("more than {MAX_TOML_TABLES} tables or {MAX_VALUES} values");
        return Err(Error::limit(None, cause));
    }
    Ok(())
}

struct Builder {
    lines: LineTable,
    budget: Budget,
}

impl Builder {
    fn table<'a>(&mut self, table: DeTable<'a>, depth: usize) -> Result<Vec<Entry<'a>>, Error> {
        let mut entries = Vec::with_capacity(table.len());
        for (key, value) in table {
            entries.push(Entry {
                line: self.lines.line(key.span().start),
                start: place(key.span().start),
                key: key.into_inner(),
                node: self.node(value, depth.saturating_add(1))?,
            });
        }
        Ok(entries)
    }

    fn node<'a>(&mut self, value: Spanned<DeValue<'a>>, depth: usize) -> Result<Node<'a>, Error> {
        let span = value.span();
        let line = self.lines.line(span.start);
        self.budget.spend(line, depth)?;
        let value = match value.into_inner() {
            DeValue::String(text) => Value::Text(text),
            DeValue::Integer(number) => Value::Number(number.as_str().to_owned().into()),
            DeValue::Float(number) => Value::Number(number.as_str().to_owned().into()),
            DeValue::Boolean(truth) => Value::Bool(truth),
            DeValue::Datetime(date) => Value::Number(date.to_string().into()),
            DeValue::Array(items) => Value::List(
                items
                    .into_iter()
                    .map(|item| self.node(item, depth.saturating_add(1)))
                    .collect::<Result<_, _>>()?,
            ),
            DeValue::Table(table) => Value::Table(self.table(table, depth)?),
        };
        Ok(Node {
            line,
            start: place(span.start),
            end: place(span.end),
            value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn values_have_lines() {
        let node =
            parse("# c\n[[package]]\nname = \"a\"\nn = 1\n\n[[package]]\nname = 'b'\n").unwrap();
        let packages = node.get("package").unwrap().items();
        assert_eq!(packages[1].get("name").unwrap().line, 7);
        assert_eq!(packages[1].text_at("name"), Some("b"));
        assert_eq!(packages[0].get("n").unwrap().scalar(), Some("1"));
    }

    #[test]
    fn size_is_limited_before_parsing() {
        for piece in ["[[a]]\n", "a = {}\n", "a.b=1\n", "\"\\\"\".\"[\"."] {
            let text = piece.repeat(MAX_TOML_TABLES + 1);
            assert_eq!(parse(&text).unwrap_err().kind, ErrorKind::Limit, "{piece}");
        }
        let many = format!("a = [{}]", "1,".repeat(MAX_VALUES + 1));
        assert_eq!(parse(&many).unwrap_err().kind, ErrorKind::Limit);
        let quoted = format!("a = \"{}\"\n", "[".repeat(MAX_TOML_TABLES + 1));
        assert!(parse(&quoted).is_ok());
    }

    #[test]
    fn errors_have_lines_and_depth_is_limited() {
        assert_eq!(parse("a = 1\nb = \n").unwrap_err().line, Some(2));
        let deep = format!("a = {}", "[".repeat(200_000));
        assert!(parse(&deep).is_err());
    }
}
