//! The OCI artifact: an image manifest with our artifact type, the empty
//! configuration, one layer that is the exported file, and, where it is
//! signed, one layer that is the minisign text.

use super::RemoteError;
use crate::transfer::export::Exported;
use crate::transfer::head::digest_text;
use remote::registry::{MANIFEST_TYPE, is_digest};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The type of the artifact.
pub(crate) const ARTIFACT_TYPE: &str = "application/vnd.portcullis.advisories.v1";
/// The layer with the exported file.
pub(crate) const LAYER_TYPE: &str = "application/vnd.portcullis.advisories.v1+zstd";
/// The layer with the signature.
pub(crate) const SIGNATURE_TYPE: &str =
    "application/vnd.portcullis.advisories.signature.v1.minisig";
/// The annotation with the root digest of the database.
pub(crate) const ROOT_DIGEST: &str = "portcullis.advisories.root-digest";
/// The annotation with the format version of the database.
pub(crate) const FORMAT: &str = "portcullis.advisories.format-version";
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
/// The configuration of artifacts that have none.
pub(crate) const EMPTY: &[u8] = b"{}";
const TITLE: &str = "org.opencontainers.image.title";

/// Says where content is and what it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    media_type: String,
    pub(crate) digest: String,
    size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<String, String>>,
}

/// An image manifest, as far as the artifact needs it. The order of the fields
/// is that of the bytes, and so of the digest.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    schema_version: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<String, String>>,
}

/// Describes content of a type.
pub(crate) fn describe(content: &[u8], media_type: &str, title: Option<&str>) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        digest: digest_text(&Sha256::digest(content)),
        size: content.len() as u64,
        annotations: title.map(|title| BTreeMap::from([(TITLE.to_owned(), title.to_owned())])),
    }
}

/// The manifest; the same content gives the same bytes.
pub(crate) fn manifest(exported: &Exported, layers: Vec<Descriptor>) -> Manifest {
    Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST_TYPE.to_owned()),
        config: describe(EMPTY, EMPTY_TYPE, None),
        layers,
        artifact_type: Some(ARTIFACT_TYPE.to_owned()),
        annotations: Some(BTreeMap::from([
            (ROOT_DIGEST.to_owned(), exported.root_digest.clone()),
            (FORMAT.to_owned(), crate::store::format::VERSION.to_string()),
        ])),
    }
}

/// A layer that is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) digest: String,
    pub(crate) size: u64,
}

/// What a manifest offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) database: Layer,
    pub(crate) signature: Option<Layer>,
    /// As the manifest says; not yet verified.
    pub(crate) root_digest: Option<String>,
}

/// Reads a manifest of the artifact `name`.
pub(crate) fn offer(bytes: &[u8], name: &str) -> Result<Offer, RemoteError> {
    let refused = |cause: &str| RemoteError::Artifact {
        name: name.to_owned(),
        cause: cause.to_owned(),
    };
    let manifest: Manifest =
        serde_json::from_slice(bytes).map_err(|_| refused("it has no image manifest"))?;
    if manifest.artifact_type.as_deref() != Some(ARTIFACT_TYPE) {
        return Err(refused("its artifact type is another"));
    }
    let one = |media_type: &str| -> Result<Option<Layer>, RemoteError> {
        let mut found = manifest
            .layers
            .iter()
            .filter(|layer| layer.media_type == media_type);
        let Some(layer) = found.next() else {
            return Ok(None);
        };
        if found.next().is_some() {
            return Err(refused("it has several layers of one type"));
        }
        if !is_digest(&layer.digest) {
            return Err(refused("a layer's digest is not SHA-256"));
        }
        Ok(Some(Layer {
            digest: layer.digest.clone(),
            size: layer.size,
        }))
    };
    Ok(Offer {
        database: one(LAYER_TYPE)?.ok_or_else(|| refused("it has no layer with a database"))?,
        signature: one(SIGNATURE_TYPE)?,
        root_digest: manifest
            .annotations
            .and_then(|mut all| all.remove(ROOT_DIGEST)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_back_and_odd_ones_are_refused() {
        let exported = Exported {
            root_digest: "sha256:00".to_owned(),
            size: 3,
        };
        let layers = vec![
            describe(b"abc", LAYER_TYPE, Some("a.pcdb")),
            describe(b"sig", SIGNATURE_TYPE, None),
        ];
        let good = serde_json::to_string(&manifest(&exported, layers)).expect("json");
        let found = offer(good.as_bytes(), "x").expect("ours");
        assert_eq!(found.database.size, 3);
        assert!(found.signature.is_some());
        assert_eq!(found.root_digest.as_deref(), Some("sha256:00"));
        let digest = found.database.digest;
        for (from, to) in [
            (ARTIFACT_TYPE, "application/vnd.other"),
            (LAYER_TYPE, "application/vnd.other"),
            (SIGNATURE_TYPE, LAYER_TYPE),
            (digest.as_str(), "sha256:../../secret"),
            (digest.as_str(), "sha512:00"),
            ("\"size\":3", "\"size\":-3"),
            ("{", "["),
        ] {
            let odd = good.replacen(from, to, if to == LAYER_TYPE { 9 } else { 1 });
            assert!(
                odd != good && offer(odd.as_bytes(), "x").is_err(),
                "{from} → {to}"
            );
        }
    }
}
