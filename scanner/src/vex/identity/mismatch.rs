//! Why a package URL does not speak of a package, in order of closeness and in words.

use std::fmt;

/// Why a package URL does not speak of a package, the closest miss last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::vex) enum Mismatch {
    /// Another package.
    Name,
    /// Another distribution's package.
    Namespace { given: String, installed: String },
    /// Another version.
    Version { given: String, installed: String },
    /// Another value of a qualifier, or one that is not known of the package.
    Qualifier {
        key: String,
        given: String,
        installed: Option<String>,
    },
    /// Only a part of the package.
    Subpath(String),
    /// The package, but as a part of another product.
    Product(String),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => write!(out, "package not in the report"),
            Self::Namespace { given, installed } => {
                write!(out, "namespace differs: {given}, installed {installed}")
            }
            Self::Version { given, installed } => {
                write!(out, "version differs: {given}, installed {installed}")
            }
            Self::Qualifier {
                key,
                given,
                installed: Some(installed),
            } => write!(
                out,
                "qualifier {key} differs: {given}, installed {installed}"
            ),
            Self::Qualifier { key, given, .. } => {
                write!(
                    out,
                    "qualifier {key}={given} cannot be checked for this package"
                )
            }
            Self::Subpath(path) => write!(out, "only the part {path} of the package is meant"),
            Self::Product(cause) => out.write_str(cause),
        }
    }
}
