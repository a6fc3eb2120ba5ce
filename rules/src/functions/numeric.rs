//! Numeric functions: exact decimals where the result is exact, else 64-bit floats as a detour.
//!
//! Refuses results that do not fit a decimal of 28 digits.
#![expect(
    clippy::unnecessary_wraps,
    reason = "all functions of the table have one type"
)]

use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

use super::FunctionError;
use super::call::{Args, argument, whole};
use super::convert::{derived, to_number};
use super::unseen::unseen;
use crate::Value;
use crate::value::{Kind, Type};

fn overflow() -> FunctionError {
    FunctionError::Limit("the result has more than the 28 digits that are supported".into())
}

/// `abs(number)`
pub(super) fn abs(args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(args.number(0).abs().into())
}

/// `ceil(number)`
pub(super) fn ceil(args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(args.number(0).ceil().into())
}

/// `floor(number)`
pub(super) fn floor(args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(args.number(0).floor().into())
}

/// `signum(number)`
pub(super) fn signum(args: &Args<'_>) -> Result<Value, FunctionError> {
    let number = args.number(0);
    Ok(if number.is_zero() {
        0
    } else if number.is_sign_negative() {
        -1
    } else {
        1
    }
    .into())
}

fn float(number: Decimal) -> Result<f64, FunctionError> {
    number.to_f64().ok_or_else(overflow)
}

/// `log(number, base)`
pub(super) fn log(args: &Args<'_>) -> Result<Value, FunctionError> {
    let result = float(args.number(0))?.ln() / float(args.number(1))?.ln();
    if !result.is_finite() {
        return Err(argument("the logarithm is not defined here"));
    }
    Decimal::from_f64(result)
        .map(Value::from)
        .ok_or_else(overflow)
}

/// `pow(number, power)`
pub(super) fn pow(args: &Args<'_>) -> Result<Value, FunctionError> {
    let (base, power) = (args.number(0), args.number(1));
    if let (Ok(exponent), Some(times)) = (whole(power), power.abs().to_u32()) {
        // Larger powers of anything but 0, 1 and -1 overflow long before.
        let result = match times {
            0 => Decimal::ONE,
            _ if base.is_zero() => Decimal::ZERO,
            _ if base == Decimal::ONE => Decimal::ONE,
            1..=512 => power_of(base, times)?,
            _ => return Err(overflow()),
        };
        if !exponent.is_sign_negative() || times == 0 {
            return Ok(result.into());
        }
        return Decimal::ONE
            .checked_div(result)
            .map(Value::from)
            .ok_or_else(|| argument("zero has no negative power"));
    }
    let result = float(base)?.powf(float(power)?);
    if !result.is_finite() {
        return Err(argument("the power is not defined here"));
    }
    Decimal::from_f64(result)
        .map(Value::from)
        .ok_or_else(overflow)
}

fn power_of(base: Decimal, times: u32) -> Result<Decimal, FunctionError> {
    let mut result = Decimal::ONE;
    for _ in 0..times {
        result = result.checked_mul(base).ok_or_else(overflow)?;
    }
    Ok(result)
}

/// `parseint(string, base)`
pub(super) fn parseint(args: &Args<'_>) -> Result<Value, FunctionError> {
    let (text, base) = (args.text(0), args.integer(1)?);
    if !(2..=62).contains(&base) {
        return Err(argument("the base must be from 2 to 62"));
    }
    let refusal = || argument(format!("not a whole number in base {base}"));
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() {
        return Err(refusal());
    }
    let mut number = Decimal::ZERO;
    for character in digits.chars() {
        let digit = digit(character, base).ok_or_else(refusal)?;
        number = number
            .checked_mul(base.into())
            .and_then(|number| number.checked_add(digit.into()))
            .ok_or_else(overflow)?;
    }
    if negative {
        number.set_sign_negative(!number.is_zero());
    }
    Ok(number.into())
}

/// Up to base 36 both cases mean the same; above, upper case stands for 36 and more.
fn digit(character: char, base: i64) -> Option<i64> {
    let code = i64::from(u32::from(character));
    let value = match character {
        '0'..='9' => code.checked_sub(48)?,
        'a'..='z' => code.checked_sub(87)?,
        'A'..='Z' if base <= 36 => code.checked_sub(55)?,
        'A'..='Z' => code.checked_sub(29)?,
        _ => return None,
    };
    (value < base).then_some(value)
}

/// `max(numbers…)`: with unknown arguments at least the largest known one.
pub(super) fn max(args: &Args<'_>) -> Result<Value, FunctionError> {
    extreme(args, |best, number| number > best, true)
}

/// `min(numbers…)`
pub(super) fn min(args: &Args<'_>) -> Result<Value, FunctionError> {
    extreme(args, |best, number| number < best, false)
}

fn extreme(
    args: &Args<'_>,
    better: fn(Decimal, Decimal) -> bool,
    lower_bound: bool,
) -> Result<Value, FunctionError> {
    let mut best: Option<Decimal> = None;
    let mut undecided = None;
    for value in args.all() {
        match &value.kind {
            Kind::Number(number) if best.is_none_or(|best| better(best, *number)) => {
                best = Some(*number);
            }
            Kind::Unknown(unknown) => undecided = undecided.or(Some(unknown)),
            _ => {}
        }
    }
    if let Some(unknown) = undecided {
        let mut result = derived(unknown, Type::Number);
        if let (Kind::Unknown(inner), true) = (&mut result.kind, lower_bound) {
            inner.at_least = best.and_then(|best| best.floor().to_u32());
        }
        return Ok(result);
    }
    best.map(Value::from)
        .ok_or_else(|| argument("at least one number required"))
}

/// `sum(list)`
pub(super) fn sum(args: &Args<'_>) -> Result<Value, FunctionError> {
    let list = args.list(0)?;
    let mut total = Decimal::ZERO;
    for item in list.items.iter() {
        if item.is_null() {
            return Err(argument("null cannot be added"));
        }
        if let Kind::Number(number) = to_number(item)?.kind {
            total = total.checked_add(number).ok_or_else(overflow)?;
        }
    }
    if let Some(unknown) = unseen(args.value(0)) {
        return Ok(derived(&unknown, Type::Number));
    }
    if list.items.is_empty() {
        return Err(argument("an empty list has no sum"));
    }
    Ok(total.into())
}
