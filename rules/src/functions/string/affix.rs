//! Questions and cuts at the ends of a string.
#![expect(
    clippy::unnecessary_wraps,
    reason = "all functions of the table have one type"
)]

use std::sync::Arc;

use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::Args;
use crate::functions::convert::derived;
use crate::value::{Kind, Type, Unknown};

/// An unknown string that starts with `prefix`.
pub(super) fn prefixed(unknown: &Unknown, prefix: &str) -> Value {
    let mut result = derived(unknown, Type::String);
    if let (Kind::Unknown(inner), false) = (&mut result.kind, prefix.is_empty()) {
        inner.prefix = Some(prefix.into());
    }
    result
}

fn prefix(unknown: &Unknown) -> &str {
    unknown.prefix.as_deref().unwrap_or_default()
}

/// `startswith(string, prefix)`
pub(crate) fn startswith(args: &Args<'_>) -> Result<Value, FunctionError> {
    let start = args.text(1);
    Ok(match args.value(0).as_unknown() {
        None => args.text(0).starts_with(start).into(),
        Some(unknown) if prefix(unknown).starts_with(start) => true.into(),
        Some(unknown) if start.starts_with(prefix(unknown)) => derived(unknown, Type::Bool),
        Some(_) => false.into(),
    })
}

/// `endswith(string, suffix)`
pub(crate) fn endswith(args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(match args.value(0).as_unknown() {
        Some(_) if args.text(1).is_empty() => true.into(),
        Some(unknown) => derived(unknown, Type::Bool),
        None => args.text(0).ends_with(args.text(1)).into(),
    })
}

/// `strcontains(string, part)`
pub(crate) fn strcontains(args: &Args<'_>) -> Result<Value, FunctionError> {
    let part = args.text(1);
    Ok(match args.value(0).as_unknown() {
        None => args.text(0).contains(part).into(),
        Some(unknown) if prefix(unknown).contains(part) => true.into(),
        Some(unknown) => derived(unknown, Type::Bool),
    })
}

/// `trimprefix(string, prefix)`
pub(crate) fn trimprefix(args: &Args<'_>) -> Result<Value, FunctionError> {
    let (text, cut) = (args.text(0), args.text(1));
    let Some(unknown) = args.value(0).as_unknown() else {
        return Ok(text.strip_prefix(cut).unwrap_or(text).into());
    };
    let known = prefix(unknown);
    Ok(match known.strip_prefix(cut) {
        Some(rest) => prefixed(unknown, rest),
        None if cut.starts_with(known) => derived(unknown, Type::String),
        None => prefixed(unknown, known),
    })
}

/// `trimsuffix(string, suffix)`
pub(crate) fn trimsuffix(args: &Args<'_>) -> Result<Value, FunctionError> {
    let (text, cut) = (args.text(0), args.text(1));
    Ok(text.strip_suffix(cut).unwrap_or(text).into())
}

/// `trim(string, characters)`
pub(crate) fn trim(args: &Args<'_>) -> Result<Value, FunctionError> {
    let set: Vec<char> = args.text(1).chars().collect();
    Ok(args.text(0).trim_matches(set.as_slice()).into())
}

/// `trimspace(string)`
pub(crate) fn trimspace(args: &Args<'_>) -> Result<Value, FunctionError> {
    let Some(unknown) = args.value(0).as_unknown() else {
        return Ok(args.text(0).trim().into());
    };
    // Blanks at the end of the prefix may turn out to be the end of the text.
    Ok(prefixed(unknown, prefix(unknown).trim()))
}

/// `chomp(string)`
pub(crate) fn chomp(args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(args.text(0).trim_end_matches(['\r', '\n']).into())
}

/// `substr(string, offset, length)`: a negative offset counts from the end, a negative length
/// means up to the end.
pub(crate) fn substr(args: &Args<'_>) -> Result<Value, FunctionError> {
    let (offset, length) = (args.integer(1)?, args.integer(2)?);
    let size = usize::try_from(length).ok();
    if let Some(unknown) = args.value(0).as_unknown() {
        let known: Vec<char> = prefix(unknown).chars().collect();
        let inside = usize::try_from(offset).ok().and_then(|start| {
            let end = start.checked_add(size?)?;
            known.get(start..end)
        });
        return Ok(match inside {
            Some(part) => part.iter().collect::<String>().into(),
            None if offset == 0 && size.is_none() => args.value(0).clone(),
            None => derived(unknown, Type::String),
        });
    }
    let text: Arc<[char]> = args.text(0).chars().collect();
    let start = match usize::try_from(offset) {
        Ok(start) => start,
        Err(_) => text
            .len()
            .saturating_sub(usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let part = text.get(start..).unwrap_or_default().iter();
    Ok(part
        .take(size.unwrap_or(usize::MAX))
        .collect::<String>()
        .into())
}
