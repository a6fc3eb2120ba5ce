//! The JSON documents of images: index, manifest and config of the OCI image-spec (image-index.md,
//! manifest.md, config.md; Docker's schema 2 has the same shape), and `manifest.json` of
//! `docker save`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::platform::Platform;

/// Points to a blob (descriptor.md).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: Option<String>,
    pub(super) digest: String,
    pub(super) size: u64,
    pub(super) platform: Option<Platform>,
    pub(super) artifact_type: Option<String>,
    #[serde(default)]
    pub(super) annotations: Option<BTreeMap<String, String>>,
}

impl Descriptor {
    /// An annotation.
    pub(super) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// Whether it points to a statement about an image (`BuildKit` attestations) or to another
    /// artifact, and to no image.
    pub(super) fn is_no_image(&self) -> bool {
        self.annotation("vnd.docker.reference.type").is_some()
            || self.artifact_type.is_some()
            || self
                .platform
                .as_ref()
                .is_some_and(|platform| platform.os == "unknown")
    }

    /// Whether the layer may be left out of an image (layer.md, "Non-Distributable Layers").
    pub(super) fn is_foreign(&self) -> bool {
        let kind = self.media_type.as_deref().unwrap_or_default();
        kind.contains(".foreign.") || kind.contains(".nondistributable.")
    }

    /// Whether the media type is one of a layer, in any compression.
    pub(super) fn is_known_layer(&self) -> bool {
        const KNOWN: [&str; 5] = [
            "application/vnd.oci.image.layer.v1.tar",
            "application/vnd.oci.image.layer.nondistributable.v1.tar",
            "application/vnd.docker.image.rootfs.diff.tar",
            "application/vnd.docker.image.rootfs.foreign.diff.tar",
            "application/vnd.docker.container.image.rootfs.diff.tar",
        ];
        self.media_type.as_deref().is_none_or(|kind| {
            KNOWN.iter().any(|known| {
                kind.strip_prefix(known)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '+']))
            })
        })
    }
}

/// An index or a manifest; the content says which.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    schema_version: Option<u32>,
    artifact_type: Option<String>,
    pub(super) manifests: Option<Vec<Descriptor>>,
    pub(super) config: Option<Descriptor>,
    pub(super) layers: Option<Vec<Descriptor>>,
}

impl Document {
    /// Reads it; the error says why it is neither.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let document: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("not a manifest: {error}"))?;
        match document.schema_version {
            None | Some(2) => {}
            Some(version) => return Err(format!("schema version {version} is not supported")),
        }
        // One document with two meanings is an attack on those who verify only one of them.
        if document.manifests.is_some() && (document.layers.is_some() || document.config.is_some())
        {
            return Err("both an index and a manifest".into());
        }
        Ok(document)
    }

    /// Whether a manifest is that of an artifact and not of an image (manifest.md, "Guidelines
    /// for Artifact Usage"; signatures keep the config type of images).
    pub(super) fn is_artifact(&self) -> bool {
        const CONFIGS: [&str; 2] = [
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.docker.container.image.v1+json",
        ];
        let config = self.config.as_ref().and_then(|it| it.media_type.as_deref());
        let mut layers = self.layers.iter().flatten().peekable();
        let is_signature = layers.peek().is_some()
            && layers.all(|layer| {
                layer.media_type.as_deref().is_some_and(|kind| {
                    kind.starts_with("application/vnd.dev.cosign.")
                        || kind.starts_with("application/vnd.in-toto")
                })
            });
        self.artifact_type.is_some()
            || config.is_some_and(|kind| !CONFIGS.contains(&kind))
            || is_signature
    }
}

/// What we need of an image config.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Config {
    #[serde(flatten)]
    pub(super) platform: Platform,
    pub(super) rootfs: RootFs,
}

/// The layers of the config.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RootFs {
    #[serde(default)]
    pub(super) diff_ids: Option<Vec<String>>,
}

/// One image of `manifest.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SavedImage {
    pub(super) config: String,
    pub(super) repo_tags: Option<Vec<String>>,
    #[serde(default)]
    pub(super) layers: Option<Vec<String>>,
}

/// `oci-layout`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Layout {
    pub(super) image_layout_version: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_one_meaning() {
        let zeros = "0".repeat(64);
        let descriptor = format!(r#"{{"digest":"sha256:{zeros}","size":1}}"#);
        let both = format!(r#"{{"manifests":[{descriptor}],"config":{descriptor},"layers":[]}}"#);
        assert!(Document::parse(both.as_bytes()).is_err());
        for bad in [
            "<html>",
            r#"{"schemaVersion":1,"fsLayers":[]}"#,
            r#"{"schemaVersion":"2","config":5,"layers":"x"}"#,
            r#"{"layers":[{"digest":"sha256:00","size":-1}]}"#,
        ] {
            assert!(Document::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn known_layer_types() {
        let layer = |kind: &str| Descriptor {
            media_type: Some(kind.into()),
            digest: String::new(),
            size: 0,
            platform: None,
            artifact_type: None,
            annotations: None,
        };
        for kind in [
            "application/vnd.oci.image.layer.v1.tar+zstd",
            "application/vnd.oci.image.layer.v1.tar",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ] {
            assert!(layer(kind).is_known_layer(), "{kind}");
        }
        assert!(!layer("application/x-unknown").is_known_layer());
        assert!(layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip").is_foreign());
    }
}
