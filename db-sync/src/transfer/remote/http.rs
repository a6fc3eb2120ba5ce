//! One way to ask a server: bounded in time and length, repeated with growing
//! pauses where that can help, and never redirected from https to http.

use super::RemoteError;
use super::source::{may_speak, shown};
use crate::fetch::retry;
use reqwest::header::{
    ACCEPT, CONTENT_RANGE, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, IF_RANGE,
    LAST_MODIFIED, RANGE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use std::io;
use std::time::Duration;

/// The name we give ourselves.
pub(crate) const AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"));
/// How long a connection may take to stand.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may send nothing.
pub(crate) const SILENCE: Duration = Duration::from_secs(30);
/// How long one request may take, its body included.
pub(crate) const DEADLINE: Duration = Duration::from_secs(600);
/// How often a request is sent at most.
pub(crate) const ATTEMPTS: u32 = 4;
/// The same where no connection stood: the next mirror is the better hope.
const CONNECT_ATTEMPTS: u32 = 2;
/// The pause before the second attempt; it doubles each time.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest `Retry-After` that is obeyed.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How many redirects are followed.
const REDIRECTS: usize = 5;
/// How many challenges of a server are looked at.
const CHALLENGES: usize = 8;

/// Who asks.
#[derive(Clone)]
pub(crate) enum Authorization {
    Bearer(String),
    Basic(String, String),
}

/// One question to a server.
pub(crate) struct Ask<'a> {
    pub(crate) url: Url,
    pub(crate) accept: &'static str,
    pub(crate) authorization: Option<&'a Authorization>,
    /// Sent as a form by POST; otherwise the question is a GET.
    pub(crate) form: Option<String>,
}

/// The beginning of an answer that broke off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its bytes.
    pub(crate) length: u64,
    /// What the server called the version (`ETag`, else `Last-Modified`);
    /// `None` where the content is asked for by its digest.
    pub(crate) version: Option<String>,
}

/// Where an answer goes.
pub(crate) trait Sink {
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
pub(crate) struct Memory {
    pub(crate) bytes: Vec<u8>,
    limit: u64,
}

impl Memory {
    pub(crate) fn new(limit: u64) -> Self {
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
pub(crate) struct Http {
    client: Client,
    /// Follows nowhere: a form holds a secret, which a redirect (307, 308) would carry elsewhere.
    posting: Client,
    pub(crate) insecure: bool,
}

/// A failed attempt.
struct Failed {
    error: RemoteError,
    again: Again,
}

enum Again {
    No,
    /// At most so many attempts.
    Up(u32),
    After(Duration),
}

impl Http {
    pub(crate) fn new(insecure: bool) -> Result<Self, RemoteError> {
        let policy = Policy::custom(move |attempt| {
            let from_plain = attempt
                .previous()
                .last()
                .is_some_and(|url| url.scheme() == "http");
            let safe = attempt.url().scheme() == "https"
                || (from_plain && may_speak(attempt.url(), insecure).is_ok());
            if attempt.previous().len() > REDIRECTS {
                attempt.error("too many redirects")
            } else if safe {
                attempt.follow()
            } else {
                attempt.error("redirected to plain http")
            }
        });
        let client = |policy| {
            let client = Client::builder()
                .user_agent(AGENT)
                .connect_timeout(CONNECT)
                .read_timeout(SILENCE)
                .redirect(policy)
                .build();
            client.map_err(|source| RemoteError::Request {
                name: "the network".to_owned(),
                source,
            })
        };
        Ok(Self {
            client: client(policy)?,
            posting: client(Policy::none())?,
            insecure,
        })
    }

    /// Asks until there is an answer or no hope.
    pub(crate) async fn fetch(
        &self,
        ask: &Ask<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), RemoteError> {
        may_speak(&ask.url, self.insecure)?;
        let mut attempt = 1;
        let mut pause = FIRST_PAUSE;
        loop {
            let Err(failed) = self.in_time(ask, sink).await else {
                return Ok(());
            };
            let wait = match failed.again {
                Again::Up(most) if attempt < most => pause,
                Again::After(wait) if attempt < ATTEMPTS => wait.max(pause),
                _ => return Err(failed.error),
            };
            tokio::time::sleep(wait).await;
            attempt = attempt.saturating_add(1);
            pause = pause.saturating_mul(2);
        }
    }

    /// Asks for a short answer.
    pub(crate) async fn bytes(&self, ask: &Ask<'_>, limit: u64) -> Result<Vec<u8>, RemoteError> {
        let mut memory = Memory::new(limit);
        self.fetch(ask, &mut memory).await?;
        Ok(memory.bytes)
    }

    async fn in_time(&self, ask: &Ask<'_>, sink: &mut dyn Sink) -> Result<(), Failed> {
        match tokio::time::timeout(DEADLINE, self.once(ask, sink)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failed {
                error: RemoteError::Slow {
                    name: shown(&ask.url),
                    seconds: DEADLINE.as_secs(),
                },
                again: Again::No,
            }),
        }
    }

    async fn once(&self, ask: &Ask<'_>, sink: &mut dyn Sink) -> Result<(), Failed> {
        let name = shown(&ask.url);
        let keep = |source| Failed {
            error: RemoteError::Keep {
                name: shown(&ask.url),
                source,
            },
            again: Again::No,
        };
        let too_long = |limit| Failed {
            error: RemoteError::TooLong {
                name: shown(&ask.url),
                limit,
            },
            again: Again::No,
        };
        let request = match &ask.form {
            None => self.client.get(ask.url.clone()),
            Some(form) => self
                .posting
                .post(ask.url.clone())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.clone()),
        };
        let request = match ask.authorization {
            None => request,
            Some(Authorization::Bearer(token)) => request.bearer_auth(token),
            Some(Authorization::Basic(username, password)) => {
                request.basic_auth(username, Some(password))
            }
        };
        let broken = |error| failed(&name, error);
        let mut request = request.header(ACCEPT, ask.accept);
        let kept = sink.kept().filter(|kept| kept.length > 0);
        if let Some(kept) = &kept {
            request = request.header(RANGE, format!("bytes={}-", kept.length));
            if let Some(version) = &kept.version {
                request = request.header(IF_RANGE, version);
            }
        }
        let mut response = request.send().await.map_err(broken)?;
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
        if response
            .content_length()
            .is_some_and(|rest| length.saturating_add(rest) > limit)
        {
            return Err(too_long(limit));
        }
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            length = length.saturating_add(chunk.len() as u64);
            if length > limit {
                return Err(too_long(limit));
            }
            if !sink.take(&chunk).map_err(keep)? {
                break;
            }
        }
        Ok(())
    }
}

/// A connection that failed or broke off.
fn failed(name: &str, source: reqwest::Error) -> Failed {
    let again = if source.is_builder() || source.is_redirect() {
        Again::No
    } else if source.is_connect() {
        Again::Up(CONNECT_ATTEMPTS)
    } else {
        Again::Up(ATTEMPTS)
    };
    Failed {
        error: RemoteError::Request {
            name: name.to_owned(),
            source: source.without_url(),
        },
        again,
    }
}

/// An answer that is not the one asked for.
fn answered(name: &str, response: &Response) -> Failed {
    let status = response.status().as_u16();
    let name = name.to_owned();
    let again = match (status, retry_after(response.headers())) {
        (408 | 425 | 429 | 500 | 502..=504, Some(wait)) if wait > LONGEST_PAUSE => {
            return Failed {
                error: RemoteError::Busy {
                    name,
                    status,
                    seconds: wait.as_secs(),
                },
                again: Again::No,
            };
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
        error: RemoteError::Status {
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

/// The first byte of `Content-Range: bytes 10-19/20`.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = text(headers, &CONTENT_RANGE)?.strip_prefix("bytes ")?;
    range.split_once('-')?.0.parse().ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
