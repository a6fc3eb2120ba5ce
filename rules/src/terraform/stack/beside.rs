//! What rules may ask for beside resources and data sources: module calls, providers, settings,
//! variables and outputs, made only where some rule speaks of them; and what a resource block holds
//! for Terraform itself.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use hcl_edit::expr::{Expression, ObjectKey};

use super::super::source::{Attribute, Block, Body};
use super::repetition::keyed;
use super::scope::Binding;
use super::{Instance, Run};
use crate::value::{Kind, Map, Marks};
use crate::{Class, Resource, Span, Value};

/// Arguments of a module call that are Terraform's.
const CALL: [&str; 5] = ["count", "for_each", "providers", "depends_on", "lifecycle"];

/// Calls of one block that are spoken of; with more, each further one costs as much again.
const MAX_CALLS: usize = 1_000;

/// Parts of variables and outputs that are not evaluated here.
const DECLARATION: [&str; 5] = ["type", "validation", "precondition", "depends_on", "value"];

type Entries = BTreeMap<Arc<str>, Value>;

impl Run<'_> {
    /// Adds what the module declares of the classes that rules ask for.
    pub(super) fn beside(&self, instance: &Rc<Instance>) {
        for class in &self.options.classes {
            match class {
                Class::Module => self.module_calls(instance),
                Class::Provider => self.provider_blocks(instance),
                Class::Terraform => self.settings(instance),
                Class::Variable | Class::Output => self.declarations(instance, *class),
                Class::Managed | Class::Data => {}
            }
        }
    }

    fn push(&self, instance: &Instance, class: Class, name: &str, kind: &str, what: Found<'_>) {
        let address = match class {
            Class::Variable => instance.named(&format!("var.{name}")),
            Class::Terraform => instance.named("terraform"),
            class => instance.named(&format!("{}.{name}", class.as_str())),
        };
        let marks = Marks {
            span: Some(what.span.clone()),
            ..Marks::default()
        };
        let body = Kind::Map(Map {
            entries: Arc::new(what.entries),
            rest: None,
        });
        self.resources.borrow_mut().push(Resource {
            address: what.address.unwrap_or_else(|| address.into()),
            class,
            kind: kind.into(),
            name: name.into(),
            module: instance.address.clone(),
            body: Value {
                kind: body,
                marks: Some(Arc::new(marks)),
            },
            span: what.span.clone(),
            uncertain: instance.uncertain.clone(),
            provider: None,
            meta: Value::NULL,
        });
    }

    fn module_calls(&self, instance: &Rc<Instance>) {
        for (name, block) in &instance.module.calls {
            let source = block.body.attribute("source");
            let source = source.and_then(|source| source.expression.as_str());
            let source = source.unwrap_or_default();
            let address = instance.named(&format!("module.{name}"));
            let names = self.names(instance, None);
            let (_, turns) = self.turns(&names, &block.body, &address);
            for turn in turns.into_iter().take(MAX_CALLS) {
                let binding = turn.binding.as_ref();
                let binding = binding.map(|(name, value)| Binding::new(name, value, None));
                let names = self.names(instance, binding.as_ref());
                let found = Found {
                    entries: entries(self.body(&names, &block.body, &CALL)),
                    span: &block.span,
                    address: Some(keyed(&address, turn.key.as_ref())),
                };
                self.push(instance, Class::Module, name, source, found);
            }
        }
    }

    fn provider_blocks(&self, instance: &Rc<Instance>) {
        for (name, block) in &instance.module.providers {
            let names = self.names(instance, None);
            let found = Found {
                entries: entries(self.body(&names, &block.body, &[])),
                span: &block.span,
                address: None,
            };
            let kind = name.split('.').next().unwrap_or(name);
            self.push(instance, Class::Provider, name, kind, found);
        }
    }

    /// All `terraform` blocks of a module are one; a backend says its type.
    fn settings(&self, instance: &Rc<Instance>) {
        const STATE: [&str; 2] = ["backend", "cloud"];
        let Some(first) = instance.module.settings.first() else {
            return;
        };
        let names = self.names(instance, None);
        let mut all = Entries::new();
        for block in &instance.module.settings {
            all.extend(entries(self.body(&names, &block.body, &STATE)));
            for kind in STATE {
                for state in block.body.blocks(kind) {
                    let mut body = entries(self.body(&names, &state.body, &[]));
                    if let Some(label) = state.label(0) {
                        body.insert("type".into(), Value::from(&**label));
                    }
                    all.insert(kind.into(), Value::list([object(body, &state.span)]));
                }
            }
        }
        let found = Found {
            entries: all,
            span: &first.span,
            address: None,
        };
        self.push(instance, Class::Terraform, "", "terraform", found);
    }

    fn declarations(&self, instance: &Rc<Instance>, class: Class) {
        let blocks = match class {
            Class::Variable => &instance.module.variables,
            _ => &instance.module.outputs,
        };
        for (name, block) in blocks {
            let names = self.names(instance, None);
            let mut all = entries(self.body(&names, &block.body, &DECLARATION));
            if let Some(kind) = block.body.attribute("type") {
                let text = kind.expression.to_string();
                all.insert("type".into(), Value::from(text.trim()));
            }
            if class == Class::Output
                && let Some(value) = self.output(instance, name)
            {
                all.insert("value".into(), value);
            }
            let found = Found {
                entries: all,
                span: &block.span,
                address: None,
            };
            self.push(instance, class, name, name, found);
        }
    }
}

/// What is to be added.
struct Found<'a> {
    entries: Entries,
    span: &'a Span,
    /// Where it is not that of the block.
    address: Option<Arc<str>>,
}

fn entries(body: Kind) -> Entries {
    match body {
        Kind::Map(map) => Arc::unwrap_or_clone(map.entries),
        _ => Entries::new(),
    }
}

fn object(entries: Entries, span: &Span) -> Value {
    Value::map(entries).with_span(span.clone())
}

/// The lifecycle and the provisioners of a resource block, as far as they are written out: what is
/// referred to there is a name and no value.
pub(super) fn meta(body: &Body) -> Value {
    let mut all = Entries::new();
    for block in body.blocks("lifecycle") {
        let attributes = block.body.attributes.iter();
        let written = attributes.map(|one| (Arc::clone(&one.name), written(one)));
        let lifecycle = object(written.collect(), &block.span);
        all.insert("lifecycle".into(), Value::list([lifecycle]));
    }
    let provisioners: Vec<Value> = body.blocks("provisioner").map(provisioner).collect();
    if !provisioners.is_empty() {
        all.insert("provisioner".into(), Value::list(provisioners));
    }
    if all.is_empty() {
        return Value::NULL;
    }
    Value::map(all)
}

fn provisioner(block: &Block) -> Value {
    let kind = block
        .label(0)
        .map_or(Value::NULL, |label| Value::from(&**label));
    object(Entries::from([("type".into(), kind)]), &block.span)
}

/// A literal as it is, names as texts.
fn written(attribute: &Attribute) -> Value {
    if let Some(constant) = &attribute.constant {
        return constant.clone();
    }
    let text = |expression: &Expression| Value::from(expression.to_string().trim());
    let value = match &attribute.expression {
        Expression::Array(items) => Value::list(items.iter().map(text)),
        Expression::Object(object) => Value::map(object.iter().filter_map(|(key, value)| {
            let key = match key {
                ObjectKey::Ident(name) => name.as_str(),
                ObjectKey::Expression(key) => key.as_str()?,
            };
            Some((Arc::from(key), text(value.expr())))
        })),
        other => text(other),
    };
    value.with_span(attribute.span.clone())
}
