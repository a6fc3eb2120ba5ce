//! One way to ask a server: bounded in time and length, repeated with growing pauses where that
//! can help, and never redirected from https to http. Shared by threads; a copy is the same
//! client.

mod ask;
mod attempt;
mod redirect;
mod sink;

pub use ask::{Ask, Authorization};
pub use attempt::Pace;
use attempt::failed;
pub(crate) use attempt::{Failed, Patience, answered, tried};
use sink::Stopped;
pub use sink::{Kept, Memory, Sink};

use super::RegistryError;
use super::address::{PlainHttp, shown};
use crate::http::{Answer, Client, Options, Question, Unanswered, range_start, text};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use ureq::http::Method;
use ureq::http::header::{ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, IF_RANGE, LAST_MODIFIED, RANGE};
use url::Url;

/// Connections to one host that are kept: as many as layers are read at once.
const IDLE: usize = 8;

/// How long is waited for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// How long a connection may take to stand.
    pub connect: Duration,
    /// How long a server may send nothing.
    pub silence: Duration,
    /// How long one request may take, its body included. A blob that takes longer is continued by
    /// another request.
    pub deadline: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            deadline: Duration::from_secs(600),
        }
    }
}

/// How servers are asked.
#[derive(Clone, Debug, Default)]
pub struct Settings<'a> {
    /// Who may be asked over plain http.
    pub plain: PlainHttp,
    /// A PEM file with the only certificate authorities to trust; else those of the system.
    pub ca_file: Option<&'a Path>,
    /// How long is waited between attempts.
    pub pace: Pace,
    /// How long is waited for a server.
    pub times: Times,
}

/// A client with our limits.
#[derive(Clone)]
pub struct Http {
    client: Arc<Client>,
    pub(crate) plain: Arc<PlainHttp>,
    pub(crate) pace: Pace,
    pub(crate) deadline: Duration,
}

impl Http {
    /// With the certificates and proxies of the system. `insecure` allows plain http to every
    /// host.
    pub fn new(insecure: bool) -> Result<Self, RegistryError> {
        Self::with(Settings {
            plain: PlainHttp::from(insecure),
            ..Settings::default()
        })
    }

    /// With the proxies of the system, and otherwise as the caller says.
    pub fn with(settings: Settings<'_>) -> Result<Self, RegistryError> {
        let client = Client::new(&Options {
            ca_file: settings.ca_file,
            https_only: false,
            connect: settings.times.connect,
            silence: settings.times.silence,
            idle: IDLE,
            // Redirects are followed in `redirect`, which knows the hosts.
            may_lead: |_| false,
        })
        .map_err(|error| RegistryError::Certificates {
            path: error.path,
            cause: error.cause,
        })?;
        Ok(Self {
            client: Arc::new(client),
            plain: Arc::new(settings.plain),
            pace: settings.pace,
            deadline: settings.times.deadline,
        })
    }

    /// Asks until there is an answer or no hope.
    pub fn fetch(&self, ask: &Ask<'_>, sink: &mut dyn Sink) -> Result<(), RegistryError> {
        self.plain.may_speak(&ask.url)?;
        tried(self.pace, || self.once(ask, sink))
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
        self.plain.may_speak(&question.url)?;
        question.authorization = authorization.map(Authorization::value);
        let name = shown(&question.url);
        redirect::follow(&self.client, &self.plain, question)
            .map_err(|error| self.broken(&name, &error))
    }

    fn once(&self, ask: &Ask<'_>, sink: &mut dyn Sink) -> Result<(), Failed> {
        let name = shown(&ask.url);
        let keep = |source| {
            Failed::from(RegistryError::Keep {
                name: name.clone(),
                source,
            })
        };
        let kept = sink.kept().filter(|kept| kept.length > 0);
        let mut response = self.send(self.question(ask, kept.as_ref()), ask.authorization)?;
        let mut length: u64 = 0;
        match (response.status().as_u16(), kept) {
            (200, _) => sink.restart(version(response.headers())).map_err(keep)?,
            (206, Some(kept)) if range_start(response.headers()) == Some(kept.length) => {
                length = kept.length;
            }
            // Another part than the one asked for, or nothing behind it: all again.
            (206 | 416, Some(_)) => {
                sink.restart(None).map_err(keep)?;
                return Err(Failed::passing(answered(&name, &response).error));
            }
            _ => return Err(answered(&name, &response)),
        }
        self.pour(&mut response, &name, length, sink)
    }

    /// A GET, under our deadline.
    pub(crate) fn get<'b>(&self, url: Url) -> Question<'b> {
        Question::get(url, self.deadline)
    }

    /// A request for the head of an answer, under our deadline.
    pub(crate) fn head<'b>(&self, url: Url) -> Question<'b> {
        Question {
            method: Method::HEAD,
            ..self.get(url)
        }
    }

    /// A request with a body, under our deadline.
    pub(crate) fn with_body<'b>(&self, method: Method, url: Url, body: &'b [u8]) -> Question<'b> {
        Question::with_body(method, url, body, self.deadline)
    }

    /// A connection that failed or broke off.
    pub(crate) fn broken(&self, name: &str, cause: &Unanswered) -> Failed {
        failed(name, cause, self.deadline)
    }

    fn question<'a>(&self, ask: &'a Ask<'_>, kept: Option<&Kept>) -> Question<'a> {
        let url = ask.url.clone();
        let mut question = match &ask.form {
            None => self.get(url),
            // A form holds a secret, which a redirect (307, 308) would carry elsewhere.
            Some(form) => Question {
                follow: false,
                ..self.with_body(Method::POST, url, form.as_bytes())
            }
            .header(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded"),
        }
        .header(ACCEPT.as_str(), ask.accept);
        if let Some(kept) = kept {
            question = question.header(RANGE.as_str(), format!("bytes={}-", kept.length));
            if let Some(version) = &kept.version {
                question = question.header(IF_RANGE.as_str(), version.as_str());
            }
        }
        question
    }

    /// Reads a body into a sink that has `length` bytes of it already.
    pub(crate) fn pour(
        &self,
        response: &mut Answer,
        name: &str,
        length: u64,
        sink: &mut dyn Sink,
    ) -> Result<(), Failed> {
        sink::pour(response, name, length, sink).map_err(|stopped| match stopped {
            Stopped::Broken(cause) => self.broken(name, &cause),
            Stopped::Refused(error) => error.into(),
        })
    }
}

/// What the server calls this version of the content. A weak tag names none:
/// two contents may share it.
fn version(headers: &HeaderMap) -> Option<String> {
    text(headers, &ETAG)
        .filter(|tag| !tag.starts_with("W/"))
        .or_else(|| text(headers, &LAST_MODIFIED))
        .map(str::to_owned)
}
