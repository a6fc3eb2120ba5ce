//! Stores of objects: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage, and plain
//! http servers with `GET` and `PUT`. An object is written where there is none, or replaced; nothing
//! is listed and nothing is deleted.
//!
//! ```text
//! place (address and environment → base, login) ─┐
//! signature (AWS SigV4) ─────────────────────────┴→ Store ─→ http
//! ```
//! Whoever asks goes on without the store where it does not answer: tries and times are short, and
//! no answer leads elsewhere. Plain http is spoken with this machine only, unless the caller says
//! that it verifies what it gets.

use std::fmt;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ureq::http::{Method, StatusCode, header};
use url::Url;

use crate::http::{Answer, Client, Options, Question, Unanswered, text};
use crate::retry::retry_after;

mod place;
mod signature;
#[cfg(test)]
mod tests;

use place::{Absent, Login, Place};

/// Tries for one object.
const TRIES: u32 = 3;
/// The wait before the second try; it doubles.
const BACKOFF: Duration = Duration::from_millis(100);
/// Connections that are kept for later requests.
const IDLE: usize = 8;

/// How long a store is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Until a connection stands.
    pub connect: Duration,
    /// Between two reads.
    pub silence: Duration,
    /// For one object, with all tries.
    pub object: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            silence: Duration::from_secs(5),
            object: Duration::from_secs(20),
        }
    }
}

/// How to reach a store.
pub struct Access<'a> {
    /// What an environment variable says.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Whether plain http may be spoken with other machines: the caller verifies what it gets.
    pub plain_http: bool,
    /// See there.
    pub times: Times,
}

/// An address that names no store that can be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadStore(pub(crate) String);

/// Why an object could not be read or written. The cause holds no address and no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

/// What became of an object that was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is there now.
    New,
    /// Another writer was first.
    Present,
}

/// A store, and how to log in to it. May be shared by threads.
pub struct Store {
    client: Client,
    place: Place,
    shown: String,
    times: Times,
}

impl fmt::Debug for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Store").field(&self.shown).finish()
    }
}

impl Store {
    /// By its address: `s3://bucket/prefix`, `gs://bucket/prefix`, `az://account/container/prefix`
    /// or `https://host/path`. Asks nothing yet.
    pub fn open(address: &str, access: &Access<'_>) -> Result<Self, BadStore> {
        let place = Place::parse(address, access.variable)?;
        let host = place.base.host_str().unwrap_or_default();
        let is_plain = place.base.scheme() != "https" && !crate::registry::is_loopback(host);
        if is_plain && !access.plain_http {
            let cause = "plain http to another machine: whoever is on the way could change what is \
                         read";
            return Err(BadStore(cause.to_owned()));
        }
        if is_plain && place.login.shows_secret() {
            let cause = "a password or token would be sent over plain http";
            return Err(BadStore(cause.to_owned()));
        }
        let ca_file = (access.variable)("AWS_CA_BUNDLE")
            .filter(|_| matches!(place.login, Login::Aws(_)))
            .map(PathBuf::from);
        let client = Client::new(&Options {
            ca_file: ca_file.as_deref(),
            https_only: place.base.scheme() == "https",
            connect: access.times.connect,
            silence: access.times.silence,
            idle: IDLE,
            may_lead: |_| false,
        })
        .map_err(|error| BadStore(format!("{}: {}", error.path.display(), error.cause)))?;
        Ok(Self {
            client,
            shown: place.shown.clone(),
            place,
            times: access.times,
        })
    }

    /// Its address without secrets.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The content of an object of at most so many bytes; `None` where there is none.
    pub fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Fault> {
        self.tried(|time| {
            let mut answer = self.ask(Method::GET, name, None, None, time)?;
            match answer.status() {
                StatusCode::OK => read(&mut answer, limit).map(Some),
                StatusCode::NOT_FOUND => Ok(None),
                _ => Err(refused(&answer)),
            }
        })
    }

    /// Writes an object where there is none.
    pub fn put_if_absent(&self, name: &str, content: &[u8]) -> Result<Written, Fault> {
        self.tried(|time| {
            let absent = self.place.absent;
            let answer = self.ask(Method::PUT, name, Some(content), Some(absent), time)?;
            match answer.status() {
                status if status.is_success() => Ok(Written::New),
                // Azure and S3 say "conflict" where two write at once; one of them wins.
                StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT => Ok(Written::Present),
                _ => Err(refused(&answer)),
            }
        })
    }

    /// Writes an object, also in the place of another one.
    pub fn replace(&self, name: &str, content: &[u8]) -> Result<(), Fault> {
        self.tried(|time| {
            let answer = self.ask(Method::PUT, name, Some(content), None, time)?;
            if answer.status().is_success() {
                Ok(())
            } else {
                Err(refused(&answer))
            }
        })
    }

    fn ask(
        &self,
        method: Method,
        name: &str,
        body: Option<&[u8]>,
        absent: Option<Absent>,
        time: Duration,
    ) -> Result<Answer, Failed> {
        let url = self.place.object(name).map_err(Failed::finally)?;
        let mut headers: Vec<(&'static str, String)> = Vec::new();
        if let Some(absent) = absent {
            let (name, value) = absent.header();
            headers.push((name, value.to_owned()));
        }
        if body.is_some() {
            headers.push(("content-type", "application/octet-stream".to_owned()));
            headers.extend(self.place.on_write());
        }
        headers.extend(self.place.version());
        let authorization = match &self.place.login {
            Login::Nobody | Login::Query(_) => None,
            Login::Header(value) => Some(value.clone()),
            Login::Aws(signer) => {
                let now = jiff::Timestamp::now();
                Some(signer.sign(&method, &url, &mut headers, body.unwrap_or_default(), now))
            }
        };
        let question = Question {
            method,
            url,
            headers,
            authorization,
            body,
            time,
            follow: false,
        };
        Ok(self.client.send(&question)?)
    }

    /// Tries again where that may help, as long as there is time.
    fn tried<T>(&self, mut once: impl FnMut(Duration) -> Result<T, Failed>) -> Result<T, Fault> {
        let start = Instant::now();
        let mut wait = BACKOFF;
        let mut done = 0_u32;
        loop {
            let left = self.times.object.saturating_sub(start.elapsed());
            let failed = match once(left) {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            done = done.saturating_add(1);
            let pause = failed.asked.unwrap_or(wait).max(wait);
            let left = self.times.object.saturating_sub(start.elapsed());
            if !failed.again || done >= TRIES || pause >= left {
                return Err(Fault(failed.cause));
            }
            std::thread::sleep(pause);
            wait = wait.saturating_mul(2);
        }
    }
}

/// One try that failed.
struct Failed {
    cause: String,
    /// Whether another one may do better.
    again: bool,
    /// How long the server asks to wait.
    asked: Option<Duration>,
}

impl Failed {
    const fn finally(cause: String) -> Self {
        Self {
            cause,
            again: false,
            asked: None,
        }
    }
}

impl From<Unanswered> for Failed {
    fn from(unanswered: Unanswered) -> Self {
        Self {
            again: matches!(unanswered, Unanswered::Broken(_)),
            cause: unanswered.to_string(),
            asked: None,
        }
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Unanswered::from(error).into()
    }
}

/// An answer that is neither the object nor its absence.
fn refused(answer: &Answer) -> Failed {
    let status = answer.status();
    let hint = match status.as_u16() {
        300..=399 => ": a redirect is not followed; name the store where it is",
        401 => ": it asks for a login",
        403 => ": reading, writing and, on S3, listing must be allowed",
        _ => "",
    };
    let headers = answer.headers();
    let date = text(headers, &header::DATE);
    Failed {
        cause: format!("the server answered {}{hint}", status.as_u16()),
        again: status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS,
        asked: text(headers, &header::RETRY_AFTER).and_then(|value| retry_after(value, date)),
    }
}

/// The whole body, as long as it was announced to be.
fn read(answer: &mut Answer, limit: u64) -> Result<Vec<u8>, Failed> {
    let announced = text(answer.headers(), &header::CONTENT_LENGTH)
        .and_then(|length| length.parse::<u64>().ok());
    let too_long = || Failed::finally(format!("an object has more than {limit} bytes"));
    if announced.is_some_and(|length| length > limit) {
        return Err(too_long());
    }
    let mut content = Vec::new();
    let reader = answer.body_mut().as_reader();
    reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut content)?;
    let length = content.len() as u64;
    if length > limit {
        return Err(too_long());
    }
    if announced.is_some_and(|announced| announced != length) {
        return Err(Unanswered::cut().into());
    }
    Ok(content)
}

/// Joins a base and a name; names are made of letters, digits and `/` by their users.
fn join(base: &Url, name: &str) -> Result<Url, String> {
    if !name.bytes().all(place::is_plain) {
        return Err("the name of the object has characters that are not allowed".to_owned());
    }
    base.join(name).map_err(|error| error.to_string())
}
