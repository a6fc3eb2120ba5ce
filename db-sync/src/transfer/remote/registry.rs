//! Reads manifests and blobs of one repository, and logs in when the registry
//! asks for it.

use super::RemoteError;
use super::auth::{Challenge, answer};
use super::credentials::Login;
use super::http::{Ask, Authorization, Http, Memory, Sink};
use super::source::{base, shown};
use oci_client::Reference;
use reqwest::Url;

/// One repository, for one pull.
pub(crate) struct Registry<'a> {
    http: &'a Http,
    reference: &'a Reference,
    login: &'a Login,
    base: Url,
    authorization: Option<Authorization>,
}

impl<'a> Registry<'a> {
    pub(crate) fn new(
        http: &'a Http,
        reference: &'a Reference,
        login: &'a Login,
    ) -> Result<Self, RemoteError> {
        Ok(Self {
            http,
            reference,
            login,
            base: base(reference, http.insecure)?,
            authorization: None,
        })
    }

    /// The manifest that a tag or digest names.
    pub(crate) async fn manifest(
        &mut self,
        wanted: &str,
        limit: u64,
    ) -> Result<Vec<u8>, RemoteError> {
        let url = self.address("manifests", wanted)?;
        let mut memory = Memory::new(limit);
        let accept = oci_client::manifest::OCI_IMAGE_MEDIA_TYPE;
        self.get(url, accept, &mut memory).await?;
        Ok(memory.bytes)
    }

    /// A blob; the caller compares its digest.
    pub(crate) async fn blob(
        &mut self,
        digest: &str,
        sink: &mut dyn Sink,
    ) -> Result<(), RemoteError> {
        let url = self.address("blobs", digest)?;
        self.get(url, "*/*", sink).await
    }

    /// Logs in for a scope before anything is asked; for pushes.
    pub(crate) async fn login(
        &mut self,
        actions: &str,
    ) -> Result<Option<Authorization>, RemoteError> {
        let url = self.join("v2/")?;
        let mut memory = Memory::new(super::artifact::MAX_MANIFEST);
        let question = ask(url, "*/*", None);
        match self.http.fetch(&question, &mut memory).await {
            Ok(()) => {}
            Err(RemoteError::Status {
                status: 401,
                challenges,
                name,
            }) => {
                let found = self.answer(&challenges, actions, &name).await?;
                self.authorization = Some(found);
            }
            Err(error) => return Err(error),
        }
        Ok(self.authorization.clone())
    }

    async fn get(
        &mut self,
        url: Url,
        accept: &'static str,
        sink: &mut dyn Sink,
    ) -> Result<(), RemoteError> {
        let first = {
            let question = ask(url.clone(), accept, self.authorization.as_ref());
            self.http.fetch(&question, sink).await
        };
        match first {
            Err(RemoteError::Status {
                status: 401,
                challenges,
                name,
            }) if self.authorization.is_none() => {
                let found = self.answer(&challenges, "pull", &name).await?;
                self.authorization = Some(found);
                let question = ask(url, accept, self.authorization.as_ref());
                self.http.fetch(&question, sink).await
            }
            other => other,
        }
    }

    async fn answer(
        &self,
        challenges: &[String],
        actions: &str,
        name: &str,
    ) -> Result<Authorization, RemoteError> {
        let registry = self.reference.resolve_registry();
        let challenge = Challenge::choose(challenges).ok_or_else(|| RemoteError::Auth {
            name: name.to_owned(),
            cause: "it asks for a login that is neither Basic nor Bearer".to_owned(),
        })?;
        let credential = self.login.credential(registry)?;
        let scope = format!("repository:{}:{actions}", self.reference.repository());
        answer(self.http, registry, &challenge, credential.as_ref(), &scope).await
    }

    fn address(&self, kind: &str, wanted: &str) -> Result<Url, RemoteError> {
        let repository = self.reference.repository();
        self.join(&format!("v2/{repository}/{kind}/{wanted}"))
    }

    fn join(&self, path: &str) -> Result<Url, RemoteError> {
        self.base.join(path).map_err(|error| RemoteError::Source {
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
