//! Where the blobs of an image are: a layout directory, a flat one as `skopeo copy … dir:` writes
//! it, or an archive. Small documents come as a whole, all together up to a limit; layers come as
//! streams, several at once where the store can be read at positions.
//!
//! Only regular files count as blobs: a symbolic link, a pipe or a directory in the place of one
//! is refused before it is opened.

mod layers;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::NamedTempFile;

use super::archive::Archive;
use super::cache;
use super::digest::{Algorithm, Digest, Hasher};
use super::elsewhere::{Blobs, Parts};
use super::kept::Identity;
use super::manifest::{Descriptor, Document};
use super::stream::Promise;
use super::wanted::Selection;
use super::{SourceError, invalid, limits, names};

/// See the module.
pub(super) struct Store {
    place: Backing,
    /// The file that the archive is kept in for as long as it is read.
    kept: Option<NamedTempFile>,
    /// Bytes of documents read so far.
    documents: AtomicU64,
}

enum Backing {
    Directory(PathBuf),
    /// The directory, and the digest of its `manifest.json`, which has no other name there.
    Flat(PathBuf, Box<Descriptor>),
    /// No blobs, but the files of a root file system: one layer, whatever its name.
    Unpacked(PathBuf),
    Archive(Archive),
    #[cfg_attr(
        not(feature = "registry"),
        expect(dead_code, reason = "nothing else makes one")
    )]
    Elsewhere(Box<dyn Blobs>),
}

/// A layer to read.
pub(super) struct Job {
    /// Name of the blob in the store.
    pub(super) name: String,
    /// What it is called in messages.
    pub(super) place: String,
    pub(super) promise: Promise,
    pub(super) selection: Selection,
}

impl Store {
    const fn new(place: Backing) -> Self {
        Self {
            place,
            kept: None,
            documents: AtomicU64::new(0),
        }
    }

    /// The manifest of a flat directory, which has no index, or the one that was asked for.
    pub(super) fn manifest(&self) -> Option<Descriptor> {
        match &self.place {
            Backing::Flat(_, descriptor) => Some((**descriptor).clone()),
            Backing::Elsewhere(blobs) => {
                let (media_type, digest, size) = blobs.root();
                Some(Descriptor::of(media_type, digest, size))
            }
            _ => None,
        }
    }

    /// Whether members follow the end of an archive.
    pub(super) const fn is_followed(&self) -> bool {
        match &self.place {
            Backing::Archive(archive) => archive.is_followed(),
            _ => false,
        }
    }

    /// Whether there is anything of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        match &self.place {
            Backing::Archive(archive) => archive.has(name),
            // Whoever names it finds out.
            Backing::Elsewhere(_) => true,
            _ => self
                .path(name)
                .is_some_and(|path| fs::symlink_metadata(path).is_ok()),
        }
    }

    /// Where a blob is in a directory.
    fn path(&self, name: &str) -> Option<PathBuf> {
        match &self.place {
            Backing::Archive(_) | Backing::Elsewhere(_) | Backing::Unpacked(_) => None,
            Backing::Directory(root) => Some(root.join(name)),
            Backing::Flat(root, manifest) => {
                let hex = names::split(name).1;
                if manifest.digest.ends_with(hex) {
                    return Some(root.join("manifest.json"));
                }
                let inner = root.join(format!("{hex}.manifest.json"));
                let is_inner = fs::symlink_metadata(&inner).is_ok();
                Some(if is_inner { inner } else { root.join(hex) })
            }
        }
    }

    /// Length of a blob, where it is known before it is read. The error says why it cannot be read.
    pub(super) fn known_size(&self, name: &str) -> Result<Option<u64>, String> {
        match &self.place {
            Backing::Elsewhere(_) => Ok(None),
            _ => self.size(name).map(Some),
        }
    }

    fn size(&self, name: &str) -> Result<u64, String> {
        match (&self.place, self.path(name)) {
            (Backing::Unpacked(_), _) => Ok(0),
            (Backing::Archive(archive), _) => archive
                .resolve(name)
                .map(|(_, entry)| entry.size)
                .ok_or_else(|| "there is no such file in the archive".into()),
            (_, None) => Err("the length of the blob is not known".into()),
            (_, Some(path)) => match fs::symlink_metadata(path) {
                Ok(data) if data.is_file() => Ok(data.len()),
                Ok(data) if data.is_symlink() => Err("the blob is a symbolic link".into()),
                Ok(_) => Err("the blob is not a regular file".into()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err("the blob is not there".into())
                }
                Err(error) => Err(error.to_string()),
            },
        }
    }

    /// A document as a whole; `None` if it is not there.
    pub(super) fn document(&self, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let content = match (&self.place, self.path(name)) {
            (Backing::Elsewhere(blobs), _) => {
                let digest = digest_of(name);
                blobs
                    .document(&digest)
                    .map_err(|cause| invalid(name, cause))?
            }
            (Backing::Archive(archive), _) => archive.document(name)?,
            (_, Some(path)) if self.has(name) => {
                let size = self.size(name).map_err(|cause| invalid(name, cause))?;
                if size > limits::DOCUMENT_BYTES {
                    let cause = format!(
                        "{size} bytes are more than the {} of a manifest",
                        limits::DOCUMENT_BYTES
                    );
                    return Err(invalid(name, cause));
                }
                let mut content = Vec::new();
                File::open(path)
                    .and_then(|file| file.take(limits::DOCUMENT_BYTES).read_to_end(&mut content))
                    .map_err(|error| invalid(name, error.to_string()))?;
                Some(content)
            }
            _ => None,
        };
        let bytes = content.as_ref().map_or(0, Vec::len) as u64;
        let before = self.documents.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > limits::DOCUMENTS_BYTES as u64 {
            let cause = format!("more than {} bytes of JSON", limits::DOCUMENTS_BYTES);
            return Err(invalid(name, cause));
        }
        Ok(content)
    }

    /// A blob as a stream, which its reader verifies.
    pub(super) fn open_blob(&self, digest: &Digest, size: u64) -> Result<Box<dyn Read>, String> {
        let name = digest.blob_name();
        match &self.place {
            // It cannot be read at a position; its documents are kept.
            Backing::Archive(archive) if archive.is_compressed() => {
                let content = archive.document(&name).map_err(|error| error.to_string())?;
                let content = content.ok_or("there is no such file in the archive")?;
                Ok(Box::new(io::Cursor::new(content)))
            }
            _ => self.open(&name, Some(size)),
        }
    }

    /// Manifests elsewhere that name another one as their subject.
    pub(super) fn referrers(&self, digest: &str) -> Result<Vec<Descriptor>, String> {
        match &self.place {
            Backing::Elsewhere(blobs) => {
                let found = blobs.referrers(digest)?.into_iter();
                let described =
                    found.map(|(kind, digest, size)| Descriptor::of(kind, digest, size));
                Ok(described.collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The bytes of a blob.
    pub(super) fn open(&self, name: &str, size: Option<u64>) -> Result<Box<dyn Read>, String> {
        if let Backing::Elsewhere(blobs) = &self.place {
            return blobs.open(&digest_of(name), size);
        }
        self.size(name)?;
        let file: io::Result<Box<dyn Read>> = match (&self.place, self.path(name)) {
            (Backing::Archive(archive), _) => match archive.resolve(name) {
                Some((_, entry)) => archive.member(entry).map(|member| Box::new(member) as _),
                None => return Err("there is no such file in the archive".into()),
            },
            (_, Some(path)) => File::open(path).map(|file| Box::new(file) as _),
            (_, None) => return Err("the blob is not there".into()),
        };
        file.map_err(|error| error.to_string())
    }

    /// Where parts of layers are to be read.
    pub(super) fn parts(&self) -> Option<&dyn Parts> {
        match &self.place {
            Backing::Elsewhere(blobs) => blobs.parts(),
            _ => None,
        }
    }

    /// By what a blob is known again: its digest where that is its name, else the file that it lies in.
    pub(super) fn identity(&self, job: &Job) -> Option<Identity> {
        match &self.place {
            Backing::Elsewhere(_) => {
                let digest = job.promise.digest.as_ref()?;
                Some(Identity::Digest(digest.as_str().to_owned()))
            }
            // One that is kept for the moment has a new name each time.
            Backing::Archive(_) if self.kept.is_some() => None,
            // Of many files nothing tells that none has changed.
            Backing::Unpacked(_) => None,
            Backing::Archive(archive) => {
                let (_, entry) = archive.resolve(&job.name)?;
                let part = format!("{}+{}", entry.ordinal, entry.size);
                cache::identity(archive.path(), &part).map(Identity::File)
            }
            Backing::Directory(_) | Backing::Flat(..) => {
                let path = self.path(&job.name)?;
                cache::identity(&path, "").map(Identity::File)
            }
        }
    }
}

/// Opens a layout directory.
pub(super) fn directory(path: &Path) -> Store {
    Store::new(Backing::Directory(path.to_owned()))
}

/// Opens a root file system.
pub(super) fn root_file_system(path: &Path) -> Store {
    Store::new(Backing::Unpacked(path.to_owned()))
}

/// Opens a flat directory.
pub(super) fn flat(path: &Path) -> Result<Store, SourceError> {
    let bytes = directory(path)
        .document("manifest.json")?
        .ok_or_else(|| invalid("manifest.json", "there is no such file"))?;
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(&bytes);
    let document = Document::parse(&bytes).map_err(|cause| invalid("manifest.json", cause))?;
    let descriptor = Descriptor::of(
        document.kind().to_owned(),
        hasher.finish().to_string(),
        bytes.len() as u64,
    );
    Ok(Store::new(Backing::Flat(
        path.to_owned(),
        Box::new(descriptor),
    )))
}

/// Blobs that lie somewhere else.
#[cfg(feature = "registry")]
pub(super) fn elsewhere(blobs: Box<dyn Blobs>) -> Store {
    Store::new(Backing::Elsewhere(blobs))
}

/// Opens an archive that is kept only to be read.
pub(super) fn spooled(file: NamedTempFile) -> Result<Store, SourceError> {
    let store = archive(file.path())?;
    Ok(Store {
        kept: Some(file),
        ..store
    })
}

/// The digest of a blob by its name in a layout.
fn digest_of(name: &str) -> String {
    let (algorithm, hex) = names::split(name);
    let algorithm = algorithm.rsplit('/').next().unwrap_or(algorithm);
    format!("{algorithm}:{hex}")
}

/// Opens an archive.
pub(super) fn archive(path: &Path) -> Result<Store, SourceError> {
    Ok(Store::new(Backing::Archive(Archive::open(path)?)))
}

#[cfg(test)]
mod tests;
