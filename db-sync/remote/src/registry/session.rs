//! One repository of a registry, as one user: its addresses, and the login that all requests and
//! threads share. A login is made when the registry asks for it, and renewed when a token has
//! run out.

use super::RegistryError;
use super::address::{base, shown};
use super::auth::{Challenge, answer};
use super::credentials::Login;
use super::http::{Authorization, Failed, Http, Memory, answered, tried};
use super::reference::Reference;
use std::sync::{Mutex, MutexGuard, PoisonError};
use ureq::http::HeaderMap;
use ureq::http::header::ACCEPT;
use url::Url;

/// What reading needs.
pub(crate) const PULL: &str = "pull";
/// How often a request is repeated because another thread logged in meanwhile.
const MAX_ROUNDS: u32 = 4;

pub(crate) struct Session {
    pub(crate) http: Http,
    pub(crate) reference: Reference,
    pub(crate) base: Url,
    login: Login,
    authorization: Mutex<Option<Authorization>>,
}

/// A short answer.
pub(crate) struct Short {
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Session {
    /// Asks nothing yet.
    pub(crate) fn new(
        http: &Http,
        reference: &Reference,
        login: &Login,
    ) -> Result<Self, RegistryError> {
        Ok(Self {
            base: base(reference, &http.plain)?,
            http: http.clone(),
            reference: reference.clone(),
            login: login.clone(),
            authorization: Mutex::new(None),
        })
    }

    /// Such as `/v2/team/app/manifests/latest`.
    pub(crate) fn address(&self, kind: &str, wanted: &str) -> Result<Url, RegistryError> {
        let repository = self.reference.repository();
        self.join(&format!("v2/{repository}/{kind}/{wanted}"))
    }

    pub(crate) fn join(&self, path: &str) -> Result<Url, RegistryError> {
        self.base.join(path).map_err(|error| RegistryError::Source {
            text: shown(&self.base),
            cause: error.to_string(),
        })
    }

    /// Attempts something with the login of the moment. Where the registry wants another one, logs
    /// in and attempts it once more.
    pub(crate) fn authorized<T>(
        &self,
        actions: &str,
        mut once: impl FnMut(Option<&Authorization>) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let mut may_login = true;
        let mut round = 0_u32;
        loop {
            let used = self.current().clone();
            let failed = match once(used.as_ref()) {
                Ok(done) => return Ok(done),
                Err(failed) => failed,
            };
            let RegistryError::Status {
                status: 401,
                challenges,
                name,
            } = &failed.error
            else {
                return Err(failed);
            };
            round = round.saturating_add(1);
            // Held while the token server is asked: who waits here finds the new token.
            let mut current = self.current();
            if *current != used && round < MAX_ROUNDS {
                continue;
            }
            if !may_login || challenges.is_empty() {
                return Err(failed);
            }
            may_login = false;
            *current = Some(self.answer(challenges, actions, name)?);
        }
    }

    /// A short answer, whose headers count too.
    pub(crate) fn short(
        &self,
        url: &Url,
        accept: &'static str,
        limit: u64,
    ) -> Result<Short, RegistryError> {
        let name = shown(url);
        tried(self.http.pace, || {
            self.authorized(PULL, |authorization| {
                let question = self.http.get(url.clone()).header(ACCEPT.as_str(), accept);
                let mut answer = self.http.send(question, authorization)?;
                if answer.status().as_u16() != 200 {
                    return Err(answered(&name, &answer));
                }
                let mut memory = Memory::new(limit);
                self.http.pour(&mut answer, &name, 0, &mut memory)?;
                Ok(Short {
                    headers: answer.into_parts().0.headers,
                    bytes: memory.bytes,
                })
            })
        })
    }

    fn current(&self) -> MutexGuard<'_, Option<Authorization>> {
        self.authorization
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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
        let repository = self.reference.repository();
        let credential = self.login.credential_for(registry, repository)?;
        let scope = format!("repository:{repository}:{actions}");
        let credential = credential.as_ref();
        answer(&self.http, registry, &challenge, credential, &scope)
    }
}
