//! From the bytes of single files to packages.
//!
//! A parser is a value in one table ([`parsers::ALL`]): what it wants, what it needs, and a
//! function. Dispatch looks a path up once; a file that no parser wants is never read. Whatever
//! a parser cannot read becomes a gap; no error or panic of one file loses another.

pub use crate::analyzer::{Beside, Content, Need, Want};
pub use crate::model::facts::{Distribution, Facts, Include, Owned, Requested, Runtime};
use crate::model::gap::GapKind;

pub mod assemble;
pub(crate) mod bill;
pub(crate) mod bytes;
pub mod checksum;
mod collect;
#[cfg(test)]
mod corpus;
pub mod dispatch;
pub mod ecosystem;
pub(crate) mod executable;
pub mod graph;
pub mod limits;
mod modules;
#[cfg(test)]
mod mutation;
mod ownership;
pub mod parsers;
pub mod recognised;
mod secondary;
pub(crate) mod sqlite;
pub(crate) mod store;
pub(crate) mod text;

/// Whether a file says what is installed or what ought to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Written by an installation: counts in images.
    Installed,
    /// A lockfile or manifest: counts in source trees.
    Locked,
}

/// One file format.
pub struct Parser {
    /// Kebab-case name, unique: `cargo-lock`.
    pub id: &'static str,
    /// Grows whenever the same bytes would give other facts.
    pub version: u32,
    /// Any of these makes a file its own.
    pub wants: &'static [Want],
    /// A further look at the path, where the wants alone would take too much; `None` takes all.
    pub accepts: Option<fn(&str) -> bool>,
    /// How it reads.
    pub need: Need,
    /// Where it counts.
    pub evidence: Evidence,
    /// The file is a database that later layers rewrite as a whole: a package belongs to the
    /// layer that brought its version, not to the one that wrote the file last.
    pub database: bool,
    /// The function; see [`Input`] and [`Facts`].
    pub parse: fn(Input<'_>, &mut Facts) -> Result<(), ParseError>,
}

impl Parser {
    /// What lockfiles have in common; each names itself, its files and its function.
    pub const LOCKFILE: Self = Self {
        id: "",
        version: 1,
        wants: &[],
        accepts: None,
        need: Need::Whole(limits::LOCKFILE_BYTES),
        evidence: Evidence::Locked,
        database: false,
        parse: |_, _| Ok(()),
    };
}

/// What a parser gets.
pub struct Input<'a> {
    /// Path of the file, relative to the target's root.
    pub path: &'a str,
    /// Its content.
    pub content: Content<'a>,
    /// What lies beside it, for formats that leave to another file what the project asks for.
    pub beside: &'a dyn Beside,
}

/// Why a whole file could not be read. Parts of a file are gaps in [`Facts`].
#[derive(Clone, Debug, thiserror::Error)]
#[error("{cause}")]
pub struct ParseError {
    /// 1-based line, where the format has lines.
    pub line: Option<u32>,
    /// `malformed`, unless a limit was reached or the format is one we do not know.
    pub kind: GapKind,
    /// One sentence.
    pub cause: String,
}

impl From<document::Error> for ParseError {
    fn from(error: document::Error) -> Self {
        Self {
            line: error.line,
            kind: match error.kind {
                document::ErrorKind::Malformed => GapKind::Malformed,
                document::ErrorKind::Ambiguous => GapKind::Ambiguous,
                document::ErrorKind::Limit => GapKind::Limit,
            },
            cause: error.cause,
        }
    }
}

impl ParseError {
    /// An error without a line.
    pub fn new(cause: impl Into<String>) -> Self {
        Self {
            line: None,
            kind: GapKind::Malformed,
            cause: cause.into(),
        }
    }

    /// An error at a line.
    pub fn at(line: u32, cause: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::new(cause)
        }
    }

    /// A documented limit was reached; the rest of the file was not read.
    pub fn limit(line: Option<u32>, cause: impl Into<String>) -> Self {
        Self {
            line,
            kind: GapKind::Limit,
            ..Self::new(cause)
        }
    }

    /// A document that its readers understand differently.
    pub fn ambiguous(line: u32, cause: impl Into<String>) -> Self {
        Self {
            kind: GapKind::Ambiguous,
            ..Self::at(line, cause)
        }
    }

    /// A format or version of a format that we do not know.
    pub fn unknown_format(line: Option<u32>, cause: impl Into<String>) -> Self {
        Self {
            line,
            kind: GapKind::UnknownFormat,
            ..Self::new(cause)
        }
    }
}
