//! What functions need not do twice in one run: compile a pattern, decode a document. Modules call
//! `jsondecode(file(…))` once per resource.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use regex::Regex;

use super::FunctionError;
use crate::Value;

/// Patterns that are kept.
const MAX_PATTERNS: usize = 128;

/// Bytes of texts whose values are kept.
const MAX_TEXT: usize = 8 << 20;

/// Shorter texts are decoded as fast as they are found.
const MIN_TEXT: usize = 256;

/// Results of earlier calls.
#[derive(Debug, Default)]
pub struct Memory {
    patterns: RefCell<BTreeMap<String, Rc<Regex>>>,
    documents: RefCell<BTreeMap<(&'static str, Arc<str>), Value>>,
    bytes: Cell<usize>,
}

impl Memory {
    /// The compiled pattern.
    pub(super) fn pattern(
        &self,
        pattern: &str,
        compile: impl FnOnce() -> Result<Regex, FunctionError>,
    ) -> Result<Rc<Regex>, FunctionError> {
        if let Some(known) = self.patterns.borrow().get(pattern) {
            return Ok(known.clone());
        }
        let regex = Rc::new(compile()?);
        let mut patterns = self.patterns.borrow_mut();
        if patterns.len() >= MAX_PATTERNS {
            patterns.clear();
        }
        patterns.insert(pattern.to_owned(), regex.clone());
        Ok(regex)
    }

    /// The value of a document in the language that `decode` reads.
    pub(super) fn document(
        &self,
        language: &'static str,
        text: &str,
        decode: impl FnOnce() -> Result<Value, FunctionError>,
    ) -> Result<Value, FunctionError> {
        if text.len() < MIN_TEXT {
            return decode();
        }
        let key = (language, Arc::from(text));
        if let Some(known) = self.documents.borrow().get(&key) {
            return Ok(known.clone());
        }
        let value = decode()?;
        let mut documents = self.documents.borrow_mut();
        let bytes = self.bytes.get().saturating_add(text.len());
        self.bytes.set(bytes);
        if bytes > MAX_TEXT {
            documents.clear();
            self.bytes.set(text.len());
        }
        if text.len() <= MAX_TEXT {
            documents.insert(key, value.clone());
        }
        Ok(value)
    }
}
