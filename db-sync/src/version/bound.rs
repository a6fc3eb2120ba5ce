//! Owns the two bounds of the OSV schema that are no versions: `introduced: "0"` lies before every
//! version, also before `0-alpha`, and `limit: "*"` after every version. All other events are
//! plain versions: `fixed: "0"` is the version 0.

use std::cmp::Ordering;

use super::{Invalid, Order, Version};

/// A point in the order of versions at which an OSV range event takes effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound<'a> {
    /// Before every version.
    Origin,
    /// At a version.
    At(Version<'a>),
    /// After every version.
    Infinity,
}

impl<'a> Bound<'a> {
    /// The `introduced` text that means [`Bound::Origin`].
    pub const ORIGIN: &'static str = "0";
    /// The `limit` text that means [`Bound::Infinity`].
    pub const INFINITY: &'static str = "*";

    /// Reads the value of an `introduced` event.
    pub fn introduced(order: Order, text: &'a str) -> Result<Self, Invalid> {
        if text == Self::ORIGIN {
            return Ok(Self::Origin);
        }
        order.parse(text).map(Self::At)
    }

    /// Reads the value of a `limit` event.
    pub fn limit(order: Order, text: &'a str) -> Result<Self, Invalid> {
        if text == Self::INFINITY {
            return Ok(Self::Infinity);
        }
        order.parse(text).map(Self::At)
    }

    /// Compares this bound with a version.
    pub fn cmp_version(&self, version: &Version<'_>) -> Ordering {
        match self {
            Self::Origin => Ordering::Less,
            Self::At(bound) => bound.cmp(version),
            Self::Infinity => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_lies_before_what_lies_before_zero() {
        for order in Order::ALL {
            let first = match order {
                Order::Debian | Order::Rpm | Order::Opam => "0~~",
                Order::FreeBsd => "0.*",
                Order::Cran | Order::Hackage => "0",
                _ => "0-alpha",
            };
            let version = order.parse(first).expect("a version");
            let origin = Bound::introduced(order, "0").expect("a bound");
            assert_eq!(origin.cmp_version(&version), Ordering::Less);
            let end = Bound::limit(order, "*").expect("a bound");
            assert_eq!(end.cmp_version(&version), Ordering::Greater);
            assert!(origin < Bound::At(version.clone()) && Bound::At(version) < end);
        }
        let zero = Bound::limit(Order::Semver, "0").expect("a bound");
        assert!(matches!(zero, Bound::At(_)));
    }
}
