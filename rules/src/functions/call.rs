//! What every call has in common: argument counts, conversion to parameter types, null and
//! unknown arguments, limits and marks. A function's body then only sees what it can handle.

use std::sync::Arc;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::convert::{convert, derived, is_certain};
use super::limits::{bounded_within, item_count, parts, steps_of, text_size, weight};
use super::unseen::unseen;
use super::{Context, FunctionError};
use crate::Value;
use crate::value::{Kind, List, Map, Marks, Origin, Shape, Type, Unknown};

/// What a parameter takes. Null is refused by all but `Any`; a wholly unknown argument makes
/// the result unknown except for `Any` and the parameters named `Maybe…`.
#[derive(Clone, Copy)]
pub(super) enum Param {
    /// A known string.
    Text,
    /// A string, known or not.
    MaybeText,
    /// A known number.
    Number,
    /// A number, known or not.
    MaybeNumber,
    /// A list, set or tuple; its members may be unknown.
    Sequence,
    /// A map or object; its members may be unknown.
    Map,
    /// Anything at all.
    Any,
}

/// What a function gives: the type of its unknown result.
#[derive(Clone, Copy)]
pub(super) enum Gives {
    /// A string.
    Text,
    /// A number.
    Number,
    /// A bool.
    Bool,
    /// A list of strings.
    Texts,
    /// A list.
    List,
    /// A set.
    Set,
    /// A map.
    Map,
    /// Anything.
    Any,
    /// Anything, and the body sets the marks of its result by itself.
    Marked,
}

impl Gives {
    fn kind(self) -> Type {
        match self {
            Self::Text => Type::String,
            Self::Number => Type::Number,
            Self::Bool => Type::Bool,
            Self::Texts => Type::List(Arc::new(Type::String)),
            Self::List => Type::List(Arc::new(Type::Any)),
            Self::Set => Type::Set(Arc::new(Type::Any)),
            Self::Map => Type::Map(Arc::new(Type::Any)),
            Self::Any | Self::Marked => Type::Any,
        }
    }
}

/// The parameters and the result of a function.
pub(super) struct Signature {
    /// Parameters that must be given.
    pub required: &'static [Param],
    /// Parameters that may be left out.
    pub optional: &'static [Param],
    /// The type of any further arguments.
    pub variadic: Option<Param>,
    /// The result.
    pub gives: Gives,
}

/// Arguments that fit their parameters.
pub(super) struct Args<'a> {
    values: Vec<Value>,
    /// Files and directory.
    pub context: &'a Context<'a>,
}

/// A function's own part.
pub(super) type Body = fn(&Args<'_>) -> Result<Value, FunctionError>;

/// An argument error with this message.
pub(super) fn argument(message: impl Into<String>) -> FunctionError {
    FunctionError::Argument(message.into())
}

/// An unknown because the function gives another result at each run.
pub(super) fn impure(name: &str, kind: Type) -> Value {
    let mut value = Value::unknown_of(Arc::new(Origin::Function(name.into())), kind);
    if let Kind::Unknown(unknown) = &mut value.kind {
        unknown.not_null = true;
    }
    value
}

/// A list of these members, open if `rest` is given.
pub(super) fn sequence(items: Vec<Value>, rest: Option<Unknown>) -> Value {
    Kind::List(List {
        items: items.into(),
        shape: Shape::List,
        rest,
    })
    .into()
}

/// Runs `body` on arguments that fit `signature`, or gives the unknown that they decide.
pub(super) fn run(
    signature: &Signature,
    body: Body,
    arguments: &[Value],
    context: &Context<'_>,
) -> Result<Value, FunctionError> {
    count(signature, arguments.len())?;
    let mut nodes = 0;
    for value in arguments {
        bounded_within(value, &mut nodes)?;
    }
    let steps = weight(arguments);
    if steps > 0 {
        context.meter.pay(steps)?;
    }
    let parameters = signature
        .required
        .iter()
        .chain(signature.optional)
        .copied()
        .chain(signature.variadic.into_iter().cycle());
    let mut values = Vec::with_capacity(arguments.len());
    let mut undecided: Option<Value> = None;
    for (position, (value, param)) in arguments.iter().zip(parameters).enumerate() {
        let value = fit(value, param, position)?;
        let tolerant = matches!(param, Param::Any | Param::MaybeText | Param::MaybeNumber);
        if let (Some(unknown), false, None) = (value.as_unknown(), tolerant, &undecided) {
            undecided = Some(match signature.gives {
                // What may give anything may also give null.
                Gives::Any => Value::unknown_of(unknown.origin.clone(), Type::Any),
                gives => derived(unknown, gives.kind()),
            });
        }
        values.push(value);
    }
    let result = match undecided {
        Some(unknown) => unknown,
        None => body(&Args { values, context })?,
    };
    match &result.kind {
        Kind::String(text) => text_size(text.len())?,
        Kind::List(list) => item_count(list.items.len())?,
        Kind::Map(map) => item_count(map.entries.len())?,
        _ => {}
    }
    if matches!(signature.gives, Gives::Marked) {
        return Ok(result);
    }
    Ok(marked(result, arguments))
}

fn count(signature: &Signature, given: usize) -> Result<(), FunctionError> {
    let least = signature.required.len();
    if given < least {
        return Err(argument(format!("too few arguments: {given} of {least}")));
    }
    let most = least.saturating_add(signature.optional.len());
    if signature.variadic.is_none() && given > most {
        return Err(argument(format!(
            "too many arguments: {given} instead of {most}"
        )));
    }
    item_count(given)
}

fn fit(value: &Value, param: Param, position: usize) -> Result<Value, FunctionError> {
    let number = position.saturating_add(1);
    if matches!(param, Param::Any) {
        return Ok(value.clone());
    }
    if value.is_null() {
        return Err(argument(format!("argument {number} must not be null")));
    }
    let target = match param {
        Param::Text | Param::MaybeText => Type::String,
        Param::Number | Param::MaybeNumber => Type::Number,
        Param::Sequence => {
            let fits = value.as_list().is_some()
                || value.as_unknown().is_some_and(|unknown| {
                    matches!(
                        unknown.kind,
                        Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_)
                    )
                });
            return if fits {
                Ok(settled(value))
            } else {
                Err(argument(format!(
                    "argument {number}: a list or set required"
                )))
            };
        }
        Param::Map => {
            let fits = value.as_map().is_some()
                || value.as_unknown().is_some_and(|unknown| {
                    matches!(unknown.kind, Type::Any | Type::Map(_) | Type::Object(_))
                });
            return if fits {
                Ok(value.clone())
            } else {
                Err(argument(format!("argument {number}: a map required")))
            };
        }
        Param::Any => Type::Any,
    };
    convert(value, &target).map_err(|error| match error {
        FunctionError::Argument(message) => argument(format!("argument {number}: {message}")),
        other => other,
    })
}

/// A set with unknown members as an open one: two members may turn out to be the same.
pub(super) fn settled(value: &Value) -> Value {
    let open = match &value.kind {
        Kind::List(list) if list.shape == Shape::Set && list.items.len() > 1 => {
            // Only members that no other can equal are definite: the known ones, else one.
            unseen(value).map(|rest| {
                let mut items: Vec<Value> = list.items.to_vec();
                items.retain(is_certain);
                if items.is_empty() {
                    items.extend(list.items.first().cloned());
                }
                List {
                    items: items.into(),
                    shape: Shape::Set,
                    rest: Some(rest),
                }
            })
        }
        _ => None,
    };
    match open {
        Some(list) => Value {
            kind: Kind::List(list),
            marks: value.marks.clone(),
        },
        None => value.clone(),
    }
}

/// Adds the marks of the arguments: of everything inside them where the result is one scalar,
/// else only their own, since members bring theirs along.
fn marked(result: Value, arguments: &[Value]) -> Value {
    let deep = !matches!(result.kind, Kind::List(_) | Kind::Map(_));
    let mut gathered = Marks::default();
    let mut open: Vec<&Value> = arguments.iter().collect();
    while let Some(value) = open.pop() {
        if let Some(marks) = &value.marks {
            gathered.sensitive |= marks.sensitive;
            gathered.references.extend(marks.references.iter().cloned());
        }
        if deep {
            match &value.kind {
                Kind::List(list) => open.extend(list.items.iter()),
                Kind::Map(map) => open.extend(map.entries.values()),
                _ => {}
            }
        }
    }
    if !gathered.sensitive && gathered.references.is_empty() {
        return result;
    }
    result.marked_by(&Value {
        kind: Kind::Null,
        marks: Some(Arc::new(gathered)),
    })
}

impl Args<'_> {
    /// All arguments.
    pub(super) fn all(&self) -> &[Value] {
        &self.values
    }

    /// The arguments from `start` on.
    pub(super) fn from(&self, start: usize) -> &[Value] {
        self.values.get(start..).unwrap_or_default()
    }

    /// An argument; null where it was left out.
    pub(super) fn value(&self, position: usize) -> &Value {
        self.values.get(position).unwrap_or(&Value::NULL)
    }

    /// The value of a text in a language, decoded once per run.
    pub(super) fn document(
        &self,
        language: &'static str,
        decode: fn(&str) -> Result<Value, FunctionError>,
    ) -> Result<Value, FunctionError> {
        let text = self.text(0);
        let meter = self.context.meter;
        let paid = || {
            meter.pay(steps_of(text.len()))?;
            let value = decode(text)?;
            meter.pay(parts(&value))?;
            Ok(value)
        };
        match self.context.memory {
            Some(memory) => memory.document(language, text, paid),
            None => paid(),
        }
    }

    /// Whether the argument was given.
    pub(super) fn has(&self, position: usize) -> bool {
        position < self.values.len()
    }

    /// A `Text` argument.
    pub(super) fn text(&self, position: usize) -> &str {
        self.value(position).as_str().unwrap_or_default()
    }

    /// A `Number` argument.
    pub(super) fn number(&self, position: usize) -> Decimal {
        match self.value(position).kind {
            Kind::Number(number) => number,
            _ => Decimal::ZERO,
        }
    }

    /// A `Number` argument that must be whole.
    pub(super) fn integer(&self, position: usize) -> Result<i64, FunctionError> {
        whole(self.number(position))?.to_i64().ok_or_else(|| {
            argument(format!(
                "argument {}: the number is too large",
                position.saturating_add(1)
            ))
        })
    }

    /// A `Number` argument that must be whole and not negative.
    pub(super) fn count(&self, position: usize) -> Result<usize, FunctionError> {
        usize::try_from(self.integer(position)?).map_err(|_| {
            argument(format!(
                "argument {}: the number must not be negative",
                position.saturating_add(1)
            ))
        })
    }

    /// A `Sequence` argument.
    pub(super) fn list(&self, position: usize) -> Result<&List, FunctionError> {
        self.value(position)
            .as_list()
            .ok_or_else(|| argument("a list or set required"))
    }

    /// A `Map` argument.
    pub(super) fn map(&self, position: usize) -> Result<&Map, FunctionError> {
        self.value(position)
            .as_map()
            .ok_or_else(|| argument("a map required"))
    }
}

/// The number itself if it has no fraction.
pub(super) fn whole(number: Decimal) -> Result<Decimal, FunctionError> {
    if number.fract().is_zero() {
        Ok(number)
    } else {
        Err(argument("a whole number required"))
    }
}
