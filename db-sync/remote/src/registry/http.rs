//! One way to ask a server: bounded in time and length, repeated with growing
//! pauses where that can help, and never redirected from https to http.

use super::RegistryError;
use super::address::{may_speak, shown};
use crate::http::{Answer, Client, Options, Question, Unanswered, range_start, text};
use crate::retry;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::{self, Read as _};
use std::time::Duration;
use ureq::http::Method;
use ureq::http::header::{
    ACCEPT, CONTENT_TYPE, DATE, ETAG, HeaderMap, IF_RANGE, LAST_MODIFIED, RANGE, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use url::Url;

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may send nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// How long one request may take, its body included.
const DEADLINE: Duration = Duration::from_secs(600);
/// How often a request is sent at most.
const ATTEMPTS: u32 = 4;
/// The same where no connection stood: the next mirror is the better hope.
const CONNECT_ATTEMPTS: u32 = 2;
/// The pause before the second attempt; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest `Retry-After` that is obeyed.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Connections that are kept.
const IDLE: usize = 2;
/// How much of an answer is read at a time.
const CHUNK: usize = 64 << 10;
/// How many challenges of a server are looked at.
const CHALLENGES: usize = 8;

/// Who asks.
#[derive(Clone)]
pub enum Authorization {
    /// A token.
    Bearer(String),
    /// A name and a password.
    Basic(String, String),
}

impl Authorization {
    fn value(&self) -> String {
        match self {
            Self::Bearer(token) => format!("Bearer {token}"),
            Self::Basic(username, password) => {
                format!(
                    "Basic {}",
                    STANDARD.encode(format!("{username}:{password}"))
                )
            }
        }
    }
}

/// One question to a server.
pub struct Ask<'a> {
    /// Whom and what.
    pub url: Url,
    /// The media types that are of use.
    pub accept: &'static str,
    /// Who asks.
    pub authorization: Option<&'a Authorization>,
    /// Sent as a form by POST; otherwise the question is a GET.
    pub form: Option<String>,
}

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
    /// The answer begins anew, in this version.
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

/// A client with our limits.
pub struct Http {
    client: Client,
    /// Whether plain http is spoken with other machines.
    pub insecure: bool,
}

/// A failed attempt.
pub(crate) struct Failed {
    pub(crate) error: RegistryError,
    again: Again,
}

enum Again {
    No,
    /// At most so many attempts.
    Up(u32),
    After(Duration),
}

impl Failed {
    /// Whether another attempt can help.
    pub(crate) fn may_pass(&self) -> bool {
        !matches!(self.again, Again::No)
    }
}

impl From<RegistryError> for Failed {
    /// One that another attempt would not change.
    fn from(error: RegistryError) -> Self {
        Self {
            error,
            again: Again::No,
        }
    }
}

impl Http {
    /// With the certificates and proxies of the system.
    pub fn new(insecure: bool) -> Result<Self, RegistryError> {
        let client = Client::new(&Options {
            ca_file: None,
            https_only: false,
            connect: CONNECT,
            silence: SILENCE,
            idle: IDLE,
            may_lead: if insecure {
                |url| may_speak(url, true).is_ok()
            } else {
                |url| may_speak(url, false).is_ok()
            },
        })
        .map_err(|error| RegistryError::Request {
            name: format!(
                "the network with the certificates in {}",
                error.path.display()
            ),
            cause: error.cause,
        })?;
        Ok(Self { client, insecure })
    }

    /// Asks until there is an answer or no hope.
    pub fn fetch(&self, ask: &Ask<'_>, sink: &mut dyn Sink) -> Result<(), RegistryError> {
        may_speak(&ask.url, self.insecure)?;
        tried(|| self.once(ask, sink))
    }

    /// Asks for a short answer.
    pub fn bytes(&self, ask: &Ask<'_>, limit: u64) -> Result<Vec<u8>, RegistryError> {
        let mut memory = Memory::new(limit);
        self.fetch(ask, &mut memory)?;
        Ok(memory.bytes)
    }

    /// Sends one request, once. Its answer may have any status.
    pub(crate) fn send(
        &self,
        mut question: Question<'_>,
        authorization: Option<&Authorization>,
    ) -> Result<Answer, Failed> {
        may_speak(&question.url, self.insecure)?;
        question.authorization = authorization.map(Authorization::value);
        self.client
            .send(&question)
            .map_err(|error| failed(&shown(&question.url), &error))
    }

    fn once(&self, ask: &Ask<'_>, sink: &mut dyn Sink) -> Result<(), Failed> {
        let name = shown(&ask.url);
        let keep = |source| {
            Failed::from(RegistryError::Keep {
                name: name.clone(),
                source,
            })
        };
        let too_long = |limit| {
            Failed::from(RegistryError::TooLong {
                name: name.clone(),
                limit,
            })
        };
        let url = ask.url.clone();
        let mut question = match &ask.form {
            None => Question::get(url, DEADLINE),
            // A form holds a secret, which a redirect (307, 308) would carry elsewhere.
            Some(form) => Question {
                follow: false,
                ..Question::with_body(Method::POST, url, form.as_bytes(), DEADLINE)
            }
            .header(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded"),
        }
        .header(ACCEPT.as_str(), ask.accept);
        let kept = sink.kept().filter(|kept| kept.length > 0);
        if let Some(kept) = &kept {
            question = question.header(RANGE.as_str(), format!("bytes={}-", kept.length));
            if let Some(version) = &kept.version {
                question = question.header(IF_RANGE.as_str(), version.as_str());
            }
        }
        let mut response = self.send(question, ask.authorization)?;
        let mut length: u64 = 0;
        match (response.status().as_u16(), kept) {
            (200, _) => sink.restart(version(response.headers())).map_err(keep)?,
            (206, Some(kept)) if range_start(response.headers()) == Some(kept.length) => {
                length = kept.length;
            }
            // Another part than the one asked for, or nothing behind it: all again.
            (206 | 416, Some(_)) => {
                sink.restart(None).map_err(keep)?;
                return Err(Failed {
                    again: Again::Up(ATTEMPTS),
                    ..answered(&name, &response)
                });
            }
            _ => return Err(answered(&name, &response)),
        }
        let limit = sink.limit();
        let rest = response.body().content_length();
        let whole = rest.map(|rest| length.saturating_add(rest));
        if whole.is_some_and(|whole| whole > limit) {
            return Err(too_long(limit));
        }
        let mut body = response.body_mut().as_reader();
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(&name, &error.into())),
            };
            length = length.saturating_add(count as u64);
            if length > limit {
                return Err(too_long(limit));
            }
            if !sink
                .take(buffer.get(..count).unwrap_or_default())
                .map_err(keep)?
            {
                return Ok(());
            }
        }
        if whole.is_some_and(|whole| whole != length) {
            return Err(failed(&name, &Unanswered::cut()));
        }
        Ok(())
    }
}

/// A request with a body, under our deadline.
pub(crate) fn with_body(method: Method, url: Url, body: &[u8]) -> Question<'_> {
    Question::with_body(method, url, body, DEADLINE)
}

/// A request for the head of an answer, under our deadline.
pub(crate) fn head<'a>(url: Url) -> Question<'a> {
    Question {
        method: Method::HEAD,
        ..Question::get(url, DEADLINE)
    }
}

/// Attempts something until it is done or there is no hope.
pub(crate) fn tried<T>(mut once: impl FnMut() -> Result<T, Failed>) -> Result<T, RegistryError> {
    let mut attempt = 1;
    let mut pause = FIRST_PAUSE;
    loop {
        let failed = match once() {
            Ok(done) => return Ok(done),
            Err(failed) => failed,
        };
        let wait = match failed.again {
            Again::Up(most) if attempt < most => pause,
            Again::After(wait) if attempt < ATTEMPTS => wait.max(pause),
            _ => return Err(failed.error),
        };
        std::thread::sleep(wait);
        attempt = attempt.saturating_add(1);
        pause = pause.saturating_mul(2);
    }
}

/// A connection that failed or broke off.
fn failed(name: &str, cause: &Unanswered) -> Failed {
    let name = name.to_owned();
    let again = match cause {
        Unanswered::Hopeless(_) => Again::No,
        Unanswered::Unconnected(_) => Again::Up(CONNECT_ATTEMPTS),
        Unanswered::Broken(_) => Again::Up(ATTEMPTS),
        Unanswered::Slow => {
            return Failed::from(RegistryError::Slow {
                name,
                seconds: DEADLINE.as_secs(),
            });
        }
    };
    Failed {
        error: RegistryError::Request {
            name,
            cause: cause.to_string(),
        },
        again,
    }
}

/// An answer that is not the one asked for.
pub(crate) fn answered(name: &str, response: &Answer) -> Failed {
    let status = response.status().as_u16();
    let name = name.to_owned();
    let again = match (status, retry_after(response.headers())) {
        (408 | 425 | 429 | 500 | 502..=504, Some(wait)) if wait > LONGEST_PAUSE => {
            return Failed::from(RegistryError::Busy {
                name,
                status,
                seconds: wait.as_secs(),
            });
        }
        (408 | 425 | 429 | 500 | 502..=504, Some(wait)) => Again::After(wait),
        (408 | 425 | 429 | 500 | 502..=504, None) => Again::Up(ATTEMPTS),
        _ => Again::No,
    };
    let challenges = response
        .headers()
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .take(CHALLENGES)
        .filter_map(|value| value.to_str().ok())
        .map(str::to_owned)
        .collect();
    Failed {
        error: RegistryError::Status {
            name,
            status,
            challenges,
        },
        again,
    }
}

/// How long the server asks to wait.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let date = text(headers, &DATE);
    retry::retry_after(text(headers, &RETRY_AFTER)?, date)
}

/// What the server calls this version of the content. A weak tag names none:
/// two contents may share it.
fn version(headers: &HeaderMap) -> Option<String> {
    text(headers, &ETAG)
        .filter(|tag| !tag.starts_with("W/"))
        .or_else(|| text(headers, &LAST_MODIFIED))
        .map(str::to_owned)
}
