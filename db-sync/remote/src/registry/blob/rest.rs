//! One request for a blob, or for what is left of one, and what its answer is the beginning of.

use crate::http::{Answer, range_start, text};
use crate::registry::RegistryError;
use crate::registry::http::{Failed, answered};
use crate::registry::session::{PULL, Session};
use ureq::BodyReader;
use ureq::http::header::{ACCEPT, CONTENT_LENGTH, RANGE};
use url::Url;

/// The rest of a blob, or the whole again.
pub(super) struct Rest {
    pub(super) body: BodyReader<'static>,
    /// Where it begins.
    pub(super) start: u64,
    /// Where it ends, if the server says so.
    pub(super) end: Option<u64>,
    /// Whether it may end before the blob does.
    pub(super) is_part: bool,
}

/// Asks for a blob from `position` on, once.
pub(super) fn ask(session: &Session, url: &Url, name: &str, position: u64) -> Result<Rest, Failed> {
    let answer = session.authorized(PULL, |authorization| {
        let mut question = session.http.get(url.clone()).header(ACCEPT.as_str(), "*/*");
        if position > 0 {
            question = question.header(RANGE.as_str(), format!("bytes={position}-"));
        }
        let answer = session.http.send(question, authorization)?;
        match answer.status().as_u16() {
            200 | 206 => Ok(answer),
            _ => Err(answered(name, &answer)),
        }
    })?;
    let is_part = answer.status().as_u16() == 206;
    let start = match range_start(answer.headers()) {
        _ if !is_part => 0,
        Some(start) if start == position => start,
        _ => {
            return Err(Failed::passing(RegistryError::Malformed {
                name: name.to_owned(),
                cause: "it is not the range that was requested".to_owned(),
            }));
        }
    };
    Ok(Rest {
        end: length(&answer).map(|length| start.saturating_add(length)),
        start,
        is_part,
        body: answer.into_body().into_reader(),
    })
}

fn length(answer: &Answer) -> Option<u64> {
    // The client has no length for a body that is announced as empty.
    let is_empty = || text(answer.headers(), &CONTENT_LENGTH) == Some("0");
    let announced = answer.body().content_length();
    announced.or_else(|| is_empty().then_some(0))
}
