//! Address ranges and ports that are open to everyone.
#![expect(
    clippy::unnecessary_wraps,
    reason = "all functions of the table have one type"
)]

use rust_decimal::Decimal;

use super::shorthand::{answer, any, both};
use crate::Value;
use crate::functions::FunctionError;
use crate::functions::call::Args;
use crate::functions::convert::to_number;
use crate::functions::network::Block;
use crate::value::Kind;

/// `public_cidr(x)`: whether an address range, or a list of them taken together, covers all of
/// IPv4 or IPv6: `0.0.0.0/0`, `::/0`, and `0.0.0.0/1` beside `128.0.0.0/1`. What is no address
/// range is not public.
pub(crate) fn public_cidr(args: &Args<'_>) -> Result<Value, FunctionError> {
    let mut found = Ranges::default();
    found.add(args.value(0));
    let covered = any([covers(&mut found.v4, 32), covers(&mut found.v6, 128)].map(Some));
    let open = if found.open { None } else { Some(false) };
    Ok(answer(any([covered, open]), &[args.value(0)]))
}

#[derive(Default)]
struct Ranges {
    v4: Vec<(u128, u128)>,
    v6: Vec<(u128, u128)>,
    open: bool,
}

impl Ranges {
    /// Walks nested lists; the depth of arguments is bounded.
    fn add(&mut self, value: &Value) {
        match &value.kind {
            Kind::String(text) => {
                if let Some(block) = Block::parse(text.trim()) {
                    let range = (block.address, block.address | block.host_mask());
                    if block.width == 32 {
                        self.v4.push(range);
                    } else {
                        self.v6.push(range);
                    }
                }
            }
            Kind::List(list) => {
                self.open |= list.rest.is_some();
                list.items.iter().for_each(|item| self.add(item));
            }
            Kind::Unknown(unknown) => {
                // A length that begins with another digit than 0 is not 0.
                let length = unknown
                    .prefix
                    .as_deref()
                    .and_then(|prefix| prefix.split_once('/'))
                    .map(|(_, length)| length);
                let narrow =
                    length.is_some_and(|length| !length.is_empty() && !length.starts_with('0'));
                self.open |= !narrow;
            }
            _ => {}
        }
    }
}

/// Whether the ranges leave no gap from the first to the last address.
fn covers(ranges: &mut [(u128, u128)], width: u32) -> bool {
    ranges.sort_unstable();
    let last = if width == 32 {
        u128::from(u32::MAX)
    } else {
        u128::MAX
    };
    let mut next = 0_u128;
    for (start, end) in ranges {
        if *start > next {
            return false;
        }
        if *end == last {
            return true;
        }
        next = next.max(end.saturating_add(1));
    }
    false
}

/// `port_in(port, from, to)`: whether the range holds the port. An absent end means the other
/// one; without both, all ports. `port_in(port, ranges)`: the same for ranges as texts (`"22"`,
/// `"20-25"`, `"*"`), numbers, or lists of them; without any, no port.
pub(crate) fn port_in(args: &Args<'_>) -> Result<Value, FunctionError> {
    let port = to_number(args.value(0))?;
    if args.all().len() < 3 {
        let ranges = args.value(1);
        return Ok(answer(ranges_hold(ranges, &port), &[&port, ranges]));
    }
    let (from, to) = (args.value(1), args.value(2));
    let (low, high) = match (from.is_null(), to.is_null()) {
        (true, true) => return Ok(true.into()),
        (true, false) => (to, to),
        (false, true) => (from, from),
        (false, false) => (from, to),
    };
    let held = lies_within(&port, &to_number(low)?, &to_number(high)?);
    Ok(answer(held, &[&port, low, high]))
}

fn lies_within(port: &Value, low: &Value, high: &Value) -> Option<bool> {
    both(at_most(low, port), at_most(port, high))
}

/// Whether any of the ranges holds the port; nested lists are bounded as arguments are.
fn ranges_hold(ranges: &Value, port: &Value) -> Option<bool> {
    match &ranges.kind {
        Kind::Number(_) => lies_within(port, ranges, ranges),
        Kind::String(text) => range_holds(text, port),
        Kind::List(list) => {
            let open = list.rest.is_some().then_some(None);
            let held = list.items.iter().map(|item| ranges_hold(item, port));
            any(held.chain(open))
        }
        Kind::Unknown(_) => None,
        // None, and what no provider takes for a range.
        Kind::Null | Kind::Bool(_) | Kind::Map(_) => Some(false),
    }
}

/// `22`, `20-25`, `*`, or several with commas between them.
fn range_holds(text: &str, port: &Value) -> Option<bool> {
    let number = |text: &str| text.trim().parse::<Decimal>().ok().map(Value::from);
    any(text.split(',').map(|range| {
        let range = range.trim();
        if range == "*" {
            return Some(true);
        }
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        match (number(low), number(high)) {
            (Some(low), Some(high)) => lies_within(port, &low, &high),
            _ => Some(false),
        }
    }))
}

/// `left <= right`, as far as it is known.
fn at_most(left: &Value, right: &Value) -> Option<bool> {
    let number = |value: &Value| match value.kind {
        Kind::Number(number) => Some(number),
        _ => None,
    };
    let least = |value: &Value| {
        let least = value.as_unknown()?.at_least?;
        Some(Decimal::from(least))
    };
    match (number(left), number(right)) {
        (Some(left), Some(right)) => Some(left <= right),
        (None, Some(right)) => least(left).and_then(|left| (left > right).then_some(false)),
        (Some(left), None) => least(right).and_then(|right| (left <= right).then_some(true)),
        (None, None) => None,
    }
}
