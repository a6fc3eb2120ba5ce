//! A part of a blob, for formats that are read from a table at their end. Refuses a server that
//! answers with the whole: a caller that wants a few bytes must not load gigabytes unasked.

use crate::http::{range_start, text};
use crate::registry::RegistryError;
use crate::registry::address::shown;
use crate::registry::digest::Digest;
use crate::registry::http::{Memory, answered, tried};
use crate::registry::session::{PULL, Session};
use ureq::http::HeaderMap;
use ureq::http::header::{ACCEPT, CONTENT_RANGE, RANGE};

/// The longest part that is read at once, in bytes: it is held in memory.
pub const MAX_RANGE: u64 = 64 << 20;

pub(in crate::registry) fn range(
    session: &Session,
    digest: &Digest,
    start: u64,
    length: u64,
) -> Result<Vec<u8>, RegistryError> {
    let url = session.address("blobs", digest.as_str())?;
    let name = shown(&url);
    if length > MAX_RANGE {
        return Err(RegistryError::TooLong {
            name,
            limit: MAX_RANGE,
        });
    }
    let last = match start.checked_add(length) {
        None => {
            return Err(RegistryError::Malformed {
                name,
                cause: "the range ends beyond any possible size".to_owned(),
            });
        }
        Some(end) if end == start => return Ok(Vec::new()),
        Some(end) => end.saturating_sub(1),
    };
    let read = tried(session.http.pace, || {
        session.authorized(PULL, |authorization| {
            let question = session
                .http
                .get(url.clone())
                .header(ACCEPT.as_str(), "*/*")
                .header(RANGE.as_str(), format!("bytes={start}-{last}"));
            let mut answer = session.http.send(question, authorization)?;
            match answer.status().as_u16() {
                206 if range_start(answer.headers()) == Some(start) => {}
                200 | 206 => return Err(RegistryError::NoRanges { name: name.clone() }.into()),
                _ => return Err(answered(&name, &answer)),
            }
            let mut memory = Memory::new(length);
            session.http.pour(&mut answer, &name, 0, &mut memory)?;
            let total = total(answer.headers());
            Ok((memory.bytes, total))
        })
    });
    let (bytes, total) = read?;
    let came = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let end = start.saturating_add(came);
    if came == length || total == Some(end) {
        Ok(bytes)
    } else {
        Err(RegistryError::Size {
            name,
            expected: length,
            found: came,
        })
    }
}

/// The size of the whole: `Content-Range: bytes 10-19/20`.
fn total(headers: &HeaderMap) -> Option<u64> {
    text(headers, &CONTENT_RANGE)?
        .rsplit_once('/')?
        .1
        .parse()
        .ok()
}
