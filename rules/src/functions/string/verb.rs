//! The verbs of `format()`: `%[flags][width][.precision][[index]]letter`.
//!
//! Owns reading a format string and printing one value; widths are bounded.

use std::iter::Peekable;
use std::str::Chars;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::{argument, whole};
use crate::functions::convert::{format_number, to_bool, to_number, to_string};
use crate::functions::encoding::json;
use crate::functions::limits::MAX_WIDTH;
use crate::value::Kind;

/// A piece of a format string.
pub(super) enum Piece {
    /// Text as it stands.
    Text(String),
    /// A verb.
    Verb(Verb),
}

/// One verb.
#[derive(Default)]
pub(super) struct Verb {
    letter: char,
    plus: bool,
    minus: bool,
    space: bool,
    zero: bool,
    sharp: bool,
    width: Option<usize>,
    precision: Option<usize>,
    /// Explicit argument, counted from 1.
    pub index: Option<usize>,
}

/// Splits a format string.
pub(super) fn parse(format: &str) -> Result<Vec<Piece>, FunctionError> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = format.chars().peekable();
    while let Some(character) = rest.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        if rest.next_if_eq(&'%').is_some() {
            text.push('%');
            continue;
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Verb(verb(&mut rest)?));
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

fn verb(rest: &mut Peekable<Chars<'_>>) -> Result<Verb, FunctionError> {
    let mut verb = Verb::default();
    while let Some(flag) = rest.next_if(|next| "+-# 0".contains(*next)) {
        match flag {
            '+' => verb.plus = true,
            '-' => verb.minus = true,
            '#' => verb.sharp = true,
            ' ' => verb.space = true,
            _ => verb.zero = true,
        }
    }
    verb.width = number(rest)?;
    if rest.next_if_eq(&'.').is_some() {
        verb.precision = Some(number(rest)?.unwrap_or(0));
    }
    if rest.next_if_eq(&'[').is_some() {
        verb.index = number(rest)?.filter(|index| *index > 0);
        if verb.index.is_none() || rest.next_if_eq(&']').is_none() {
            return Err(argument("not a valid argument index in the format"));
        }
    }
    verb.letter = rest
        .next()
        .ok_or_else(|| argument("the format ends inside a verb"))?;
    Ok(verb)
}

fn number(rest: &mut Peekable<Chars<'_>>) -> Result<Option<usize>, FunctionError> {
    let mut value = None;
    while let Some(digit) = rest.peek().and_then(|next| next.to_digit(10)) {
        rest.next();
        let digit = usize::try_from(digit).unwrap_or_default();
        let longer = value
            .unwrap_or(0_usize)
            .saturating_mul(10)
            .saturating_add(digit);
        if longer > MAX_WIDTH {
            return Err(FunctionError::Limit(format!(
                "a width in the format is larger than {MAX_WIDTH}"
            )));
        }
        value = Some(longer);
    }
    Ok(value)
}

impl Verb {
    /// Whether it prints a string just as it is.
    pub(super) fn is_plain(&self) -> bool {
        let bare = self.width.is_none() && self.precision.is_none() && !self.sharp;
        bare && matches!(self.letter, 's' | 'v')
    }

    /// Prints a wholly known value.
    pub(super) fn print(&self, value: &Value) -> Result<String, FunctionError> {
        if value.is_null() && self.letter != 'v' {
            return Err(argument("null cannot be formatted"));
        }
        let body = match self.letter {
            'v' => self.plain(value)?,
            't' => match to_bool(value)?.kind {
                Kind::Bool(flag) => flag.to_string(),
                _ => String::new(),
            },
            's' | 'q' => {
                let text = to_string(value)?;
                let text: String = text
                    .as_str()
                    .unwrap_or_default()
                    .chars()
                    .take(self.precision.unwrap_or(usize::MAX))
                    .collect();
                if self.letter == 'q' {
                    json::quoted(&text)
                } else {
                    text
                }
            }
            'd' | 'b' | 'o' | 'x' | 'X' if self.letter == 'd' || value.as_str().is_none() => {
                return Ok(self.pad_number(&self.integer(numeric(value)?)?));
            }
            'x' | 'X' => {
                let text = value.as_str().unwrap_or_default();
                if self.letter == 'X' {
                    hex::encode_upper(text)
                } else {
                    hex::encode(text)
                }
            }
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                return Ok(self.pad_number(&self.float(numeric(value)?)?));
            }
            _ => return Err(argument(format!("unsupported verb %{}", self.letter))),
        };
        Ok(self.pad(&body))
    }

    fn plain(&self, value: &Value) -> Result<String, FunctionError> {
        Ok(match &value.kind {
            Kind::String(text) if self.sharp => json::quoted(text),
            Kind::String(text) => text.to_string(),
            Kind::Number(number) => format_number(*number),
            Kind::Bool(flag) => flag.to_string(),
            Kind::Null => "null".into(),
            _ => json::encode(value)?,
        })
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        }
    }

    fn integer(&self, number: Decimal) -> Result<String, FunctionError> {
        let number = if self.letter == 'd' {
            number.trunc()
        } else {
            whole(number)?
        };
        let magnitude = number
            .abs()
            .to_u128()
            .ok_or_else(|| FunctionError::Limit("the number is too large".into()))?;
        let digits = match self.letter {
            'b' => format!("{magnitude:b}"),
            'o' => format!("{magnitude:o}"),
            'x' => format!("{magnitude:x}"),
            'X' => format!("{magnitude:X}"),
            _ => magnitude.to_string(),
        };
        let base = match (self.sharp, self.letter) {
            (true, 'x') => "0x",
            (true, 'X') => "0X",
            (true, 'o') => "0",
            _ => "",
        };
        let negative = number.is_sign_negative() && !number.is_zero();
        Ok(format!("{}{base}{digits}", self.sign(negative)))
    }

    fn float(&self, number: Decimal) -> Result<String, FunctionError> {
        let negative = number.is_sign_negative() && !number.is_zero();
        let magnitude = number.abs();
        let upper = self.letter.is_ascii_uppercase();
        let digits = match self.letter {
            'f' | 'F' => fixed(magnitude, self.precision.unwrap_or(6)),
            'e' | 'E' => scientific(magnitude, self.precision.unwrap_or(6), upper)?,
            _ => general(magnitude, self.precision, upper)?,
        };
        Ok(format!("{}{digits}", self.sign(negative)))
    }

    fn pad_number(&self, text: &str) -> String {
        let missing = self.missing(text);
        if !self.zero || self.minus || missing == 0 {
            return self.pad(text);
        }
        let (sign, digits) = match text.strip_prefix(['-', '+', ' ']) {
            Some(digits) => text.split_at(text.len().saturating_sub(digits.len())),
            None => ("", text),
        };
        format!("{sign}{}{digits}", "0".repeat(missing))
    }

    fn missing(&self, text: &str) -> usize {
        self.width
            .unwrap_or_default()
            .saturating_sub(text.chars().count())
    }

    fn pad(&self, text: &str) -> String {
        let missing = self.missing(text);
        if self.minus {
            return format!("{text}{}", " ".repeat(missing));
        }
        let fill = if self.zero { "0" } else { " " };
        format!("{}{text}", fill.repeat(missing))
    }
}

fn numeric(value: &Value) -> Result<Decimal, FunctionError> {
    match to_number(value)?.kind {
        Kind::Number(number) => Ok(number),
        _ => Err(argument("a number required")),
    }
}

fn fixed(magnitude: Decimal, precision: usize) -> String {
    // A decimal has at most 28 fractional digits; the rest are zeros.
    let kept = u32::try_from(precision.min(28)).unwrap_or(28);
    let rounded = magnitude.round_dp(kept).normalize().to_string();
    if precision == 0 {
        return rounded;
    }
    let (whole, fraction) = rounded.split_once('.').unwrap_or((&rounded, ""));
    format!("{whole}.{fraction:0<precision$}")
}

/// Go writes at least two digits of exponent, with sign.
fn scientific(magnitude: Decimal, precision: usize, upper: bool) -> Result<String, FunctionError> {
    let float = magnitude
        .to_f64()
        .ok_or_else(|| argument("the number is too large"))?;
    let text = format!("{float:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    let letter = if upper { 'E' } else { 'e' };
    Ok(format!("{mantissa}{letter}{sign}{digits:0>2}"))
}

/// `%g`: the shorter of both notations, without trailing zeros.
fn general(
    magnitude: Decimal,
    precision: Option<usize>,
    upper: bool,
) -> Result<String, FunctionError> {
    let significant = precision.map(|digits| digits.max(1));
    let float = magnitude
        .to_f64()
        .ok_or_else(|| argument("the number is too large"))?;
    let text = match significant {
        Some(digits) => format!("{float:.*e}", digits.saturating_sub(1)),
        None => format!("{float:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i64 = exponent.parse().unwrap_or_default();
    let most = significant.map_or(21, |digits| i64::try_from(digits).unwrap_or(i64::MAX));
    if power < -4 || power >= most {
        let mantissa = if mantissa.contains('.') {
            mantissa.trim_end_matches('0').trim_end_matches('.')
        } else {
            mantissa
        };
        let letter = if upper { 'E' } else { 'e' };
        let sign = if power < 0 { '-' } else { '+' };
        return Ok(format!(
            "{mantissa}{letter}{sign}{:02}",
            power.unsigned_abs()
        ));
    }
    let rounded = match significant {
        Some(digits) => {
            let digits = u32::try_from(digits).unwrap_or(28);
            magnitude.round_sf(digits).unwrap_or(magnitude)
        }
        None => magnitude,
    };
    Ok(rounded.normalize().to_string())
}
