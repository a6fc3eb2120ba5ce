//! Reads manifests and blobs of one repository and writes them, and logs in
//! when the registry asks for it.

use super::RegistryError;
use super::address::{base, shown};
use super::auth::{Challenge, answer};
use super::credentials::Login;
use super::http::{
    Ask, Authorization, Failed, Http, Memory, Sink, answered, head, tried, with_body,
};
use super::reference::Reference;
use crate::http::{Answer, is_downgrade, text};
use serde::Deserialize;
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
/// How much of it is repeated.
const MAX_WORDS: usize = 300;
/// What a push may do.
const PUSH: &str = "pull,push";

/// One repository, for one pull or push.
pub struct Registry<'a> {
    http: &'a Http,
    reference: &'a Reference,
    login: &'a Login,
    base: Url,
    authorization: Option<Authorization>,
}

impl<'a> Registry<'a> {
    /// Asks nothing yet.
    pub fn new(
        http: &'a Http,
        reference: &'a Reference,
        login: &'a Login,
    ) -> Result<Self, RegistryError> {
        Ok(Self {
            http,
            reference,
            login,
            base: base(reference, &http.plain)?,
            authorization: None,
        })
    }

    /// The manifest that a tag or digest names.
    pub fn manifest(&mut self, wanted: &str, limit: u64) -> Result<Vec<u8>, RegistryError> {
        let url = self.address("manifests", wanted)?;
        let mut memory = Memory::new(limit);
        self.get(url, MANIFEST_TYPE, &mut memory)?;
        Ok(memory.bytes)
    }

    /// A blob; the caller compares its digest.
    pub fn blob(&mut self, digest: &str, sink: &mut dyn Sink) -> Result<(), RegistryError> {
        let url = self.address("blobs", digest)?;
        self.get(url, "*/*", sink)
    }

    /// Logs in before anything is written.
    pub fn login(&mut self) -> Result<(), RegistryError> {
        let url = self.join("v2/")?;
        let mut memory = Memory::new(MAX_MANIFEST);
        let question = ask(url, "*/*", None);
        match self.http.fetch(&question, &mut memory) {
            Ok(()) => {}
            Err(RegistryError::Status {
                status: 401,
                challenges,
                name,
            }) => {
                let found = self.answer(&challenges, PUSH, &name)?;
                self.authorization = Some(found);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Puts a blob there, unless it is there already.
    pub fn put_blob(&mut self, digest: &str, bytes: &[u8]) -> Result<(), RegistryError> {
        self.written(|this| {
            let known = head(this.address("blobs", digest)?);
            let known = this.http.send(known, this.authorization.as_ref())?;
            if known.status().as_u16() == 200 {
                return Ok(());
            }
            let url = this.address("blobs", "uploads/")?;
            let begin = with_body(Method::POST, url, &[]);
            let begun = this.http.send(begin, this.authorization.as_ref())?;
            if begun.status().as_u16() != 202 {
                return Err(this.refusal(begun));
            }
            let mut place = text(begun.headers(), &LOCATION)
                .and_then(|to| this.base.join(to).ok())
                .filter(|place| !is_downgrade(&this.base, place))
                .ok_or_else(|| this.unusable("it names no place to upload to"))?;
            this.http.plain.may_speak(&place)?;
            place.query_pairs_mut().append_pair("digest", digest);
            // A place elsewhere is allowed to take it by its address alone.
            let authorization = this.authorization.as_ref();
            let authorization = authorization.filter(|_| place.origin() == this.base.origin());
            let put = with_body(Method::PUT, place, bytes)
                .header(CONTENT_TYPE.as_str(), "application/octet-stream");
            this.stored(this.http.send(put, authorization)?)
        })
    }

    /// Puts a manifest there, under a tag.
    pub fn put_manifest(&mut self, tag: &str, bytes: &[u8]) -> Result<(), RegistryError> {
        self.written(|this| {
            let url = this.address("manifests", tag)?;
            let put =
                with_body(Method::PUT, url, bytes).header(CONTENT_TYPE.as_str(), MANIFEST_TYPE);
            this.stored(this.http.send(put, this.authorization.as_ref())?)
        })
    }

    /// Attempts to write; logs in once more where the registry asks for it
    /// meanwhile, as it does when a token has run out.
    fn written(&mut self, once: impl Fn(&Self) -> Result<(), Failed>) -> Result<(), RegistryError> {
        match tried(self.http.pace, || once(self)) {
            Err(RegistryError::Status {
                status: 401,
                challenges,
                name,
            }) => {
                let found = self.answer(&challenges, PUSH, &name)?;
                self.authorization = Some(found);
                tried(self.http.pace, || once(self))
            }
            other => other,
        }
    }

    fn stored(&self, answer: Answer) -> Result<(), Failed> {
        match answer.status().as_u16() {
            200 | 201 | 204 => Ok(()),
            _ => Err(self.refusal(answer)),
        }
    }

    fn unusable(&self, cause: &str) -> RegistryError {
        RegistryError::Push {
            name: self.reference.to_string(),
            cause: format!("the registry's answer cannot be used: {cause}"),
        }
    }

    /// What the registry says where it does not do what it was asked for.
    fn refusal(&self, mut answer: Answer) -> Failed {
        let status = answer.status().as_u16();
        let failed = answered(&shown(&self.base), &answer);
        if status == 401 || failed.may_pass() {
            return failed;
        }
        let mut bytes = Vec::new();
        let body = answer.body_mut().as_reader();
        // What cannot be read says nothing more than the status.
        let _ = body.take(MAX_REFUSAL).read_to_end(&mut bytes);
        RegistryError::Push {
            name: self.reference.to_string(),
            cause: format!("the registry answered {status}{}", words(&bytes)),
        }
        .into()
    }

    fn get(
        &mut self,
        url: Url,
        accept: &'static str,
        sink: &mut dyn Sink,
    ) -> Result<(), RegistryError> {
        let first = {
            let question = ask(url.clone(), accept, self.authorization.as_ref());
            self.http.fetch(&question, sink)
        };
        match first {
            Err(RegistryError::Status {
                status: 401,
                challenges,
                name,
            }) if self.authorization.is_none() => {
                let found = self.answer(&challenges, "pull", &name)?;
                self.authorization = Some(found);
                let question = ask(url, accept, self.authorization.as_ref());
                self.http.fetch(&question, sink)
            }
            other => other,
        }
    }

    fn answer(
        &self,
        challenges: &[String],
        actions: &str,
        name: &str,
    ) -> Result<Authorization, RegistryError> {
        let registry = self.reference.host();
        let challenge = Challenge::choose(challenges).ok_or_else(|| RegistryError::Auth {
            name: name.to_owned(),
            cause: "it asks for a login that is neither Basic nor Bearer".to_owned(),
        })?;
        let credential = self.login.credential(registry)?;
        let scope = format!("repository:{}:{actions}", self.reference.repository());
        answer(self.http, registry, &challenge, credential.as_ref(), &scope)
    }

    fn address(&self, kind: &str, wanted: &str) -> Result<Url, RegistryError> {
        let repository = self.reference.repository();
        self.join(&format!("v2/{repository}/{kind}/{wanted}"))
    }

    fn join(&self, path: &str) -> Result<Url, RegistryError> {
        self.base.join(path).map_err(|error| RegistryError::Source {
            text: shown(&self.base),
            cause: error.to_string(),
        })
    }
}

/// A GET.
fn ask<'a>(url: Url, accept: &'static str, authorization: Option<&'a Authorization>) -> Ask<'a> {
    Ask {
        url,
        accept,
        authorization,
        form: None,
    }
}

/// An error as registries describe it (distribution specification, "Error codes").
#[derive(Deserialize)]
struct Refusal {
    errors: Vec<RefusalEntry>,
}

#[derive(Deserialize)]
struct RefusalEntry {
    code: String,
    message: Option<String>,
}

/// The first error that a registry names, fit for a terminal.
fn words(body: &[u8]) -> String {
    let Some(first) = serde_json::from_slice(body)
        .ok()
        .and_then(|refusal: Refusal| refusal.errors.into_iter().next())
    else {
        return String::new();
    };
    let text = match first.message.filter(|message| !message.is_empty()) {
        Some(message) => format!(": {} ({message})", first.code),
        None => format!(": {}", first.code),
    };
    let short: String = text.chars().take(MAX_WORDS).collect();
    crate::printable(&short)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_refusal_is_repeated_in_few_words() {
        let body = br#"{"errors":[{"code":"DENIED","message":"no \u001b[2J push","detail":[1]},{"code":"X"}]}"#;
        let text = words(body);
        assert!(text.starts_with(": DENIED (no "), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        for none in ["", "odd", "[]", "{\"errors\":[]}", "{\"errors\":[{}]}"] {
            assert_eq!(words(none.as_bytes()), "");
        }
        let long = format!("{{\"errors\":[{{\"code\":\"{}\"}}]}}", "a".repeat(5000));
        assert!(words(long.as_bytes()).len() < 400);
    }
}
