//! Attributes, indexes and splats.

use std::sync::Arc;

use hcl_edit::Decorated;
use hcl_edit::expr::TraversalOperator;
use rust_decimal::prelude::ToPrimitive;

use super::coerce::{self, name_of};
use super::{EvalError, Evaluator, fault};
use crate::Value;
use crate::functions::convert::format_number;
use crate::value::{Kind, List, Map, Origin, Shape, Type, Unknown};

/// Steps that an unknown attribute costs.
const UNKNOWN_COST: u64 = 3;

/// Reads an attribute of an object or an entry of a map. What an open object may have is
/// unknown; what a closed one has not is an error. Marks of the object cling to the result.
pub fn attribute(value: &Value, name: &str) -> Result<Value, EvalError> {
    let result = match &value.kind {
        Kind::Map(map) => match (map.entries.get(name), &map.rest) {
            (Some(entry), _) => entry.clone(),
            (None, Some(rest)) => beyond(value, rest, name),
            (None, None) => return fault(format!("there is no attribute \"{name}\"")),
        },
        Kind::Unknown(unknown) => beyond(value, unknown, name),
        Kind::Null => return fault(format!("null has no attribute \"{name}\"")),
        _ => return fault(format!("{} has no attribute \"{name}\"", name_of(value))),
    };
    Ok(result.marked_by(value))
}

/// Reads a member by its index or key.
pub fn index(value: &Value, key: &Value) -> Result<Value, EvalError> {
    let result = match (&value.kind, &key.kind) {
        (Kind::Null, _) => return fault("null cannot be indexed"),
        (_, Kind::Null) => return fault("an index must not be null"),
        (_, Kind::Unknown(unknown)) => some_member(value, unknown),
        (Kind::List(list), _) => element(value, list, key)?,
        (Kind::Map(map), _) => {
            let name = key_text(key)?;
            match (map.entries.get(&*name), &map.rest) {
                (Some(entry), _) => entry.clone(),
                (None, Some(rest)) => beyond(value, rest, &name),
                (None, None) => return fault("the given key is not in the map"),
            }
        }
        (Kind::Unknown(unknown), _) => beyond(value, unknown, &key_text(key)?),
        _ => return fault(format!("{} cannot be indexed", name_of(value))),
    };
    Ok(result.marked_by(value).marked_by(key))
}

fn element(value: &Value, list: &List, key: &Value) -> Result<Value, EvalError> {
    if list.shape == Shape::Set {
        return fault("a set cannot be indexed");
    }
    let Some(position) = coerce::number(key)?.filter(|number| number.fract().is_zero()) else {
        return fault("an index must be a whole number");
    };
    if let Some(rest) = &list.rest {
        // Further members may stand before the ones we see.
        return Ok(beyond(value, rest, &format_number(position)));
    }
    match position.to_usize().and_then(|at| list.items.get(at)) {
        Some(item) => Ok(item.clone()),
        None => fault(format!(
            "the index is out of range for a list of {}",
            list.items.len()
        )),
    }
}

fn key_text(key: &Value) -> Result<Arc<str>, EvalError> {
    match &key.kind {
        Kind::String(text) => Ok(text.clone()),
        Kind::Number(number) => Ok(format_number(*number).into()),
        Kind::Bool(value) => Ok(value.to_string().into()),
        _ => fault(format!("{} is not a key", name_of(key))),
    }
}

/// What is read from an unknown value, or from the unseen part of an open one.
fn beyond(value: &Value, unknown: &Unknown, name: &str) -> Value {
    let origin = match &*unknown.origin {
        Origin::Computed { address, attribute } => {
            let attribute = if attribute.is_empty() {
                name.into()
            } else {
                format!("{attribute}.{name}").into()
            };
            Arc::new(Origin::Computed {
                address: address.clone(),
                attribute,
            })
        }
        _ => unknown.origin.clone(),
    };
    let kind = match &unknown.kind {
        Type::List(member) | Type::Set(member) | Type::Map(member)
            if value.as_unknown().is_some() =>
        {
            (**member).clone()
        }
        Type::Object(fields) if value.as_unknown().is_some() => fields
            .get(name)
            .map_or(Type::Any, |field| field.kind.clone()),
        _ => Type::Any,
    };
    let mut result = Value::unknown_of(origin, kind);
    let identity = value
        .marks
        .as_ref()
        .and_then(|marks| marks.identity.clone());
    if let Some(identity) = identity {
        result.edit_marks(|marks| marks.identity = Some(format!("{identity}.{name}").into()));
    }
    result
}

/// A member whose index is unknown: it refers to the same resources as all members, without
/// their instance keys.
fn some_member(value: &Value, key: &Unknown) -> Value {
    let mut result = Value::unknown_of(key.origin.clone(), Type::Any);
    let members: Box<dyn Iterator<Item = &Value>> = match &value.kind {
        Kind::List(list) => Box::new(list.items.iter()),
        Kind::Map(map) => Box::new(map.entries.values()),
        _ => return result,
    };
    for member in members {
        let Some(theirs) = member.marks.as_deref() else {
            continue;
        };
        if !theirs.sensitive && theirs.references.is_empty() {
            continue;
        }
        result.edit_marks(|marks| {
            marks.sensitive |= theirs.sensitive;
            for address in &theirs.references {
                let bare = without_key(address);
                if !marks.references.contains(bare) {
                    marks.references.insert(bare.into());
                }
            }
        });
    }
    result
}

/// Members of a collection.
fn size(value: &Value) -> u64 {
    let members = match &value.kind {
        Kind::List(list) => list.items.len(),
        Kind::Map(map) => map.entries.len(),
        _ => 0,
    };
    u64::try_from(members).unwrap_or(u64::MAX)
}

fn without_key(address: &str) -> &str {
    if !address.ends_with(']') {
        return address;
    }
    let open = if address.ends_with("\"]") {
        address.rfind("[\"")
    } else {
        address.rfind('[')
    };
    open.and_then(|open| address.get(..open)).unwrap_or(address)
}

/// Whether a key that is known is certainly not there: `self.tags["x"]` is null as `self.tags.x` is.
fn is_absent(value: &Value, key: &Value) -> bool {
    match &value.kind {
        Kind::Null => true,
        Kind::Map(Map {
            entries,
            rest: None,
        }) => key.as_str().is_some_and(|name| !entries.contains_key(name)),
        _ => false,
    }
}

impl Evaluator<'_> {
    pub(super) fn operators(
        &self,
        mut value: Value,
        operators: &[Decorated<TraversalOperator>],
    ) -> Result<Value, EvalError> {
        for (place, operator) in operators.iter().enumerate() {
            let rest = operators.get(place.saturating_add(1)..).unwrap_or_default();
            value = match operator.value() {
                TraversalOperator::GetAttr(name) => self.attribute(&value, name.as_str())?,
                TraversalOperator::Index(key) => {
                    let key = self.expression(key)?;
                    if self.scope.absent_is_null() && is_absent(&value, &key) {
                        return Ok(Value::NULL.marked_by(&value));
                    }
                    if key.as_unknown().is_some() {
                        self.budget.spend(size(&value))?;
                    }
                    index(&value, &key)?
                }
                TraversalOperator::LegacyIndex(position) => index(
                    &value,
                    &Value::from(rust_decimal::Decimal::from(*position.value())),
                )?,
                TraversalOperator::FullSplat(_) => return self.splat(&value, rest),
                TraversalOperator::AttrSplat(_) => {
                    let attributes = rest
                        .iter()
                        .position(|next| !matches!(next.value(), TraversalOperator::GetAttr(_)))
                        .unwrap_or(rest.len());
                    let (own, rest) = rest.split_at_checked(attributes).unwrap_or_default();
                    let members = self.splat(&value, own)?;
                    return self.operators(members, rest);
                }
            };
        }
        Ok(value)
    }

    fn attribute(&self, value: &Value, name: &str) -> Result<Value, EvalError> {
        if self.scope.absent_is_null() {
            match &value.kind {
                Kind::Null => return Ok(value.clone()),
                Kind::Map(Map {
                    entries,
                    rest: None,
                }) if !entries.contains_key(name) => {
                    return Ok(Value::NULL.marked_by(value));
                }
                _ => {}
            }
        }
        let result = attribute(value, name)?;
        if result.as_unknown().is_some() {
            // Its origin and identity are texts of their own.
            self.budget.spend(UNKNOWN_COST)?;
        }
        Ok(result)
    }

    fn splat(
        &self,
        value: &Value,
        operators: &[Decorated<TraversalOperator>],
    ) -> Result<Value, EvalError> {
        let result = match &value.kind {
            Kind::Null => Value::list([]),
            Kind::Unknown(unknown) => {
                // One object or a list of them: the result is a list in any case.
                Kind::Unknown(Unknown {
                    origin: unknown.origin.clone(),
                    kind: Type::List(Type::Any.into()),
                    not_null: true,
                    at_least: None,
                    prefix: None,
                    encoded: None,
                })
                .into()
            }
            Kind::List(list) => {
                let items: Result<Arc<[Value]>, EvalError> = list
                    .items
                    .iter()
                    .map(|item| {
                        self.budget.spend(1)?;
                        self.operators(item.clone(), operators)
                    })
                    .collect();
                Kind::List(List {
                    items: items?,
                    shape: Shape::List,
                    rest: list.rest.clone(),
                })
                .into()
            }
            _ => Value::list([self.operators(value.clone(), operators)?]),
        };
        Ok(result.marked_by(value))
    }
}
