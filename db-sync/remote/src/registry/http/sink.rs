//! Where an answer goes that is read by digest or version, and continued where it broke off.

use std::io;

/// The beginning of an answer that broke off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its bytes.
    pub length: u64,
    /// What the server called the version (`ETag`, else `Last-Modified`);
    /// `None` where the content is asked for by its digest.
    pub version: Option<String>,
}

/// Where an answer goes.
pub trait Sink {
    /// What is at hand already, so that only the rest is asked for.
    fn kept(&self) -> Option<Kept> {
        None
    }
    /// The answer starts over, in this version.
    fn restart(&mut self, version: Option<String>) -> io::Result<()>;
    /// Takes some bytes; `false` ends the answer early.
    fn take(&mut self, bytes: &[u8]) -> io::Result<bool>;
    /// The longest answer that is read.
    fn limit(&self) -> u64;
}

/// An answer in memory.
pub struct Memory {
    /// What came.
    pub bytes: Vec<u8>,
    limit: u64,
}

impl Memory {
    /// Empty, for an answer of at most so many bytes.
    pub fn new(limit: u64) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
        }
    }
}

impl Sink for Memory {
    fn restart(&mut self, _: Option<String>) -> io::Result<()> {
        self.bytes.clear();
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<bool> {
        self.bytes.extend_from_slice(bytes);
        Ok(true)
    }

    fn limit(&self) -> u64 {
        self.limit
    }
}
