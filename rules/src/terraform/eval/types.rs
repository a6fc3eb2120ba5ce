//! The type of a value, as far as unknown results need it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Value;
use crate::value::{Field, Kind, Shape, Type};

/// The type of a value. Members are looked at only one level deep: the result serves unknown
/// values, which know little anyway.
pub fn type_of(value: &Value) -> Type {
    match &value.kind {
        Kind::Null => Type::Any,
        Kind::Bool(_) => Type::Bool,
        Kind::Number(_) => Type::Number,
        Kind::String(_) => Type::String,
        Kind::Unknown(unknown) => unknown.kind.clone(),
        Kind::List(list) => {
            let member = common(list.items.iter().map(shallow));
            match list.shape {
                Shape::List => Type::List(Arc::new(member)),
                Shape::Set => Type::Set(Arc::new(member)),
            }
        }
        Kind::Map(map) => {
            let fields: BTreeMap<Arc<str>, Field> = map
                .entries
                .iter()
                .map(|(name, value)| {
                    let field = Field {
                        kind: shallow(value),
                        optional: false,
                        default: None,
                    };
                    (name.clone(), field)
                })
                .collect();
            Type::Object(Arc::new(fields))
        }
    }
}

fn shallow(value: &Value) -> Type {
    match &value.kind {
        Kind::List(_) | Kind::Map(_) => Type::Any,
        _ => type_of(value),
    }
}

fn common(types: impl Iterator<Item = Type>) -> Type {
    let mut result: Option<Type> = None;
    for kind in types {
        result = Some(match result {
            None => kind,
            Some(seen) => unify(&seen, &kind),
        });
    }
    result.unwrap_or(Type::Any)
}

/// The type of a value that is of one type or the other.
pub(super) fn unify(left: &Type, right: &Type) -> Type {
    match (left, right) {
        _ if left == right => left.clone(),
        (Type::List(a), Type::List(b)) => Type::List(Arc::new(unify(a, b))),
        (Type::Set(a), Type::Set(b)) => Type::Set(Arc::new(unify(a, b))),
        (Type::Bool | Type::Number | Type::String, Type::String)
        | (Type::String, Type::Bool | Type::Number) => Type::String,
        _ => Type::Any,
    }
}

/// Whether no value can be of both types. Strings, numbers and bools convert where a type is
/// asked for, but are never equal.
pub(super) fn apart(left: &Type, right: &Type) -> bool {
    fn family(kind: &Type) -> Option<u8> {
        match kind {
            Type::Any => None,
            Type::Bool => Some(0),
            Type::Number => Some(1),
            Type::String => Some(2),
            Type::List(_) | Type::Set(_) | Type::Tuple(_) => Some(3),
            Type::Map(_) | Type::Object(_) => Some(4),
        }
    }
    matches!((family(left), family(right)), (Some(a), Some(b)) if a != b)
}
