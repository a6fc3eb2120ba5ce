//! Where a repository keeps what (gitrepository-layout(5)): the directory of a work tree, of a
//! linked one, what they have in common, and stores that it borrows objects from.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::error::{StoreError, io_error};
use crate::git::object::Format;

/// Bytes of `.git` files, configurations and lists of alternates.
const SMALL_FILE: u64 = 1 << 20;
/// Bytes of the list of references.
pub(super) const PACKED_REFS: u64 = 256 << 20;
/// Stores that others borrow from, one behind the other.
const ALTERNATES: usize = 5;
/// Stores in all.
const STORES: usize = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Layout {
    /// Where `HEAD` is.
    pub(super) own: PathBuf,
    /// Where branches, tags and objects are.
    pub(super) common: PathBuf,
    /// Directories of objects, the repository's own first.
    pub(super) objects: Vec<PathBuf>,
    pub(super) format: Format,
}

/// A small file's text, trimmed; `None` if it is not there.
pub(super) fn small(path: &Path) -> Result<Option<String>, StoreError> {
    text(path, SMALL_FILE)
}

/// A file's text, trimmed; `None` if it is not there.
pub(super) fn text(path: &Path, most: u64) -> Result<Option<String>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(path)(error)),
    };
    let mut bytes = Vec::new();
    let read = file.take(most.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(io_error(path))?;
    if bytes.len() as u64 > most {
        return Err(StoreError::Limit {
            what: format!("the size of {}", path.display()),
            limit: most,
        });
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
}

impl Layout {
    /// Of a work tree, or of a bare repository.
    pub(super) fn find(path: &Path) -> Result<Self, StoreError> {
        let not_there = || StoreError::NotThere {
            path: path.to_owned(),
        };
        let marked = path.join(".git");
        let own = if marked.is_dir() {
            marked
        } else if let Some(text) = small(&marked)? {
            let target = text.strip_prefix("gitdir:").ok_or_else(not_there)?;
            path.join(target.trim())
        } else if path.join("HEAD").is_file() && path.join("objects").is_dir() {
            path.to_owned()
        } else {
            return Err(not_there());
        };
        let common = match small(&own.join("commondir"))? {
            Some(target) => own.join(target.trim()),
            None => own.clone(),
        };
        if !common.join("objects").is_dir() {
            return Err(not_there());
        }
        let format = format(&common)?;
        let objects = stores(&common.join("objects"))?;
        Ok(Self {
            own,
            common,
            objects,
            format,
        })
    }
}

/// The hash of a repository; other extensions of its form are refused.
fn format(common: &Path) -> Result<Format, StoreError> {
    let mut format = Format::Sha1;
    let Some(text) = small(&common.join("config"))? else {
        return Ok(format);
    };
    let unsupported = |what: &str| StoreError::Unsupported {
        path: common.to_owned(),
        what: what.to_owned(),
    };
    let mut in_extensions = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            in_extensions = line.eq_ignore_ascii_case("[extensions]");
        } else if in_extensions && let Some((key, value)) = line.split_once('=') {
            let value = value.trim().trim_matches('"');
            match key.trim().to_ascii_lowercase().as_str() {
                "objectformat" => {
                    let what = || unsupported(&format!("the object format {value}"));
                    format = Format::of(value).ok_or_else(what)?;
                }
                "refstorage" if value != "files" => {
                    return Err(unsupported(&format!("the reference storage {value}")));
                }
                // The rest (partial clones, work tree configuration) changes no form of storage.
                _ => {}
            }
        }
    }
    Ok(format)
}

/// A store and those it borrows from.
fn stores(own: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut all = vec![own.to_owned()];
    let mut layer = vec![own.to_owned()];
    for _ in 0..ALTERNATES {
        let mut next = Vec::new();
        for store in &layer {
            let Some(text) = small(&store.join("info/alternates"))? else {
                continue;
            };
            for line in text
                .lines()
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
            {
                let path = store.join(line);
                if !all.contains(&path) && fs::metadata(&path).is_ok_and(|data| data.is_dir()) {
                    all.push(path.clone());
                    next.push(path);
                }
                if all.len() > STORES {
                    return Err(StoreError::Limit {
                        what: "the number of object stores".to_owned(),
                        limit: STORES as u64,
                    });
                }
            }
        }
        layer = next;
    }
    Ok(all)
}
