//! A download in the folder beside the database. What broke off is kept there
//! and continued, in this run or in the next one; whether old and new part fit
//! together is decided by the digest of the whole, never by what a server says.

use crate::transfer::head::{HEAD, Head, digest_text};
use remote::registry::{Kept, Sink};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Names in the folder.
const PART: &str = "pull.part";
const TAG: &str = "pull.part-tag";
/// Longest note that is read.
const MAX_TAG: u64 = 64 << 10;

/// What a partial file is the beginning of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Tag {
    /// The digest of the content, or of its address.
    asked: String,
    version: Option<String>,
}

/// An answer in a file. It ends early when its head names the database that is
/// already there.
pub(crate) struct Download<'a> {
    folder: PathBuf,
    file: File,
    tag: Tag,
    by_digest: bool,
    hasher: Sha256,
    /// Bytes so far.
    pub(crate) length: u64,
    limit: u64,
    start: Vec<u8>,
    current: Option<&'a str>,
    /// The root digest, where the database is there already.
    pub(crate) already: Option<String>,
}

impl<'a> Download<'a> {
    /// Opens the file, with what an earlier run loaded of the same content.
    /// The caller holds the folder's lock.
    pub(crate) fn open(
        folder: &Path,
        asked: &str,
        by_digest: bool,
        limit: u64,
        current: Option<&'a str>,
    ) -> io::Result<Self> {
        let earlier = read_tag(&folder.join(TAG))
            .filter(|tag| tag.asked == asked && (by_digest || tag.version.is_some()));
        let file = OpenOptions::new()
            .create(true)
            .truncate(earlier.is_none())
            .read(true)
            .write(true)
            .open(folder.join(PART))?;
        let mut download = Self {
            folder: folder.to_owned(),
            file,
            tag: earlier.unwrap_or_else(|| Tag {
                asked: asked.to_owned(),
                version: None,
            }),
            by_digest,
            hasher: Sha256::new(),
            length: 0,
            limit,
            start: Vec::new(),
            current,
            already: None,
        };
        download.read_kept()?;
        Ok(download)
    }

    /// Takes what is in the file as if it had just come.
    fn read_kept(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 128 << 10];
        loop {
            let count = self.file.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            self.note(buffer.get(..count).unwrap_or_default());
            if self.length > self.limit {
                return self.restart(None);
            }
        }
    }

    fn note(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.length = self.length.saturating_add(bytes.len() as u64);
        let missing = HEAD.saturating_sub(self.start.len());
        self.start.extend(bytes.iter().take(missing));
    }

    /// The digest of all that came.
    pub(crate) fn digest(&self) -> String {
        digest_text(&self.hasher.clone().finalize())
    }

    /// Leaves nothing for another run; the content stays readable here.
    pub(crate) fn forget(&self) {
        let _ = fs::remove_file(self.folder.join(TAG));
        let _ = fs::remove_file(self.folder.join(PART));
    }

    /// The content, from its beginning.
    pub(crate) fn content(&mut self) -> io::Result<File> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.try_clone()
    }
}

impl Drop for Download<'_> {
    /// Keeps only what can be continued.
    fn drop(&mut self) {
        if self.length == 0 || self.length >= self.limit || self.kept().is_none() {
            self.forget();
        }
    }
}

fn read_tag(path: &Path) -> Option<Tag> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(MAX_TAG).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

impl Sink for Download<'_> {
    fn kept(&self) -> Option<Kept> {
        (self.by_digest || self.tag.version.is_some()).then(|| Kept {
            length: self.length,
            version: self.tag.version.clone().filter(|_| !self.by_digest),
        })
    }

    fn restart(&mut self, version: Option<String>) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.hasher = Sha256::new();
        self.length = 0;
        self.start.clear();
        self.tag.version = version;
        fs::write(self.folder.join(TAG), serde_json::to_vec(&self.tag)?)
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<bool> {
        self.file.write_all(bytes)?;
        let had = self.start.len();
        self.note(bytes);
        if had < HEAD
            && self.start.len() == HEAD
            && let Some(current) = self.current
            && Head::decode(&self.start, "").is_ok_and(|head| head.root_digest() == current)
        {
            self.already = Some(current.to_owned());
            return Ok(false);
        }
        Ok(true)
    }

    fn limit(&self) -> u64 {
        self.limit
    }
}
