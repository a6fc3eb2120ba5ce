//! `count` and `for_each`: how many instances of a resource or module there are.

use std::sync::Arc;

use rust_decimal::prelude::ToPrimitive;

use super::super::source::Body;
use super::scope::{Names, pair};
use super::{INSTANCE_STEPS, MAX_INSTANCES, MAX_RUN_INSTANCES, MAX_STACK_INSTANCES, Run};
use crate::functions::convert::to_number;
use crate::value::{Kind, Map, Origin, Shape, Type, Unknown};
use crate::{ProblemKind, ProblemSeverity, Span, Value};

/// The key of an instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Index(usize),
    Name(Arc<str>),
}

/// How a block is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Repetition {
    /// Not at all.
    Single,
    /// By `count`.
    Count,
    /// By `for_each`; with a reason where there may be further keys.
    Each(Option<Arc<Origin>>),
    /// Nobody knows: one instance without key stands for all.
    Unknown(Arc<Origin>),
}

/// One instance: its key, what `each` or `count` is in it, and why it may not exist.
pub(super) struct Turn {
    pub(super) key: Option<Key>,
    pub(super) binding: Option<(&'static str, Value)>,
    pub(super) uncertain: Option<Arc<str>>,
}

/// The address of an instance.
pub(super) fn keyed(base: &str, key: Option<&Key>) -> Arc<str> {
    match key {
        None => base.into(),
        Some(Key::Index(index)) => format!("{base}[{index}]").into(),
        Some(Key::Name(name)) => {
            let name = name.replace('\\', "\\\\").replace('"', "\\\"");
            format!("{base}[\"{name}\"]").into()
        }
    }
}

impl Run<'_> {
    /// The turns of a block; `address` is the block's, without key.
    pub(super) fn turns(
        &self,
        names: &Names<'_>,
        body: &Body,
        address: &str,
    ) -> (Repetition, Vec<Turn>) {
        if let Some(count) = body.attribute("count") {
            let value = self.attribute(names, count);
            return self.counted(&value, address, &count.span);
        }
        if let Some(each) = body.attribute("for_each") {
            let value = self.attribute(names, each);
            return self.each(&value, address, &each.span);
        }
        let turn = Turn {
            key: None,
            binding: None,
            uncertain: None,
        };
        (Repetition::Single, vec![turn])
    }

    /// Whether so many further instances of a block fit into the stack and the run. They are paid
    /// for before they are made.
    fn can_repeat(&self, count: usize) -> bool {
        let stack = self.instances.get().saturating_add(count);
        let run = self.totals.instances.get().saturating_add(count);
        let steps = u64::try_from(count).unwrap_or(u64::MAX);
        if stack > MAX_STACK_INSTANCES
            || run > MAX_RUN_INSTANCES
            || !self.totals.budget.buy(steps.saturating_mul(INSTANCE_STEPS))
        {
            return false;
        }
        self.instances.set(stack);
        self.totals.instances.set(run);
        true
    }

    fn counted(&self, value: &Value, address: &str, span: &Span) -> (Repetition, Vec<Turn>) {
        let refuse = |kind, severity, cause: String| {
            self.problem(kind, severity, span, format!("{address}: {cause}"));
            let origin = Origin::Failed(address.into());
            doubtful("count", Arc::new(origin), address)
        };
        let invalid = || {
            let cause = "count must be a whole number that is not negative".to_owned();
            refuse(ProblemKind::Evaluation, ProblemSeverity::Error, cause)
        };
        let number = match to_number(value).map(|value| value.kind) {
            Ok(Kind::Number(number)) => number,
            Ok(Kind::Unknown(unknown)) => return doubtful("count", unknown.origin, address),
            _ => return invalid(),
        };
        if !number.fract().is_zero() || number.is_sign_negative() && !number.is_zero() {
            return invalid();
        }
        match number.to_usize() {
            Some(count) if count <= MAX_INSTANCES => {
                if !self.can_repeat(count) {
                    return refuse(ProblemKind::Limit, ProblemSeverity::Warning, too_many());
                }
                let turn = |index: usize| {
                    let number = rust_decimal::Decimal::from(index);
                    let value = Value::map([("index".into(), Value::from(number))]);
                    Turn {
                        key: Some(Key::Index(index)),
                        binding: Some(("count", value)),
                        uncertain: None,
                    }
                };
                (Repetition::Count, (0..count).map(turn).collect())
            }
            _ => {
                let cause = format!(
                    "count asks for more than {MAX_INSTANCES} instances; one stands for all"
                );
                refuse(ProblemKind::Limit, ProblemSeverity::Warning, cause)
            }
        }
    }

    fn each(&self, value: &Value, address: &str, span: &Span) -> (Repetition, Vec<Turn>) {
        let refuse = |kind, severity, cause: String| {
            self.problem(kind, severity, span, format!("{address}: {cause}"));
            let origin = Origin::Failed(address.into());
            doubtful("for_each", Arc::new(origin), address)
        };
        // Terraform refuses it, since keys are shown in addresses.
        let is_secret = match &value.kind {
            Kind::List(list) => list.items.iter().any(Value::is_sensitive),
            _ => false,
        };
        if is_secret || value.is_sensitive() {
            let cause = "for_each is sensitive, and its keys would be shown".to_owned();
            return refuse(ProblemKind::Evaluation, ProblemSeverity::Error, cause);
        }
        let (pairs, rest): (Vec<(Arc<str>, Value)>, Option<&Unknown>) = match &value.kind {
            Kind::Unknown(unknown) => {
                return doubtful("for_each", unknown.origin.clone(), address);
            }
            Kind::Map(map) => {
                let entries = map.entries.iter();
                let entries = entries.map(|(key, value)| (key.clone(), value.clone()));
                (entries.collect(), map.rest.as_ref())
            }
            Kind::List(list) if list.shape == Shape::Set || list.items.is_empty() => {
                let mut rest = list.rest.as_ref();
                let mut pairs = Vec::new();
                for item in list.items.iter() {
                    match &item.kind {
                        Kind::String(text) => pairs.push((text.clone(), item.clone())),
                        Kind::Unknown(unknown) => rest = Some(unknown),
                        _ => {
                            let cause = "for_each needs a set of strings".to_owned();
                            return refuse(ProblemKind::Evaluation, ProblemSeverity::Error, cause);
                        }
                    }
                }
                (pairs, rest)
            }
            _ => {
                let cause = "for_each must be a map or a set of strings".to_owned();
                return refuse(ProblemKind::Evaluation, ProblemSeverity::Error, cause);
            }
        };
        if pairs.len() > MAX_INSTANCES {
            let cause = format!(
                "for_each asks for more than {MAX_INSTANCES} instances; one stands for all"
            );
            return refuse(ProblemKind::Limit, ProblemSeverity::Warning, cause);
        }
        if !self.can_repeat(pairs.len()) {
            return refuse(ProblemKind::Limit, ProblemSeverity::Warning, too_many());
        }
        let mut turns: Vec<Turn> = pairs
            .into_iter()
            .map(|(key, item)| {
                let name = Value::from(Kind::String(key.clone()));
                let item = item.marked_by(value);
                Turn {
                    key: Some(Key::Name(key)),
                    binding: Some(("each", pair(name, item))),
                    uncertain: None,
                }
            })
            .collect();
        let rest = rest.map(|rest| rest.origin.clone());
        if let Some(origin) = &rest {
            let (_, further) = doubtful("for_each", origin.clone(), address);
            turns.extend(further);
        }
        (Repetition::Each(rest), turns)
    }
}

/// Why a block is not repeated as often as it asks for.
fn too_many() -> String {
    format!(
        "there are more than {MAX_STACK_INSTANCES} instances in the stack or {MAX_RUN_INSTANCES} in the run, or they cost too much; one stands for all"
    )
}

/// One instance that stands for an unknown number of them.
fn doubtful(word: &str, origin: Arc<Origin>, address: &str) -> (Repetition, Vec<Turn>) {
    let unknown = |kind| Value::unknown_of(Arc::new(Origin::Repetition(address.into())), kind);
    let binding = if word == "count" {
        let index = unknown(Type::Number);
        ("count", Value::map([("index".into(), index)]))
    } else {
        ("each", pair(unknown(Type::String), unknown(Type::Any)))
    };
    let turn = Turn {
        key: None,
        binding: Some(binding),
        uncertain: Some(format!("the {word} of {address} is unknown").into()),
    };
    (Repetition::Unknown(origin), vec![turn])
}

/// The instances of a `for_each` as one map, open where some keys are not known.
pub(super) fn each(
    entries: impl Iterator<Item = (Arc<str>, Value)>,
    rest: Option<&Arc<Origin>>,
) -> Value {
    let rest = rest.map(|origin| Unknown {
        origin: origin.clone(),
        kind: Type::Any,
        not_null: true,
        at_least: None,
        prefix: None,
        encoded: None,
    });
    let entries = Arc::new(entries.collect());
    Kind::Map(Map { entries, rest }).into()
}
