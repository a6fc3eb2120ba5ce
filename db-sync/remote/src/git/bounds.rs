//! What one repository may cost.

use std::time::Duration;

/// What one repository may cost.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Bytes of what a server says of itself, and of its references.
    pub talk: u64,
    /// Bytes of the answer with the pack.
    pub answer: u64,
    /// Bytes of progress reports in it, which nobody reads.
    pub progress: u64,
    /// Objects in the pack.
    pub objects: u64,
    /// Bytes of one object.
    pub object: u64,
    /// Bytes of all objects and deltas.
    pub unpacked: u64,
    /// Deltas between an object and a whole one; git itself makes 50, and
    /// refuses to make more than 4095.
    pub chain: usize,
    /// The whole time of one request.
    pub time: Duration,
}

impl Bounds {
    /// The whole advisory-db is a hundredth of this.
    pub const DEFAULT: Self = Self {
        talk: 1 << 20,
        answer: 128 << 20,
        progress: 1 << 20,
        objects: 500_000,
        object: 16 << 20,
        unpacked: 512 << 20,
        chain: 4095,
        time: Duration::from_secs(600),
    };
}
