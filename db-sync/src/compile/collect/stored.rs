//! The compact form of a record, and what is known of a source.

use crate::advisory::Scope;
use crate::moment::Moment;
use crate::sources::SourceKind;

/// One record in its compact form. Numbers are those of the collector's
/// interners.
pub(in crate::compile) struct Stored {
    pub(in crate::compile) id: u32,
    pub(in crate::compile) digest: [u8; 32],
    pub(in crate::compile) published: Option<Moment>,
    pub(in crate::compile) modified: Option<Moment>,
    pub(in crate::compile) withdrawn: Option<Moment>,
    pub(in crate::compile) aliases: Box<[u32]>,
    pub(in crate::compile) upstream: Box<[u32]>,
    pub(in crate::compile) related: Box<[u32]>,
    /// Record-level ratings: value and field.
    pub(in crate::compile) ratings: Box<[(u32, u8)]>,
    /// All ratings that hold for single packages.
    pub(in crate::compile) package_ratings: Box<[u32]>,
    /// Vectors that hold for single packages, for others to inherit.
    pub(in crate::compile) package_vectors: Box<[u32]>,
    pub(in crate::compile) summary: Box<str>,
    pub(in crate::compile) extras: Option<Box<Extras>>,
    /// Entries, each with its package as head.
    pub(in crate::compile) entries: Box<[u8]>,
    /// Where the texts lie.
    pub(in crate::compile) texts: Texts,
    /// The sources that hold this very record.
    pub(in crate::compile) sources: Vec<u16>,
    /// Whether it only lends ratings to the records of a segment of changes,
    /// and stays in the segment below.
    pub(in crate::compile) context: bool,
}

/// The long texts of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::compile) struct Texts {
    pub(in crate::compile) place: Storage,
    /// Their length in bytes.
    pub(in crate::compile) length: u32,
}

/// Where texts are until they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::compile) enum Storage {
    /// At this offset of the scratch file.
    Scratch(u64),
    /// In the database that is replaced, under this record number.
    Old(u32),
    /// Nowhere: the record lost to a newer one of the same id.
    Gone,
}

/// What few records have.
pub(in crate::compile) struct Extras {
    pub(in crate::compile) informational: Option<String>,
    pub(in crate::compile) scope: Scope,
}

/// Counts and contents of one source.
#[derive(Default)]
pub(in crate::compile) struct Source {
    pub(in crate::compile) newest: Option<Moment>,
    /// The newest time in the publisher's list, where it was read.
    pub(in crate::compile) listed: Option<Moment>,
    pub(in crate::compile) records: Vec<(u32, [u8; 32])>,
}

/// All sources; records name them by their place.
pub(in crate::compile) type Sources = Vec<((SourceKind, String), Source)>;
