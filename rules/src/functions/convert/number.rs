//! Numbers as text: exact decimals in Terraform's plain notation.
//!
//! Refuses what is no decimal number (`0x1f`, `Inf`, blanks) and what is larger than a
//! [`Decimal`]; digits past its precision are rounded.

use std::str::FromStr;

use rust_decimal::Decimal;

use crate::functions::FunctionError;

/// Largest power of ten in scientific notation; beyond it nothing but zero fits a [`Decimal`].
const MAX_EXPONENT: u32 = 28;

/// The number without trailing zeros and without exponent.
pub fn format_number(number: Decimal) -> String {
    number.normalize().to_string()
}

/// Reads a decimal number, with optional sign, fraction and exponent.
pub fn parse_number(text: &str) -> Result<Decimal, FunctionError> {
    let refusal = || FunctionError::Argument("a number required".into());
    let too_large =
        || FunctionError::Limit("the number has more digits than the 28 that are supported".into());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !numeric(whole) || !numeric(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return Err(refusal());
    }
    let sign = if mantissa.starts_with('-') { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    let plain = if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    };
    let number = Decimal::from_str(&plain).map_err(|_| too_large())?;
    let Some(exponent) = exponent else {
        return Ok(number);
    };
    let (negative, magnitude) = match exponent.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, exponent.strip_prefix('+').unwrap_or(exponent)),
    };
    if magnitude.is_empty() || !numeric(magnitude) {
        return Err(refusal());
    }
    if number.is_zero() {
        return Ok(Decimal::ZERO);
    }
    let power = u32::from_str(magnitude)
        .ok()
        .filter(|power| *power <= MAX_EXPONENT)
        .and_then(|power| 10_i128.checked_pow(power))
        .and_then(|power| Decimal::try_from_i128_with_scale(power, 0).ok())
        .ok_or_else(too_large)?;
    let scaled = if negative {
        number.checked_div(power)
    } else {
        number.checked_mul(power)
    };
    scaled.ok_or_else(too_large)
}
