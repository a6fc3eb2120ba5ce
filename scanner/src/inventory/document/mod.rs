//! One tree for JSON, YAML and TOML: values with the line they start on. Depth and number of
//! values are limited, aliases are not expanded, and nothing is converted: numbers stay text.

use std::borrow::Cow;

use super::{ParseError, limits};

mod json;
mod toml;
mod yaml;

pub(crate) use self::json::parse as json;
pub(crate) use self::toml::parse as toml;
pub(crate) use self::yaml::parse as yaml;

/// A value and the line it starts on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node<'a> {
    /// From 1.
    pub(crate) line: u32,
    /// What it is.
    pub(crate) value: Value<'a>,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// `null`, or nothing in YAML.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number or date as written.
    Number(Cow<'a, str>),
    /// A string.
    Text(Cow<'a, str>),
    /// A sequence.
    List(Vec<Node<'a>>),
    /// A mapping, in file order for JSON and YAML, by key for TOML.
    Table(Vec<Entry<'a>>),
}

/// One entry of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry<'a> {
    /// Its key.
    pub(crate) key: Cow<'a, str>,
    /// The line of the key.
    pub(crate) line: u32,
    /// Its value.
    pub(crate) node: Node<'a>,
}

impl<'a> Node<'a> {
    /// The value of a key, the last one if it is there twice; `None` also if this is no mapping.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let entry = self.entries().iter().rev().find(|entry| entry.key == key);
        entry.map(|entry| &entry.node)
    }

    /// The entries of a mapping; none if it is none.
    pub(crate) fn entries(&self) -> &[Entry<'a>] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; none if it is none.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The value of a key that must not be there twice: some readers take the first, some the
    /// last.
    fn only(&self, key: &str) -> Result<Option<&Self>, ParseError> {
        let mut entries = self.entries().iter().filter(|entry| entry.key == key);
        let first = entries.next();
        match entries.next() {
            None => Ok(first.map(|entry| &entry.node)),
            Some(second) => {
                let cause = format!("the key {key} is there twice");
                Err(ParseError::ambiguous(second.line, cause))
            }
        }
    }

    /// Refuses keys that differ from known ones only in case: a reader that minds it passes over
    /// them, and another one does not.
    pub(crate) fn refuse_misspelt(&self, known: &[&str]) -> Result<(), ParseError> {
        for entry in self.entries() {
            let like = known
                .iter()
                .find(|key| entry.key.eq_ignore_ascii_case(key) && entry.key != **key);
            if let Some(key) = like {
                let cause = format!("a key that differs from {key} only in case");
                return Err(ParseError::ambiguous(entry.line, cause));
            }
        }
        Ok(())
    }

    /// The items of the sequence under a key; an error if something else is there.
    pub(crate) fn items_at(&self, key: &str) -> Result<&[Self], ParseError> {
        match self.only(key)? {
            None => Ok(&[]),
            Some(node) => match &node.value {
                Value::List(items) => Ok(items),
                _ => Err(ParseError::at(node.line, format!("{key} is not a list"))),
            },
        }
    }

    /// The entries of the mapping under a key; an error if something else is there.
    pub(crate) fn entries_at(&self, key: &str) -> Result<&[Entry<'a>], ParseError> {
        match self.only(key)? {
            None => Ok(&[]),
            Some(node) => match &node.value {
                Value::Table(entries) => Ok(entries),
                Value::Null => Ok(&[]),
                _ => Err(ParseError::at(node.line, format!("{key} is not a mapping"))),
            },
        }
    }

    /// A string.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A string, or a number as it is written.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text),
            _ => None,
        }
    }

    /// The string under a key.
    pub(crate) fn text_at(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::text)
    }

    /// Whether there is `true` under a key.
    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|node| node.value == Value::Bool(true))
    }

    /// Whether this is a mapping.
    pub(crate) fn is_table(&self) -> bool {
        matches!(self.value, Value::Table(_))
    }
}

/// Counts values and depth while a tree is built.
struct Budget {
    values: usize,
}

impl Budget {
    const fn new() -> Self {
        Self {
            values: limits::DOCUMENT_VALUES,
        }
    }

    fn spend(&mut self, line: u32, depth: usize) -> Result<(), ParseError> {
        if depth > limits::DOCUMENT_DEPTH {
            let cause = format!("nested deeper than {} levels", limits::DOCUMENT_DEPTH);
            return Err(ParseError::limit(Some(line), cause));
        }
        self.values = self.values.checked_sub(1).ok_or_else(|| {
            let cause = format!("more than {} values", limits::DOCUMENT_VALUES);
            ParseError::limit(Some(line), cause)
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gap::GapKind;

    #[test]
    fn keys_that_come_twice_or_in_another_case_are_refused() {
        let node = json("{\"a\": [1],\n\"a\": [2], \"B\": {}}").unwrap();
        let error = node.items_at("a").unwrap_err();
        assert_eq!((error.kind, error.line), (GapKind::Ambiguous, Some(2)));
        assert!(node.entries_at("a").is_err());
        assert!(node.entries_at("b").unwrap().is_empty());
        assert!(node.refuse_misspelt(&["b"]).is_err());
        assert!(node.refuse_misspelt(&["a", "B"]).is_ok());
    }
}
