//! Questions about policies in the normal form of [`crate::iam`].
#![expect(
    clippy::unnecessary_wraps,
    reason = "all functions of the table have one type"
)]

use super::shorthand::{answer, any, both, member};
use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::Args;
use crate::iam;
use crate::value::Kind;

/// `policy(x)`
pub(crate) fn policy(args: &Args<'_>) -> Result<Value, FunctionError> {
    iam::policy(args.value(0))
}

/// `allows(policy, action)`: whether an `Allow` statement covers the action, on whatever
/// resource and condition. Statements that deny are not subtracted.
pub(crate) fn allows(args: &Args<'_>) -> Result<Value, FunctionError> {
    let policy = iam::policy(args.value(0))?;
    let action = args.text(1);
    let statements = member(&policy, "statements");
    let result = over(&statements, |statement| {
        let allow = is_text(&member(statement, "effect"), "allow");
        both(allow, covers(statement, action))
    });
    Ok(answer(result, &[&policy]))
}

/// Any member of a list; unseen ones leave the question open, null has none.
fn over(list: &Value, ask: impl Fn(&Value) -> Option<bool>) -> Option<bool> {
    match &list.kind {
        Kind::List(list) => any(list
            .items
            .iter()
            .map(ask)
            .chain(list.rest.is_some().then_some(None))),
        Kind::Unknown(_) => None,
        _ => Some(false),
    }
}

fn is_text(value: &Value, wanted: &str) -> Option<bool> {
    match &value.kind {
        Kind::String(text) => Some(text.eq_ignore_ascii_case(wanted)),
        Kind::Unknown(_) => None,
        _ => Some(false),
    }
}

fn covers(statement: &Value, action: &str) -> Option<bool> {
    let matching = |pattern: &Value| pattern_matches(pattern, action);
    let named = over(&member(statement, "actions"), matching);
    // `NotAction` covers all but what it names; without it, it covers nothing.
    let excluded = member(statement, "not_actions");
    let all_but = match &excluded.kind {
        Kind::List(list) if list.items.is_empty() && list.rest.is_none() => Some(false),
        Kind::List(list) => {
            let hit = over(&excluded, matching).map(|hit| !hit);
            // An open list without members may as well be absent.
            if list.items.is_empty() {
                hit.filter(|covers| !covers)
            } else {
                hit
            }
        }
        Kind::Unknown(_) => None,
        _ => Some(false),
    };
    any([named, all_but])
}

/// Whether an action pattern matches; of an unknown one the part before a wildcard can tell.
fn pattern_matches(pattern: &Value, action: &str) -> Option<bool> {
    match &pattern.kind {
        Kind::String(pattern) => Some(matches(pattern, action)),
        Kind::Unknown(unknown) => {
            let prefix = unknown.prefix.as_deref().unwrap_or_default();
            let literal = prefix.split(['*', '?']).next().unwrap_or_default();
            let head = action.get(..literal.len());
            if head.is_some_and(|head| head.eq_ignore_ascii_case(literal)) {
                None
            } else {
                Some(false)
            }
        }
        _ => Some(false),
    }
}

/// Matches `*` and `?`, without regard to ASCII case, in linear space and without recursion.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut seen) = (0_usize, 0_usize);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(seen) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at = at.saturating_add(1);
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(byte) => {
                at = at.saturating_add(1);
                seen = seen.saturating_add(1);
            }
            _ => match star {
                Some((place, from)) => {
                    let next = from.saturating_add(1);
                    star = Some((place, next));
                    at = place.saturating_add(1);
                    seen = next;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(at..)
        .unwrap_or_default()
        .iter()
        .all(|byte| *byte == b'*')
}

/// `public_principal(statement)`: whether it speaks of everyone: `"*"`, `AWS = "*"`, or all but
/// some (`NotPrincipal`). Effect and conditions are the rule's to ask.
pub(crate) fn public_principal(args: &Args<'_>) -> Result<Value, FunctionError> {
    let statement = args.value(0);
    let everyone = over(&member(statement, "principals"), |principal| {
        let kind = member(principal, "type");
        let kind = any([is_text(&kind, "*"), is_text(&kind, "AWS")]);
        let all = over(&member(principal, "identifiers"), |identifier| {
            is_text(identifier, "*").or_else(|| {
                let unknown = identifier.as_unknown()?;
                let known = unknown.prefix.as_ref()?;
                (!known.starts_with('*')).then_some(false)
            })
        });
        both(kind, all)
    });
    let all_but = over(&member(statement, "not_principals"), |_| Some(true));
    Ok(answer(any([everyone, all_but]), &[statement]))
}
