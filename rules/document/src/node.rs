//! The tree that documents of all syntaxes become.

use std::borrow::Cow;

use std::ops::Range;

use super::Error;

/// A value and the line it starts on.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<'a> {
    /// From 1.
    pub line: u32,
    /// Where it begins in the text, in bytes; of YAML, 0.
    pub start: u32,
    /// Where it ends; of YAML, 0.
    pub end: u32,
    /// What it is.
    pub value: Value<'a>,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
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
pub struct Entry<'a> {
    /// Its key.
    pub key: Cow<'a, str>,
    /// The line of the key.
    pub line: u32,
    /// Where the key begins in the text, in bytes; of YAML, 0.
    pub start: u32,
    /// Its value.
    pub node: Node<'a>,
}

impl<'a> Node<'a> {
    /// Where it stands in the text.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        widened(self.start)..widened(self.end)
    }

    /// The value of a key, the last one if it is there twice; `None` also if this is no mapping.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let entry = self.entries().iter().rev().find(|entry| entry.key == key);
        entry.map(|entry| &entry.node)
    }

    /// The entries of a mapping; none if it is none.
    pub fn entries(&self) -> &[Entry<'a>] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; none if it is none.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The value of a key that must not be there twice: some readers take the first, some the
    /// last.
    fn only(&self, key: &str) -> Result<Option<&Self>, Error> {
        let mut entries = self.entries().iter().filter(|entry| entry.key == key);
        let first = entries.next();
        match entries.next() {
            None => Ok(first.map(|entry| &entry.node)),
            Some(second) => {
                let cause = format!("the key {key} is there twice");
                Err(Error::ambiguous(second.line, cause))
            }
        }
    }

    /// Refuses keys that differ from known ones only in case: a reader that minds it passes over
    /// them, and another one does not.
    pub fn refuse_misspelt(&self, known: &[&str]) -> Result<(), Error> {
        for entry in self.entries() {
            let like = known
                .iter()
                .find(|key| entry.key.eq_ignore_ascii_case(key) && entry.key != **key);
            if let Some(key) = like {
                let cause = format!("a key that differs from {key} only in case");
                return Err(Error::ambiguous(entry.line, cause));
            }
        }
        Ok(())
    }

    /// The items of the sequence under a key; an error if something else is there.
    pub fn items_at(&self, key: &str) -> Result<&[Self], Error> {
        match self.only(key)? {
            None => Ok(&[]),
            Some(node) => match &node.value {
                Value::List(items) => Ok(items),
                _ => Err(Error::at(node.line, format!("{key} is not a list"))),
            },
        }
    }

    /// The entries of the mapping under a key; an error if something else is there.
    pub fn entries_at(&self, key: &str) -> Result<&[Entry<'a>], Error> {
        match self.only(key)? {
            None => Ok(&[]),
            Some(node) => match &node.value {
                Value::Table(entries) => Ok(entries),
                Value::Null => Ok(&[]),
                _ => Err(Error::at(node.line, format!("{key} is not a mapping"))),
            },
        }
    }

    /// A string.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A string, or a number as it is written.
    pub fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text),
            _ => None,
        }
    }

    /// The string under a key.
    pub fn text_at(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::text)
    }

    /// Whether there is `true` under a key.
    pub fn is_true(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|node| node.value == Value::Bool(true))
    }

    /// Whether this is a mapping.
    pub fn is_table(&self) -> bool {
        matches!(self.value, Value::Table(_))
    }
}

impl Entry<'_> {
    /// Where key and value stand in the text.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        widened(self.start)..widened(self.node.end)
    }
}

/// A place in a text; texts are shorter than 4 GiB.
pub(crate) fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn widened(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use crate::{ErrorKind, json};

    #[test]
    fn keys_that_come_twice_or_in_another_case_are_refused() {
        let node = json("{\"a\": [1],\n\"a\": [2], \"B\": {}}").unwrap();
        let error = node.items_at("a").unwrap_err();
        assert_eq!((error.kind, error.line), (ErrorKind::Ambiguous, Some(2)));
        assert!(node.entries_at("a").is_err());
        assert!(node.entries_at("b").unwrap().is_empty());
        assert!(node.refuse_misspelt(&["b"]).is_err());
        assert!(node.refuse_misspelt(&["a", "B"]).is_ok());
    }
}
