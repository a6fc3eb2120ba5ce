//! Where an answer goes that is read by digest or version, and continued where it broke off.

use crate::http::{Answer, Unanswered};
use crate::registry::RegistryError;
use std::io::{self, Read as _};

/// How much of an answer is read at a time.
const CHUNK: usize = 64 << 10;

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

/// Why a body was not read to its end.
pub(super) enum Stopped {
    /// The connection broke off.
    Broken(Unanswered),
    /// The body is too long, or could not be kept.
    Refused(RegistryError),
}

/// Reads a body into a sink that has `length` bytes of it already.
pub(super) fn pour(
    response: &mut Answer,
    name: &str,
    mut length: u64,
    sink: &mut dyn Sink,
) -> Result<(), Stopped> {
    let keep = |source| {
        Stopped::Refused(RegistryError::Keep {
            name: name.to_owned(),
            source,
        })
    };
    let limit = sink.limit();
    let too_long = || {
        Stopped::Refused(RegistryError::TooLong {
            name: name.to_owned(),
            limit,
        })
    };
    let rest = response.body().content_length();
    let whole = rest.map(|rest| length.saturating_add(rest));
    if whole.is_some_and(|whole| whole > limit) {
        return Err(too_long());
    }
    let mut body = response.body_mut().as_reader();
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Stopped::Broken(error.into())),
        };
        length = length.saturating_add(count as u64);
        if length > limit {
            return Err(too_long());
        }
        let piece = buffer.get(..count).unwrap_or_default();
        if !sink.take(piece).map_err(keep)? {
            return Ok(());
        }
    }
    if whole.is_some_and(|whole| whole != length) {
        return Err(Stopped::Broken(Unanswered::cut()));
    }
    Ok(())
}
