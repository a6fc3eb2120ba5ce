//! What single files say, before anything is put together. Serialisable, so that the facts of a
//! layer can be kept under its verified digest. Who adds to them, and within which limits, is the
//! inventory's business.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::gap::Gap;
use super::location::Location;
use super::package::{Package, Scope};

/// A file that an operating-system package owns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owned {
    /// Name of the package.
    pub package: Arc<str>,
    /// Path from the root, without leading `/`.
    pub path: Arc<str>,
    /// Checksum of the file as the package brought it, where the list has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Arc<str>>,
}

/// What `etc/os-release` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Distribution {
    /// `ID`, such as `debian`.
    pub id: Arc<str>,
    /// `VERSION_ID`, such as `12`; absent for rolling releases.
    pub version: Option<Arc<str>>,
    /// `ID_LIKE`, split.
    pub like: Vec<Arc<str>>,
    /// `PRETTY_NAME`.
    pub name: Option<Arc<str>>,
    /// `CPE_NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpe: Option<Arc<str>>,
}

/// A runtime of a language that was installed without a package manager.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Runtime {
    /// Which: `node`, `python`.
    pub name: Arc<str>,
    /// Who built it, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker: Option<Arc<str>>,
    /// As far as its files tell.
    pub version: Arc<str>,
    /// The file that told.
    pub location: Location,
}

/// A file that another one names, to be read with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// As it is written: relative to the including file, or absolute.
    pub path: Arc<str>,
    /// The line that names it.
    pub line: u32,
    /// The id of the parser that reads it.
    pub parser: &'static str,
    /// The id of the parser that reads such files by their names.
    pub family: &'static str,
    /// Whether what it lists counts for certain, even if it was read otherwise before.
    pub is_certain: bool,
}

/// All that one file told. Serialisable, so that the facts of a layer can be cached by the
/// layer's verified digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Packages, each with a location whose path is the file's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Package>,
    /// Files owned by packages, restricted to paths that some parser wants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owned: Vec<Owned>,
    /// The distribution, from `os-release`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// Installed products of the distribution, as ecosystems.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<Arc<str>>,
    /// Runtimes of languages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runtimes: Vec<Runtime>,
    /// Checksums of the file itself, where an operating-system package may own it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digests: Option<Digests>,
    /// What could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// Files that this one includes; only those of a source tree are followed.
    #[serde(skip)]
    pub includes: Vec<Include>,
    /// What the project itself asks for, where the file tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roots: Option<Vec<Requested>>,
    /// Only the file's name or folder made us take it for what it is: a file that names it knows
    /// better.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_guess: bool,
    /// How much the limits kept out; the inventory turns it into gaps.
    #[serde(skip)]
    pub(crate) left_out: LeftOut,
}

impl Facts {
    /// Adds what another reader says of the same file.
    pub fn absorb(&mut self, other: Self) {
        // Every field is named: one that is added must not be lost here.
        let Self {
            packages,
            owned,
            distribution,
            products,
            runtimes,
            digests,
            gaps,
            includes,
            roots,
            is_guess,
            left_out,
        } = other;
        self.packages.extend(packages);
        self.owned.extend(owned);
        self.distribution = self.distribution.take().or(distribution);
        self.products.extend(products);
        self.runtimes.extend(runtimes);
        self.digests = self.digests.take().or(digests);
        self.gaps.extend(gaps);
        self.includes.extend(includes);
        if let Some(roots) = roots {
            self.roots.get_or_insert_default().extend(roots);
        }
        self.is_guess |= is_guess;
        self.left_out.packages = self.left_out.packages.saturating_add(left_out.packages);
        self.left_out.owned = self.left_out.owned.saturating_add(left_out.owned);
        self.left_out.gaps = self.left_out.gaps.saturating_add(left_out.gaps);
        self.left_out.includes = self.left_out.includes.saturating_add(left_out.includes);
    }
}

/// A dependency that the project itself asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    /// `name@version`, or `name`.
    pub edge: Arc<str>,
    /// What for, where the file tells of all of them.
    pub scope: Option<Scope>,
}

impl From<Arc<str>> for Requested {
    fn from(edge: Arc<str>) -> Self {
        Self { edge, scope: None }
    }
}

/// The checksums of one file, in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// What dpkg lists have, and old rpm databases.
    pub md5: Arc<str>,
    /// What apk's database has.
    pub sha1: Arc<str>,
    /// What rpm's databases have.
    pub sha256: Arc<str>,
}

/// How many facts of a file went beyond its limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) packages: u64,
    pub(crate) owned: u64,
    pub(crate) gaps: u64,
    pub(crate) includes: u64,
}
