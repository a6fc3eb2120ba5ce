//! Manifests and indexes as bytes with a verified digest and a type. What they describe is the
//! caller's to read; what could be read in two ways is refused here.

use super::RegistryError;
use super::address::shown;
use super::digest::Digest;
use super::reference::Reference;
use super::session::{Session, Short};
use crate::http::text;
use serde::Deserialize;
use serde::de::IgnoredAny;
use ureq::http::HeaderMap;
use ureq::http::header::{CONTENT_TYPE, HeaderName};

/// The longest manifest of an image that is read, in bytes: what registries have to accept at
/// least (distribution specification, "Pushing Manifests").
pub const MAX_IMAGE_MANIFEST: u64 = 4 << 20;
/// The type of an OCI index.
pub const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// What is asked for.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";
const SCHEMA_1: [&str; 2] = [
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
];
const STATED: HeaderName = HeaderName::from_static("docker-content-digest");

/// A manifest or index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// As the registry sent it.
    pub bytes: Vec<u8>,
    /// The media type: of an OCI index or manifest, or a Docker list or manifest (schema 2).
    pub media_type: String,
    /// The digest of the bytes.
    pub digest: Digest,
}

impl Manifest {
    /// Whether it lists manifests, one for each platform.
    pub fn is_index(&self) -> bool {
        matches!(self.media_type.as_str(), INDEX_TYPE | DOCKER_LIST)
    }
}

pub(super) fn read(session: &Session, reference: &Reference) -> Result<Manifest, RegistryError> {
    let own = &session.reference;
    if (reference.registry(), reference.repository()) != (own.registry(), own.repository()) {
        return Err(RegistryError::Source {
            text: reference.to_string(),
            cause: format!("it is not in {}/{}", own.registry(), own.repository()),
        });
    }
    wanted(session, reference.wanted(), reference.pinned())
}

/// The manifest that a tag or digest names.
pub(super) fn wanted(
    session: &Session,
    wanted: &str,
    pinned: Option<&Digest>,
) -> Result<Manifest, RegistryError> {
    let url = session.address("manifests", wanted)?;
    let Short { headers, bytes } = session.short(&url, ACCEPT, MAX_IMAGE_MANIFEST)?;
    let name = shown(&url);
    let outline: Option<Outline> = serde_json::from_slice(&bytes).ok();
    let stated_type = content_type(&headers);
    // Before its digest, which is not over all of its bytes.
    if SCHEMA_1.contains(&stated_type.as_str())
        || outline.as_ref().is_some_and(|one| one.schema_version == 1)
    {
        return Err(RegistryError::Schema1 { name });
    }
    let digest = Digest::of(&bytes);
    let expected = match pinned {
        Some(pinned) => Some(pinned.as_str()),
        None => text(&headers, &STATED),
    };
    if let Some(expected) = expected.filter(|expected| *expected != digest.as_str()) {
        return Err(RegistryError::Digest {
            name,
            expected: crate::printable(expected),
            found: digest.to_string(),
        });
    }
    let media_type = match outline {
        Some(outline) => outline.media_type(&stated_type),
        None => Err("it is not the JSON of a manifest"),
    }
    .map_err(|cause| RegistryError::Malformed {
        name,
        cause: cause.to_owned(),
    })?;
    Ok(Manifest {
        bytes,
        media_type: media_type.to_owned(),
        digest,
    })
}

/// `Content-Type` without its parameters, in lower case.
fn content_type(headers: &HeaderMap) -> String {
    let value = text(headers, &CONTENT_TYPE).unwrap_or_default();
    let bare = value.split(';').next().unwrap_or_default();
    bare.trim().to_ascii_lowercase()
}

/// What tells the types apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline {
    #[serde(default)]
    schema_version: u64,
    media_type: Option<String>,
    config: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
    manifests: Option<IgnoredAny>,
}

impl Outline {
    /// The one type that header, body and structure agree on.
    fn media_type(&self, header: &str) -> Result<&'static str, &'static str> {
        let is_index = self.manifests.is_some();
        if is_index && (self.layers.is_some() || self.config.is_some()) {
            return Err("it is an index and a manifest at once");
        }
        if !is_index && self.layers.is_none() {
            return Err("it has neither manifests nor layers");
        }
        let known = |text: &str| {
            let all = [INDEX_TYPE, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST];
            all.into_iter().find(|known| *known == text)
        };
        let stated = match (self.media_type.as_deref(), known(header)) {
            (Some(own), header) => {
                let own = known(own).ok_or("its mediaType is not that of an image or index")?;
                if header.is_some_and(|header| header != own) {
                    return Err("its mediaType and its Content-Type differ");
                }
                own
            }
            (None, Some(header)) => header,
            (None, None) if is_index => INDEX_TYPE,
            (None, None) => OCI_MANIFEST,
        };
        if matches!(stated, INDEX_TYPE | DOCKER_LIST) == is_index {
            Ok(stated)
        } else {
            Err("its media type and its content differ")
        }
    }
}
