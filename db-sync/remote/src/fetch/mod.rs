//! Gets files of a bucket from a folder or, with the feature `network`, over
//! HTTP. Knows nothing of advisories. Mirrors are tried in order; what was
//! loaded once is not loaded again (tags), and what was cut off is continued.
//! Callers check names; nothing from a server is ever used as a path here.

mod beside;
mod files;
#[cfg(feature = "network")]
pub(crate) mod http;

pub use crate::access::Access;
pub use beside::{beside, replace};
use serde::{Deserialize, Serialize};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Why a file could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No mirror was given.
    #[error("no source was given")]
    NoBase,
    /// The address is none that we can read.
    #[error("{url:?} is neither an http(s) address nor a folder")]
    Address {
        /// What was given.
        url: String,
    },
    /// The program was built without the feature `network`.
    #[error("cannot fetch {url}: this program was built without network support")]
    NoNetwork {
        /// What was asked for.
        url: String,
    },
    /// A file could not be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The certificate authorities could not be read.
    #[error("cannot use the certificates in {}: {cause}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// The server did not give it.
    #[error("cannot fetch {url}: {cause}")]
    Server {
        /// What was asked for.
        url: String,
        /// Status or transport error of the last try.
        cause: String,
    },
    /// The file is larger than its bound.
    #[error("{url} has more than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The bound.
        limit: u64,
    },
}

/// What a mirror called the version of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    url: String,
    etag: Option<String>,
    last_modified: Option<String>,
    length: u64,
    /// Of the saved file's content.
    crc: u32,
}

/// What became of a file that was to be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// It was loaded.
    Fresh,
    /// It was there already in this version.
    Unchanged,
    /// No mirror has it.
    Missing,
}

enum Base {
    Folder(PathBuf),
    #[cfg(feature = "network")]
    Http(Box<http::Client>),
}

/// Sources of the same files, in order of preference.
pub struct Mirrors {
    bases: Vec<Base>,
    /// The mirror that worked last: after a failure its successor is used.
    current: AtomicUsize,
    warnings: Mutex<Vec<String>>,
    in_flight: usize,
}

impl Mirrors {
    /// From addresses and folders, in this order.
    pub fn new(from: &[String], access: &Access) -> Result<Self, FetchError> {
        let bases = from
            .iter()
            .map(|one| base(one, access))
            .collect::<Result<Vec<_>, _>>()?;
        if bases.is_empty() {
            return Err(FetchError::NoBase);
        }
        Ok(Self {
            bases,
            current: AtomicUsize::new(0),
            warnings: Mutex::new(Vec::new()),
            in_flight: if from.iter().any(|one| is_url(one)) {
                access.in_flight.clamp(1, 64)
            } else {
                1
            },
        })
    }

    /// A small file as a whole; `None` where no mirror has it.
    pub fn read(&self, path: &[&str], limit: u64) -> Result<Option<Vec<u8>>, FetchError> {
        self.each(|base| match base {
            Base::Folder(root) => files::read(present(root, path)?, path, limit),
            #[cfg(feature = "network")]
            Base::Http(client) => client.read(path, limit, false),
        })
    }

    /// The first bytes of a file.
    pub fn beginning(&self, path: &[&str], length: u64) -> Result<Option<Vec<u8>>, FetchError> {
        self.each(|base| match base {
            Base::Folder(root) => files::beginning(present(root, path)?, path, length),
            #[cfg(feature = "network")]
            Base::Http(client) => client.read(path, length, true),
        })
    }

    /// Saves a file under `to`, unless it is there already in this version. An
    /// empty path means what the source itself names, word for word.
    pub fn save(&self, path: &[&str], to: &Path, limit: u64) -> Result<Saved, FetchError> {
        let saved = self.each(|base| {
            let saved = match base {
                Base::Folder(root) => files::save(present(root, path)?, path, to, limit),
                #[cfg(feature = "network")]
                Base::Http(client) => client.save(path, to, limit),
            }?;
            Ok((saved != Saved::Missing).then_some(saved))
        })?;
        Ok(saved.unwrap_or(Saved::Missing))
    }

    /// Asks the mirrors in order. One that fails is left for good; one that
    /// only lacks the file is not.
    fn each<T>(
        &self,
        ask: impl Fn(&Base) -> Result<Option<T>, FetchError>,
    ) -> Result<Option<T>, FetchError> {
        let start = self.current.load(Ordering::Relaxed);
        let mut failure = None;
        let mut answered = false;
        for (number, base) in self.bases.iter().enumerate().skip(start) {
            match ask(base) {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => answered = true,
                Err(error) => {
                    let next = number.saturating_add(1);
                    if next < self.bases.len() {
                        self.current.fetch_max(next, Ordering::Relaxed);
                        let cause = format!("the next mirror is used: {error}");
                        if let Ok(mut warnings) = self.warnings.lock() {
                            warnings.push(cause);
                        }
                    }
                    failure = Some(error);
                }
            }
        }
        match failure {
            Some(error) if !answered => Err(error),
            _ => Ok(None),
        }
    }

    /// How many requests may run at once.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// What went wrong without stopping anything.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings
            .lock()
            .map(|warnings| warnings.clone())
            .unwrap_or_default()
    }
}

/// Whether an address is fetched over HTTP.
pub fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// The path that a source means, if it is no address on the network.
pub fn path(text: &str) -> Option<PathBuf> {
    match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => local(rest),
        // A folder may be called like an address, too.
        Some(_) if is_url(text) || !Path::new(text).exists() => None,
        _ => Some(PathBuf::from(text)),
    }
}

fn base(text: &str, access: &Access) -> Result<Base, FetchError> {
    if is_url(text) {
        #[cfg(feature = "network")]
        return http::Client::new(text, access).map(|client| Base::Http(Box::new(client)));
        #[cfg(not(feature = "network"))]
        {
            let _ = access;
            return Err(FetchError::NoNetwork {
                url: text.to_owned(),
            });
        }
    }
    path(text)
        .map(Base::Folder)
        .ok_or_else(|| FetchError::Address {
            url: text.to_owned(),
        })
}

/// The path in a `file:` address (RFC 8089), which is on this machine and absolute.
fn local(rest: &str) -> Option<PathBuf> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    path.starts_with('/').then(|| decoded(path))?
}

/// Takes percent-encoding off (RFC 3986 2.1); `None` where that leaves no text.
fn decoded(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

/// A folder that files are taken from. One that is not there (a share that is
/// not mounted) has not "no file": it is a mirror that failed.
fn present<'a>(root: &'a Path, path: &[&str]) -> Result<&'a Path, FetchError> {
    if path.is_empty() || root.is_dir() {
        return Ok(root);
    }
    Err(FetchError::Address {
        url: root.display().to_string(),
    })
}

fn read_tag(path: &Path) -> Option<Tag> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> FetchError {
    let path = path.to_owned();
    move |source| FetchError::File { path, source }
}

/// Notes the version of a saved file.
fn write_tag(path: &Path, tag: &Tag) -> Result<(), FetchError> {
    let bytes = serde_json::to_vec(tag).map_err(|error| failed(path)(error.into()))?;
    replace(path, &bytes).map_err(failed(path))
}

/// The saved file's version, if it is still the file that was saved.
fn saved_tag(to: &Path, url: &str) -> Option<Tag> {
    let tag = read_tag(&beside(to, ".tag")).filter(|tag| tag.url == url)?;
    is_of(to, &tag).then_some(tag)
}

/// Whether a file that was saved is still what it was: one that was damaged
/// would be taken for a change by the publisher, and a server that says "not
/// modified" would keep it so for good. A file without a tag is believed.
pub fn is_intact(to: &Path) -> bool {
    read_tag(&beside(to, ".tag")).is_none_or(|tag| is_of(to, &tag))
}

fn is_of(file: &Path, tag: &Tag) -> bool {
    std::fs::metadata(file).is_ok_and(|data| data.len() == tag.length)
        && checksum(file).is_ok_and(|crc| crc == tag.crc)
}

fn checksum(path: &Path) -> io::Result<u32> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; 128 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize()),
            Ok(read) => hasher.update(buffer.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Puts a loaded file in its place. Its old tag goes first: at no time does a
/// tag stand beside a file that it does not describe.
fn keep(part: &Path, to: &Path, tag: &Tag) -> Result<(), FetchError> {
    let note = beside(to, ".tag");
    let tag = Tag {
        crc: checksum(part).map_err(failed(part))?,
        ..tag.clone()
    };
    match std::fs::remove_file(&note) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&note)(error)),
        _ => {}
    }
    std::fs::rename(part, to).map_err(failed(to))?;
    write_tag(&note, &tag)
}
