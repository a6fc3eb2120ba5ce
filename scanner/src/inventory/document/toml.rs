//! TOML with lines, on the `toml` crate's spanned tree (its parser stops at 80 levels).

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Budget, Entry, Node, Value};
use crate::inventory::ParseError;
use crate::inventory::text::LineTable;

/// Reads a document.
pub(crate) fn parse(text: &str) -> Result<Node<'_>, ParseError> {
    let lines = LineTable::new(text);
    let table = DeTable::parse(text).map_err(|error| ParseError {
        line: error.span().map(|span| lines.line(span.start)),
        ..ParseError::new(error.message().lines().next().unwrap_or("not TOML"))
    })?;
    let mut builder = Builder {
        lines,
        budget: Budget::new(),
    };
    let entries = builder.table(table.into_inner(), 0)?;
    Ok(Node {
        line: 1,
        value: Value::Table(entries),
    })
}

struct Builder {
    lines: LineTable,
    budget: Budget,
}

impl Builder {
    fn table<'a>(
        &mut self,
        table: DeTable<'a>,
        depth: usize,
    ) -> Result<Vec<Entry<'a>>, ParseError> {
        let mut entries = Vec::with_capacity(table.len());
        for (key, value) in table {
            entries.push(Entry {
                line: self.lines.line(key.span().start),
                key: key.into_inner(),
                node: self.node(value, depth.saturating_add(1))?,
            });
        }
        Ok(entries)
    }

    fn node<'a>(
        &mut self,
        value: Spanned<DeValue<'a>>,
        depth: usize,
    ) -> Result<Node<'a>, ParseError> {
        let line = self.lines.line(value.span().start);
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
        Ok(Node { line, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn errors_have_lines_and_depth_is_limited() {
        assert_eq!(parse("a = 1\nb = \n").unwrap_err().line, Some(2));
        let deep = format!("a = {}", "[".repeat(200_000));
        assert!(parse(&deep).is_err());
    }
}
