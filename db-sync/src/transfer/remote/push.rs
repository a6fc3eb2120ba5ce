//! Publishes a database in a registry. Blobs go first, the manifest last: a
//! push that breaks off leaves the tag at what it was.

use super::artifact::{Descriptor, EMPTY, LAYER_TYPE, SIGNATURE_TYPE, describe, manifest};
use super::workspace::Workspace;
use crate::transfer::export::{Exported, export_to};
use crate::transfer::head::{HEAD, Head, MAGIC, digest_text};
use crate::transfer::signature::{MAX_SIGNATURE, decode};
use crate::transfer::{ImportRequest, TransferError, VerifyKey, file, import};
use remote::registry::{Http, Login, Reference, Registry, RegistryError, reference};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::Path;
use tempfile::NamedTempFile;

/// What to push, where to, and how.
#[derive(Clone, Copy, Debug)]
pub struct PushRequest<'a> {
    /// The reference; `latest` where it has no tag.
    pub reference: &'a str,
    /// A database, or an exported file, which is pushed as it is.
    pub database: &'a Path,
    /// A minisign signature of the exported file.
    pub signature: Option<&'a Path>,
    /// The key to hold the signature against before anything is published.
    pub key: Option<&'a VerifyKey>,
    /// How to log in.
    pub login: &'a Login,
    /// Whether plain http may be spoken with other machines.
    pub insecure: bool,
}

/// What was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The reference, completed.
    pub reference: String,
    /// The digest of the manifest, `sha256:…`: what to pin a pull to.
    pub manifest_digest: String,
    /// The root digest of the database, `sha256:…`.
    pub root_digest: String,
    /// Bytes of the exported file.
    pub size: u64,
}

/// Exports the database, if it is not exported yet, and pushes it.
pub fn push(request: &PushRequest<'_>) -> Result<Pushed, TransferError> {
    let target = reference(
        request
            .reference
            .strip_prefix("oci://")
            .unwrap_or(request.reference),
    )?;
    let name = target.to_string();
    if target.digest().is_some() {
        return Err(RegistryError::Push {
            name,
            cause: "a digest cannot be pushed to, give a tag".to_owned(),
        }
        .into());
    }
    let content = content(request)?;
    let mut layers = vec![describe(
        &content.bytes,
        LAYER_TYPE,
        Some("advisories.pcdb"),
    )];
    let mut blobs = vec![EMPTY.to_vec(), content.bytes];
    if let Some(signature) = content.signature {
        layers.push(describe(
            signature.as_bytes(),
            SIGNATURE_TYPE,
            Some("advisories.pcdb.minisig"),
        ));
        blobs.push(signature.into_bytes());
    }
    let manifest = manifest(&content.exported, layers);
    let mut descriptors = vec![manifest.config.clone()];
    descriptors.extend(manifest.layers.iter().cloned());
    let bytes = serde_json::to_vec(&manifest).map_err(|error| RegistryError::Push {
        name: name.clone(),
        cause: error.to_string(),
    })?;
    let pushed = Pushed {
        reference: name,
        manifest_digest: digest_text(&Sha256::digest(&bytes)),
        root_digest: content.exported.root_digest,
        size: content.exported.size,
    };
    let cargo = Cargo {
        target,
        blobs: descriptors.into_iter().zip(blobs).collect(),
        manifest: bytes,
    };
    send(request, &cargo)?;
    Ok(pushed)
}

struct Content {
    bytes: Vec<u8>,
    exported: Exported,
    signature: Option<String>,
}

/// The exported file in memory, checked.
fn content(request: &PushRequest<'_>) -> Result<Content, TransferError> {
    let write = TransferError::write(request.database);
    let scratch = Workspace::new().map_err(&write)?;
    let mut exported_file = request.database.to_owned();
    let mut kept: Option<NamedTempFile> = None;
    if !is_exported(request.database)? {
        let file = NamedTempFile::new_in(scratch.path()).map_err(&write)?;
        let (file, _) = export_to(request.database, file)?;
        file.path().clone_into(&mut exported_file);
        kept = Some(file);
    }
    let signature = match request.signature {
        None => None,
        Some(path) => {
            let text = file::text(path, MAX_SIGNATURE)?;
            decode(&text, &path.display().to_string())?;
            Some(text)
        }
    };
    if let (Some(_), None) = (request.key, request.signature) {
        return Err(TransferError::Unsigned {
            name: request.database.display().to_string(),
        });
    }
    if kept.is_none() || request.key.is_some() {
        // Nothing is published that a pull would refuse.
        import(&ImportRequest {
            file: &exported_file,
            database: &scratch.path().join("checked"),
            key: request.key,
            signature: request.signature,
        })?;
    }
    let name = exported_file.display().to_string();
    let (file, length) = file::open(&exported_file)?;
    let mut bytes = Vec::new();
    file.take(length)
        .read_to_end(&mut bytes)
        .map_err(TransferError::read(&name))?;
    let head = Head::decode(bytes.get(..HEAD).unwrap_or_default(), &name)?;
    Ok(Content {
        exported: Exported {
            root_digest: head.root_digest(),
            size: length,
        },
        bytes,
        signature,
    })
}

fn is_exported(path: &Path) -> Result<bool, TransferError> {
    let (file, _) = file::open(path)?;
    let mut start = Vec::new();
    file.take(MAGIC.len() as u64)
        .read_to_end(&mut start)
        .map_err(TransferError::read(&path.display().to_string()))?;
    Ok(start == MAGIC)
}

/// What goes to the registry.
struct Cargo {
    target: Reference,
    blobs: Vec<(Descriptor, Vec<u8>)>,
    manifest: Vec<u8>,
}

fn send(request: &PushRequest<'_>, cargo: &Cargo) -> Result<(), RegistryError> {
    let http = Http::new(request.insecure)?;
    let mut registry = Registry::new(&http, &cargo.target, request.login)?;
    registry.login()?;
    for (descriptor, bytes) in &cargo.blobs {
        registry.put_blob(&descriptor.digest, bytes)?;
    }
    registry.put_manifest(cargo.target.tag().unwrap_or_default(), &cargo.manifest)
}
