//! The JSON documents of images: index, manifest and config of the OCI image-spec (image-index.md,
//! manifest.md, config.md; Docker's schema 2 has the same shape), and `manifest.json` of
//! `docker save`. A document with two meanings is refused ([`super::meaning`]).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::meaning;
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
    /// Of a manifest that nothing else describes.
    pub(super) fn of(media_type: String, digest: String, size: u64) -> Self {
        Self {
            media_type: Some(media_type),
            digest,
            size,
            platform: None,
            artifact_type: None,
            annotations: None,
        }
    }

    /// An annotation.
    pub(super) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// Whether `BuildKit` put it beside an image as a statement about it, by its own word.
    pub(super) fn is_attestation(&self) -> bool {
        self.annotation("vnd.docker.reference.type").is_some()
    }

    /// Whether only its manifest says if it is an image: the descriptor says otherwise, or nothing
    /// known. A descriptor may say anything of any manifest.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_attestation()
            || self.artifact_type.is_some()
            || self.has_odd_type()
            || self
                .platform
                .as_ref()
                .is_none_or(|platform| !platform.is_known())
    }

    /// Whether the media type is not one of an image's manifest.
    pub(super) fn has_odd_type(&self) -> bool {
        let kind = self.media_type.as_deref();
        kind.is_some_and(|kind| family(kind) != Some(Family::Manifest))
    }

    /// Whether the media type is that of an index.
    pub(super) fn is_index(&self) -> bool {
        self.media_type.as_deref().and_then(family) == Some(Family::Index)
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

/// Which of the two documents a media type means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Index,
    Manifest,
}

fn family(kind: &str) -> Option<Family> {
    match kind {
        "application/vnd.oci.image.index.v1+json"
        | "application/vnd.docker.distribution.manifest.list.v2+json" => Some(Family::Index),
        "application/vnd.oci.image.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v2+json" => Some(Family::Manifest),
        _ => None,
    }
}

/// What a manifest is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    Image,
    /// Statements about an image: signatures, attestations.
    Statements,
    /// Something else that has no layers of a file system.
    Artifact,
    /// It has layers of a file system, and says that it is something else.
    Unclear,
}

/// An index or a manifest; the content says which.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    schema_version: Option<u32>,
    pub(super) media_type: Option<String>,
    artifact_type: Option<String>,
    pub(super) manifests: Option<Vec<Descriptor>>,
    pub(super) config: Option<Descriptor>,
    pub(super) layers: Option<Vec<Descriptor>>,
    /// What it is about, where it is an artifact that belongs to another manifest.
    pub(super) subject: Option<Descriptor>,
    #[serde(default)]
    pub(super) annotations: Option<BTreeMap<String, String>>,
    fs_layers: Option<IgnoredAny>,
}

impl Document {
    /// Reads it; the error says why it is neither.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        meaning::check(bytes, meaning::MANIFEST)?;
        let document: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("not a manifest: {error}"))?;
        match document.schema_version {
            None | Some(2) => {}
            Some(version) => return Err(format!("schema version {version} is not supported")),
        }
        // One document with two meanings is an attack on those who verify only one of them.
        let is_manifest = document.layers.is_some() || document.config.is_some();
        if document.manifests.is_some() && (is_manifest || document.fs_layers.is_some()) {
            return Err("both an index and a manifest".into());
        }
        if is_manifest && document.fs_layers.is_some() {
            return Err("a manifest of two schemas".into());
        }
        let said = document.media_type.as_deref().and_then(family);
        let is = if is_manifest {
            Family::Manifest
        } else {
            Family::Index
        };
        if said.is_some_and(|said| said != is) {
            return Err("its media type is not that of what it holds".into());
        }
        Ok(document)
    }

    /// The media type, as the document says it or by what it holds.
    pub(super) fn kind(&self) -> &str {
        let usual = if self.manifests.is_some() {
            "application/vnd.oci.image.index.v1+json"
        } else {
            "application/vnd.oci.image.manifest.v1+json"
        };
        self.media_type.as_deref().unwrap_or(usual)
    }

    /// Whether a manifest is that of an image (manifest.md, "Guidelines for Artifact Usage";
    /// signatures keep the config type of images).
    pub(super) fn nature(&self) -> Nature {
        const CONFIGS: [&str; 2] = [
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.docker.container.image.v1+json",
        ];
        const STATEMENTS: [&str; 4] = [
            "application/vnd.dev.cosign.",
            "application/vnd.dev.sigstore.",
            "application/vnd.dsse.",
            "application/vnd.in-toto",
        ];
        let layers = self.layers.as_deref().unwrap_or_default();
        let is_statement = |layer: &Descriptor| {
            let kind = layer.media_type.as_deref().unwrap_or_default();
            STATEMENTS.iter().any(|start| kind.starts_with(start))
        };
        let config = self.config.as_ref().and_then(|it| it.media_type.as_deref());
        if !layers.is_empty() && layers.iter().all(is_statement) {
            Nature::Statements
        } else if self.artifact_type.is_none() && config.is_none_or(|it| CONFIGS.contains(&it)) {
            Nature::Image
        } else if layers.iter().any(Descriptor::is_known_layer) {
            Nature::Unclear
        } else {
            Nature::Artifact
        }
    }

    /// What it says it is: the type of the artifact, of the config or of the first layer.
    pub(super) fn told_type(&self) -> &str {
        let config = self.config.as_ref().and_then(|it| it.media_type.as_deref());
        let layer = self.layers.iter().flatten().next();
        let layer = layer.and_then(|layer| layer.media_type.as_deref());
        let statement = layer.filter(|_| self.nature() == Nature::Statements);
        let told = self.artifact_type.as_deref().or(statement).or(config);
        told.or(layer).unwrap_or("without a type")
    }
}

/// What people call an artifact of a type.
pub(super) fn artifact(kind: &str) -> &'static str {
    const KNOWN: [(&str, &str); 13] = [
        ("application/vnd.cncf.helm.", "a Helm chart"),
        ("application/vnd.wasm.", "a WebAssembly module"),
        ("application/vnd.module.wasm.", "a WebAssembly module"),
        ("application/vnd.dev.cosign.", "a signature"),
        ("application/vnd.dev.sigstore.", "a signature"),
        ("application/vnd.cncf.notary.", "a signature"),
        ("application/vnd.in-toto", "an attestation"),
        ("application/vnd.dsse.", "an attestation"),
        ("application/vnd.cyclonedx", "a bill of materials"),
        ("application/spdx", "a bill of materials"),
        ("application/vnd.docker.plugin.", "a Docker plugin"),
        ("application/vnd.docker.ai.", "a model"),
        ("application/vnd.cncf.model.", "a model"),
    ];
    let known = KNOWN.iter().find(|(start, _)| kind.starts_with(start));
    known.map_or("an artifact", |(_, name)| name)
}

/// What we need of an image config.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Config {
    #[serde(flatten)]
    pub(super) platform: Platform,
    pub(super) rootfs: RootFs,
    /// Read for what it says of the layers; whatever else it is.
    #[serde(default)]
    pub(super) history: Value,
    /// What a container gets; here only its labels count.
    #[serde(default, rename = "config")]
    pub(super) of_containers: Value,
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
