//! Fetches an exported file from the first source that has a good one, and
//! hands it to the same door as an import. Where the database that is already
//! there has the offered root digest, nothing is downloaded.

use super::artifact::offer;
use super::partial::Download;
use super::source::Source;
use super::{Refused, RemoteError};
use crate::query::Db;
use crate::store::place::{LOCK_WAIT, Place};
use crate::transfer::head::{MAX_DATABASE, digest_text};
use crate::transfer::install::{Incoming, Installed, install};
use crate::transfer::signature::{MAX_SIGNATURE, Seal};
use crate::transfer::{TransferError, VerifyKey};
use remote::registry::{
    Ask, Challenge, Http, Login, MAX_MANIFEST, Memory, Reference, Registry, RegistryError, Sink,
    answer, shown,
};
use sha2::{Digest, Sha256};
use std::path::Path;
use url::Url;

/// What to pull, where to, and how.
#[derive(Clone, Copy, Debug)]
pub struct PullRequest<'a> {
    /// References or http(s) addresses, tried in order.
    pub sources: &'a [String],
    /// Where the database goes.
    pub database: &'a Path,
    /// With a key, a database without its signature is refused.
    pub key: Option<&'a VerifyKey>,
    /// How to log in to the first source. The others are asked with docker's
    /// credentials: a password is for one host.
    pub login: &'a Login,
    /// Whether plain http may be spoken with other machines.
    pub insecure: bool,
}

/// What a pull came to.
#[derive(Debug)]
pub struct Pulled {
    /// The source that served.
    pub source: String,
    /// The root digest of the database that is in place now.
    pub root_digest: String,
    /// What was installed; nothing where the database was already current.
    pub installed: Option<Installed>,
    /// The sources before it, and why they did not serve.
    pub refused: Vec<Refused>,
}

/// Pulls from the first source that has a good database.
pub fn pull(request: &PullRequest<'_>) -> Result<Pulled, TransferError> {
    // Who waits here for another pull finds its database, and loads nothing.
    let place = &Place::claim(request.database, LOCK_WAIT)?;
    let http = Http::new(request.insecure)?;
    let current = current(request);
    let mut refused = Vec::new();
    let others = Login::Docker(None);
    for (number, text) in request.sources.iter().enumerate() {
        let login = match request.login {
            Login::Password(..) if number > 0 => &others,
            login => login,
        };
        let attempt = Attempt {
            http: &http,
            request,
            place,
            login,
            current: current.as_deref(),
        };
        match attempt.pull(text) {
            Ok((source, root_digest, installed)) => {
                return Ok(Pulled {
                    source,
                    root_digest,
                    installed,
                    refused,
                });
            }
            // The next mirror cannot help where our own disk fails.
            Err(error @ (TransferError::Write { .. } | TransferError::Place(_))) => {
                return Err(error);
            }
            Err(error) => refused.push(Refused {
                source: crate::problem::printable(text),
                error,
            }),
        }
    }
    match (refused.len(), refused.pop()) {
        (1, Some(only)) => Err(only.error),
        (_, last) => {
            refused.extend(last);
            Err(RemoteError::All { refused }.into())
        }
    }
}

/// The root digest of a good database that is already there. A required
/// signature is over the exported file, so that it must be fetched anyway.
fn current(request: &PullRequest<'_>) -> Option<String> {
    if request.key.is_some() {
        return None;
    }
    let db = Db::open(request.database).ok()?;
    db.verify().ok()?;
    Some(db.info().root_digest.clone())
}

type Served = (String, String, Option<Installed>);

struct Attempt<'a> {
    http: &'a Http,
    request: &'a PullRequest<'a>,
    place: &'a Place,
    login: &'a Login,
    current: Option<&'a str>,
}

impl Attempt<'_> {
    fn pull(&self, text: &str) -> Result<Served, TransferError> {
        match Source::parse(text, self.request.insecure)? {
            Source::File(url) => self.ask_server(&url),
            Source::Registry(reference) => self.ask_registry(&reference),
        }
    }

    fn ask_registry(&self, reference: &Reference) -> Result<Served, TransferError> {
        let name = reference.to_string();
        let mut registry = Registry::new(self.http, reference, self.login)?;
        let wanted = reference.digest().or(reference.tag()).unwrap_or("latest");
        let manifest = registry.manifest(wanted, MAX_MANIFEST)?;
        if let Some(expected) = reference.digest() {
            same(&name, expected, &digest_text(&Sha256::digest(&manifest)))?;
        }
        let offer = offer(&manifest, &name)?;
        if let Some(current) = self.current
            && offer.root_digest.as_deref() == Some(current)
        {
            return Ok((name, current.to_owned(), None));
        }
        let signature = match (self.request.key, offer.signature) {
            (None, _) => None,
            (Some(_), None) => return Err(TransferError::Unsigned { name }),
            (Some(_), Some(layer)) => {
                let mut memory = Memory::new(layer.size.min(MAX_SIGNATURE));
                registry.blob(&layer.digest, &mut memory)?;
                same(
                    &name,
                    &layer.digest,
                    &digest_text(&Sha256::digest(&memory.bytes)),
                )?;
                Some(memory.bytes)
            }
        };
        let digest = &offer.database.digest;
        let mut download = self.download(digest, true, offer.database.size)?;
        registry.blob(digest, &mut download)?;
        // Whole now, or of no use: nothing of it is kept for another run.
        download.forget();
        if let Some(current) = download.already.take() {
            return Ok((name, current, None));
        }
        same(&name, digest, &download.digest())?;
        self.install(name, download, signature.as_deref())
    }

    fn ask_server(&self, url: &Url) -> Result<Served, TransferError> {
        let name = shown(url);
        let signature = if self.request.key.is_some() {
            let mut beside = url.clone();
            beside.set_path(&format!("{}.minisig", url.path()));
            let mut memory = Memory::new(MAX_SIGNATURE);
            match self.get(&beside, &mut memory) {
                Err(RegistryError::Status {
                    status: 404 | 410, ..
                }) => {
                    return Err(TransferError::Unsigned { name });
                }
                other => other?,
            }
            Some(memory.bytes)
        } else {
            None
        };
        // The address may hold a secret: it is not written down.
        let asked = digest_text(&Sha256::digest(url.as_str()));
        let mut download = self.download(&asked, false, MAX_DATABASE)?;
        self.get(url, &mut download)?;
        download.forget();
        if let Some(current) = download.already.take() {
            return Ok((name, current, None));
        }
        self.install(name, download, signature.as_deref())
    }

    /// Asks a static server; with a password only when it asks for one.
    fn get(&self, url: &Url, sink: &mut dyn Sink) -> Result<(), RegistryError> {
        let mut ask = Ask {
            url: url.clone(),
            accept: "*/*",
            authorization: None,
            form: None,
        };
        let refused = match self.http.fetch(&ask, sink) {
            Err(RegistryError::Status {
                status: 401,
                challenges,
                name,
            }) if matches!(self.login, Login::Password(..))
                && Challenge::choose(&challenges) == Some(Challenge::Basic) =>
            {
                name
            }
            other => return other,
        };
        let credential = self.login.credential(&refused)?;
        let found = answer(
            self.http,
            &refused,
            &Challenge::Basic,
            credential.as_ref(),
            "",
        )?;
        ask.authorization = Some(&found);
        self.http.fetch(&ask, sink)
    }

    fn download(
        &self,
        asked: &str,
        by_digest: bool,
        limit: u64,
    ) -> Result<Download<'_>, TransferError> {
        Download::open(
            self.place.folder(),
            asked,
            by_digest,
            limit.min(MAX_DATABASE),
            self.current,
        )
        .map_err(TransferError::write(self.request.database))
    }

    fn install(
        &self,
        name: String,
        mut download: Download<'_>,
        signature: Option<&[u8]>,
    ) -> Result<Served, TransferError> {
        let length = download.length;
        let content = download.content().map_err(TransferError::read(&name))?;
        let seal = match (self.request.key, signature) {
            (Some(key), Some(text)) => Some(Seal::new(key, &String::from_utf8_lossy(text), &name)?),
            _ => None,
        };
        let incoming = Incoming {
            name: &name,
            content,
            length,
        };
        let installed = install(incoming, self.place, seal.as_ref())?;
        Ok((name, installed.root_digest.clone(), Some(installed)))
    }
}

fn same(name: &str, expected: &str, found: &str) -> Result<(), RegistryError> {
    if expected == found {
        Ok(())
    } else {
        Err(RegistryError::Digest {
            name: name.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        })
    }
}
