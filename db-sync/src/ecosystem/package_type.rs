//! The types of packages (package-url/purl-spec, `types`): one row for each. An unknown type stays
//! representable, since bills of materials have some that nothing else here knows.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use crate::ecosystem::table;
use crate::version::Order;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How a package URL writes the names of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurlName {
    /// As it is.
    Exact,
    /// In lower case.
    Lower,
    /// In lower case, with `-` for `_` and `.`.
    Python,
}

/// What the namespace of a package URL is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// There is none.
    None,
    /// The name up to its last separator, such as npm's scope or Maven's group.
    Path(char),
    /// The distribution that the package is of.
    Distribution,
    /// The category that the distribution sorts it into, the name up to the `/`.
    Category,
}

struct Row {
    word: &'static str,
    ecosystem: Option<&'static str>,
    order: Option<Order>,
    name: PurlName,
    namespace: Namespace,
}

/// A type of packages: a handle onto its row.
#[derive(Clone, Copy)]
pub struct PackageType(&'static Row);

macro_rules! types {
    ($($constant:ident = $word:literal, $ecosystem:expr, $order:expr, $name:expr, $namespace:expr;)*) => {
        impl PackageType {
            $(
                #[doc = concat!("`", $word, "`")]
                pub const $constant: Self = {
                    static ROW: Row = Row {
                        word: $word,
                        ecosystem: $ecosystem,
                        order: $order,
                        name: $name,
                        namespace: $namespace,
                    };
                    Self(&ROW)
                };
            )*

            /// All that are known, sorted by word.
            pub const ALL: &'static [Self] = &[$(Self::$constant),*];
        }
    };
}

// Word, ecosystem of OSV (none: it depends on the distribution), order of versions where that does not
// tell it, and how package URLs write it.
types! {
    ALPM = "alpm", None, None, PurlName::Lower, Namespace::Distribution;
    APK = "apk", None, Some(Order::Alpine), PurlName::Lower, Namespace::Distribution;
    BITNAMI = "bitnami", Some("Bitnami"), None, PurlName::Lower, Namespace::None;
    CARGO = "cargo", Some("crates.io"), None, PurlName::Exact, Namespace::None;
    COCOAPODS = "cocoapods", None, None, PurlName::Exact, Namespace::None;
    COMPOSER = "composer", Some("Packagist"), None, PurlName::Lower, Namespace::Path('/');
    CONAN = "conan", Some("ConanCenter"), None, PurlName::Exact, Namespace::None;
    CONDA = "conda", None, None, PurlName::Lower, Namespace::None;
    CPAN = "cpan", None, None, PurlName::Exact, Namespace::Path('/');
    CRAN = "cran", Some("CRAN"), None, PurlName::Exact, Namespace::None;
    DEB = "deb", None, Some(Order::Debian), PurlName::Lower, Namespace::Distribution;
    FLATPAK = "flatpak", None, None, PurlName::Exact, Namespace::None;
    GEM = "gem", Some("RubyGems"), None, PurlName::Exact, Namespace::None;
    GITHUB = "github", Some("GitHub Actions"), None, PurlName::Lower, Namespace::Path('/');
    GOLANG = "golang", Some("Go"), None, PurlName::Lower, Namespace::Path('/');
    HACKAGE = "hackage", Some("Hackage"), None, PurlName::Exact, Namespace::None;
    HELM = "helm", None, None, PurlName::Exact, Namespace::Path('/');
    HEX = "hex", Some("Hex"), None, PurlName::Lower, Namespace::None;
    JSR = "jsr", None, None, PurlName::Exact, Namespace::Path('/');
    JULIA = "julia", Some("Julia"), None, PurlName::Exact, Namespace::None;
    LUAROCKS = "luarocks", None, None, PurlName::Lower, Namespace::None;
    MAVEN = "maven", Some("Maven"), None, PurlName::Exact, Namespace::Path(':');
    NIX = "nix", None, None, PurlName::Exact, Namespace::None;
    NPM = "npm", Some("npm"), None, PurlName::Exact, Namespace::Path('/');
    NUGET = "nuget", Some("NuGet"), None, PurlName::Exact, Namespace::None;
    OPAM = "opam", Some("opam"), None, PurlName::Exact, Namespace::None;
    OPKG = "opkg", None, Some(Order::Debian), PurlName::Lower, Namespace::Distribution;
    PORTAGE = "portage", None, None, PurlName::Exact, Namespace::Category;
    PUB = "pub", Some("Pub"), None, PurlName::Lower, Namespace::None;
    PYPI = "pypi", Some("PyPI"), None, PurlName::Python, Namespace::None;
    RPM = "rpm", None, Some(Order::Rpm), PurlName::Exact, Namespace::Distribution;
    SNAP = "snap", None, None, PurlName::Exact, Namespace::None;
    SWIFT = "swift", Some("SwiftURL"), None, PurlName::Exact, Namespace::Path('/');
    TERRAFORM = "terraform", None, None, PurlName::Lower, Namespace::Path('/');
    VCPKG = "vcpkg", None, None, PurlName::Lower, Namespace::None;
    WORDPRESS_PLUGIN = "wordpress-plugin", None, None, PurlName::Exact, Namespace::None;
}

/// Unknown types that are told apart; those beyond are one.
const MAX_UNKNOWN: usize = 1_000;

/// Longest word of an unknown type, in bytes.
const MAX_WORD: usize = 64;

/// Unknown types that were met; each is kept for as long as the program runs.
static UNKNOWN: Mutex<BTreeMap<&'static str, &'static Row>> = Mutex::new(BTreeMap::new());

const fn unknown(word: &'static str) -> Row {
    Row {
        word,
        ecosystem: None,
        order: None,
        name: PurlName::Exact,
        namespace: Namespace::Path('/'),
    }
}

static GENERIC: Row = unknown("generic");

impl PackageType {
    /// The type of a word, in lower case, where it has a row.
    pub fn known(word: &str) -> Option<Self> {
        let found = Self::ALL.binary_search_by(|one| one.as_str().cmp(word));
        found.ok().and_then(|place| Self::ALL.get(place)).copied()
    }

    /// The type of a word, in lower case.
    pub fn of(word: &str) -> Self {
        if let Some(known) = Self::known(word) {
            return known;
        }
        if word == GENERIC.word || word.is_empty() || word.len() > MAX_WORD {
            return Self(&GENERIC);
        }
        let mut all = UNKNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = all.get(word) {
            return Self(row);
        }
        if all.len() >= MAX_UNKNOWN {
            return Self(&GENERIC);
        }
        let word: &'static str = Box::leak(word.to_owned().into_boxed_str());
        let row: &'static Row = Box::leak(Box::new(unknown(word)));
        all.insert(word, row);
        Self(row)
    }

    /// The type's word in package URLs.
    pub const fn as_str(self) -> &'static str {
        self.0.word
    }

    /// The OSV ecosystem of a language package; `None` for operating-system packages, whose
    /// ecosystem depends on the distribution, and for unknown types.
    pub const fn ecosystem(self) -> Option<&'static str> {
        self.0.ecosystem
    }

    /// The order of its versions, where one is known.
    pub fn order(self) -> Option<Order> {
        self.0
            .order
            .or_else(|| table::find(self.0.ecosystem?)?.order)
    }

    /// Whether an operating system's package manager installs it.
    pub const fn is_os(self) -> bool {
        matches!(
            self.0.namespace,
            Namespace::Distribution | Namespace::Category
        )
    }

    /// How package URLs write its names.
    pub const fn purl_name(self) -> PurlName {
        self.0.name
    }

    /// What stands between the parts of its names.
    pub const fn separator(self) -> char {
        match self.0.namespace {
            Namespace::Path(separator) => separator,
            Namespace::None | Namespace::Distribution | Namespace::Category => '/',
        }
    }

    /// What the namespace of its package URLs is.
    pub const fn namespace(self) -> Namespace {
        self.0.namespace
    }
}

impl PartialEq for PackageType {
    fn eq(&self, other: &Self) -> bool {
        // One row for each word.
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for PackageType {}

impl PartialOrd for PackageType {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PackageType {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self == other {
            return std::cmp::Ordering::Equal;
        }
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for PackageType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for PackageType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Serialize for PackageType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PackageType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::of(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_their_ecosystems_known() {
        assert!(PackageType::ALL.is_sorted_by(|a, b| a.as_str() < b.as_str()));
        for kind in PackageType::ALL {
            assert_eq!(PackageType::of(kind.as_str()), *kind);
            let known = kind
                .ecosystem()
                .is_none_or(|name| table::find(name).is_some());
            assert!(known, "{kind:?}");
            // What no advisory speaks of needs no order; an ecosystem does.
            assert!(
                kind.order().is_some() || kind.ecosystem().is_none(),
                "{kind:?}"
            );
            assert!(!kind.is_os() || kind.ecosystem().is_none(), "{kind:?}");
        }
    }

    #[test]
    fn unknown_types_are_what_they_are_called() {
        let one = PackageType::of("mlflow");
        assert_eq!((one, one.as_str()), (PackageType::of("mlflow"), "mlflow"));
        assert_ne!(one, PackageType::of("qpkg"));
        assert!(one > PackageType::MAVEN && one.ecosystem().is_none() && !one.is_os());
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(text, "\"mlflow\"");
        assert_eq!(serde_json::from_str::<PackageType>(&text).unwrap(), one);
        for word in ["", "generic", &"x".repeat(MAX_WORD + 1)] {
            assert_eq!(PackageType::of(word).as_str(), "generic");
        }
    }
}
