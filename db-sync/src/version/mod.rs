//! Owns version order: which of two versions of a package is the older one, in every ecosystem
//! of the OSV schema whose order is known.
//!
//! An [`Order`] reads text into a [`Version`]; versions of one order are totally ordered, and both
//! reading and comparing take time linear in the text. Numbers have any length and nothing
//! recurses. What is no version in its order is [`Invalid`], never a guess.

/// Derives the comparisons that follow from `Ord::cmp`, so that equality is always "neither is older".
macro_rules! ordered {
    ($type:ty) => {
        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.cmp(other).is_eq()
            }
        }

        impl Eq for $type {}

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
    };
}

mod alpine;
mod bound;
mod debian;
mod freebsd;
mod maven;
mod nuget;
mod numbers;
mod opam;
mod packagist;
mod pub_;
mod pypi;
mod pypi_legacy;
mod rpm;
mod rubygems;
mod semver;
mod text;

use std::cmp::Ordering;

pub use bound::Bound;

/// How many characters of a refused text an [`Invalid`] keeps: enough to find it, short enough to print.
pub const INVALID_TEXT_SHOWN: usize = 80;

/// Version order of an ecosystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// Alpine's apk.
    Alpine,
    /// R's `package_version`: CRAN and Bioconductor.
    Cran,
    /// Debian's dpkg.
    Debian,
    /// FreeBSD's pkg.
    FreeBsd,
    /// Haskell's package versioning policy.
    Hackage,
    /// Maven's `ComparableVersion`.
    Maven,
    /// `NuGet`'s semantic version with a fourth number.
    NuGet,
    /// OCaml's opam: Debian's order without epoch and revision.
    Opam,
    /// PHP's `version_compare`, as Composer uses it.
    Packagist,
    /// Semantic versions in which build metadata counts: Dart's pub and Julia.
    Pub,
    /// Python's PEP 440, with setuptools' order for what came before it.
    PyPi,
    /// The order of rpm.
    Rpm,
    /// Ruby's `Gem::Version`.
    RubyGems,
    /// Semantic Versioning 2.0.0.
    Semver,
}

impl Order {
    /// Every order, sorted by name.
    pub const ALL: [Self; 14] = [
        Self::Alpine,
        Self::Cran,
        Self::Debian,
        Self::FreeBsd,
        Self::Hackage,
        Self::Maven,
        Self::NuGet,
        Self::Opam,
        Self::Packagist,
        Self::Pub,
        Self::PyPi,
        Self::Rpm,
        Self::RubyGems,
        Self::Semver,
    ];

    /// Whether distributions order their packages so: their versions are builds within one
    /// release, where "major" and "minor" say nothing.
    pub const fn is_of_distributions(self) -> bool {
        matches!(
            self,
            Self::Alpine | Self::Debian | Self::FreeBsd | Self::Rpm
        )
    }

    /// Lower-case name of the order, as its case file in `testdata/versions` is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alpine => "alpine",
            Self::Cran => "cran",
            Self::Debian => "debian",
            Self::FreeBsd => "freebsd",
            Self::Hackage => "hackage",
            Self::Maven => "maven",
            Self::NuGet => "nuget",
            Self::Opam => "opam",
            Self::Packagist => "packagist",
            Self::Pub => "pub",
            Self::PyPi => "pypi",
            Self::Rpm => "rpm",
            Self::RubyGems => "rubygems",
            Self::Semver => "semver",
        }
    }

    /// Reads one version, so that it can be compared with many others.
    ///
    /// White space around the text is ignored; inside, white space and control characters are refused.
    pub fn parse(self, text: &str) -> Result<Version<'_>, Invalid> {
        self.read(text.trim().as_bytes())
            .map(Version)
            .ok_or_else(|| Invalid::new(self, text))
    }

    /// Reads one version from bytes as [`Order::parse`] reads it from text, and says no more than
    /// that it is none. Looking at many bounds, checking their UTF-8 costs as much as reading them.
    pub(crate) fn parse_bytes(self, bytes: &[u8]) -> Option<Version<'_>> {
        // Only white space outside ASCII needs text to be seen.
        let outside = |byte: Option<&u8>| byte.is_some_and(|byte| !byte.is_ascii());
        if outside(bytes.first()) || outside(bytes.last()) {
            return self.parse(std::str::from_utf8(bytes).ok()?).ok();
        }
        // ASCII white space as text has it: unlike for bytes, U+000B is part of it.
        let is_blank = |byte: &u8| matches!(byte, b'\t'..=b'\r' | b' ');
        let start = bytes.iter().position(|byte| !is_blank(byte))?;
        let end = bytes.iter().rposition(|byte| !is_blank(byte))?;
        let text = bytes.get(start..=end)?;
        if outside(text.first()) || outside(text.last()) {
            return self.parse(std::str::from_utf8(bytes).ok()?).ok();
        }
        self.read(text).map(Version)
    }

    /// Compares two versions by this order.
    pub fn compare(self, a: &str, b: &str) -> Result<Ordering, Invalid> {
        Ok(self.parse(a)?.cmp(&self.parse(b)?))
    }

    fn read(self, text: &[u8]) -> Option<Parsed<'_>> {
        if text.is_empty() || text.iter().any(|&byte| byte <= b' ' || byte == 0x7f) {
            return None;
        }
        Some(match self {
            Self::Alpine => Parsed::Alpine(alpine::Version::parse(text)),
            Self::Cran => Parsed::Cran(numbers::Version::parse(text, numbers::CRAN)?),
            Self::Debian => Parsed::Debian(debian::Version::parse(text)?),
            Self::FreeBsd => Parsed::FreeBsd(freebsd::Version::parse(text)),
            Self::Hackage => Parsed::Hackage(numbers::Version::parse(text, numbers::HACKAGE)?),
            Self::Maven => Parsed::Maven(maven::Version::parse(text)),
            Self::NuGet => Parsed::NuGet(nuget::Version::parse(text)?),
            Self::Opam => Parsed::Opam(opam::Version::parse(text)),
            Self::Packagist => Parsed::Packagist(packagist::Version::parse(text)?),
            Self::Pub => Parsed::Pub(pub_::Version::parse(text)?),
            Self::PyPi => Parsed::PyPi(pypi::Version::parse(text)),
            Self::Rpm => Parsed::Rpm(rpm::Version::parse(text)),
            Self::RubyGems => Parsed::RubyGems(rubygems::Version::parse(text)?),
            Self::Semver => Parsed::Semver(semver::Version::parse(text)?),
        })
    }
}

/// A version read by one [`Order`]; it borrows the text.
///
/// Versions are equal where neither is older, so `1.0` equals `1.0.0` in many orders. Comparing
/// versions of different orders has no meaning, but is still a total order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version<'a>(Parsed<'a>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Parsed<'a> {
    Alpine(alpine::Version<'a>),
    Cran(numbers::Version<'a>),
    Debian(debian::Version<'a>),
    FreeBsd(freebsd::Version<'a>),
    Hackage(numbers::Version<'a>),
    Maven(maven::Version<'a>),
    NuGet(nuget::Version<'a>),
    Opam(opam::Version<'a>),
    Packagist(packagist::Version<'a>),
    Pub(pub_::Version<'a>),
    PyPi(pypi::Version<'a>),
    Rpm(rpm::Version<'a>),
    RubyGems(rubygems::Version<'a>),
    Semver(semver::Version<'a>),
}

/// A text that is no version in an order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a version in the order of {}", order.name())]
pub struct Invalid {
    /// The order that was asked.
    pub order: Order,
    /// The first [`INVALID_TEXT_SHOWN`] characters of the text.
    pub text: String,
}

impl Invalid {
    fn new(order: Order, text: &str) -> Self {
        let text = text.chars().take(INVALID_TEXT_SHOWN).collect();
        Self { order, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refused_text_is_named_and_cut() {
        let invalid = Order::Semver
            .compare("1.0.0", "one\u{1}")
            .expect_err("no number");
        assert_eq!(invalid.text, "one\u{1}");
        assert_eq!(
            invalid.to_string(),
            "\"one\\u{1}\" is not a version in the order of semver"
        );
        let long = "x".repeat(1000);
        let invalid = Order::Semver.parse(&long).expect_err("no number");
        assert_eq!(invalid.text.len(), INVALID_TEXT_SHOWN);
    }

    #[test]
    fn bytes_are_read_as_text_is() {
        for text in [
            "1.0",
            " 1.0\t",
            "\u{b}1\u{c}",
            "\u{a0}1\u{3000}",
            " \u{a0}1",
            "1\u{e9}",
            "",
            " ",
            "\u{85}",
        ] {
            for order in Order::ALL {
                assert_eq!(
                    order.parse_bytes(text.as_bytes()),
                    order.parse(text).ok(),
                    "{order:?} {text:?}"
                );
            }
        }
        assert_eq!(Order::Semver.parse_bytes(b"1.0-\xff"), None);
    }

    #[test]
    fn no_order_reads_emptiness_or_a_broken_line() {
        for order in Order::ALL {
            for text in ["", "  ", "1 2", "1\n2", "1\u{0}"] {
                assert!(order.parse(text).is_err(), "{order:?} {text:?}");
            }
            assert_eq!(order.compare(" 1 ", "1"), Ok(Ordering::Equal));
        }
    }
}
