//! A package as the inventory found it. One shape for operating-system packages, installed
//! language packages and lockfile entries.

use std::sync::Arc;

pub use db_sync::ecosystem::PackageType;
use serde::{Deserialize, Serialize};

use crate::model::hash::Checksum;
use crate::model::location::Location;

/// The source package an operating-system package was built from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourcePackage {
    /// Its name.
    pub name: Arc<str>,
    /// Its version, which can differ from the binary package's.
    pub version: Arc<str>,
}

/// Where the advisories for operating-system packages are found: a release of a distribution, or
/// the builds of a supplier. An asterisk in a name stands for any text.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// The ecosystem that names it.
    pub ecosystem: Arc<str>,
    /// Further ecosystems that are parts of it.
    pub parts: Vec<Arc<str>>,
    /// Ecosystems of others that speak of its packages, too: what they say counts where those
    /// before are silent.
    pub more: Vec<Arc<str>>,
}

/// An owner of whom it is not known whether the distribution made it: it counts as an owner only
/// if the distribution's advisories know one of these names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Doubt {
    /// The ecosystem to ask.
    pub ecosystem: Arc<str>,
    /// The owner's name, and that of its source package.
    pub names: Vec<Arc<str>>,
}

/// What a dependency is needed for, where its file says so; the first of these wins where several
/// say different things of one package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// To run.
    Runtime,
    /// For a feature, a platform, or not at all.
    Optional,
    /// By whoever uses the project, who brings it along.
    Peer,
    /// To build.
    Build,
    /// For development and test only.
    Dev,
}

impl Scope {
    /// The scope of a word in reports.
    pub fn named(word: &str) -> Option<Self> {
        let all = [
            Self::Runtime,
            Self::Optional,
            Self::Peer,
            Self::Build,
            Self::Dev,
        ];
        all.into_iter().find(|scope| scope.as_str() == word)
    }

    /// The word for it in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Optional => "optional",
            Self::Peer => "peer",
            Self::Build => "build",
            Self::Dev => "dev",
        }
    }

    /// Of a format that says whether a dependency is for development only, and whether it is
    /// optional.
    pub const fn of(is_dev: bool, is_optional: bool) -> Self {
        match (is_dev, is_optional) {
            (true, _) => Self::Dev,
            (false, true) => Self::Optional,
            (false, false) => Self::Runtime,
        }
    }

    /// What holds where one place says the one and another the other: what may be needed to run is
    /// not known to be for development.
    pub fn join(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (Some(Self::Runtime), None) | (None, Some(Self::Runtime)) => Some(Self::Runtime),
            _ => None,
        }
    }
}

/// One package at one version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Package {
    /// purl type.
    pub kind: PackageType,
    /// Name as the ecosystem writes it; npm with its scope, Go as module path, Composer as
    /// `vendor/name`.
    pub name: Arc<str>,
    /// Version as its package manager compares it: deb with epoch (`1:2.3-4`), rpm as
    /// `version-release` with the epoch apart, apk with `-rN`, Go with its `v`.
    pub version: Arc<str>,
    /// Epoch of an rpm, if not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    /// Architecture, for operating-system packages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<Arc<str>>,
    /// OSV ecosystem with its suffix (`Debian:12`, `crates.io`); `None`: the distribution is
    /// not known, or none of OSV's.
    pub ecosystem: Option<Arc<str>>,
    /// Source package, if another than the package itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourcePackage>,
    /// Name of the operating-system package that owns this package's files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Arc<str>>,
    /// Name of the operating-system package whose file was changed after it was installed, so that it
    /// does not answer for this package.
    #[serde(skip)]
    pub changed: Option<Arc<str>>,
    /// Why the owner may not answer for it.
    #[serde(skip)]
    pub doubt: Option<Arc<Doubt>>,
    /// Who made the package, as it says itself: vendor of an rpm, maintainer of a deb or apk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<Arc<str>>,
    /// Where the advisories for it are found, if elsewhere than in `ecosystem` alone.
    #[serde(skip)]
    pub release: Option<Arc<Release>>,
    /// An rpm that does not name its source package.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lacks_source: bool,
    /// Names that advisories may know it by, where its own is a guess without a namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Arc<str>>,
    /// Whether its file says that it comes from the ecosystem's public registry; only
    /// `Cargo.lock` tells.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
    /// Module stream label of a modular rpm (`nodejs:18:…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<Arc<str>>,
    /// What it is needed for, where its file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Whether the project itself asks for it, where its file tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct: Option<bool>,
    /// `name@version` or `name` of direct dependencies, where the file tells; sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Arc<str>>,
    /// Checksums of the archive that it is fetched as, where its file tells; several of one algorithm are
    /// those of archives of which any may be fetched. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checksums: Vec<Checksum>,
    /// Where it was found; in an image, the layer that brought this version. Sorted.
    pub locations: Vec<Location>,
}

impl Package {
    /// A package with only the facts every file gives; the language ecosystem is filled in.
    pub fn new(kind: PackageType, name: impl Into<Arc<str>>, version: impl Into<Arc<str>>) -> Self {
        Self {
            kind,
            name: name.into(),
            version: version.into(),
            epoch: None,
            arch: None,
            ecosystem: kind.ecosystem().map(Arc::from),
            source: None,
            owner: None,
            changed: None,
            doubt: None,
            vendor: None,
            release: None,
            lacks_source: false,
            candidates: Vec::new(),
            public: false,
            module: None,
            scope: None,
            direct: None,
            dependencies: Vec::new(),
            checksums: Vec::new(),
            locations: Vec::new(),
        }
    }

    /// The same package found at `location`.
    pub fn at(mut self, location: Location) -> Self {
        self.locations.push(location);
        self
    }

    /// The version as advisories compare it: an rpm with its epoch in front.
    pub fn full_version(&self) -> String {
        match self.epoch {
            Some(epoch) if self.kind == PackageType::RPM => format!("{epoch}:{}", self.version),
            _ => self.version.to_string(),
        }
    }
}
