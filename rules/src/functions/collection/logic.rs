//! Choices: the first that is set, all true, any true.

use std::sync::Arc;

use super::{members, undecided};
use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{Args, argument};
use crate::functions::convert::{convert, derived, to_bool, type_of, unify};
use crate::value::{Kind, Type, Unknown};

/// `alltrue(list)`: one false or null decides.
pub(crate) fn alltrue(args: &Args<'_>) -> Result<Value, FunctionError> {
    quantified(args, false)
}

/// `anytrue(list)`: one true decides.
pub(crate) fn anytrue(args: &Args<'_>) -> Result<Value, FunctionError> {
    quantified(args, true)
}

fn quantified(args: &Args<'_>, decisive: bool) -> Result<Value, FunctionError> {
    let list = args.list(0)?;
    let mut open = list.rest.is_some();
    for item in list.items.iter() {
        match to_bool(item)?.kind {
            Kind::Bool(answer) if answer == decisive => return Ok(decisive.into()),
            Kind::Null if !decisive => return Ok(false.into()),
            Kind::Unknown(_) => open = true,
            _ => {}
        }
    }
    if open {
        return Ok(undecided(&[args.value(0)], Type::Bool));
    }
    Ok((!decisive).into())
}

/// Whether an unknown is certainly neither null nor the empty string.
fn certainly_set(unknown: &Unknown) -> bool {
    let filled = unknown
        .prefix
        .as_ref()
        .is_some_and(|prefix| !prefix.is_empty())
        || unknown.encoded.is_some();
    filled || (unknown.not_null && !matches!(unknown.kind, Type::Any | Type::String))
}

/// `coalesce(values…)`: the first that is neither null nor an empty string, in the type that
/// all of them share.
pub(crate) fn coalesce(args: &Args<'_>) -> Result<Value, FunctionError> {
    let kinds: Vec<Type> = args.all().iter().map(type_of).collect();
    let kind =
        unify(&kinds).filter(|kind| matches!(kind, Type::Bool | Type::Number | Type::String));
    for value in args.all() {
        match &value.kind {
            Kind::Null => {}
            Kind::String(text) if text.is_empty() => {}
            Kind::Unknown(unknown) if !certainly_set(unknown) => {
                return Ok(Value::unknown_of(
                    unknown.origin.clone(),
                    kind.unwrap_or(Type::Any),
                ));
            }
            _ => return kind.map_or(Ok(value.clone()), |kind| convert(value, &kind)),
        }
    }
    Err(argument("every argument is null or an empty string"))
}

/// `coalescelist(lists…)`: the first list with a member.
pub(crate) fn coalescelist(args: &Args<'_>) -> Result<Value, FunctionError> {
    for value in args.all() {
        if value.is_null() {
            continue;
        }
        if value.as_list().is_none() && value.as_unknown().is_none() {
            return Err(argument("a list required"));
        }
        let (items, rest) = members(value);
        match rest {
            _ if !items.is_empty() => return Ok(value.clone()),
            Some(unknown) if unknown.at_least.is_some_and(|least| least > 0) => {
                return Ok(value.clone());
            }
            Some(unknown) => {
                return Ok(derived(&unknown, Type::List(Arc::new(Type::Any))));
            }
            None => {}
        }
    }
    Err(argument("every list is null or empty"))
}
