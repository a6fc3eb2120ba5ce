//! New lists out of old ones.

use rust_decimal::Decimal;

use super::members;
use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{Args, argument, sequence, settled};
use crate::functions::convert::{compare, equals, is_certain, to_string, unify_members};
use crate::functions::limits::{MAX_DEPTH, MAX_RANGE, item_count};
use crate::functions::unseen::unseen;
use crate::value::{Kind, List, Shape, Type, Unknown};

/// Members up to which `distinct()` compares a partly unknown one with each other.
const MAX_COMPARED: usize = 1000;

/// `concat(lists…)`: an unknown list makes the result open.
pub(crate) fn concat(args: &Args<'_>) -> Result<Value, FunctionError> {
    let mut all = Vec::new();
    let mut rest: Option<Unknown> = None;
    for value in args.all() {
        let acceptable = value.as_list().is_some()
            || value.as_unknown().is_some_and(|unknown| {
                matches!(
                    unknown.kind,
                    Type::Any | Type::List(_) | Type::Tuple(_) | Type::Set(_)
                )
            });
        if !acceptable {
            return Err(argument("every argument must be a list"));
        }
        let value = settled(value);
        let (items, more) = members(&value);
        item_count(all.len().saturating_add(items.len()))?;
        all.extend_from_slice(items);
        rest = rest.or(more);
    }
    Ok(sequence(all, rest))
}

/// `flatten(list)`: a member of unknown type may be a list itself, so it opens the result.
pub(crate) fn flatten(args: &Args<'_>) -> Result<Value, FunctionError> {
    let list = args.list(0)?;
    let mut out = Flat {
        items: Vec::new(),
        rest: None,
        marks: Value::NULL,
    };
    out.add(list, 0)?;
    Ok(sequence(out.items, out.rest).marked_by(&out.marks))
}

struct Flat {
    items: Vec<Value>,
    rest: Option<Unknown>,
    marks: Value,
}

impl Flat {
    fn add(&mut self, list: &List, depth: usize) -> Result<(), FunctionError> {
        if depth > MAX_DEPTH {
            return Err(FunctionError::Limit("lists are nested too deep".into()));
        }
        self.rest = self.rest.take().or_else(|| list.rest.clone());
        for item in list.items.iter() {
            match &item.kind {
                Kind::List(inner) => {
                    self.mark(item);
                    self.add(inner, depth.saturating_add(1))?;
                }
                Kind::Unknown(unknown)
                    if !matches!(
                        unknown.kind,
                        Type::Bool | Type::Number | Type::String | Type::Map(_) | Type::Object(_)
                    ) =>
                {
                    self.mark(item);
                    self.rest = self.rest.take().or_else(|| Some(unknown.clone()));
                }
                _ => {
                    item_count(self.items.len())?;
                    self.items.push(item.clone());
                }
            }
        }
        Ok(())
    }

    fn mark(&mut self, item: &Value) {
        self.marks = std::mem::replace(&mut self.marks, Value::NULL).marked_by(item);
    }
}

/// `compact(list)`: without null and empty strings. An unknown string may be empty.
pub(crate) fn compact(args: &Args<'_>) -> Result<Value, FunctionError> {
    let list = args.list(0)?;
    let mut items = Vec::new();
    let mut rest = list.rest.clone();
    for item in list.items.iter() {
        let item = to_string(item)?;
        match &item.kind {
            Kind::String(text) if !text.is_empty() => items.push(item),
            Kind::Unknown(unknown)
                if unknown
                    .prefix
                    .as_ref()
                    .is_some_and(|prefix| !prefix.is_empty()) =>
            {
                items.push(item);
            }
            Kind::Unknown(unknown) => rest = rest.or_else(|| Some(unknown.clone())),
            _ => {}
        }
    }
    Ok(sequence(items, rest))
}

/// `distinct(list)`: a member that may or may not repeat another one opens the result.
pub(crate) fn distinct(args: &Args<'_>) -> Result<Value, FunctionError> {
    let list = args.list(0)?;
    if list.items.len() < 2 {
        return Ok(sequence(list.items.to_vec(), list.rest.clone()));
    }
    let mut rest = list.rest.clone();
    // Known members first: sorting finds their repetitions without comparing all pairs.
    let mut order: Vec<usize> = (0..list.items.len()).collect();
    order.retain(|at| list.items.get(*at).is_some_and(is_certain));
    let item = |at: &usize| list.items.get(*at).unwrap_or(&Value::NULL);
    order.sort_by(|a, b| compare(item(a), item(b)).then(a.cmp(b)));
    order.dedup_by(|later, earlier| equals(item(later), item(earlier)) == Some(true));
    for (at, doubtful) in list.items.iter().enumerate() {
        if is_certain(doubtful) {
            continue;
        }
        let apart = order.len() < MAX_COMPARED
            && order
                .iter()
                .all(|other| equals(item(other), doubtful) == Some(false));
        if apart {
            order.push(at);
        } else {
            rest = rest.or_else(|| unseen(doubtful));
        }
    }
    order.sort_unstable();
    let items = order.iter().map(|at| item(at).clone()).collect();
    Ok(sequence(items, rest))
}

/// `sort(list)`: the members of a list with unknown ones are certain, their order is not, which
/// is what an open list says.
pub(crate) fn sort(args: &Args<'_>) -> Result<Value, FunctionError> {
    let list = args.list(0)?;
    let mut items = list
        .items
        .iter()
        .map(to_string)
        .collect::<Result<Vec<_>, _>>()?;
    if items.iter().any(Value::is_null) {
        return Err(argument("null cannot be sorted"));
    }
    items.sort_by(compare);
    let rest = list.rest.clone().or_else(|| items.iter().find_map(unseen));
    Ok(sequence(items, rest))
}

/// `chunklist(list, size)`
pub(crate) fn chunklist(args: &Args<'_>) -> Result<Value, FunctionError> {
    let (list, size) = (args.list(0)?, args.count(1)?);
    if list.shape == Shape::Set {
        return Err(argument("a set has no positions"));
    }
    if let Some(rest) = &list.rest {
        return Ok(sequence(Vec::new(), Some(rest.clone())));
    }
    let size = if size == 0 {
        list.items.len().max(1)
    } else {
        size
    };
    Ok(Value::list(
        list.items
            .chunks(size)
            .map(|chunk| Value::list(chunk.iter().cloned())),
    ))
}

/// `range(limit)`, `range(start, limit)`, `range(start, limit, step)`
pub(crate) fn range(args: &Args<'_>) -> Result<Value, FunctionError> {
    let (start, limit) = if args.has(1) {
        (args.number(0), args.number(1))
    } else {
        (Decimal::ZERO, args.number(0))
    };
    let down = limit < start;
    let step = if args.has(2) {
        args.number(2)
    } else if down {
        Decimal::NEGATIVE_ONE
    } else {
        Decimal::ONE
    };
    if start == limit {
        return Ok(Value::list([]));
    }
    if step.is_zero() || step.is_sign_negative() != down {
        return Err(argument("the step must lead from start to limit"));
    }
    let mut items = Vec::new();
    let mut next = start;
    while if down { next > limit } else { next < limit } {
        if items.len() >= MAX_RANGE {
            return Err(FunctionError::Limit(format!(
                "more than {MAX_RANGE} numbers"
            )));
        }
        items.push(Value::from(next));
        let Some(following) = next.checked_add(step) else {
            break;
        };
        next = following;
    }
    Ok(sequence(items, None))
}

/// `list(values…)`: gone from Terraform, yet old modules call it.
pub(crate) fn list(args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(sequence(unify_members(args.all())?, None))
}
