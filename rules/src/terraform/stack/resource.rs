//! Resources and data sources: their instances, and what a reference to them gives.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use hcl_edit::expr::{Expression, TraversalOperator};

use super::super::data_sources;
use super::super::module::ResourceName;
use super::super::source::{Block, Body};
use super::beside;
use super::repetition::{Key, Repetition, each, keyed};
use super::scope::Binding;
use super::{INSTANCE_STEPS, Instance, Run};
use crate::value::{Kind, List, Map, Marks, Origin, Shape, Type, Unknown};
use crate::{Class, Resource, Value};

/// What belongs to Terraform and not to the resource.
const META: [&str; 8] = [
    "count",
    "for_each",
    "provider",
    "depends_on",
    "lifecycle",
    "provisioner",
    "connection",
    "providers",
];

/// All instances of one resource block.
pub(super) struct Expanded {
    repetition: Repetition,
    instances: Vec<One>,
    reference: OnceCell<Value>,
}

struct One {
    key: Option<Key>,
    address: Arc<str>,
    body: Value,
    uncertain: Option<Arc<str>>,
}

fn address_of(instance: &Instance, (class, kind, name): &ResourceName) -> String {
    match class {
        Class::Data => instance.named(&format!("data.{kind}.{name}")),
        _ => instance.named(&format!("{kind}.{name}")),
    }
}

impl Run<'_> {
    /// The instances of a resource, evaluated once; `None` if it is not declared, or if it
    /// needs itself.
    pub(super) fn resource(
        &self,
        instance: &Rc<Instance>,
        name: &ResourceName,
    ) -> Option<Rc<Expanded>> {
        if let Some(expanded) = instance.resources.borrow().get(name) {
            return Some(expanded.clone());
        }
        let (name, block) = instance.module.resources.get_key_value(name)?;
        let address = address_of(instance, name);
        let expanded = self.once(address.clone(), &block.span, instance.depth, || {
            self.expand(instance, name, block, &address)
        });
        let Some(expanded) = expanded else {
            // Who asks in a circle gets an unknown resource; it is not kept, since the
            // evaluation that is under way will have the instances.
            return Some(Rc::new(Expanded {
                repetition: Repetition::Unknown(Arc::new(Origin::Failed(address.into()))),
                instances: Vec::new(),
                reference: OnceCell::new(),
            }));
        };
        let expanded = Rc::new(expanded);
        let mut resources = instance.resources.borrow_mut();
        resources.insert(name.clone(), expanded.clone());
        Some(expanded)
    }

    fn expand(
        &self,
        instance: &Rc<Instance>,
        (mode, kind, _): &ResourceName,
        block: &Block,
        address: &str,
    ) -> Expanded {
        let names = self.names(instance, None);
        let (repetition, turns) = self.turns(&names, &block.body, address);
        if repetition == Repetition::Single {
            let run = self.totals.instances.get();
            self.totals.instances.set(run.saturating_add(1));
            self.instances.set(self.instances.get().saturating_add(1));
            // Where it does not fit, the attributes are not evaluated either.
            self.totals.budget.buy(INSTANCE_STEPS);
        }
        let instances = turns.into_iter().map(|turn| {
            let binding = turn
                .binding
                .as_ref()
                .map(|(name, value)| Binding::new(name, value, None));
            let names = self.names(instance, binding.as_ref());
            let body = self.body(&names, &block.body, &META);
            let body = Value {
                kind: body,
                marks: Some(block.marks.clone()),
            };
            let body = match mode {
                Class::Data => data_sources::computed(kind, body, &self.context()),
                _ => body,
            };
            One {
                address: keyed(address, turn.key.as_ref()),
                key: turn.key,
                body,
                uncertain: turn.uncertain,
            }
        });
        Expanded {
            repetition,
            instances: instances.collect(),
            reference: OnceCell::new(),
        }
    }

    /// Adds the instances to the result.
    pub(super) fn emit(&self, instance: &Rc<Instance>, name: &ResourceName, expanded: &Expanded) {
        let Some(block) = instance.module.resources.get(name) else {
            return;
        };
        let (mode, kind, label) = name;
        let meta = beside::meta(&block.body);
        let mut resources = self.resources.borrow_mut();
        for one in &expanded.instances {
            resources.push(Resource {
                address: one.address.clone(),
                class: *mode,
                kind: kind.clone(),
                name: label.clone(),
                module: instance.address.clone(),
                body: one.body.clone(),
                span: block.span.clone(),
                uncertain: one.uncertain.clone().or_else(|| instance.uncertain.clone()),
                provider: provider_of(&block.body, kind),
                meta: meta.clone(),
            });
        }
    }

    /// What an expression sees of a resource: an object, a list or a map of objects.
    pub(super) fn reference(
        instance: &Rc<Instance>,
        name: &ResourceName,
        expanded: &Expanded,
    ) -> Value {
        let reference = || referenced(instance, name, expanded);
        expanded.reference.get_or_init(reference).clone()
    }
}

fn referenced(instance: &Rc<Instance>, name: &ResourceName, expanded: &Expanded) -> Value {
    let blocks = instance.module.resources.get(name);
    let blocks: BTreeSet<&str> = blocks
        .map(|block| block.body.blocks.iter().map(Block::produces).collect())
        .unwrap_or_default();
    let object = |one: &One| open(name, one, &blocks);
    let keyed = expanded.instances.iter().filter(|one| one.key.is_some());
    match &expanded.repetition {
        Repetition::Single => expanded.instances.first().map_or(Value::NULL, object),
        Repetition::Count => Value::list(keyed.map(object)),
        Repetition::Each(rest) => {
            let entries = keyed.filter_map(|one| match &one.key {
                Some(Key::Name(key)) => Some((key.clone(), object(one))),
                _ => None,
            });
            each(entries, rest.as_ref())
        }
        Repetition::Unknown(origin) => {
            let mut value = Value::unknown_of(origin.clone(), Type::Any);
            let address: Arc<str> = address_of(instance, name).into();
            value.edit_marks(|marks| {
                marks.references.insert(address);
            });
            value
        }
    }
}

/// The object that a reference gives: what was written, and unknown attributes beside it.
fn open((mode, kind, _): &ResourceName, one: &One, blocks: &BTreeSet<&str>) -> Value {
    let origin = match mode {
        Class::Data => Origin::Data(one.address.clone()),
        _ => Origin::Computed {
            address: one.address.clone(),
            attribute: "".into(),
        },
    };
    let rest = Unknown {
        origin: Arc::new(origin),
        kind: Type::Any,
        not_null: false,
        at_least: None,
        prefix: None,
        encoded: None,
    };
    let marks = Marks {
        references: BTreeSet::from([one.address.clone()]),
        identity: Some(one.address.clone()),
        ..Marks::default()
    };
    let mut object = opened(&one.body, &rest, blocks);
    if let (Class::Managed, Kind::Map(map), Some(id)) = (mode, &mut object, id_of(kind, &one.body))
    {
        let entries = Arc::make_mut(&mut map.entries);
        entries.entry("id".into()).or_insert_with(|| id.clone());
    }
    Value {
        kind: object,
        marks: Some(Arc::new(marks)),
    }
}

/// Resources that are part of another and have its name for an id, by the provider's
/// documentation: what is made from their id belongs to that one.
const SAME_ID: [(&str, &str); 14] = [
    ("aws_s3_bucket_accelerate_configuration", "bucket"),
    ("aws_s3_bucket_cors_configuration", "bucket"),
    ("aws_s3_bucket_lifecycle_configuration", "bucket"),
    ("aws_s3_bucket_logging", "bucket"),
    ("aws_s3_bucket_notification", "bucket"),
    ("aws_s3_bucket_object_lock_configuration", "bucket"),
    ("aws_s3_bucket_ownership_controls", "bucket"),
    ("aws_s3_bucket_policy", "bucket"),
    ("aws_s3_bucket_public_access_block", "bucket"),
    ("aws_s3_bucket_replication_configuration", "bucket"),
    ("aws_s3_bucket_request_payment_configuration", "bucket"),
    (
        "aws_s3_bucket_server_side_encryption_configuration",
        "bucket",
    ),
    ("aws_s3_bucket_versioning", "bucket"),
    ("aws_s3_bucket_website_configuration", "bucket"),
];

/// The attribute that is also the id; with an expected owner the id is made of both.
fn id_of<'v>(kind: &str, body: &'v Value) -> Option<&'v Value> {
    let (_, attribute) = SAME_ID.iter().find(|(name, _)| *name == kind)?;
    if body
        .get("expected_bucket_owner")
        .is_some_and(|owner| !owner.is_null())
    {
        return None;
    }
    body.get(attribute).filter(|value| !value.is_null())
}

fn opened(body: &Value, rest: &Unknown, blocks: &BTreeSet<&str>) -> Kind {
    let Kind::Map(map) = &body.kind else {
        return body.kind.clone();
    };
    let written = map.entries.iter().filter(|(_, value)| !value.is_null());
    let entries: BTreeMap<Arc<str>, Value> = written
        .map(|(name, value)| {
            let value = match &value.kind {
                Kind::List(list) if blocks.contains(&**name) => {
                    let items = list.items.iter().map(|item| Value {
                        kind: opened(item, rest, &BTreeSet::new()),
                        marks: item.marks.clone(),
                    });
                    Value {
                        kind: Kind::List(List {
                            items: items.collect(),
                            shape: Shape::List,
                            rest: list.rest.clone(),
                        }),
                        marks: value.marks.clone(),
                    }
                }
                _ => value.clone(),
            };
            (name.clone(), value)
        })
        .collect();
    Kind::Map(Map {
        entries: Arc::new(entries),
        rest: Some(rest.clone()),
    })
}

/// The provider configuration: as written, else the one named like the type's first word.
fn provider_of(body: &Body, kind: &str) -> Option<Arc<str>> {
    match body
        .attribute("provider")
        .map(|provider| &provider.expression)
    {
        Some(Expression::Variable(name)) => Some(name.as_str().into()),
        Some(Expression::String(name)) => Some(name.as_str().into()),
        Some(Expression::Traversal(traversal)) => {
            let name = traversal.expr.as_variable()?;
            match traversal.operators.first()?.value() {
                TraversalOperator::GetAttr(alias) => {
                    Some(format!("{}.{}", name.as_str(), alias.as_str()).into())
                }
                _ => None,
            }
        }
        Some(_) => None,
        None => kind.split('_').next().map(Into::into),
    }
}
