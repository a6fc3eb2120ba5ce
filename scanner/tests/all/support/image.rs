//! Builds small images: layers as tars in memory, an OCI layout in a directory, an archive of it,
//! or what `docker save` would write.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// `sha256:…` of some bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// A gzip stream of one member.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An xz stream.
pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// A tar of regular files.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, path, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A dpkg status file with these packages.
pub(crate) fn dpkg_status(packages: &[(&str, &str)]) -> Vec<u8> {
    let mut text = String::new();
    for (name, version) in packages {
        let _ = write!(
            text,
            "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n"
        );
    }
    text.into_bytes()
}

/// An image layout in a directory.
pub(crate) struct Layout<'a>(pub(crate) &'a Path);

impl Layout<'_> {
    /// Makes the directories and `oci-layout`.
    pub(crate) fn create(&self) -> &Self {
        fs::create_dir_all(self.0.join("blobs/sha256")).unwrap();
        fs::write(
            self.0.join("oci-layout"),
            r#"{"imageLayoutVersion":"1.0.0"}"#,
        )
        .unwrap();
        self
    }

    /// Stores a blob; its descriptor.
    pub(crate) fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = digest(bytes);
        fs::write(self.0.join("blobs").join(digest.replace(':', "/")), bytes).unwrap();
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    /// Stores an image of gzip layers for a platform; the descriptor of its manifest.
    pub(crate) fn image(&self, os: &str, architecture: &str, tars: &[Vec<u8>]) -> Value {
        let layers: Vec<Value> = tars
            .iter()
            .map(|tar| self.blob("application/vnd.oci.image.layer.v1.tar+gzip", &gzip(tar)))
            .collect();
        let diff_ids: Vec<String> = tars.iter().map(|tar| digest(tar)).collect();
        let config = json!({
            "os": os, "architecture": architecture,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        self.manifest(&config, &layers)
    }

    /// Stores a manifest over a config and layers that are there already.
    pub(crate) fn manifest(&self, config: &Value, layers: &[Value]) -> Value {
        let config = self.blob(
            "application/vnd.oci.image.config.v1+json",
            config.to_string().as_bytes(),
        );
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
        self.blob(
            "application/vnd.oci.image.manifest.v1+json",
            manifest.to_string().as_bytes(),
        )
    }

    /// Stores an index; its descriptor.
    pub(crate) fn nested(&self, manifests: &[Value]) -> Value {
        let index = json!({"schemaVersion": 2, "manifests": manifests});
        self.blob(
            "application/vnd.oci.image.index.v1+json",
            index.to_string().as_bytes(),
        )
    }

    /// Writes `index.json`.
    pub(crate) fn index(&self, manifests: &[Value]) {
        let index = json!({"schemaVersion": 2, "manifests": manifests});
        fs::write(self.0.join("index.json"), index.to_string()).unwrap();
    }

    /// The layout as one tar.
    pub(crate) fn archive(&self) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_dir_all("", self.0).unwrap();
        builder.into_inner().unwrap()
    }
}

/// What `docker save` writes for one image, in its old form.
pub(crate) fn docker_archive(tars: &[Vec<u8>]) -> Vec<u8> {
    let diff_ids: Vec<String> = tars.iter().map(|tar| digest(tar)).collect();
    let config = json!({
        "os": "linux", "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    })
    .to_string();
    let config_name = format!("{}.json", &digest(config.as_bytes())[7..]);
    let names: Vec<String> = (0..tars.len()).map(|n| format!("{n}/layer.tar")).collect();
    let manifest =
        json!([{"Config": config_name, "RepoTags": ["demo:1"], "Layers": names}]).to_string();
    let mut files: Vec<(&str, &[u8])> = Vec::new();
    for (name, tar) in names.iter().zip(tars) {
        files.push((name, tar));
    }
    files.push((&config_name, config.as_bytes()));
    files.push(("manifest.json", manifest.as_bytes()));
    tar(&files)
}
