//! Images that do not lie on this disk: in a registry, in a container engine, or in what is written to
//! the standard input.
//!
//! A registry is read blob by blob, each streamed and verified, and nothing of it is kept. Engines and
//! pipes send an archive, which cannot be read out of order: it is kept in a temporary file for as
//! long as it is read.

#[cfg(unix)]
mod engine;
#[cfg(feature = "registry")]
mod registry;
mod spool;

use std::io::Read;
use std::path::PathBuf;

use super::SourceError;
use super::store::{self, Store};
use crate::model::target::{Engine, ImageKind};

pub use spool::MAX_ARCHIVE_BYTES;

/// How registries and engines are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Hosts (`host` or `host:port`) that may be asked over plain http, besides this machine.
    pub insecure: Vec<String>,
    /// A PEM file with the only certificate authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// Read layers by their tables of contents where they have one, and only what is wanted of them.
    pub partial: bool,
    /// Where the engine listens, instead of its usual places.
    pub docker_host: Option<String>,
    /// Whether documents that are attached to an image are looked for, wherever it lies.
    pub attached: bool,
}

/// The blobs of one image or index somewhere else, by their digests.
pub(super) trait Blobs: Send + Sync {
    /// Media type, digest and size of the manifest that was asked for.
    fn root(&self) -> (String, String, u64);

    /// A document as a whole; `None` if there is none of this digest.
    fn document(&self, digest: &str) -> Result<Option<Vec<u8>>, String>;

    /// Media type, digest and size of the manifests that are attached to one.
    fn referrers(&self, digest: &str) -> Result<Vec<(String, String, u64)>, String>;

    /// A layer, as a stream that fails where its content is not that of its digest.
    fn open(&self, digest: &str, size: Option<u64>) -> Result<Box<dyn Read>, String>;

    /// The same blobs, where parts of them are to be read.
    fn parts(&self) -> Option<&dyn Parts> {
        None
    }
}

/// Blobs of which a part can be read.
pub(super) trait Parts: Sync {
    /// The bytes of a blob from `start` on, not verified; `None` where whoever has it gives it only
    /// whole.
    fn part(&self, digest: &str, start: u64, length: u64) -> Result<Option<Vec<u8>>, String>;
}

/// Opens an image by its reference in a registry or an engine, or what comes in by the standard input.
/// The second value is the kind that it turned out to be.
pub(super) fn open(
    kind: ImageKind,
    reference: &str,
    access: &Access,
) -> Result<(Store, ImageKind), SourceError> {
    match kind {
        ImageKind::Registry => Ok((in_registry(reference, access)?, kind)),
        ImageKind::Engine(engine) => {
            let file = in_engine(engine, reference, access)?;
            Ok((store::spooled(file)?, ImageKind::DockerArchive))
        }
        _ => {
            let file = spool::keep("standard input", &mut std::io::stdin().lock())?;
            let found = super::recognise(file.path());
            let found = found
                .ok_or_else(|| super::invalid("standard input", "it is not an image archive"))?;
            Ok((store::spooled(file)?, found))
        }
    }
}

/// Whether an engine that runs here has an image; why not, if it cannot say.
pub fn has(engine: Engine, reference: &str, access: &Access) -> Result<bool, String> {
    #[cfg(unix)]
    return engine::has(engine, reference, access);
    #[cfg(not(unix))]
    {
        let _ = (engine, reference, access);
        Err("engines are asked over a Unix socket, which this system has not".to_owned())
    }
}

#[cfg(unix)]
fn in_engine(
    engine: Engine,
    reference: &str,
    access: &Access,
) -> Result<tempfile::NamedTempFile, SourceError> {
    engine::export(engine, reference, access)
}

#[cfg(not(unix))]
fn in_engine(
    engine: Engine,
    reference: &str,
    _access: &Access,
) -> Result<tempfile::NamedTempFile, SourceError> {
    let cause = format!(
        "{} is asked over a Unix socket, which this system has not",
        engine.as_str()
    );
    Err(super::invalid(reference, cause))
}

#[cfg(feature = "registry")]
fn in_registry(reference: &str, access: &Access) -> Result<Store, SourceError> {
    Ok(store::elsewhere(registry::open(reference, access)?))
}

#[cfg(not(feature = "registry"))]
fn in_registry(reference: &str, _access: &Access) -> Result<Store, SourceError> {
    let cause = "this program was built without support for registries";
    Err(super::invalid(reference, cause))
}

/// Whether a text that is no path may be the reference of an image: with a tag, a digest or a host. A
/// bare word is rather a mistyped folder.
pub fn is_reference(text: &str) -> bool {
    let text = text.strip_prefix("docker.io/").map_or(text, |_| text);
    let (name, has_digest) = match text.split_once('@') {
        Some((name, digest)) => (name, digest.starts_with("sha256:")),
        None => (text, false),
    };
    let last = name.rsplit('/').next().unwrap_or(name);
    let has_tag = last.split_once(':').is_some_and(|(_, tag)| !tag.is_empty());
    let host = name.split_once('/').map(|(host, _)| host);
    let has_host = host.is_some_and(|host| {
        let is_dotted = host.contains('.') && !host.starts_with('.') && !host.ends_with('.');
        is_dotted || host.contains(':') || host == "localhost"
    });
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    let is_path = text.starts_with(['.', '/', '~']) || text.contains("//");
    !is_path && text.chars().all(is_plain) && (has_digest || has_tag || has_host)
}

#[cfg(test)]
mod tests {
    use super::is_reference;

    #[test]
    fn a_bare_word_is_no_reference() {
        for text in [
            "nginx:1.27",
            "ghcr.io/a/b",
            "localhost:5000/x",
            "localhost/x",
            "a/b:1",
            "nginx@sha256:00",
        ] {
            assert!(is_reference(text), "{text}");
        }
        for text in [
            "nginx",
            "a/b",
            "./x.y/z",
            "/a.b/c",
            "../a:b",
            "image.tar",
            "",
            "a b:c",
            "x:",
        ] {
            assert!(!is_reference(text), "{text}");
        }
    }
}
