//! The bounds on what a source may make us read. They are far above what real
//! exports hold and low enough that a hostile one cannot fill memory or disk.

/// Bounds on one build's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one record, after inflating.
    pub record_bytes: u64,
    /// How many times larger than its compressed form a record may be, once it
    /// is larger than [`Limits::RATIO_APPLIES_FROM`].
    pub ratio: u64,
    /// Entries of one archive or files of one directory.
    pub entries: u64,
    /// Bytes of all records of one build, after inflating.
    pub total_bytes: u64,
    /// Characters of one version; longer ones make their range unusable.
    pub version_length: usize,
    /// Nesting of one JSON record.
    pub depth: u32,
}

impl Limits {
    /// The inflate ratio is not judged below this size: short texts of one
    /// repeated word reach high ratios honestly.
    pub const RATIO_APPLIES_FROM: u64 = 1 << 20;

    /// What an archive of records may cost.
    pub(crate) const fn of_archive(&self) -> archive::Limits {
        archive::Limits {
            entries: self.entries,
            member_bytes: self.record_bytes,
            ratio: self.ratio,
            ratio_from: Self::RATIO_APPLIES_FROM,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record_bytes: 16 << 20,
            ratio: 200,
            entries: 4_000_000,
            total_bytes: 64 << 30,
            version_length: 1024,
            depth: 100,
        }
    }
}
