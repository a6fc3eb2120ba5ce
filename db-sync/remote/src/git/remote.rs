//! The tip of a git repository over http(s), without its history: the smart
//! protocol's version 2 (gitprotocol-v2(5)), `ls-refs` and one shallow `fetch`.
//!
//! Own code over our own http client, which has the proxies, certificates,
//! tries and bounds of the other fetches. Takes one pack into memory, within
//! bounds; writes nothing, runs nothing. Requests go to the host that was
//! named and to no other.

use super::bounds::Bounds;
use super::object::{Format, Id, Snapshot};
use super::{pack, wire};
use crate::fetch::http::{self as transport, Client, Exchanged};
use crate::fetch::{Access, FetchError};
use std::net::IpAddr;

/// Redirects from the address that was given.
const MAX_REDIRECTS: usize = 5;
/// What is asked for first (gitprotocol-http(5)).
const DISCOVERY: &str = "/info/refs?service=git-upload-pack";

/// A repository that answered.
pub struct Remote<'a> {
    client: Client,
    bounds: &'a Bounds,
    /// Without the path of a service.
    base: String,
    format: Format,
}

/// The commit that `HEAD` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    id: Id,
}

impl Tip {
    /// Its id in hexadecimal digits.
    pub fn hex(&self) -> String {
        hex::encode(&self.id)
    }
}

/// The http address of a repository, or `None` where the text names none:
/// `git+https://…`, `git+http://…` on this machine, or `https://….git`.
pub fn address(text: &str) -> Option<String> {
    let marked = text.strip_prefix("git+");
    let url = marked.unwrap_or(text).trim_end_matches('/');
    let is_repository = url.strip_suffix(".git").is_some();
    (marked.is_some() || (crate::fetch::is_url(text) && is_repository)).then(|| url.to_owned())
}

/// Whether an address may be used: unencrypted only on this machine.
pub(super) fn is_allowed(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else {
        return url.starts_with("https://");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    let host = host.unwrap_or_default();
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

/// `scheme://host:port`.
fn origin(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let path = rest.find('/').unwrap_or(rest.len());
    let end = url.len().checked_sub(rest.len())?.checked_add(path)?;
    url.get(..end)
}

impl<'a> Remote<'a> {
    /// Asks a repository what it speaks.
    pub fn open(url: &str, access: &Access, bounds: &'a Bounds) -> Result<Self, FetchError> {
        if !is_allowed(url) {
            return Err(FetchError::Server {
                url: url.to_owned(),
                cause: "git is spoken over https only, and over http on this machine; of a \
                        repository on this disk, give the work tree's folder"
                    .to_owned(),
            });
        }
        let client = Client::new(url, access)?;
        let mut base = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let asked = format!("{base}{DISCOVERY}");
            let headers = [("Git-Protocol", "version=2"), ("User-Agent", wire::AGENT)];
            let answer = client.exchange(&asked, &headers, None, bounds.time, &|body| {
                wire::capabilities(body, bounds)
            })?;
            match answer {
                Exchanged::Answer(format) => {
                    return Ok(Self {
                        client,
                        bounds,
                        base,
                        format,
                    });
                }
                Exchanged::Redirect(to) => {
                    base = redirected(&base, &to).ok_or_else(|| FetchError::Server {
                        url: asked,
                        cause: format!(
                            "the server redirects to {:?}, which is another place",
                            crate::printable(&to)
                        ),
                    })?;
                }
            }
        }
        Err(FetchError::Server {
            url: url.to_owned(),
            cause: "too many redirects".to_owned(),
        })
    }

    /// The commit that `HEAD` names.
    pub fn tip(&self) -> Result<Tip, FetchError> {
        let request = wire::list_request(self.format);
        let format = self.format;
        self.ask(&request, &|body| wire::head(body, format, self.bounds))
            .map(|id| Tip { id })
    }

    /// All objects of the tip's tree, every one by its computed id.
    pub fn snapshot(&self, tip: &Tip) -> Result<Snapshot, FetchError> {
        let request = wire::fetch_request(self.format, &tip.hex());
        let pack = self.ask(&request, &|body| wire::pack(body, self.bounds))?;
        let read = pack::read(&pack, self.format, tip.id.clone(), self.bounds);
        read.map_err(|fault| transport::fault(&self.base, fault))
    }

    fn ask<T>(&self, request: &[u8], take: transport::Take<'_, T>) -> Result<T, FetchError> {
        let url = format!("{}/git-upload-pack", self.base);
        let headers = [
            ("Git-Protocol", "version=2"),
            ("User-Agent", wire::AGENT),
            ("Content-Type", "application/x-git-upload-pack-request"),
            ("Accept", "application/x-git-upload-pack-result"),
        ];
        let time = self.bounds.time;
        match self
            .client
            .exchange(&url, &headers, Some(request), time, take)?
        {
            Exchanged::Answer(answer) => Ok(answer),
            Exchanged::Redirect(_) => Err(FetchError::Server {
                url,
                cause: "the server redirects a request that must not be repeated".to_owned(),
            }),
        }
    }
}

/// The repository's address after a redirect within one host.
pub(super) fn redirected(base: &str, to: &str) -> Option<String> {
    let own = origin(base)?;
    let absolute = if to.starts_with('/') && !to.starts_with("//") {
        format!("{own}{to}")
    } else {
        to.to_owned()
    };
    let is_own = origin(&absolute)?.eq_ignore_ascii_case(own);
    let base = absolute.strip_suffix(DISCOVERY)?;
    is_own.then(|| base.to_owned())
}
