//! Bodies of resources: attributes, nested blocks, dynamic blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use hcl_edit::expr::Expression;

use super::super::source::{Block, Body};
use super::Run;
use super::scope::{Binding, Names, pair};
use crate::expression::MAX_STEPS;
use crate::value::{Kind, List, Map, Shape, Type, Unknown};
use crate::{ProblemKind, ProblemSeverity, Value};

/// Nested blocks that one dynamic block makes.
const MAX_BLOCKS: usize = 10_000;

/// Steps that an attribute costs beside its expression: its entry, its place.
const ATTRIBUTE_STEPS: u64 = 3;

/// Steps that a body costs: its first entry takes more than a kilobyte.
const BODY_STEPS: u64 = 12;

/// Nested blocks inside nested blocks; the parser's limit is lower.
type Lists = BTreeMap<Arc<str>, (Vec<Value>, Option<Unknown>)>;

impl Run<'_> {
    /// Evaluates a body without the attributes and blocks named in `skip`.
    pub(super) fn body(&self, names: &Names<'_>, body: &Body, skip: &[&str]) -> Kind {
        if let Some(rest) = self.unaffordable(body) {
            return rest;
        }
        let mut entries: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        for attribute in &body.attributes {
            if !skip.contains(&&*attribute.name) {
                let value = self.attribute(names, attribute);
                entries.insert(attribute.name.clone(), value);
            }
        }
        let mut lists = Lists::new();
        for block in &body.blocks {
            if skip.contains(&&*block.kind) {
                continue;
            }
            if &*block.kind == "dynamic" && !block.labels.is_empty() {
                self.dynamic(names, block, &mut lists);
            } else {
                let value = self.block(names, block);
                let list = lists.entry(block.kind.clone()).or_default();
                list.0.push(value);
            }
        }
        for (kind, (items, rest)) in lists {
            // A dynamic block over nothing writes nothing.
            if items.is_empty() && rest.is_none() {
                continue;
            }
            let list = Kind::List(List {
                items: items.into(),
                shape: Shape::List,
                rest,
            });
            entries.insert(kind, list.into());
        }
        Kind::Map(Map {
            entries: Arc::new(entries),
            rest: None,
        })
    }

    /// Pays for a body; what cannot be paid for is wholly unknown.
    fn unaffordable(&self, body: &Body) -> Option<Kind> {
        let attributes = u64::try_from(body.attributes.len()).unwrap_or(u64::MAX);
        let steps = attributes
            .saturating_mul(ATTRIBUTE_STEPS)
            .saturating_add(BODY_STEPS);
        if self.totals.budget.buy(steps) {
            return None;
        }
        self.cut_short(&format!(
            "the bodies of the module's resources need more than {MAX_STEPS} evaluation steps; some were not evaluated"
        ));
        let origin = crate::value::Origin::Failed("a body".into());
        Some(Kind::Map(Map {
            entries: Arc::default(),
            rest: Value::unknown(origin).as_unknown().cloned(),
        }))
    }

    fn block(&self, names: &Names<'_>, block: &Block) -> Value {
        Value {
            kind: self.body(names, &block.body, &[]),
            marks: Some(block.marks.clone()),
        }
    }

    fn dynamic(&self, names: &Names<'_>, block: &Block, lists: &mut Lists) {
        let Some(kind) = block.label(0) else {
            return;
        };
        let (items, rest) = lists.entry(kind.clone()).or_default();
        let (Some(each), Some(content)) = (
            block.body.attribute("for_each"),
            block.body.blocks("content").next(),
        ) else {
            let cause = format!("dynamic {kind} needs for_each and content");
            let severity = ProblemSeverity::Error;
            self.problem(ProblemKind::Evaluation, severity, &block.span, cause);
            return;
        };
        let iterator = match block.body.attribute("iterator").map(|it| &it.expression) {
            Some(Expression::Variable(name)) => name.as_str(),
            Some(Expression::String(name)) => name.as_str(),
            _ => kind,
        };
        let collection = self.attribute(names, each);
        let refuse = |kind, severity, cause: String| {
            self.problem(kind, severity, &each.span, cause);
        };
        let pairs: Vec<(Value, Value)> = match &collection.kind {
            Kind::Unknown(unknown) => {
                *rest = Some(unseen(unknown));
                return;
            }
            Kind::List(list) => {
                *rest = rest.take().or(list.rest.as_ref().map(unseen));
                let items = list.items.iter().enumerate();
                items
                    .map(|(index, item)| match list.shape {
                        Shape::Set => (item.clone(), item.clone()),
                        Shape::List => (rust_decimal::Decimal::from(index).into(), item.clone()),
                    })
                    .collect()
            }
            Kind::Map(map) => {
                *rest = rest.take().or(map.rest.as_ref().map(unseen));
                let entries = map.entries.iter();
                entries
                    .map(|(key, item)| (Kind::String(key.clone()).into(), item.clone()))
                    .collect()
            }
            _ => {
                let cause = format!("dynamic {kind}: for_each must be a collection");
                refuse(ProblemKind::Evaluation, ProblemSeverity::Error, cause);
                return;
            }
        };
        if pairs.len().saturating_add(items.len()) > MAX_BLOCKS {
            let cause = format!("dynamic {kind} makes more than {MAX_BLOCKS} blocks");
            refuse(ProblemKind::Limit, ProblemSeverity::Warning, cause);
            let origin = crate::value::Origin::Failed(kind.clone());
            *rest = Value::unknown(origin).as_unknown().cloned();
            return;
        }
        for (key, value) in pairs {
            if self.totals.budget.is_exhausted() {
                let origin = crate::value::Origin::Failed(kind.clone());
                *rest = Value::unknown(origin).as_unknown().cloned();
                return;
            }
            let bound = pair(key, value.marked_by(&collection));
            let binding = Binding::new(iterator, &bound, names.bindings);
            let inner = Names {
                bindings: Some(&binding),
                ..*names
            };
            items.push(self.block(&inner, content));
        }
    }
}

/// Why there may be further blocks.
fn unseen(unknown: &Unknown) -> Unknown {
    Unknown {
        origin: unknown.origin.clone(),
        kind: Type::Any,
        not_null: true,
        at_least: None,
        prefix: None,
        encoded: None,
    }
}
