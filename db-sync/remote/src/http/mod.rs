//! The only http client of this program: mirrors, git, registries and static
//! servers are all asked through it. One request at a time per call, blocking,
//! with bounds on its time and its redirects. Nobody is led away from https.
//! Tries, limits on answers and logins belong to the callers.

mod certificates;
mod proxy;
mod unanswered;

pub(crate) use certificates::CertificateError;
pub(crate) use unanswered::Unanswered;

use proxy::Proxies;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use ureq::http::{HeaderMap, Method, Request, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody};
use url::Url;

/// An answer, whose body is still to be read.
pub(crate) type Answer = ureq::http::Response<ureq::Body>;

/// The name we give ourselves.
const AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"));
/// Redirects of one request.
const MAX_REDIRECTS: usize = 5;

/// How a client behaves.
pub(crate) struct Options<'a> {
    /// PEM file with the only certificate authorities to trust.
    pub(crate) ca_file: Option<&'a Path>,
    /// Whether anything but https is refused.
    pub(crate) https_only: bool,
    /// How long a connection may take to stand.
    pub(crate) connect: Duration,
    /// How long a server may send nothing.
    pub(crate) silence: Duration,
    /// Connections that are kept for later requests.
    pub(crate) idle: usize,
    /// Where a redirect may lead to, besides never from https to http.
    pub(crate) may_lead: fn(&Url) -> bool,
}

/// Asks servers.
pub(crate) struct Client {
    agent: Agent,
    proxies: Proxies,
    may_lead: fn(&Url) -> bool,
}

/// One request.
pub(crate) struct Question<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(&'a str, String)>,
    /// The value of `Authorization`. It goes to the origin of `url` only.
    pub(crate) authorization: Option<String>,
    pub(crate) body: Option<&'a [u8]>,
    /// The whole time, with redirects and the body of the answer.
    pub(crate) time: Duration,
    /// Whether redirects are followed. One that is not is an answer.
    pub(crate) follow: bool,
}

impl<'a> Question<'a> {
    /// A `GET` that follows redirects.
    pub(crate) fn get(url: Url, time: Duration) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: Vec::new(),
            authorization: None,
            body: None,
            time,
            follow: true,
        }
    }

    /// A request with a body.
    pub(crate) fn with_body(method: Method, url: Url, body: &'a [u8], time: Duration) -> Self {
        Self {
            method,
            body: Some(body),
            ..Self::get(url, time)
        }
    }

    pub(crate) fn header(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Whether an answer sends this request elsewhere, as it is: what has a
    /// body must not become a `GET` on the way.
    fn is_redirect(&self, status: u16) -> bool {
        match status {
            301..=303 => self.body.is_none(),
            307 | 308 => true,
            _ => false,
        }
    }
}

impl Client {
    pub(crate) fn new(options: &Options<'_>) -> Result<Self, CertificateError> {
        let roots = match options.ca_file {
            Some(path) => RootCerts::Specific(Arc::new(certificates::read(path)?)),
            None => RootCerts::PlatformVerifier,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .https_only(options.https_only)
            // Followed here, by our own rules.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_connect(Some(options.connect))
            .timeout_recv_response(Some(options.silence))
            .timeout_per_read(Some(options.silence))
            .max_idle_connections_per_host(options.idle)
            .user_agent(AGENT)
            .build()
            .new_agent();
        Ok(Self {
            agent,
            proxies: Proxies::from_env(),
            may_lead: options.may_lead,
        })
    }

    /// Sends a request, and returns the head of the answer to it.
    pub(crate) fn send(&self, question: &Question<'_>) -> Result<Answer, Unanswered> {
        let start = Instant::now();
        let mut url = question.url.clone();
        let mut authorization = question.authorization.as_deref();
        for _ in 0..=MAX_REDIRECTS {
            let left = question.time.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(Unanswered::Slow);
            }
            let answer = self.once(question, &url, authorization, left)?;
            let is_redirect = question.follow && question.is_redirect(answer.status().as_u16());
            let Some(to) = text(answer.headers(), &header::LOCATION).filter(|_| is_redirect) else {
                return Ok(answer);
            };
            let next = url
                .join(to)
                .map_err(|_| Unanswered::hopeless("redirected to what is not an address"))?;
            if is_downgrade(&url, &next) || !(self.may_lead)(&next) {
                return Err(Unanswered::hopeless("redirected to plain http"));
            }
            if next.origin() != url.origin() {
                authorization = None;
            }
            url = next;
        }
        Err(Unanswered::hopeless("too many redirects"))
    }

    fn once(
        &self,
        question: &Question<'_>,
        url: &Url,
        authorization: Option<&str>,
        time: Duration,
    ) -> Result<Answer, Unanswered> {
        match question.body {
            Some(body) => self.ask(question, url, authorization, time, body),
            None => self.ask(question, url, authorization, time, ()),
        }
    }

    fn ask(
        &self,
        question: &Question<'_>,
        url: &Url,
        authorization: Option<&str>,
        time: Duration,
        body: impl AsSendBody,
    ) -> Result<Answer, Unanswered> {
        let mut request = Request::builder()
            .method(question.method.clone())
            .uri(url.as_str());
        for (name, value) in &question.headers {
            request = request.header(*name, value);
        }
        if let Some(value) = authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request.body(body).map_err(ureq::Error::from)?;
        let proxy = self.proxies.of(url)?;
        let config = self.agent.configure_request(request);
        let request = config.timeout_global(Some(time)).proxy(proxy).build();
        Ok(self.agent.run(request)?)
    }
}

/// Whether a step from one address to another gives up encryption.
pub(crate) fn is_downgrade(from: &Url, to: &Url) -> bool {
    from.scheme() == "https" && to.scheme() != "https"
}

/// The value of a header, where it is text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The first byte of `Content-Range: bytes 10-19/20`.
pub(crate) fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = text(headers, &header::CONTENT_RANGE)?.strip_prefix("bytes ")?;
    range.split_once('-')?.0.parse().ok()
}
