//! Whether an entry lists a version by name, in its own or another spelling.

use super::Asked;
use crate::query::damaged;
use crate::store::ReadError;
use crate::store::format::Section;
use crate::store::read::Store;
use crate::store::view::View;
use crate::version::Order;
use std::cmp::Ordering;

impl Asked<'_> {
    /// Whether an entry lists the version by name. Numbers of versions follow
    /// their texts, so that each comparison says something about all lists.
    pub(in crate::query) fn is_listed(
        &self,
        store: &Store,
        view: &View<'_>,
    ) -> Result<bool, ReadError> {
        let (mut low, mut high) = self.numbers.get();
        let mut open = Vec::new();
        for number in view.listed.clone() {
            let number = number.map_err(damaged(Section::Packages))?;
            if u64::from(number) >= high {
                break;
            }
            if u64::from(number) >= low {
                if self.found.get() {
                    return Ok(true);
                }
                open.push(number);
            }
        }
        let mut rest = open.as_slice();
        while let (below, [middle, above @ ..]) = rest.split_at(rest.len() / 2) {
            match self.given.cmp(store.version(*middle)?) {
                Ordering::Equal => {
                    self.found.set(true);
                    let number = u64::from(*middle);
                    self.numbers.set((number, number.saturating_add(1)));
                    return Ok(true);
                }
                Ordering::Less => {
                    high = u64::from(*middle);
                    rest = below;
                }
                Ordering::Greater => {
                    low = u64::from(*middle).saturating_add(1);
                    rest = above;
                }
            }
        }
        self.numbers.set((low, high));
        Ok(false)
    }

    /// Whether an entry lists the version in another spelling of the same
    /// release: `23.9` is PEP 440's `23.9.0`, `v1.2.3` is what Go calls `1.2.3`,
    /// and what a build was made of (`+incompatible`) is no part of its version.
    pub(in crate::query) fn is_listed_otherwise(
        &self,
        store: &Store,
        view: &View<'_>,
    ) -> Result<bool, ReadError> {
        let Ok((order, _)) = &self.own else {
            return Ok(false);
        };
        let plain = without_v(self.given.as_bytes());
        // What all spellings of the version begin with.
        let start = match order {
            Order::PyPi | Order::NuGet | Order::Packagist => first_number(plain),
            Order::Semver => plain.split(|byte| *byte == b'+').next().unwrap_or(plain),
            _ => return Ok(false),
        };
        let numbers: Vec<u32> = view
            .listed
            .clone()
            .collect::<Result<_, _>>()
            .map_err(damaged(Section::Packages))?;
        // Sorted by text: zeros come first, letters last.
        let first = |number: Option<&u32>| -> Result<Option<u8>, ReadError> {
            let Some(number) = number else {
                return Ok(None);
            };
            Ok(store.version_bytes(*number)?.first().copied())
        };
        let has_zeros = first(numbers.first())?.is_some_and(|byte| byte <= b'0');
        let has_letters = first(numbers.last())?.is_some_and(|byte| byte >= b'V');
        let spellings = [
            (&b""[..], true),
            (b"0", has_zeros),
            (b"V", has_letters),
            (b"v", has_letters),
        ];
        for (before, _) in spellings.into_iter().filter(|(_, occurs)| *occurs) {
            let start = [before, start].concat();
            for number in from(store, &numbers, &start)? {
                let listed = store.version_bytes(*number)?;
                if !listed.starts_with(&start) {
                    break;
                }
                let is_same = match order {
                    Order::Packagist => is_one_release(plain, without_v(listed)),
                    _ => self.position(store, false, *number)? == Some(Ordering::Equal),
                };
                if is_same {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// Composer knows no difference between `1.0` and `1.0.0`; `version_compare` does.
fn is_one_release(left: &[u8], right: &[u8]) -> bool {
    let is_plain = |text: &[u8]| text.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    left == right || is_plain(left) && is_plain(right) && without_end(left) == without_end(right)
}

/// Numbers without the zeros at their end.
fn without_end(mut version: &[u8]) -> &[u8] {
    while let Some(rest) = version.strip_suffix(b".0") {
        version = rest;
    }
    version
}

/// A version without the white space around it and the letter before it.
fn without_v(version: &[u8]) -> &[u8] {
    match version.trim_ascii() {
        [b'v' | b'V', rest @ ..] => rest,
        all => all,
    }
}

/// The number that a version begins with, without leading zeros.
fn first_number(version: &[u8]) -> &[u8] {
    let end = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = version.get(..end(version)).unwrap_or_default();
    let zeros = number.iter().take_while(|byte| **byte == b'0').count();
    match number.get(zeros..) {
        Some([]) | None => number.get(..1).unwrap_or_default(),
        Some(rest) => rest,
    }
}

/// Those of a list from a text on: numbers of versions follow their texts.
fn from<'n>(store: &Store, numbers: &'n [u32], text: &[u8]) -> Result<&'n [u32], ReadError> {
    let mut rest = numbers;
    let mut below: usize = 0;
    while let (left, [middle, right @ ..]) = rest.split_at(rest.len() / 2) {
        if store.version_bytes(*middle)? < text {
            below = below.saturating_add(left.len()).saturating_add(1);
            rest = right;
        } else {
            rest = left;
        }
    }
    Ok(numbers.get(below..).unwrap_or_default())
}
