//! Set algebra with members that may or may not be there.

use super::member;
use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{Args, argument};
use crate::functions::convert::{convert, make_set, unify_members};
use crate::functions::limits::{MAX_NODES, item_count};
use crate::functions::unseen::unseen;
use crate::value::{Kind, List, Shape, Type, Unknown};

/// The arguments as sets of one member type.
fn sets(args: &Args<'_>) -> Result<Vec<List>, FunctionError> {
    let mut lengths = Vec::new();
    let mut all = Vec::new();
    for position in 0..args.all().len() {
        let list = args.list(position)?;
        item_count(all.len().saturating_add(list.items.len()))?;
        lengths.push((list.items.len(), list.rest.clone()));
        all.extend_from_slice(&list.items);
    }
    let mut unified = unify_members(&all)?.into_iter();
    Ok(lengths
        .into_iter()
        .filter_map(|(length, rest)| {
            match make_set(unified.by_ref().take(length).collect(), rest) {
                Kind::List(list) => Some(list),
                _ => None,
            }
        })
        .collect())
}

/// Comparing each with each is quadratic.
fn affordable(left: &List, right: &List) -> Result<(), FunctionError> {
    if left.items.len().saturating_mul(right.items.len()) > MAX_NODES {
        return Err(FunctionError::Limit(format!(
            "more than {MAX_NODES} comparisons"
        )));
    }
    Ok(())
}

/// `setunion(sets…)`
pub(crate) fn union(args: &Args<'_>) -> Result<Value, FunctionError> {
    let mut items = Vec::new();
    let mut rest = None;
    for set in sets(args)? {
        items.extend_from_slice(&set.items);
        rest = rest.or(set.rest);
    }
    Ok(make_set(items, rest).into())
}

/// `setintersection(sets…)`
pub(crate) fn intersection(args: &Args<'_>) -> Result<Value, FunctionError> {
    filtered(args, true)
}

/// `setsubtract(set, other)`
pub(crate) fn subtract(args: &Args<'_>) -> Result<Value, FunctionError> {
    filtered(args, false)
}

/// Keeps the members of the first set that are in the others (`wanted`) or are not in them.
fn filtered(args: &Args<'_>, wanted: bool) -> Result<Value, FunctionError> {
    let mut sets = sets(args)?.into_iter();
    let mut kept = sets.next().ok_or_else(|| argument("a set required"))?;
    for other in sets {
        affordable(&kept, &other)?;
        let mut items = Vec::new();
        let mut rest: Option<Unknown> = kept.rest.clone();
        for item in kept.items.iter() {
            match member(&other, item) {
                Some(answer) if answer == wanted => items.push(item.clone()),
                Some(_) => {}
                None => {
                    rest = rest
                        .or_else(|| unseen(item))
                        .or_else(|| other.rest.clone())
                        .or_else(|| other.items.iter().find_map(unseen));
                }
            }
        }
        // What an open set holds beside its known members need not be in the other one; if
        // that one is certainly empty, nothing is left.
        if wanted && other.items.is_empty() && other.rest.is_none() {
            rest = None;
        }
        if let Kind::List(list) = make_set(items, rest) {
            kept = list;
        }
    }
    Ok(Kind::List(kept).into())
}

/// `setproduct(sets…)`: every combination, a set if all arguments are sets.
pub(crate) fn product(args: &Args<'_>) -> Result<Value, FunctionError> {
    let all = args.all();
    if all.len() < 2 {
        return Err(argument("at least two sets required"));
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    let mut rest: Option<Unknown> = None;
    let mut ordered = false;
    for position in 0..all.len() {
        let list = args.list(position)?;
        ordered |= list.shape == Shape::List;
        if list.items.is_empty() && list.rest.is_none() {
            return Ok(Value::list([]));
        }
        rest = rest.or_else(|| list.rest.clone());
        item_count(
            rows.len()
                .saturating_mul(list.items.len())
                .saturating_mul(all.len()),
        )?;
        let items = unify_members(&list.items)?;
        rows = rows
            .iter()
            .flat_map(|row| {
                items.iter().map(|item| {
                    let mut longer = row.clone();
                    longer.push(item.clone());
                    longer
                })
            })
            .collect();
    }
    let items: Vec<Value> = rows.into_iter().map(Value::list).collect();
    if ordered {
        return Ok(super::super::call::sequence(items, rest));
    }
    convert(&Value::from(make_set(items, rest)), &Type::Any)
}
