//! Where resources are written, for inputs that are made of others: a plan names addresses, and its
//! findings should stand where somebody can change them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::resource::without_keys;
use crate::{Span, Stack, Value};

/// One resource block: its place, and its body, whose values have theirs.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) span: Span,
    pub(crate) body: Value,
    pub(crate) meta: Value,
}

/// See the module. Only the roots that somebody asked for are kept.
#[derive(Debug, Default)]
pub struct Sources {
    wanted: BTreeSet<String>,
    /// By root directory and address without instance keys.
    written: BTreeMap<(Arc<str>, String), Written>,
}

impl Sources {
    /// Keeps the places of what is written in these root directories.
    pub fn of(directories: impl IntoIterator<Item = String>) -> Self {
        Self {
            wanted: directories.into_iter().collect(),
            written: BTreeMap::new(),
        }
    }

    /// Notes the places of a stack.
    pub fn add(&mut self, stack: &Stack) {
        if !self.wanted.contains(&*stack.root) {
            return;
        }
        for resource in &stack.resources {
            let key = (Arc::clone(&stack.root), without_keys(&resource.address));
            self.written.entry(key).or_insert_with(|| Written {
                span: resource.span.clone(),
                body: resource.body.clone(),
                meta: resource.meta.clone(),
            });
        }
    }

    pub(crate) fn find(&self, root: &Arc<str>, address: &str) -> Option<&Written> {
        let key = (Arc::clone(root), without_keys(address));
        self.written.get(&key)
    }
}
