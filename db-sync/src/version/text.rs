//! Owns the reading of version text that the orders share: runs of bytes, numbers of any
//! length, names that ignore case. It works on bytes, since no order gives a meaning to a
//! character outside ASCII, and knows nothing about any single ecosystem.

use std::cmp::Ordering;

/// Splits off the longest start of `text` whose bytes all pass `keep`.
pub(super) fn run(text: &[u8], keep: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|&byte| !keep(byte))
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, &[]))
}

/// Splits off the decimal digits that `text` starts with.
pub(super) fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    run(text, |byte| byte.is_ascii_digit())
}

/// Whether `text` is one or more decimal digits.
pub(super) fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// Takes `prefix` off the start of `text`, whatever the case of their letters.
pub(super) fn strip_prefix_any_case<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Compares two dotted lists of numbers as if the shorter one went on with zeros.
pub(super) fn compare_padded(a: &[u8], b: &[u8]) -> Ordering {
    let mut left = a.split(|&byte| byte == b'.');
    let mut right = b.split(|&byte| byte == b'.');
    loop {
        let (x, y) = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (x, y) => (x.unwrap_or_default(), y.unwrap_or_default()),
        };
        let order = Number(x).cmp(&Number(y));
        if order.is_ne() {
            return order;
        }
    }
}

/// A decimal number of any length, kept as its digits; no digits are zero.
///
/// It is compared by value without being converted, so nothing can overflow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'a>(pub(super) &'a [u8]);

impl<'a> Number<'a> {
    fn significant(self) -> &'a [u8] {
        run(self.0, |byte| byte == b'0').1
    }

    pub(super) fn is_zero(self) -> bool {
        self.significant().is_empty()
    }
}

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.significant(), other.significant());
        a.len().cmp(&b.len()).then_with(|| match a.len() {
            // For the usual few digits, a call costs more than comparing them.
            0..8 => a.iter().cmp(b),
            _ => a.cmp(b),
        })
    }
}

ordered!(Number<'_>);

/// A name whose ASCII letters are compared without their case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a>(pub(super) &'a [u8]);

impl Ord for Word<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.0.iter(), other.0.iter());
        a.map(u8::to_ascii_lowercase)
            .cmp(b.map(u8::to_ascii_lowercase))
    }
}

ordered!(Word<'_>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value_at_any_length() {
        let long = "9".repeat(100_000);
        let longer = format!("1{}", "0".repeat(100_000));
        assert!(Number(long.as_bytes()) < Number(longer.as_bytes()));
        assert_eq!(Number(b"007"), Number(b"7"));
        assert_eq!(Number(b""), Number(b"000"));
        assert!(Number(b"18446744073709551615") < Number(b"18446744073709551616"));
    }

    #[test]
    fn a_short_list_goes_on_with_zeros() {
        assert_eq!(compare_padded(b"1", b"1.0.0"), Ordering::Equal);
        assert_eq!(compare_padded(b"1.0.1", b"1"), Ordering::Greater);
    }
}
