//! Lists, objects and `for` expressions, with open ends where members or conditions are unknown.

use std::collections::BTreeMap;
use std::sync::Arc;

use hcl_edit::expr::{Array, ForExpr, Object, ObjectKey};

use super::budget::OBJECT_STEPS;
use super::coerce::{self, name_of};
use super::{EvalError, Evaluator, Frame, count, fault};
use crate::Value;
use crate::functions::convert::format_number;
use crate::value::{Kind, List, Map, Shape, Type, Unknown};

/// What a loop runs over: definite members, and why there may be more.
pub(super) struct Members {
    pub(super) pairs: Vec<(Value, Value)>,
    pub(super) rest: Option<Unknown>,
}

/// Unfolds a collection into keys and values. Members inherit the marks of the collection.
pub(super) fn members(collection: &Value) -> Result<Members, EvalError> {
    let pairs = match &collection.kind {
        Kind::List(list) => list
            .items
            .iter()
            .enumerate()
            .map(|(place, item)| {
                let item = item.clone().marked_by(collection);
                match (list.shape, &list.rest) {
                    (Shape::Set, _) => (item.clone(), item),
                    (Shape::List, None) => (count(place).marked_by(collection), item),
                    // Unseen members may stand before this one.
                    (Shape::List, Some(rest)) => {
                        let origin = rest.origin.clone();
                        (Value::unknown_of(origin, Type::Number), item)
                    }
                }
            })
            .collect(),
        Kind::Map(map) => map
            .entries
            .iter()
            .map(|(key, item)| {
                let key = Value::from(Kind::String(key.clone()));
                (
                    key.marked_by(collection),
                    item.clone().marked_by(collection),
                )
            })
            .collect(),
        Kind::Unknown(_) => Vec::new(),
        _ => return fault(format!("{} cannot be iterated", name_of(collection))),
    };
    let rest = match &collection.kind {
        Kind::List(list) => list.rest.clone(),
        Kind::Map(map) => map.rest.clone(),
        Kind::Unknown(unknown) => Some(unknown.clone()),
        _ => None,
    };
    Ok(Members { pairs, rest })
}

/// Why unseen members are unseen, without what was known of the collection as a whole.
fn unseen(unknown: &Unknown) -> Unknown {
    Unknown {
        origin: unknown.origin.clone(),
        kind: Type::Any,
        not_null: false,
        at_least: None,
        prefix: None,
        encoded: None,
    }
}

/// The key of an object: text, or the reason why it is unknown.
fn key_text(key: &Value) -> Result<Result<Arc<str>, Unknown>, EvalError> {
    match &key.kind {
        Kind::String(text) => Ok(Ok(text.clone())),
        Kind::Number(number) => Ok(Ok(format_number(*number).into())),
        Kind::Bool(value) => Ok(Ok(value.to_string().into())),
        Kind::Unknown(unknown) => Ok(Err(unseen(unknown))),
        _ => fault(format!("{} is not a key of an object", name_of(key))),
    }
}

impl Evaluator<'_> {
    pub(super) fn array(&self, array: &Array) -> Result<Value, EvalError> {
        let items: Result<Arc<[Value]>, EvalError> =
            array.iter().map(|item| self.expression(item)).collect();
        let value = Kind::List(List {
            items: items?,
            shape: Shape::List,
            rest: None,
        })
        .into();
        self.nested(value)
    }

    /// Measures a new collection where it holds other collections; flat ones are paid for by
    /// the steps that made their members.
    fn nested(&self, value: Value) -> Result<Value, EvalError> {
        let deep = |member: &Value| matches!(member.kind, Kind::List(_) | Kind::Map(_));
        let measure = match &value.kind {
            Kind::List(list) => list.items.iter().any(deep),
            Kind::Map(map) => map.entries.values().any(deep),
            _ => false,
        };
        if measure {
            self.budget.measure(&value)?;
        }
        Ok(value)
    }

    pub(super) fn object(&self, object: &Object) -> Result<Value, EvalError> {
        self.budget.spend(OBJECT_STEPS)?;
        let mut entries: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        let mut rest = None;
        let mut marks = Value::NULL;
        for (key, value) in object {
            let key = match key {
                ObjectKey::Ident(name) => Ok(name.as_str().into()),
                ObjectKey::Expression(expression) => {
                    let key = self.expression(expression)?;
                    marks = marks.marked_by(&key);
                    key_text(&key)?
                }
            };
            let value = self.expression(value.expr())?;
            match key {
                Ok(key) => {
                    entries.insert(key, value);
                }
                Err(unknown) => rest = Some(unknown),
            }
        }
        let value: Value = Kind::Map(Map {
            entries: Arc::new(entries),
            rest,
        })
        .into();
        self.nested(value.marked_by(&marks))
    }

    pub(super) fn for_expression(&self, expression: &ForExpr) -> Result<Value, EvalError> {
        let intro = &expression.intro;
        let collection = self.expression(&intro.collection_expr)?;
        let Members { pairs, rest } = members(&collection)?;
        let mut rest = rest.as_ref().map(unseen);
        let mut result = Loop::default();
        for (key, value) in &pairs {
            self.budget.spend(1)?;
            let frame = Frame {
                key: intro.key_var.as_ref().map(|name| (name.as_str(), key)),
                value: (intro.value_var.as_str(), value),
                parent: self.frame,
            };
            let inner = Evaluator {
                frame: Some(&frame),
                ..*self
            };
            if let Some(condition) = &expression.cond {
                let condition = inner.expression(&condition.expr)?;
                result.marks = result.marks.marked_by(&condition);
                match coerce::bool(&condition)? {
                    Some(true) => {}
                    Some(false) => continue,
                    None => {
                        rest = condition.as_unknown().map(unseen).or(rest);
                        continue;
                    }
                }
            }
            let key = match &expression.key_expr {
                Some(key) => Some(inner.expression(key)?),
                None => None,
            };
            let value = inner.expression(&expression.value_expr)?;
            let Some(key) = key else {
                result.items.push(value);
                continue;
            };
            result.marks = result.marks.marked_by(&key);
            match key_text(&key)? {
                Ok(key) if expression.grouping => result.group(key, value),
                Ok(key) => result.insert(key, value)?,
                Err(unknown) => rest = Some(unknown),
            }
        }
        let value = result.finish(expression, rest, collection.as_unknown());
        self.nested(value.marked_by(&collection))
    }
}

/// What a `for` expression has collected so far.
struct Loop {
    items: Vec<Value>,
    entries: BTreeMap<Arc<str>, Value>,
    groups: BTreeMap<Arc<str>, Vec<Value>>,
    marks: Value,
}

impl Default for Loop {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            entries: BTreeMap::new(),
            groups: BTreeMap::new(),
            marks: Value::NULL,
        }
    }
}

impl Loop {
    fn insert(&mut self, key: Arc<str>, value: Value) -> Result<(), EvalError> {
        if self.entries.insert(key, value).is_some() {
            return fault("two members of a for expression have the same key");
        }
        Ok(())
    }

    fn group(&mut self, key: Arc<str>, value: Value) {
        self.groups.entry(key).or_default().push(value);
    }

    fn finish(self, expression: &ForExpr, rest: Option<Unknown>, all: Option<&Unknown>) -> Value {
        let is_map = expression.key_expr.is_some();
        if let Some(unknown) = all {
            // Nothing is known but that there will be a collection; a plain `for` over all
            // members keeps their number.
            let complete = expression.cond.is_none() && !is_map;
            let kind = if is_map {
                Type::Map(Type::Any.into())
            } else {
                Type::List(Type::Any.into())
            };
            return Kind::Unknown(Unknown {
                origin: unknown.origin.clone(),
                kind,
                not_null: true,
                at_least: unknown.at_least.filter(|_| complete),
                prefix: None,
                encoded: None,
            })
            .into();
        }
        let value: Value = if is_map {
            let entries = if expression.grouping {
                let close = |items: Vec<Value>| {
                    // With unseen members each group may hold more.
                    Kind::List(List {
                        items: items.into(),
                        shape: Shape::List,
                        rest: rest.clone(),
                    })
                    .into()
                };
                self.groups
                    .into_iter()
                    .map(|(key, items)| (key, close(items)))
                    .collect()
            } else {
                self.entries
            };
            Kind::Map(Map {
                entries: Arc::new(entries),
                rest,
            })
            .into()
        } else {
            Kind::List(List {
                items: self.items.into(),
                shape: Shape::List,
                rest,
            })
            .into()
        };
        value.marked_by(&self.marks)
    }
}
