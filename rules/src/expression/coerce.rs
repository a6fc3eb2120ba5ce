//! Conversions that operators and templates need between bool, number and string. Conversions
//! to declared types belong to the functions.

use rust_decimal::Decimal;

use super::{EvalError, fault};
use crate::Value;
use crate::functions::convert::parse_number;
use crate::value::Kind;

/// What the value is called in messages; never the value itself, which may be sensitive.
pub(super) fn name_of(value: &Value) -> &'static str {
    match &value.kind {
        Kind::Null => "null",
        Kind::Bool(_) => "a bool",
        Kind::Number(_) => "a number",
        Kind::String(_) => "a string",
        Kind::List(_) => "a list",
        Kind::Map(_) => "an object",
        Kind::Unknown(_) => "an unknown value",
    }
}

/// A known number, or `None` for an unknown value.
pub(super) fn number(value: &Value) -> Result<Option<Decimal>, EvalError> {
    match &value.kind {
        Kind::Number(number) => Ok(Some(*number)),
        Kind::String(text) => match parse_number(text) {
            Ok(number) => Ok(Some(number)),
            Err(_) => fault("a number is required, not a string that is not one"),
        },
        Kind::Unknown(_) => Ok(None),
        _ => fault(format!("a number is required, not {}", name_of(value))),
    }
}

/// A known bool, or `None` for an unknown value.
pub(super) fn bool(value: &Value) -> Result<Option<bool>, EvalError> {
    match &value.kind {
        Kind::Bool(value) => Ok(Some(*value)),
        Kind::String(text) => match &**text {
            "true" | "1" => Ok(Some(true)),
            "false" | "0" => Ok(Some(false)),
            _ => fault("a bool is required, not a string that is not one"),
        },
        Kind::Unknown(_) => Ok(None),
        _ => fault(format!("a bool is required, not {}", name_of(value))),
    }
}
