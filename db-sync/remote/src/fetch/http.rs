//! One mirror over HTTP. Every request has bounds on time, size, redirects and
//! tries; proxies come from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
//! `NO_PROXY`. A body that is cut off is continued where it ended, if the
//! server's strong `ETag` says that it is still the same file.

use super::beside::beside;
use super::{Access, FetchError, Saved, Tag, failed, keep, read_tag, saved_tag, write_tag};
use crate::fault::Fault;
use crate::http::{Answer, Options, Question, Unanswered, range_start, text};
use crate::retry;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use ureq::http::{Method, header};
use url::Url;

/// The whole time of one request, for a single record and for an archive.
const RECORD_TIME: Duration = Duration::from_secs(120);
const ARCHIVE_TIME: Duration = Duration::from_secs(3600);

pub(crate) struct Client {
    http: crate::http::Client,
    base: String,
    access: Access,
    /// Milliseconds waited so far, by all threads.
    waited: AtomicU64,
}

/// What became of an exchange.
pub(crate) enum Exchanged<T> {
    Answer(T),
    /// The server names another address; it was not followed.
    Redirect(String),
}

/// Takes an answer's body.
pub(crate) type Take<'a, T> = &'a dyn Fn(&mut dyn Read) -> Result<T, Fault>;

/// How one try ended.
enum Try<T> {
    Done(T),
    /// Another try may help, after this wait if the server said so.
    Again(String, Option<Duration>),
    Failed(FetchError),
}

impl Client {
    pub(crate) fn new(base: &str, access: &Access) -> Result<Self, FetchError> {
        let http = crate::http::Client::new(&Options {
            ca_file: access.ca_file.as_deref(),
            // Who was told to ask over TLS is not led away from it.
            https_only: base.starts_with("https://"),
            connect: access.patience,
            silence: access.patience,
            idle: access.in_flight,
            may_lead: |_| true,
        })
        .map_err(|error| FetchError::Certificates {
            path: error.path,
            cause: error.cause,
        })?;
        Ok(Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            access: access.clone(),
            waited: AtomicU64::new(0),
        })
    }

    fn url(&self, path: &[&str]) -> String {
        path.iter().fold(self.base.clone(), |mut url, part| {
            url.push('/');
            encode(part, &mut url);
            url
        })
    }

    pub(crate) fn read(
        &self,
        path: &[&str],
        limit: u64,
        beginning: bool,
    ) -> Result<Option<Vec<u8>>, FetchError> {
        let url = self.url(path);
        self.tried(&url, || self.read_once(&url, limit, beginning))
    }

    pub(crate) fn save(&self, path: &[&str], to: &Path, limit: u64) -> Result<Saved, FetchError> {
        let url = self.url(path);
        self.tried(&url, || self.save_once(&url, to, limit))
    }

    fn tried<T>(&self, url: &str, once: impl Fn() -> Try<T>) -> Result<T, FetchError> {
        let mut done = 0_u32;
        loop {
            let (cause, asked) = match once() {
                Try::Done(value) => return Ok(value),
                Try::Failed(error) => return Err(error),
                Try::Again(cause, asked) => (cause, asked),
            };
            done = done.saturating_add(1);
            let end = match retry::wait(&self.access, done, asked) {
                Some(wait) if self.may_wait(wait) => {
                    std::thread::sleep(wait);
                    continue;
                }
                Some(_) => format!(
                    "the requests of this run have waited for {} seconds",
                    self.access.total_wait.as_secs()
                ),
                None => match asked.filter(|asked| *asked > self.access.longest_wait) {
                    Some(asked) => format!("it asks to wait {} seconds", asked.as_secs()),
                    None => format!("after {done} tries"),
                },
            };
            return Err(FetchError::Server {
                url: url.to_owned(),
                cause: format!("{cause} ({end})"),
            });
        }
    }

    /// Takes a wait out of what the run may wait.
    fn may_wait(&self, wait: Duration) -> bool {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let before = self.waited.fetch_add(millis(wait), Ordering::Relaxed);
        before.saturating_add(millis(wait)) <= millis(self.access.total_wait)
    }

    /// Sends a request, with a body as `POST`, and reads the answer while it
    /// comes. Redirects are not followed.
    pub(crate) fn exchange<T>(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
        time: Duration,
        take: Take<'_, T>,
    ) -> Result<Exchanged<T>, FetchError> {
        self.tried(url, || {
            let asked = match (address(url), body) {
                (Err(error), _) => return unanswered(url, &error),
                (Ok(asked), Some(body)) => Question::with_body(Method::POST, asked, body, time),
                (Ok(asked), None) => Question::get(asked, time),
            };
            let asked = headers
                .iter()
                .fold(asked, |asked, (name, value)| asked.header(name, *value));
            let asked = Question {
                follow: false,
                ..asked
            };
            let mut response = match self.http.send(&asked) {
                Ok(response) => response,
                Err(error) => return unanswered(url, &error),
            };
            match response.status().as_u16() {
                200 => {}
                301 | 302 | 303 | 307 | 308 => {
                    let to = text(response.headers(), &header::LOCATION);
                    return Try::Done(Exchanged::Redirect(to.unwrap_or_default().to_owned()));
                }
                _ => return refused(url, &response),
            }
            match take(&mut response.body_mut().as_reader()) {
                Ok(answer) => Try::Done(Exchanged::Answer(answer)),
                Err(Fault::Cut(cause)) => Try::Again(cause, None),
                Err(other) => Try::Failed(fault(url, other)),
            }
        })
    }

    fn read_once(&self, url: &str, limit: u64, beginning: bool) -> Try<Option<Vec<u8>>> {
        let mut headers = Vec::new();
        if beginning {
            headers.push((
                header::RANGE.as_str(),
                format!("bytes=0-{}", limit.saturating_sub(1)),
            ));
        }
        let mut response = match self.send(url, headers, RECORD_TIME) {
            Ok(response) => response,
            Err(error) => return unanswered(url, &error),
        };
        match response.status().as_u16() {
            200 | 206 => {}
            404 | 410 => return Try::Done(None),
            _ => return refused(url, &response),
        }
        let expected = response.body().content_length();
        let wanted = if beginning {
            limit
        } else {
            limit.saturating_add(1)
        };
        let mut bytes = Vec::new();
        let mut body = response.body_mut().as_reader().take(wanted);
        if let Err(error) = body.read_to_end(&mut bytes) {
            return unanswered(url, &error.into());
        }
        let length = bytes.len() as u64;
        if !beginning && length > limit {
            return Try::Failed(FetchError::TooLarge {
                url: url.to_owned(),
                limit,
            });
        }
        if expected.is_some_and(|expected| length < expected.min(limit)) {
            return unanswered(url, &Unanswered::cut());
        }
        Try::Done(Some(bytes))
    }

    fn save_once(&self, url: &str, to: &Path, limit: u64) -> Try<Saved> {
        match self.save_or(url, to, limit) {
            Ok(done) => done,
            Err(error) => Try::Failed(error),
        }
    }

    fn save_or(&self, url: &str, to: &Path, limit: u64) -> Result<Try<Saved>, FetchError> {
        let (part, part_tag) = (beside(to, ".part"), beside(to, ".part-tag"));
        let mut headers = Vec::new();
        let begun = read_tag(&part_tag)
            .filter(|tag| tag.url == url)
            .and_then(|tag| tag.etag)
            .zip(fs::metadata(&part).ok().map(|data| data.len()))
            .filter(|(etag, length)| *length > 0 && !etag.starts_with("W/"));
        if let Some((etag, length)) = &begun {
            headers.push((header::RANGE.as_str(), format!("bytes={length}-")));
            headers.push((header::IF_RANGE.as_str(), etag.clone()));
        } else if let Some(tag) = saved_tag(to, url) {
            if let Some(etag) = tag.etag {
                headers.push((header::IF_NONE_MATCH.as_str(), etag));
            } else if let Some(date) = tag.last_modified {
                headers.push((header::IF_MODIFIED_SINCE.as_str(), date));
            }
        }
        let mut response = match self.send(url, headers, ARCHIVE_TIME) {
            Ok(response) => response,
            Err(error) => return Ok(unanswered(url, &error)),
        };
        let offset = match response.status().as_u16() {
            200 => 0,
            206 => match (&begun, range_start(response.headers())) {
                (Some((_, length)), Some(start)) if *length == start => *length,
                _ => return Ok(restart(&part_tag, "the server sent another range")),
            },
            304 => return Ok(Try::Done(Saved::Unchanged)),
            404 | 410 => return Ok(Try::Done(Saved::Missing)),
            416 => return Ok(restart(&part_tag, "the server has no more of the file")),
            _ => return Ok(refused(url, &response)),
        };
        let rest = response.body().content_length();
        if rest.is_some_and(|rest| offset.saturating_add(rest) > limit) {
            return Err(FetchError::TooLarge {
                url: url.to_owned(),
                limit,
            });
        }
        let tag = Tag {
            url: url.to_owned(),
            etag: text(response.headers(), &header::ETAG).map(str::to_owned),
            last_modified: text(response.headers(), &header::LAST_MODIFIED).map(str::to_owned),
            length: 0,
            crc: 0,
        };
        let mut options = OpenOptions::new();
        if offset > 0 {
            options.append(true);
        } else {
            options.write(true).create(true).truncate(true);
        }
        let mut out = options.open(&part).map_err(failed(&part))?;
        write_tag(&part_tag, &tag)?;
        let mut body = response
            .body_mut()
            .as_reader()
            .take(limit.saturating_sub(offset).saturating_add(1));
        let copied = match copy(&mut body, &mut out).map_err(failed(&part))? {
            Ok(copied) => copied,
            Err(error) => return Ok(unanswered(url, &error)),
        };
        let length = offset.saturating_add(copied);
        if length > limit {
            let _ = fs::remove_file(&part);
            return Err(FetchError::TooLarge {
                url: url.to_owned(),
                limit,
            });
        }
        if rest.is_some_and(|rest| copied != rest) {
            return Ok(unanswered(url, &Unanswered::cut()));
        }
        out.sync_all().map_err(failed(&part))?;
        keep(&part, to, &Tag { length, ..tag })?;
        let _ = fs::remove_file(&part_tag);
        Ok(Try::Done(Saved::Fresh))
    }

    fn send(
        &self,
        url: &str,
        headers: Vec<(&str, String)>,
        time: Duration,
    ) -> Result<Answer, Unanswered> {
        self.http.send(&Question {
            headers,
            ..Question::get(address(url)?, time)
        })
    }
}

fn address(url: &str) -> Result<Url, Unanswered> {
    Url::parse(url).map_err(|error| Unanswered::hopeless(&error.to_string()))
}

/// A request without an answer, or with a part of one.
fn unanswered<T>(url: &str, error: &Unanswered) -> Try<T> {
    match error {
        Unanswered::Hopeless(cause) => Try::Failed(FetchError::Server {
            url: url.to_owned(),
            cause: cause.clone(),
        }),
        other => Try::Again(other.to_string(), None),
    }
}

/// An answer that is not used.
pub(crate) fn fault(url: &str, fault: Fault) -> FetchError {
    let url = url.to_owned();
    match fault {
        Fault::Cut(cause) | Fault::Wrong(cause) => FetchError::Server { url, cause },
        Fault::TooLarge(limit) => FetchError::TooLarge { url, limit },
    }
}

/// Forgets a partial file, which the next try loads from its beginning.
fn restart<T>(part_tag: &Path, cause: &str) -> Try<T> {
    let _ = fs::remove_file(part_tag);
    Try::Again(cause.to_owned(), None)
}

/// A status that is no answer: 408, 429 and server errors may pass.
fn refused<T>(url: &str, response: &Answer) -> Try<T> {
    let status = response.status();
    let cause = format!("the server answered {status}");
    if !matches!(status.as_u16(), 408 | 425 | 429 | 500..=599) {
        return Try::Failed(FetchError::Server {
            url: url.to_owned(),
            cause,
        });
    }
    let date = text(response.headers(), &header::DATE);
    let asked = text(response.headers(), &header::RETRY_AFTER)
        .and_then(|value| retry::retry_after(value, date));
    Try::Again(cause, asked)
}

/// Copies a body; the inner error is the server's, the outer one the disk's.
fn copy(body: &mut dyn Read, out: &mut File) -> io::Result<Result<u64, Unanswered>> {
    let mut buffer = vec![0; 128 << 10];
    let mut copied = 0_u64;
    loop {
        let read = match body.read(&mut buffer) {
            Ok(0) => return Ok(Ok(copied)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Ok(Err(error.into())),
        };
        out.write_all(buffer.get(..read).unwrap_or_default())?;
        copied = copied.saturating_add(read as u64);
    }
}

/// Percent-encodes all but unreserved characters (RFC 3986 2.3).
fn encode(part: &str, out: &mut String) {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    out.extend(utf8_percent_encode(part, ENCODED));
}

#[cfg(test)]
mod tests {
    use super::{Client, Try};
    use crate::fetch::{Access, FetchError};

    #[test]
    fn a_mirror_over_tls_cannot_lead_to_plain_http() {
        let client = Client::new("https://mirror.example", &Access::default()).expect("client");
        // As a redirect has it: refused before anything is sent, and for good.
        match client.read_once("http://127.0.0.1:9/npm/all.zip", 10, false) {
            Try::Failed(FetchError::Server { cause, .. }) => {
                assert!(cause.contains("https"), "{cause}");
            }
            _ => panic!("not refused"),
        }
    }
}
