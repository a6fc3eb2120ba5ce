//! What was *not* looked at, and why. A gap ranks with a finding: every output shows it, and a
//! report with gaps is not complete.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::location::Location;

/// The stage that could not look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Reading the target: files, archives, layers.
    Source,
    /// Reading packages from a file.
    Inventory,
    /// Comparing packages with advisories.
    Matching,
    /// Evaluating infrastructure code.
    Evaluation,
}

/// What kind of gap, as a closed list; the names are part of the JSON contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapKind {
    /// A document that its readers understand differently: keys that come twice, indexes that
    /// disagree.
    Ambiguous,
    /// An expression circle.
    Cycle,
    /// A path that leaves its root; not followed.
    EscapingPath,
    /// The same address is declared twice.
    Duplicate,
    /// An expression that could not be evaluated.
    Evaluation,
    /// A file that an expression names is not there.
    FileNotFound,
    /// A foreign (non-distributable) layer whose blob is not in the image.
    ForeignLayer,
    /// A package that comes from an archive, an address or a private registry, so that the public
    /// advisories of its name do not speak of it.
    ForeignPackage,
    /// The parser itself failed: our fault.
    Internal,
    /// A documented limit was reached.
    Limit,
    /// A link whose target is not there, or a link circle.
    Link,
    /// A file is not what its format says.
    Malformed,
    /// Modules that call each other in a circle.
    ModuleCycle,
    /// A module that is not in the scanned tree.
    ModuleNotFound,
    /// A package whose ecosystem has no advisories in the database.
    NoAdvisories,
    /// Packages were found, and there is no advisory database.
    NoDatabase,
    /// A manifest without the lockfile that would say which versions are used.
    NoLockfile,
    /// A file that exists and that Terraform would not load by itself, such as a `.tfvars` file.
    NotLoaded,
    /// A file of a kind that is recognised and not read yet.
    NotRead,
    /// A target in which nothing at all was judged.
    NothingJudged,
    /// A distribution whose package database is missing, empty or not readable.
    PackageDatabase,
    /// The target has no image for the platform asked for.
    Platform,
    /// Results left out to stay under a consumer's limits.
    ResultsDropped,
    /// Not valid HCL, JSON or UTF-8.
    Syntax,
    /// A reference to something that is not declared.
    Undeclared,
    /// The distribution of operating-system packages is not known.
    UnknownDistribution,
    /// A media type, format or version that we do not know.
    UnknownFormat,
    /// A package version that its ecosystem's order cannot read.
    UnknownVersion,
    /// A requirement that does not say which version is installed.
    Unpinned,
    /// It could not be opened or read.
    Unreadable,
    /// A whiteout that names nothing sensible.
    Whiteout,
}

/// How much a gap leaves open, and so whether it decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GapClass {
    /// A target, or an image or layer of a named target, that cannot be read whole or verified:
    /// always exit code 2, whatever the options.
    Failure,
    /// A whole thing that should have been judged and was not: a target, an image, a distribution,
    /// an ecosystem, a layer, a lockfile, a Terraform root, a document. Exit code 2 unless accepted.
    Unjudged,
    /// One entry, block, module or include; a listed artifact; a recognised file of a kind that is
    /// not read. Counted, and no exit code of its own.
    Partial,
}

impl GapKind {
    /// The class of gaps of this kind where the place that notes them does not say otherwise.
    pub const fn class(self) -> GapClass {
        match self {
            Self::ForeignLayer
            | Self::NoAdvisories
            | Self::NoDatabase
            | Self::NothingJudged
            | Self::PackageDatabase
            | Self::Platform
            | Self::UnknownDistribution => GapClass::Unjudged,
            _ => GapClass::Partial,
        }
    }
}

/// Errors are faults of the input; warnings are things we had to leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GapSeverity {
    /// The input is wrong here.
    Error,
    /// Not looked at.
    Warning,
}

/// One thing that was not looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Gap {
    /// Where.
    pub location: Location,
    /// Which stage.
    pub stage: Stage,
    /// The closed kind.
    pub kind: GapKind,
    /// How much it leaves open.
    pub class: GapClass,
    /// Error or warning.
    pub severity: GapSeverity,
    /// One sentence, lower case, without final period; control characters escaped when shown.
    pub cause: Arc<str>,
}

impl Gap {
    /// A fault of the input.
    pub fn error(
        stage: Stage,
        kind: GapKind,
        location: Location,
        cause: impl Into<Arc<str>>,
    ) -> Self {
        Self {
            location,
            stage,
            kind,
            class: kind.class(),
            severity: GapSeverity::Error,
            cause: cause.into(),
        }
    }

    /// Something left out.
    pub fn warning(
        stage: Stage,
        kind: GapKind,
        location: Location,
        cause: impl Into<Arc<str>>,
    ) -> Self {
        Self {
            severity: GapSeverity::Warning,
            ..Self::error(stage, kind, location, cause)
        }
    }

    /// The same gap, which leaves a whole thing unjudged.
    #[must_use]
    pub const fn unjudged(mut self) -> Self {
        self.class = GapClass::Unjudged;
        self
    }

    /// The same gap, which no option excuses.
    #[must_use]
    pub const fn failure(mut self) -> Self {
        self.class = GapClass::Failure;
        self
    }
}
