//! Images in a registry, over the one http stack: manifests first, and layers as streams that are
//! verified while they are read, resumed where they break off, and never kept.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::{Mutex, PoisonError};

use remote::registry::{
    Digest, Http, Login, Manifest, PlainHttp, Reference, RegistryError, Repository, Settings,
};
use serde::Deserialize;

use super::{Access, Blobs, Parts};
use crate::source::{SourceError, invalid, limits};

struct Registry {
    reference: Reference,
    repository: Repository,
    root: Manifest,
    /// Whether parts of layers are read.
    is_partial: bool,
    /// Digests that an index names: what has one of these is a manifest, and everything else a blob.
    manifests: Mutex<BTreeSet<String>>,
}

/// Asks for the manifest of a reference.
pub(super) fn open(text: &str, access: &Access) -> Result<Box<dyn Blobs>, SourceError> {
    let reference = Reference::parse(text).map_err(|cause| invalid(text, cause))?;
    let refused = |error: RegistryError| invalid(text, explained(&error));
    let http = Http::with(Settings {
        plain: if access.insecure.is_empty() {
            PlainHttp::Loopback
        } else {
            PlainHttp::Hosts(access.insecure.clone())
        },
        ca_file: access.ca_file.as_deref(),
        ..Settings::default()
    })
    .map_err(refused)?;
    let repository = Repository::new(&http, &reference, &Login::Docker(None)).map_err(refused)?;
    let root = repository.manifest(&reference).map_err(refused)?;
    let registry = Registry {
        reference,
        repository,
        root,
        is_partial: access.partial,
        manifests: Mutex::default(),
    };
    registry.learn(&registry.root.bytes);
    Ok(Box::new(registry))
}

/// An error with what to do about it.
fn explained(error: &RegistryError) -> String {
    let hint = match error {
        RegistryError::Status { status: 401, .. } | RegistryError::Auth { .. } => {
            ": run docker login"
        }
        RegistryError::Status { status: 403, .. } => ": the login may not read it",
        RegistryError::Status { status: 404, .. } => ": there is no such image",
        RegistryError::PlainHttp { .. } => ": name the host with --insecure-registry",
        _ => "",
    };
    format!("{error}{hint}")
}

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    digest: String,
}

impl Registry {
    /// Notes which digests are manifests.
    fn learn(&self, document: &[u8]) {
        let index: Option<Index> = serde_json::from_slice(document).ok();
        let named = index.into_iter().flat_map(|index| index.manifests);
        let mut manifests = self
            .manifests
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        manifests.extend(named.map(|one| one.digest).take(limits::MANIFESTS));
    }

    fn is_manifest(&self, digest: &str) -> bool {
        let manifests = self
            .manifests
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        manifests.contains(digest)
    }
}

impl Blobs for Registry {
    fn root(&self) -> (String, String, u64) {
        let Manifest {
            bytes,
            media_type,
            digest,
        } = &self.root;
        (media_type.clone(), digest.to_string(), bytes.len() as u64)
    }

    fn document(&self, digest: &str) -> Result<Option<Vec<u8>>, String> {
        if digest == self.root.digest.as_str() {
            return Ok(Some(self.root.bytes.clone()));
        }
        let refused = |error: RegistryError| explained(&error);
        let result = if self.is_manifest(digest) {
            let (host, path) = (self.reference.registry(), self.reference.repository());
            let reference = Reference::parse(&format!("{host}/{path}@{digest}"))?;
            let manifest = self.repository.manifest(&reference);
            manifest.map(|manifest| {
                self.learn(&manifest.bytes);
                manifest.bytes
            })
        } else {
            let digest: Digest = digest.parse()?;
            self.repository.blob(&digest, None).and_then(|mut blob| {
                let mut bytes = Vec::new();
                let limit = limits::DOCUMENT_BYTES;
                let read = blob
                    .by_ref()
                    .take(limit.saturating_add(1))
                    .read_to_end(&mut bytes);
                match read {
                    Ok(_) if bytes.len() as u64 > limit => Err(RegistryError::TooLong {
                        name: digest.to_string(),
                        limit,
                    }),
                    Ok(_) => Ok(bytes),
                    Err(error) => Err(RegistryError::Request {
                        name: digest.to_string(),
                        cause: error.to_string(),
                    }),
                }
            })
        };
        match result {
            Ok(bytes) => Ok(Some(bytes)),
            Err(RegistryError::Status { status: 404, .. }) => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }

    fn referrers(&self, digest: &str) -> Result<Vec<(String, String, u64)>, String> {
        let subject: Digest = digest.parse()?;
        let refused = |error: RegistryError| explained(&error);
        let found = self.repository.referrers(&subject).map_err(refused)?;
        let found = found.into_iter();
        let mut all: Vec<(String, String, u64)> = found
            .map(|one| (one.media_type, one.digest.to_string(), one.size))
            .collect();
        // Where cosign put attestations before registries listed referrers.
        let (host, path) = (self.reference.registry(), self.reference.repository());
        let tag = format!("{host}/{path}:{}.att", digest.replacen(':', "-", 1));
        match self.repository.manifest(&Reference::parse(&tag)?) {
            Ok(one) => all.push((
                one.media_type,
                one.digest.to_string(),
                one.bytes.len() as u64,
            )),
            Err(RegistryError::Status { status: 404, .. }) => {}
            Err(error) => return Err(explained(&error)),
        }
        let digests = all.iter().map(|(_, digest, _)| digest.clone());
        let mut manifests = self
            .manifests
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        manifests.extend(digests);
        drop(manifests);
        Ok(all)
    }

    fn open(&self, digest: &str, size: Option<u64>) -> Result<Box<dyn Read>, String> {
        let digest: Digest = digest.parse()?;
        let blob = self.repository.blob(&digest, size);
        let blob = blob.map_err(|error| explained(&error))?;
        Ok(Box::new(blob))
    }

    fn parts(&self) -> Option<&dyn Parts> {
        self.is_partial.then_some(self as _)
    }
}

impl Parts for Registry {
    fn part(&self, digest: &str, start: u64, length: u64) -> Result<Option<Vec<u8>>, String> {
        let digest: Digest = digest.parse()?;
        match self.repository.blob_range(&digest, start, length) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(RegistryError::NoRanges { .. }) => Ok(None),
            Err(error) => Err(explained(&error)),
        }
    }
}
