//! Timestamps in RFC 3339. There is no clock here: `timestamp()` and `plantimestamp()` are
//! unknown.
#![expect(
    clippy::unnecessary_wraps,
    reason = "all functions of the table have one type"
)]

use std::cmp::Ordering;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Span};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::FunctionError;
use super::call::{Args, argument, impure};
use super::convert::parse_number;
use super::limits::text_size;
use crate::Value;
use crate::value::Type;

/// A local time and its distance from UTC in seconds.
struct Moment {
    local: DateTime,
    offset: i64,
}

impl Moment {
    fn parse(text: &str) -> Result<Self, FunctionError> {
        Self::read(text).ok_or_else(|| argument("not a valid RFC 3339 timestamp"))
    }

    fn read(text: &str) -> Option<Self> {
        let shape = b"0000-00-00T00:00:00";
        let head = text.get(..shape.len())?;
        let fits = head.bytes().zip(shape).all(|(byte, wanted)| {
            if *wanted == b'0' {
                byte.is_ascii_digit()
            } else {
                byte == *wanted
            }
        });
        let mut rest = text.get(shape.len()..)?;
        let mut fraction = "";
        if let Some(after) = rest.strip_prefix('.') {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            fraction = after.get(..digits).filter(|digits| !digits.is_empty())?;
            rest = after.get(digits..)?;
        }
        let offset = if rest == "Z" {
            0
        } else {
            let sign = match rest.get(..1)? {
                "+" => 1,
                "-" => -1,
                _ => return None,
            };
            let (hours, minutes) = rest.get(1..)?.split_once(':')?;
            let part = |text: &str, most: i64| {
                let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
                digits.then(|| text.parse::<i64>().ok().filter(|value| *value <= most))?
            };
            let minutes = part(hours, 23)?
                .checked_mul(60)?
                .checked_add(part(minutes, 59)?)?;
            minutes.checked_mul(60)?.checked_mul(sign)?
        };
        let local: DateTime = fits.then(|| head.parse().ok())??;
        let nanos: i32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
        let local = local.with().subsec_nanosecond(nanos).build().ok()?;
        Some(Self { local, offset })
    }

    fn universal(&self) -> Option<DateTime> {
        self.local
            .checked_sub(SignedDuration::from_secs(self.offset))
            .ok()
    }

    fn offset_text(&self, separator: &str) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.unsigned_abs() / 60;
        format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
    }
}

/// `timestamp()`
pub(super) fn timestamp(_args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(impure("timestamp", Type::String))
}

/// `plantimestamp()`
pub(super) fn plantimestamp(_args: &Args<'_>) -> Result<Value, FunctionError> {
    Ok(impure("plantimestamp", Type::String))
}

/// `timecmp(a, b)`: -1, 0 or 1.
pub(super) fn timecmp(args: &Args<'_>) -> Result<Value, FunctionError> {
    let far = || argument("a timestamp is out of range");
    let left = Moment::parse(args.text(0))?.universal().ok_or_else(far)?;
    let right = Moment::parse(args.text(1))?.universal().ok_or_else(far)?;
    Ok(match left.cmp(&right) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
    .into())
}

/// `timeadd(timestamp, duration)`
pub(super) fn timeadd(args: &Args<'_>) -> Result<Value, FunctionError> {
    let moment = Moment::parse(args.text(0))?;
    let nanoseconds = duration(args.text(1))?;
    let span = Span::new()
        .try_nanoseconds(nanoseconds)
        .map_err(|_| argument("the duration is too long"))?;
    let local = moment
        .local
        .checked_add(span)
        .map_err(|_| argument("the result is out of range"))?;
    let zone = if moment.offset == 0 {
        "Z".to_owned()
    } else {
        moment.offset_text(":")
    };
    Ok(format!("{}{zone}", local.strftime("%Y-%m-%dT%H:%M:%S")).into())
}

/// Nanoseconds of a duration such as `1h30m`, `-2.5s`, `10ms`.
fn duration(text: &str) -> Result<i64, FunctionError> {
    let refusal = || argument("not a valid duration");
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(refusal());
    }
    let mut total = Decimal::ZERO;
    while !rest.is_empty() {
        let digits = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
            .count();
        let amount = parse_number(rest.get(..digits).unwrap_or_default())?;
        rest = rest.get(digits..).unwrap_or_default();
        let letters = rest
            .bytes()
            .take_while(|byte| !byte.is_ascii_digit() && *byte != b'.')
            .count();
        let unit: i64 = match rest.get(..letters).unwrap_or_default() {
            "ns" => 1,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return Err(refusal()),
        };
        rest = rest.get(letters..).unwrap_or_default();
        total = amount
            .checked_mul(unit.into())
            .and_then(|part| total.checked_add(part))
            .ok_or_else(refusal)?;
    }
    let total = total.trunc().to_i64().ok_or_else(refusal)?;
    Ok(if negative {
        total.saturating_neg()
    } else {
        total
    })
}

/// `formatdate(spec, timestamp)`
pub(super) fn formatdate(args: &Args<'_>) -> Result<Value, FunctionError> {
    let moment = Moment::parse(args.text(1))?;
    let mut out = String::new();
    let mut rest = args.text(0);
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            rest = quoted(rest, &mut out)?;
            continue;
        }
        let length = rest
            .chars()
            .take_while(|next| *next == first)
            .map(char::len_utf8)
            .sum();
        let token = rest.get(..length).unwrap_or_default();
        rest = rest.get(length..).unwrap_or_default();
        if first.is_ascii_alphabetic() {
            out.push_str(&piece(token, &moment)?);
        } else {
            out.push_str(token);
        }
        text_size(out.len())?;
    }
    Ok(out.into())
}

/// Text between apostrophes; two of them inside stand for one.
fn quoted<'a>(text: &'a str, out: &mut String) -> Result<&'a str, FunctionError> {
    let mut rest = text.strip_prefix('\'').unwrap_or(text);
    loop {
        let (plain, after) = rest
            .split_once('\'')
            .ok_or_else(|| argument("a quoted text in the format does not end"))?;
        out.push_str(plain);
        match after.strip_prefix('\'') {
            Some(more) => {
                out.push('\'');
                rest = more;
            }
            None => return Ok(after),
        }
    }
}

fn piece(token: &str, moment: &Moment) -> Result<String, FunctionError> {
    let local = &moment.local;
    let pattern = match token {
        "YYYY" => "%Y",
        "YY" => "%y",
        "MMMM" => "%B",
        "MMM" => "%b",
        "MM" => "%m",
        "M" => "%-m",
        "DD" => "%d",
        "D" => "%-d",
        "EEEE" => "%A",
        "EEE" => "%a",
        "hh" => "%H",
        "h" => "%-H",
        "HH" => "%I",
        "H" => "%-I",
        "AA" => "%p",
        "aa" => "%P",
        "mm" => "%M",
        "m" => "%-M",
        "ss" => "%S",
        "s" => "%-S",
        "ZZZ" if moment.offset == 0 => return Ok("UTC".into()),
        "Z" if moment.offset == 0 => return Ok("Z".into()),
        "ZZZZZ" | "Z" => return Ok(moment.offset_text(":")),
        "ZZZZ" | "ZZZ" => return Ok(moment.offset_text("")),
        _ => {
            return Err(argument(format!(
                "unsupported sequence {token} in the format"
            )));
        }
    };
    Ok(local.strftime(pattern).to_string())
}
