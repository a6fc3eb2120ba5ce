//! What docker's `config.json` and podman's `auth.json` say about a registry. Nothing of such a
//! file is repeated in an error: it may be the secret.

use super::credential::{Credential, Secret};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The longest file that is read, in bytes.
const MAX_CONFIG: u64 = 1 << 20;
/// The name under which docker keeps the credentials of its own registry.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";
const DOCKER_HUB: &str = "docker.io";

/// One file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Config {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// What a helper knows a registry by.
pub(super) fn server(registry: &str) -> &str {
    match canonical(registry) {
        DOCKER_HUB => DOCKER_HUB_KEY,
        other => other,
    }
}

impl Config {
    /// Reads a file; nothing where there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, String> {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| {
            let limit = MAX_CONFIG.saturating_add(1);
            file.take(limit).read_to_end(&mut bytes)
        });
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        }
        if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_CONFIG) {
            return Err(format!(
                "{} is longer than {MAX_CONFIG} bytes",
                path.display()
            ));
        }
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|_| format!("{} is not a docker configuration", path.display()))
    }

    /// The helper that the user chose for a registry.
    pub(super) fn helper(&self, registry: &str) -> Option<&str> {
        let registry = canonical(registry);
        let mut helpers = self.cred_helpers.iter().flatten();
        let (_, name) = helpers.find(|(key, _)| host(key) == registry)?;
        Some(name.as_str()).filter(|name| !name.is_empty())
    }

    /// The helper that the user chose for all registries.
    pub(super) fn store(&self) -> Option<&str> {
        self.creds_store.as_deref().filter(|name| !name.is_empty())
    }

    /// What the file itself holds: for the longest part of the repository's path, else for the
    /// registry.
    pub(super) fn kept(
        &self,
        registry: &str,
        repository: &str,
    ) -> Result<Option<Credential>, &'static str> {
        let registry = canonical(registry);
        let entries = || {
            let all = self.auths.iter().flatten();
            all.filter_map(|(key, entry)| Some((key.as_str(), entry.as_ref()?)))
        };
        let mut path = repository;
        while !path.is_empty() {
            let key = format!("{registry}/{path}");
            if let Some((_, entry)) = entries().find(|(one, _)| *one == key) {
                return entry.credential();
            }
            path = path.rsplit_once('/').map_or("", |(above, _)| above);
        }
        for (_, entry) in entries().filter(|(key, _)| host(key) == registry) {
            if let Some(found) = entry.credential()? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// The registry of a key, which may be the address of an API; of a key for a part of a registry,
/// the whole key, so that it is not taken for all of it.
fn host(key: &str) -> &str {
    let bare = ["https://", "http://"]
        .into_iter()
        .find_map(|scheme| key.strip_prefix(scheme));
    let host = match bare {
        Some(bare) => bare.split('/').next().unwrap_or_default(),
        None => key,
    };
    canonical(host)
}

/// One name for Docker Hub, which has three.
fn canonical(registry: &str) -> &str {
    match registry {
        "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
        other => other,
    }
}

impl Entry {
    /// The credential, if the entry is more than a note that a helper has one.
    fn credential(&self) -> Result<Option<Credential>, &'static str> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = filled(&self.identitytoken) {
            return Ok(Some(Credential::Identity(Secret(token))));
        }
        if let Some(token) = filled(&self.registrytoken) {
            return Ok(Some(Credential::Registry(Secret(token))));
        }
        let (username, password) = match filled(&self.auth) {
            Some(auth) => decoded(&auth)?,
            None => match (filled(&self.username), filled(&self.password)) {
                (Some(username), Some(password)) => (username, password),
                _ => return Ok(None),
            },
        };
        Ok(Some(Credential::Password(username, Secret(password))))
    }
}

/// Name and password of `auth`; some tools leave the padding away.
fn decoded(auth: &str) -> Result<(String, String), &'static str> {
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(&STANDARD, lenient)
        .decode(auth.trim())
        .map_err(|_| "an `auth` value is not valid base64")?;
    let text = String::from_utf8(bytes).map_err(|_| "an `auth` value is not valid UTF-8")?;
    let (username, password) = text.split_once(':').ok_or("an `auth` value has no colon")?;
    let password = password.trim_end_matches('\0');
    Ok((username.to_owned(), password.to_owned()))
}
