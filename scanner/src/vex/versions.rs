//! Which versions a statement is limited to where its package URL does not say: an exact version
//! or a range in the VERS notation (github.com/package-url/vers-spec). A range that cannot be
//! read fits nothing.

use std::cmp::Ordering;

use db_sync::version::Version;

use super::limits::MAX_CONSTRAINTS;
use crate::model::package::{Package, PackageType};
use crate::model::purl;

/// One limit; a statement applies if any of its limits fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionRule {
    /// This version alone.
    Exact(String),
    /// The versions of a range.
    Range(Range),
    /// A text in no notation we know.
    Unreadable(String),
}

/// A range: constraints in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// As written.
    text: String,
    /// Versioning scheme, if given.
    scheme: Option<String>,
    constraints: Vec<(Comparator, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Any,
}

impl VersionRule {
    /// A range: `vers:npm/>=1.0|<2.0`, or the same without `vers:npm/`.
    pub(super) fn range(text: &str) -> Self {
        read(text).map_or_else(|| Self::Unreadable(text.to_owned()), Self::Range)
    }

    /// How the rule is shown.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Unreadable(text) => text,
            Self::Range(range) => &range.text,
        }
    }

    /// Whether a version of a package is meant. `equal` compares exact versions.
    pub(super) fn fits(
        &self,
        package: &Package,
        version: &str,
        equal: impl Fn(&str) -> bool,
    ) -> bool {
        match self {
            Self::Exact(exact) => equal(exact),
            Self::Range(range) => range.contains(package.kind, version).unwrap_or(false),
            Self::Unreadable(_) => false,
        }
    }
}

fn read(text: &str) -> Option<Range> {
    let text = text.trim();
    let (scheme, body) = match text.strip_prefix("vers:") {
        Some(rest) => {
            let (scheme, body) = rest.split_once('/')?;
            (Some(scheme.to_ascii_lowercase()), body)
        }
        None => (None, text),
    };
    let mut constraints = Vec::new();
    for part in body.split('|').map(str::trim) {
        let (comparator, version) = comparator(part);
        let bare = !part.starts_with(['=', '!', '<', '>', '*']);
        // Without the scheme, a bare text could be a version or prose.
        if constraints.len() == MAX_CONSTRAINTS || (bare && scheme.is_none()) {
            return None;
        }
        let version = purl::decode(version.trim()).ok()?;
        if version.is_empty() != (comparator == Comparator::Any) {
            return None;
        }
        constraints.push((comparator, version));
    }
    Some(Range {
        text: text.to_owned(),
        scheme,
        constraints,
    })
}

fn comparator(part: &str) -> (Comparator, &str) {
    const SIGNS: [(&str, Comparator); 7] = [
        ("!=", Comparator::NotEqual),
        ("<=", Comparator::LessOrEqual),
        (">=", Comparator::GreaterOrEqual),
        ("<", Comparator::Less),
        (">", Comparator::Greater),
        ("=", Comparator::Equal),
        ("*", Comparator::Any),
    ];
    SIGNS
        .iter()
        .find_map(|(sign, comparator)| Some((*comparator, part.strip_prefix(sign)?)))
        .unwrap_or((Comparator::Equal, part))
}

impl Range {
    /// The containment of the VERS specification; `None` if a version is none in the order of
    /// the package, or the scheme is another's.
    fn contains(&self, kind: PackageType, version: &str) -> Option<bool> {
        let scheme = self.scheme.as_deref().unwrap_or(kind.as_str());
        let own = scheme == kind.as_str()
            || scheme == "generic"
            || (scheme, kind) == ("alpine", PackageType::APK);
        if !own {
            return None;
        }
        let order = kind.order()?;
        let version = order.parse(bare(kind, version)).ok()?;
        let mut bounds: Vec<(Version<'_>, Comparator)> = Vec::new();
        let mut only_unequal = true;
        for (comparator, text) in &self.constraints {
            if *comparator == Comparator::Any {
                return Some(true);
            }
            let bound = order.parse(bare(kind, text)).ok()?;
            let equal = version == bound;
            match comparator {
                Comparator::NotEqual if equal => return Some(false),
                Comparator::NotEqual => continue,
                Comparator::Equal | Comparator::LessOrEqual | Comparator::GreaterOrEqual
                    if equal =>
                {
                    return Some(true);
                }
                _ => {}
            }
            only_unequal = false;
            if *comparator != Comparator::Equal {
                bounds.push((bound, *comparator));
            }
        }
        if only_unequal {
            return Some(true);
        }
        bounds.sort_by(|a, b| a.0.cmp(&b.0));
        // The greatest bound below the version and the least above it decide.
        let below = bounds
            .iter()
            .rev()
            .find(|(bound, _)| bound.cmp(&version) == Ordering::Less);
        let above = bounds
            .iter()
            .find(|(bound, _)| bound.cmp(&version) == Ordering::Greater);
        let opens = below.map(|(_, comparator)| {
            matches!(comparator, Comparator::Greater | Comparator::GreaterOrEqual)
        });
        let closes = above.map(|(_, comparator)| {
            matches!(comparator, Comparator::Less | Comparator::LessOrEqual)
        });
        let excluded = bounds.iter().any(|(bound, _)| *bound == version);
        Some(!excluded && opens.or(closes).unwrap_or(false) && closes.unwrap_or(true))
    }
}

/// A version without the letter that some write in front of it.
pub(super) fn bare(kind: PackageType, version: &str) -> &str {
    if kind == PackageType::GOLANG {
        let number = version.strip_prefix("go").unwrap_or(version);
        return number.trim_start_matches('v');
    }
    if kind == PackageType::COMPOSER {
        return version.trim_start_matches(['v', 'V']);
    }
    version
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(range: &str, kind: PackageType, version: &str) -> bool {
        VersionRule::range(range).fits(&Package::new(kind, "a", version), version, |_| false)
    }

    #[test]
    fn ranges_contain_what_they_say() {
        for (range, inside, outside) in [
            (
                "vers:npm/>=1.0.0|<2.0.0",
                &["1.0.0", "1.9.0"][..],
                &["0.9.0", "2.0.0"][..],
            ),
            (
                "vers:npm/<1.0.0|>=2.0.0",
                &["0.1.0", "2.0.0", "3.0.0"],
                &["1.0.0", "1.5.0"],
            ),
            (
                "vers:npm/1.0.0|>=2.0.0|<=2.1.0|4.0.0",
                &["1.0.0", "2.0.5", "2.1.0", "4.0.0"],
                &["1.0.1", "3.0.0", "5.0.0"],
            ),
            ("vers:npm/!=1.0.0", &["0.9.0", "1.0.1"], &["1.0.0"]),
            ("vers:npm/>1.0.0|!=1.5.0", &["1.4.0"], &["1.5.0", "1.0.0"]),
            ("vers:npm/*", &["0.0.1"], &[]),
            ("< 2.0.0", &["1.0.0"], &["2.0.0"]),
        ] {
            for version in inside {
                assert!(fits(range, PackageType::NPM, version), "{range} {version}");
            }
            for version in outside {
                assert!(!fits(range, PackageType::NPM, version), "{range} {version}");
            }
        }
        assert!(fits("vers:deb/<1%3A2.0", PackageType::DEB, "9.0"));
        assert!(fits("vers:golang/<v1.2.0", PackageType::GOLANG, "v1.1.9"));
        assert!(
            !fits("vers:npm/*", PackageType::CARGO, "1.0.0")
                && !fits("vers:npm/<x", PackageType::NPM, "1.0.0")
        );
    }

    #[test]
    fn what_is_no_range_fits_nothing() {
        let long = vec!["1.0.0"; MAX_CONSTRAINTS + 1].join("|");
        for text in [
            "",
            "1.0",
            "before 2",
            "vers:npm",
            "vers:npm/",
            "vers:npm/>",
            "<%zz",
            &format!("vers:npm/{long}"),
        ] {
            assert!(
                matches!(VersionRule::range(text), VersionRule::Unreadable(_)),
                "{text}"
            );
        }
        assert!(matches!(
            VersionRule::range(&format!("vers:npm/{}", &long[6..])),
            VersionRule::Range(_)
        ));
    }
}
