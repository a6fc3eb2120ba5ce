//! An artifact in a registry: its manifest and blobs, read into sinks that may hold a part of
//! them already, and written.

use super::RegistryError;
use super::address::shown;
use super::credentials::Login;
use super::http::{Ask, Authorization, Failed, Http, Memory, Sink, answered, tried};
use super::reference::Reference;
use super::refusal::words;
use super::session::{PULL, Session};
use crate::http::{Answer, is_downgrade, text};
use std::io::Read as _;
use ureq::http::Method;
use ureq::http::header::{CONTENT_TYPE, LOCATION};
use url::Url;

/// The longest manifest that is read, in bytes.
pub const MAX_MANIFEST: u64 = 1 << 20;
/// The type of an image manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// How much of a refusal is read.
const MAX_REFUSAL: u64 = 64 << 10;
/// What a push may do.
const PUSH: &str = "pull,push";

/// One repository, for one pull or push.
pub struct Registry {
    session: Session,
}

impl Registry {
    /// Asks nothing yet.
    pub fn new(http: &Http, reference: &Reference, login: &Login) -> Result<Self, RegistryError> {
        Ok(Self {
            session: Session::new(http, reference, login)?,
        })
    }

    /// The manifest that a tag or digest names.
    pub fn manifest(&mut self, wanted: &str, limit: u64) -> Result<Vec<u8>, RegistryError> {
        let url = self.session.address("manifests", wanted)?;
        let mut memory = Memory::new(limit);
        self.get(&url, MANIFEST_TYPE, PULL, &mut memory)?;
        Ok(memory.bytes)
    }

    /// A blob; the caller compares its digest.
    pub fn blob(&mut self, digest: &str, sink: &mut dyn Sink) -> Result<(), RegistryError> {
        let url = self.session.address("blobs", digest)?;
        self.get(&url, "*/*", PULL, sink)
    }

    /// Logs in before anything is written.
    pub fn login(&mut self) -> Result<(), RegistryError> {
        let url = self.session.join("v2/")?;
        self.get(&url, "*/*", PUSH, &mut Memory::new(MAX_MANIFEST))
    }

    /// Puts a blob there, unless it is there already.
    pub fn put_blob(&mut self, digest: &str, bytes: &[u8]) -> Result<(), RegistryError> {
        let Session { http, base, .. } = &self.session;
        self.written(|authorization| {
            let known = http.head(self.session.address("blobs", digest)?);
            let known = http.send(known, authorization)?;
            if known.status().as_u16() == 200 {
                return Ok(());
            }
            let url = self.session.address("blobs", "uploads/")?;
            let begin = http.with_body(Method::POST, url, &[]);
            let begun = http.send(begin, authorization)?;
            if begun.status().as_u16() != 202 {
                return Err(self.refusal(begun));
            }
            let mut place = text(begun.headers(), &LOCATION)
                .and_then(|to| base.join(to).ok())
                .filter(|place| !is_downgrade(base, place))
                .ok_or_else(|| self.unusable("it names no place to upload to"))?;
            http.plain.may_speak(&place)?;
            place.query_pairs_mut().append_pair("digest", digest);
            // A place elsewhere is allowed to take it by its address alone.
            let authorization = authorization.filter(|_| place.origin() == base.origin());
            let put = http
                .with_body(Method::PUT, place, bytes)
                .header(CONTENT_TYPE.as_str(), "application/octet-stream");
            self.stored(http.send(put, authorization)?)
        })
    }

    /// Puts a manifest there, under a tag.
    pub fn put_manifest(&mut self, tag: &str, bytes: &[u8]) -> Result<(), RegistryError> {
        self.written(|authorization| {
            let url = self.session.address("manifests", tag)?;
            let put = self
                .session
                .http
                .with_body(Method::PUT, url, bytes)
                .header(CONTENT_TYPE.as_str(), MANIFEST_TYPE);
            self.stored(self.session.http.send(put, authorization)?)
        })
    }

    /// Attempts to write; logs in once more where the registry asks for it
    /// meanwhile, as it does when a token has run out.
    fn written(
        &self,
        once: impl Fn(Option<&Authorization>) -> Result<(), Failed>,
    ) -> Result<(), RegistryError> {
        let pace = self.session.http.pace;
        tried(pace, || self.session.authorized(PUSH, &once))
    }

    fn stored(&self, answer: Answer) -> Result<(), Failed> {
        match answer.status().as_u16() {
            200 | 201 | 204 => Ok(()),
            _ => Err(self.refusal(answer)),
        }
    }

    fn unusable(&self, cause: &str) -> RegistryError {
        RegistryError::Push {
            name: self.session.reference.to_string(),
            cause: format!("the registry's answer cannot be used: {cause}"),
        }
    }

    /// What the registry says where it does not do what it was asked for.
    fn refusal(&self, mut answer: Answer) -> Failed {
        let status = answer.status().as_u16();
        let failed = answered(&shown(&self.session.base), &answer);
        if status == 401 || failed.may_pass() {
            return failed;
        }
        let mut bytes = Vec::new();
        let body = answer.body_mut().as_reader();
        // What cannot be read says nothing more than the status.
        let _ = body.take(MAX_REFUSAL).read_to_end(&mut bytes);
        RegistryError::Push {
            name: self.session.reference.to_string(),
            cause: format!("the registry answered {status}{}", words(&bytes)),
        }
        .into()
    }

    fn get(
        &self,
        url: &Url,
        accept: &'static str,
        actions: &str,
        sink: &mut dyn Sink,
    ) -> Result<(), RegistryError> {
        let once = |authorization: Option<&Authorization>| {
            let ask = Ask::get(url.clone(), accept, authorization);
            Ok(self.session.http.fetch(&ask, sink)?)
        };
        let read = self.session.authorized(actions, once);
        read.map_err(|failed| failed.error)
    }
}
