//! Owns the order of Dart's `pub_semver` (`Version.compareTo`) and of Julia's `VersionNumber`:
//! semantic versions in which build metadata decides between otherwise equal versions, and none
//! is older than some. Refuses what Semantic Versioning here refuses.

use std::cmp::Ordering;

use super::semver::{self, identifiers};

/// A version of a pub or Julia package.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a>(semver::Version<'a>);

impl<'a> Version<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        semver::Version::parse(text).map(Self)
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0
            .cmp(&other.0)
            .then_with(|| match (self.0.build, other.0.build) {
                (Some(a), Some(b)) => identifiers(a).cmp(identifiers(b)),
                (a, b) => a.is_some().cmp(&b.is_some()),
            })
    }
}

ordered!(Version<'_>);
