//! The stack as rules ask about it: resources by type and address, and who refers to whom. Every
//! index is built once per stack, on first use.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use super::MAX_WORK;
use crate::functions::Memory;
use crate::language::Selector;
use crate::value::{Kind, Marks};
use crate::{Class, Resource, Stack, Value};

/// Attributes by which other resources name a resource in plain text.
pub(super) const NAMES: [&str; 5] = ["name", "bucket", "id", "identifier", "arn"];

/// A stack with its indexes.
pub(crate) struct World<'a> {
    pub(super) stack: &'a Stack,
    by_kind: BTreeMap<Class, BTreeMap<&'a str, Vec<usize>>>,
    by_address: BTreeMap<&'a str, usize>,
    /// By type and attribute: the resources of that type by what the attribute says.
    mentions: RefCell<BTreeMap<(String, String), Rc<Mentions>>>,
    /// By type: its resources by their names.
    named: RefCell<BTreeMap<String, Rc<Named>>>,
    modules: OnceCell<Vec<ModuleArguments>>,
    /// Answers of `all`, by type.
    pub(super) all: RefCell<BTreeMap<String, Value>>,
    work: Cell<u64>,
    allowed: u64,
    memory: Memory,
}

type Named = BTreeMap<Arc<str>, Vec<usize>>;

/// What the attribute of all resources of one type says.
#[derive(Default)]
pub(super) struct Mentions {
    /// By address referred to.
    pub(super) by_address: BTreeMap<Arc<str>, Vec<usize>>,
    /// By literal text.
    pub(super) by_text: BTreeMap<Arc<str>, Vec<usize>>,
    /// Unknown and read as it is from this path (`var.name`).
    pub(super) by_identity: BTreeMap<Arc<str>, Vec<usize>>,
    /// Unknown and without a reference: it may be anything.
    pub(super) loose: Vec<usize>,
}

/// What an unresolved module was given.
pub(super) struct ModuleArguments {
    pub(super) address: Arc<str>,
    pub(super) references: BTreeSet<Arc<str>>,
    pub(super) texts: BTreeSet<Arc<str>>,
}

impl<'a> World<'a> {
    pub(crate) fn new(stack: &'a Stack) -> Self {
        Self::within(stack, MAX_WORK)
    }

    /// A stack whose rules may take so many steps.
    pub(crate) fn within(stack: &'a Stack, allowed: u64) -> Self {
        let mut by_kind: BTreeMap<Class, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
        let mut by_address = BTreeMap::new();
        for (index, resource) in stack.resources.iter().enumerate() {
            let kinds = by_kind.entry(resource.class).or_default();
            kinds.entry(&*resource.kind).or_default().push(index);
            by_address.insert(&*resource.address, index);
        }
        Self {
            stack,
            by_kind,
            by_address,
            mentions: RefCell::default(),
            named: RefCell::default(),
            modules: OnceCell::new(),
            all: RefCell::default(),
            work: Cell::new(0),
            allowed,
            memory: Memory::default(),
        }
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Counts work that was done; `false` once it is more than a stack may cost.
    pub(super) fn pay(&self, steps: u64) -> bool {
        let work = self.work.get().saturating_add(steps);
        self.work.set(work);
        work <= self.allowed
    }

    /// Steps that were counted.
    pub(super) fn worked(&self) -> u64 {
        self.work.get()
    }

    /// All types in the stack.
    pub(super) fn kinds(&self) -> impl Iterator<Item = (Class, &'a str)> {
        let classes = self.by_kind.iter();
        classes.flat_map(|(class, kinds)| kinds.keys().map(|kind| (*class, *kind)))
    }

    pub(super) fn of_kind(&self, class: Class, kind: &str) -> &[usize] {
        let kinds = self.by_kind.get(&class);
        let indexes = kinds.and_then(|kinds| kinds.get(kind));
        indexes.map_or(&[], Vec::as_slice)
    }

    /// All that a selector selects, in the order of the stack.
    pub(super) fn selected(&self, class: Class, selector: &Selector) -> Vec<usize> {
        if !selector.is_pattern() {
            return self.of_kind(class, &selector.kind).to_vec();
        }
        let all = self.by_kind.get(&class).into_iter().flatten();
        let fitting = all.filter(|(kind, _)| selector.fits(kind));
        let mut indexes: Vec<usize> = fitting.flat_map(|(_, indexes)| indexes).copied().collect();
        indexes.sort_unstable();
        indexes
    }

    /// All that an argument such as `"T"`, `"data.T"`, `"module"` or `"module.SOURCE"` selects.
    pub(super) fn of_key(&self, key: &str) -> Vec<usize> {
        let (class, kind) = super::split_kind(key);
        let selector = Selector {
            class: class.as_str(),
            kind: kind.to_owned(),
        };
        self.selected(class, &selector)
    }

    /// The configuration of a resource's provider.
    pub(super) fn provider(&self, resource: &Resource) -> Option<&'a Value> {
        self.stack.providers.get(resource.provider.as_ref()?)
    }

    pub(super) fn resource(&self, index: usize) -> Option<&'a Resource> {
        self.stack.resources.get(index)
    }

    pub(super) fn at(&self, address: &str) -> Option<&'a Resource> {
        self.resource(*self.by_address.get(address)?)
    }

    /// All instances of the block at an address without its own instance key.
    pub(super) fn instances(&self, bare: &str) -> impl Iterator<Item = &'a Resource> {
        let open = format!("{bare}[");
        let range = self.by_address.range(open.as_str()..);
        let indexes: Vec<usize> = range
            .take_while(|(address, _)| address.starts_with(&open))
            .map(|(_, index)| *index)
            .collect();
        indexes.into_iter().filter_map(|index| self.resource(index))
    }

    /// The resource as a value: its body, marked with its own address, by which functions such
    /// as `related` know it again.
    pub(super) fn view(resource: &Resource) -> Value {
        let span = resource.body.span().unwrap_or(&resource.span);
        Value {
            kind: resource.body.kind.clone(),
            marks: Some(Arc::new(Marks {
                references: BTreeSet::from([resource.address.clone()]),
                span: Some(span.clone()),
                ..Marks::default()
            })),
        }
    }

    /// The resource of which `value` is the view.
    pub(super) fn viewed(&self, value: &Value) -> Option<&'a Resource> {
        let references = &value.marks.as_ref()?.references;
        match (references.first(), references.len()) {
            (Some(address), 1) if value.as_map().is_some() => self.at(address),
            _ => None,
        }
    }

    pub(super) fn mentions(&self, kind: &str, attribute: &str) -> Rc<Mentions> {
        let key = (kind.to_owned(), attribute.to_owned());
        if let Some(found) = self.mentions.borrow().get(&key) {
            return found.clone();
        }
        let mut mentions = Mentions::default();
        for index in self.of_key(kind) {
            let Some(resource) = self.resource(index) else {
                continue;
            };
            leaves(&resource.body, attribute, &mut |leaf| {
                mentions.add(index, leaf);
            });
        }
        let mentions = Rc::new(mentions);
        self.mentions.borrow_mut().insert(key, mentions.clone());
        mentions
    }

    /// Resources of a type by the literal text of an identifying attribute.
    pub(super) fn named(&self, kind: &str) -> Rc<Named> {
        if let Some(found) = self.named.borrow().get(kind) {
            return found.clone();
        }
        let mut named = Named::new();
        for index in self.of_key(kind) {
            let body = self.resource(index).map(|resource| &resource.body);
            let texts: BTreeSet<&Arc<str>> = NAMES
                .iter()
                .filter_map(|name| match &body?.get(name)?.kind {
                    Kind::String(text) if !text.is_empty() => Some(text),
                    _ => None,
                })
                .collect();
            for text in texts {
                named.entry(text.clone()).or_default().push(index);
            }
        }
        let named = Rc::new(named);
        self.named
            .borrow_mut()
            .insert(kind.to_owned(), named.clone());
        named
    }

    pub(super) fn modules(&self) -> &[ModuleArguments] {
        self.modules.get_or_init(|| {
            let modules = self.stack.unresolved_modules.iter();
            let gather = |(address, arguments): (&Arc<str>, &Value)| {
                let mut module = ModuleArguments {
                    address: address.clone(),
                    references: BTreeSet::new(),
                    texts: BTreeSet::new(),
                };
                walk(arguments, &mut |leaf| {
                    module.references.extend(references(leaf).cloned());
                    if let Kind::String(text) = &leaf.kind {
                        module.texts.insert(text.clone());
                    }
                });
                module
            };
            modules.map(gather).collect()
        })
    }
}

impl Mentions {
    fn add(&mut self, index: usize, leaf: &Value) {
        fn push(list: &mut Vec<usize>, index: usize) {
            if list.last() != Some(&index) {
                list.push(index);
            }
        }
        let mut referred = false;
        for address in references(leaf) {
            referred = true;
            push(self.by_address.entry(address.clone()).or_default(), index);
        }
        if let Some(path) = leaf.identity() {
            push(self.by_identity.entry(path.clone()).or_default(), index);
        }
        match &leaf.kind {
            Kind::String(text) => push(self.by_text.entry(text.clone()).or_default(), index),
            Kind::Unknown(_) if !referred => push(&mut self.loose, index),
            _ => {}
        }
    }
}

/// The addresses a value was made from.
pub(super) fn references(value: &Value) -> impl Iterator<Item = &Arc<str>> {
    value.marks.iter().flat_map(|marks| &marks.references)
}

/// Visits every value that has no members, and every open or marked collection.
pub(super) fn walk<'v>(value: &'v Value, visit: &mut dyn FnMut(&'v Value)) {
    match &value.kind {
        Kind::List(list) => {
            list.items.iter().for_each(|item| walk(item, visit));
            if list.rest.is_some() || value.marks.is_some() {
                visit(value);
            }
        }
        Kind::Map(map) => {
            map.entries.values().for_each(|item| walk(item, visit));
            if map.rest.is_some() || value.marks.is_some() {
                visit(value);
            }
        }
        _ => visit(value),
    }
}

/// Visits the leaves of the attribute at a dotted path, through all blocks on the way.
pub(super) fn leaves<'v>(body: &'v Value, path: &str, visit: &mut dyn FnMut(&'v Value)) {
    match &body.kind {
        Kind::List(list) => list.items.iter().for_each(|item| leaves(item, path, visit)),
        Kind::Map(map) => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            match map.entries.get(name) {
                Some(value) if rest.is_empty() => walk(value, visit),
                Some(value) => leaves(value, rest, visit),
                None => {}
            }
        }
        Kind::Unknown(_) => visit(body),
        _ => {}
    }
}
