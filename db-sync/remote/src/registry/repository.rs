//! Reads images: manifests, blobs, parts of blobs, and what refers to an image. One repository is
//! shared by threads; a copy of it is the same, with the same login.

use super::RegistryError;
use super::blob::{self, BlobReader};
use super::credentials::Login;
use super::digest::Digest;
use super::http::Http;
use super::manifest::{self, Manifest};
use super::reference::Reference;
use super::referrers::{self, Descriptor};
use super::session::Session;
use std::sync::Arc;

/// One repository of a registry, to read from.
#[derive(Clone)]
pub struct Repository {
    session: Arc<Session>,
}

impl Repository {
    /// The repository of a reference. Asks nothing yet.
    pub fn new(http: &Http, reference: &Reference, login: &Login) -> Result<Self, RegistryError> {
        Ok(Self {
            session: Arc::new(Session::new(http, reference, login)?),
        })
    }

    /// The manifest or index that a reference into this repository names, verified against the
    /// digest of the reference, else against the one that the registry states.
    pub fn manifest(&self, reference: &Reference) -> Result<Manifest, RegistryError> {
        manifest::read(&self.session, reference)
    }

    /// A blob, of this size if the caller knows it from a manifest.
    pub fn blob(&self, digest: &Digest, size: Option<u64>) -> Result<BlobReader, RegistryError> {
        BlobReader::open(Arc::clone(&self.session), digest, size)
    }

    /// The `length` bytes of a blob from `start` on, fewer only where the blob ends. They cannot be
    /// verified: only the whole blob has a digest.
    pub fn blob_range(
        &self,
        digest: &Digest,
        start: u64,
        length: u64,
    ) -> Result<Vec<u8>, RegistryError> {
        blob::range(&self.session, digest, start, length)
    }

    /// What refers to a manifest: signatures, attestations, inventories.
    pub fn referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>, RegistryError> {
        referrers::list(&self.session, digest)
    }
}
