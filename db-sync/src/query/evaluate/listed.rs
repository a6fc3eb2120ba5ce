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
    /// release: `23.9` is PEP 440's `23.9.0`, and `v1.2.3` is what Go calls `1.2.3`.
    pub(in crate::query) fn is_listed_otherwise(
        &self,
        store: &Store,
        view: &View<'_>,
    ) -> Result<bool, ReadError> {
        let Ok((order, _)) = &self.own else {
            return Ok(false);
        };
        let plain = without_v(self.given.as_bytes());
        match order {
            // Equal versions are one release there, and begin with one number.
            Order::PyPi | Order::NuGet => {
                let start = first_number(plain);
                for number in from(store, view, start)? {
                    if !store.version_bytes(number)?.starts_with(start) {
                        break;
                    }
                    if self.position(store, false, number)? == Some(Ordering::Equal) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Order::Semver | Order::Packagist => {
                let with_v = [b"v", plain].concat();
                for spelling in [plain, &with_v] {
                    let first = from(store, view, spelling)?.next();
                    if let Some(number) = first
                        && store.version_bytes(number)? == spelling
                    {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => Ok(false),
        }
    }
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

/// The versions that an entry lists from a text on: their numbers follow their texts.
fn from(
    store: &Store,
    view: &View<'_>,
    text: &[u8],
) -> Result<impl Iterator<Item = u32>, ReadError> {
    let numbers: Vec<u32> = view
        .listed
        .clone()
        .collect::<Result<_, _>>()
        .map_err(damaged(Section::Packages))?;
    let mut rest = numbers.as_slice();
    let mut below: usize = 0;
    while let (left, [middle, right @ ..]) = rest.split_at(rest.len() / 2) {
        if store.version_bytes(*middle)? < text {
            below = below.saturating_add(left.len()).saturating_add(1);
            rest = right;
        } else {
            rest = left;
        }
    }
    Ok(numbers.into_iter().skip(below))
}
