//! A blob as a stream. What breaks off is continued where it ended; the end of the stream is
//! reached only with the right digest and size, and a read that fails once fails for ever. A
//! server can so delay a scan, within limits, but not change what it sees.

use super::rest;
use crate::http::Unanswered;
use crate::registry::RegistryError;
use crate::registry::address::shown;
use crate::registry::digest::Digest;
use crate::registry::http::{Failed, Patience};
use crate::registry::session::Session;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};
use std::sync::Arc;
use ureq::BodyReader;
use url::Url;

/// How often one blob is continued.
pub const MAX_RESUMES: u32 = 8;
/// The first request, and one for each continuation.
const MAX_ATTEMPTS: u32 = MAX_RESUMES + 1;
/// How much is read at a time where nobody wants the bytes.
const CHUNK: usize = 64 << 10;

/// Reads one blob. It is verified when it is read to its end or by [`Self::finish`], not before.
pub struct BlobReader {
    session: Arc<Session>,
    url: Url,
    name: String,
    digest: Digest,
    /// Where it ends: as the caller says, else as the server does.
    end: Option<u64>,
    body: Option<BodyReader<'static>>,
    /// Whether the body is announced to end where the blob does.
    is_announced: bool,
    /// What comes again from a server that knows no ranges.
    skip: u64,
    position: u64,
    hasher: Sha256,
    patience: Patience,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    Verified,
    Failed,
}

impl BlobReader {
    /// Asks for a blob, until there is an answer or no hope.
    pub(in crate::registry) fn open(
        session: Arc<Session>,
        digest: &Digest,
        size: Option<u64>,
    ) -> Result<Self, RegistryError> {
        let url = session.address("blobs", digest.as_str())?;
        let mut reader = Self {
            name: shown(&url),
            url,
            digest: digest.clone(),
            end: size,
            body: None,
            is_announced: false,
            skip: 0,
            position: 0,
            hasher: Sha256::new(),
            patience: Patience::new(session.http.pace).attempts(MAX_ATTEMPTS),
            state: State::Reading,
            session,
        };
        reader.connect()?;
        Ok(reader)
    }

    /// The size, where the caller or the server said so.
    pub fn size(&self) -> Option<u64> {
        self.end
    }

    /// Reads what is left, and verifies the whole.
    pub fn finish(mut self) -> Result<(), RegistryError> {
        let mut rest = vec![0; CHUNK];
        while self.fill(&mut rest)? > 0 {}
        Ok(())
    }

    fn fill(&mut self, out: &mut [u8]) -> Result<usize, RegistryError> {
        match self.state {
            State::Verified => return Ok(0),
            State::Failed => {
                let name = self.name.clone();
                return Err(RegistryError::Unfinished { name });
            }
            State::Reading => {}
        }
        loop {
            match self.step(out) {
                Ok(None) => {}
                Ok(Some(count)) => return Ok(count),
                Err(error) => {
                    self.state = State::Failed;
                    self.body = None;
                    return Err(error);
                }
            }
        }
    }

    /// One read; `None` where it brought nothing yet.
    fn step(&mut self, out: &mut [u8]) -> Result<Option<usize>, RegistryError> {
        if self.end == Some(self.position) {
            self.verify()?;
            return Ok(Some(0));
        }
        let Some(body) = self.body.as_mut() else {
            self.connect()?;
            return Ok(None);
        };
        let cause = match body.read(out) {
            Ok(0) if self.end.is_none() && self.skip == 0 => {
                self.verify()?;
                return Ok(Some(0));
            }
            Ok(0) => Unanswered::cut(),
            Ok(count) => {
                let taken = self.keep(out, count)?;
                return Ok((taken > 0).then_some(taken));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(None),
            Err(error) => error.into(),
        };
        self.body = None;
        let broken = self.session.http.broken(&self.name, &cause);
        let broken = match broken.error {
            // A long blob may take longer than one request.
            error @ RegistryError::Slow { .. } => Failed::passing(error),
            _ => broken,
        };
        self.patience.wait(broken.up_to(MAX_ATTEMPTS))?;
        Ok(None)
    }

    /// Takes what came, without what had come before.
    fn keep(&mut self, out: &mut [u8], count: usize) -> Result<usize, RegistryError> {
        let count = count.min(out.len());
        let again = usize::try_from(self.skip).unwrap_or(usize::MAX).min(count);
        self.skip = self.skip.saturating_sub(again as u64);
        let fresh = count.saturating_sub(again);
        if fresh == 0 {
            return Ok(0);
        }
        out.copy_within(again..count, 0);
        self.hasher.update(out.get(..fresh).unwrap_or_default());
        self.position = self.position.saturating_add(fresh as u64);
        self.patience.progressed();
        match self.end {
            Some(end) if self.position > end => return Err(self.wrong_size(self.position)),
            // The last byte of wrong content is not handed out.
            Some(end) if self.position == end => self.verify()?,
            _ => {}
        }
        Ok(fresh)
    }

    fn verify(&mut self) -> Result<(), RegistryError> {
        let found = Digest::from_hasher(std::mem::take(&mut self.hasher));
        if found != self.digest {
            return Err(RegistryError::Digest {
                name: self.name.clone(),
                expected: self.digest.to_string(),
                found: found.to_string(),
            });
        }
        self.state = State::Verified;
        // The client keeps a connection whose answer was read to its end.
        if let Some(mut body) = self.body.take().filter(|_| self.is_announced) {
            let _ = body.read(&mut [0]);
        }
        Ok(())
    }

    fn wrong_size(&self, found: u64) -> RegistryError {
        RegistryError::Size {
            name: self.name.clone(),
            expected: self.end.unwrap_or_default(),
            found,
        }
    }

    /// Asks for the rest, until there is an answer or no hope.
    fn connect(&mut self) -> Result<(), RegistryError> {
        loop {
            let failed = match self.request() {
                Ok(()) => return Ok(()),
                Err(failed) if self.position > 0 => failed.up_to(MAX_ATTEMPTS),
                Err(failed) => failed,
            };
            self.patience.wait(failed)?;
        }
    }

    fn request(&mut self) -> Result<(), Failed> {
        let position = self.position;
        let rest = match rest::ask(&self.session, &self.url, &self.name, position) {
            Ok(rest) => rest,
            Err(failed) => {
                // Nothing behind what came, and that is less than there should be.
                let is_short = matches!(failed.error, RegistryError::Status { status: 416, .. });
                return Err(if is_short && position > 0 && self.end.is_some() {
                    self.wrong_size(position).into()
                } else {
                    failed
                });
            }
        };
        if let Some(whole) = rest.end {
            let end = *self.end.get_or_insert(whole);
            // A part may be a part of the rest; a whole may not be shorter than the whole.
            if whole > end || (whole < end && !rest.is_part) {
                return Err(self.wrong_size(whole).into());
            }
        }
        self.is_announced = rest.end.is_some() && rest.end == self.end;
        self.skip = position.saturating_sub(rest.start);
        self.body = Some(rest.body);
        Ok(())
    }
}

impl Read for BlobReader {
    /// The error carries a [`RegistryError`].
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        self.fill(out).map_err(|error| {
            let kind = match &error {
                RegistryError::Digest { .. } | RegistryError::Size { .. } => {
                    io::ErrorKind::InvalidData
                }
                RegistryError::Slow { .. } | RegistryError::Busy { .. } => io::ErrorKind::TimedOut,
                _ => io::ErrorKind::Other,
            };
            io::Error::new(kind, error)
        })
    }
}
