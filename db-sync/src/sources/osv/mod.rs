//! OSV's bucket export: a directory with `ecosystems.txt` and one
//! `<dir>/all.zip` (or loose `<ID>.json`) per ecosystem, one such directory,
//! or one archive. A folder with folders of records in it is a bucket, whatever
//! lies beside them. Nothing is ever written here, and no name from the input
//! is used as a path without being checked.

mod beside;
mod parse;
mod range;
mod schema;

use crate::limits::Limits;
use crate::problem::{Causes, Warning};
use crate::sources::{Sink, SourceError, SourceKind, SourceRecord};
use archive::{Archive, Inflater, Member, MemberError};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// The archive of one ecosystem.
const ARCHIVE: &str = "all.zip";
/// The list of ecosystem directories.
const LIST: &str = "ecosystems.txt";
/// The source of records that lie beside a bucket's directories.
pub(crate) const STRAY: &str = "[STRAY]";
/// Longest accepted `ecosystems.txt`; the real one has a few hundred bytes.
const MAX_LIST_BYTES: u64 = 1 << 20;
/// Raw bytes handed to the worker threads at once.
const BATCH_BYTES: u64 = 4 << 20;
/// Records handed to the worker threads at once.
const BATCH_RECORDS: usize = 1024;

/// Reads one input and hands each record to the sink.
pub(crate) fn read(path: &Path, limits: &Limits, sink: &mut Sink<'_>) -> Result<(), SourceError> {
    let mut reader = Reader {
        limits,
        sink,
        path,
        bytes: 0,
        usable: 0,
        first: None,
    };
    if path.is_dir() {
        reader.bucket()?;
    } else {
        reader.archive(path, &Arc::from(archive_name(path)))?;
    }
    reader.expect_usable(0, path)
}

/// An archive is named after its directory when its own name says nothing.
fn archive_name(path: &Path) -> String {
    let own = name_of(path);
    if own == ARCHIVE {
        // A name alone lies in the current folder.
        let parent = path.parent().map(|parent| match parent.as_os_str() {
            none if none.is_empty() => name_of(Path::new(".")),
            _ => name_of(parent),
        });
        return parent.unwrap_or(own);
    }
    own
}

/// The last part of a path, also of one that does not write it: `.` and `..`
/// are folders with names, which tell what they hold.
fn name_of(path: &Path) -> String {
    let whole = match path.components().next_back() {
        Some(Component::Normal(_)) => None,
        _ => path.canonicalize().ok(),
    };
    whole
        .as_deref()
        .unwrap_or(path)
        .file_name()
        .unwrap_or_else(|| OsStr::new("osv"))
        .to_string_lossy()
        .into_owned()
}

fn cannot_read(path: &Path) -> impl FnOnce(std::io::Error) -> SourceError {
    let path = path.to_owned();
    move |source| SourceError::Read { path, source }
}

struct Reader<'a, 'b> {
    limits: &'a Limits,
    sink: &'a mut Sink<'b>,
    path: &'a Path,
    bytes: u64,
    usable: u64,
    first: Option<Warning>,
}

/// A record's bytes before they are parsed, or why there are none.
struct Raw {
    entry: String,
    member: Option<Member>,
    bytes: Result<Vec<u8>, String>,
}

impl Reader<'_, '_> {
    fn expect_usable(&self, before: u64, path: &Path) -> Result<(), SourceError> {
        if self.usable > before {
            return Ok(());
        }
        Err(SourceError::Empty {
            path: path.to_owned(),
            first: self.first.clone(),
        })
    }

    fn warn(&mut self, source: &Arc<str>, entry: &str, cause: &str) -> Result<(), SourceError> {
        self.told(source, Warning::new(source, entry, cause))
    }

    /// Tells what was left out.
    fn skip(&mut self, source: &Arc<str>, entry: &str, cause: &str) -> Result<(), SourceError> {
        self.told(source, Warning::skipped(source, entry, cause))
    }

    fn told(&mut self, source: &Arc<str>, warning: Warning) -> Result<(), SourceError> {
        self.emit(SourceRecord {
            source: Arc::clone(source),
            kind: SourceKind::Osv,
            advisory: None,
            digest: [0; 32],
            warnings: vec![warning],
        })
    }

    fn emit(&mut self, found: SourceRecord) -> Result<(), SourceError> {
        if found.advisory.is_some() {
            self.usable = self.usable.saturating_add(1);
        }
        if self.first.is_none() && found.advisory.is_none() {
            self.first = found.warnings.first().cloned();
        }
        (self.sink)(found)
    }

    fn bucket(&mut self) -> Result<(), SourceError> {
        let root = self.path;
        let list = root.join(LIST);
        let directories = subdirectories(root)?;
        if list.is_file() {
            let listed = self.listed(&list)?;
            for name in &listed {
                if directories.contains(name) {
                    self.directory(&root.join(name), &Arc::from(name.as_str()))?;
                } else {
                    let cause = "listed, but there is no such directory";
                    self.skip(&Arc::from(LIST), name, cause)?;
                }
            }
            for name in directories.iter().filter(|name| !listed.contains(*name)) {
                if holds_records(&root.join(name), self.limits)? {
                    let cause = "directory is not listed and was not read";
                    self.skip(&Arc::from(LIST), name, cause)?;
                }
            }
            return self.strays(root);
        }
        let mut is_bucket = false;
        for name in &directories {
            let directory = root.join(name);
            if holds_records(&directory, self.limits)? {
                is_bucket = true;
                self.directory(&directory, &Arc::from(name.as_str()))?;
            }
        }
        let own_name = name_of(root);
        let archive = root.join(ARCHIVE);
        if archive.is_file() {
            self.archive(&archive, &Arc::from(own_name.as_str()))?;
        }
        // The folder of an ecosystem stays one, whatever folders lie in it.
        if is_bucket && crate::ecosystem::order(&own_name).is_none() {
            return self.strays(root);
        }
        self.loose_records(root, &Arc::from(own_name))
    }

    /// Records that lie beside a bucket's directories: they are read, but say
    /// nothing about which ecosystems the bucket has.
    fn strays(&mut self, root: &Path) -> Result<(), SourceError> {
        let source: Arc<str> = Arc::from(STRAY);
        for name in files(root, "zip", self.limits)? {
            if name != ARCHIVE {
                let cause = "archive lies beside the directories of the ecosystems: not read";
                self.skip(&source, &name, cause)?;
            }
        }
        if !loose_files(root, self.limits)?.is_empty() {
            let cause = "records lie beside the directories of the ecosystems";
            self.warn(&source, "", cause)?;
            self.loose_records(root, &source)?;
        }
        Ok(())
    }

    /// The usable lines of `ecosystems.txt`.
    fn listed(&mut self, list: &Path) -> Result<BTreeSet<String>, SourceError> {
        let source: Arc<str> = Arc::from(LIST);
        let mut bytes = Vec::new();
        fs::File::open(list)
            .and_then(|file| file.take(MAX_LIST_BYTES).read_to_end(&mut bytes))
            .map_err(cannot_read(list))?;
        let mut names = BTreeSet::new();
        let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        if lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        for line in lines {
            let Ok(line) = std::str::from_utf8(line) else {
                self.warn(&source, &String::from_utf8_lossy(line), "line is not UTF-8")?;
                continue;
            };
            let line = line.trim_end_matches('\r');
            if !is_directory_name(line) {
                self.warn(&source, line, "line is not a directory name")?;
            } else if !names.insert(line.to_owned()) {
                self.warn(&source, line, "listed twice")?;
            }
        }
        Ok(names)
    }

    /// Reads `all.zip` and the loose records of one ecosystem's directory.
    fn directory(&mut self, directory: &Path, source: &Arc<str>) -> Result<(), SourceError> {
        let archive = directory.join(ARCHIVE);
        if archive.is_file() {
            self.archive(&archive, source)?;
        }
        self.loose_records(directory, source)
    }

    /// Reads the loose records of a directory.
    fn loose_records(&mut self, directory: &Path, source: &Arc<str>) -> Result<(), SourceError> {
        let mut batch = Vec::new();
        let mut size: u64 = 0;
        for name in loose_files(directory, self.limits)? {
            let path = directory.join(&name);
            let bytes = self.loose(&path)?;
            size = size.saturating_add(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64));
            batch.push(Raw {
                entry: name,
                member: None,
                bytes,
            });
            if size >= BATCH_BYTES || batch.len() >= BATCH_RECORDS {
                self.flush(source, std::mem::take(&mut batch))?;
                size = 0;
            }
        }
        self.flush(source, batch)
    }

    fn loose(&self, path: &Path) -> Result<Result<Vec<u8>, String>, SourceError> {
        let limit = self.limits.record_bytes;
        let mut bytes = Vec::new();
        let read = fs::File::open(path)
            .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
            .map_err(cannot_read(path))?;
        Ok(if read as u64 > limit {
            Err(format!("record is larger than {limit} bytes"))
        } else {
            Ok(bytes)
        })
    }

    fn archive(&mut self, path: &Path, source: &Arc<str>) -> Result<(), SourceError> {
        let limits = self.limits.of_archive();
        let opened = File::open(path)
            .map_err(archive::Error::Read)
            .and_then(|file| Archive::open(BufReader::with_capacity(256 << 10, file), limits));
        let mut archive = opened.map_err(|error| match error {
            archive::Error::Read(source) => cannot_read(path)(source),
            archive::Error::Broken(cause) => SourceError::Archive {
                path: path.to_owned(),
                cause: cause.to_owned(),
            },
            archive::Error::Entries(limit) => SourceError::TooLarge {
                path: path.to_owned(),
                what: "entries",
                limit,
            },
        })?;
        let before = self.usable;
        let mut batch = Vec::new();
        let mut size: u64 = 0;
        for member in archive.members() {
            match is_record(&member) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(cause) => {
                    self.skip(source, &member.name, cause)?;
                    continue;
                }
            }
            let bytes = match archive.raw(&member) {
                Ok(bytes) => Ok(bytes),
                Err(MemberError::Read(source)) => return Err(cannot_read(path)(source)),
                Err(error) => Err(error.to_string()),
            };
            size = size.saturating_add(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64));
            batch.push(Raw {
                entry: member.name.clone(),
                member: Some(member),
                bytes,
            });
            if size >= BATCH_BYTES || batch.len() >= BATCH_RECORDS {
                self.flush(source, std::mem::take(&mut batch))?;
                size = 0;
            }
        }
        self.flush(source, batch)?;
        self.expect_usable(before, path)
    }

    /// Inflates and parses a batch on all threads, then hands it on in order.
    fn flush(&mut self, source: &Arc<str>, batch: Vec<Raw>) -> Result<(), SourceError> {
        let limits = self.limits;
        let found: Vec<(SourceRecord, u64)> = batch
            .into_par_iter()
            .map_init(
                || (Inflater::new(false), Vec::new()),
                |(inflater, buffer), raw| examine(source, raw, limits, inflater, buffer),
            )
            .collect();
        for (found, size) in found {
            self.bytes = self.bytes.saturating_add(size);
            if self.bytes > limits.total_bytes {
                return Err(SourceError::TooLarge {
                    path: self.path.to_owned(),
                    what: "bytes of records",
                    limit: limits.total_bytes,
                });
            }
            self.emit(found)?;
        }
        Ok(())
    }
}

/// Reads a single record that was fetched by itself.
pub(crate) fn one(source: &Arc<str>, entry: &str, bytes: &[u8], limits: &Limits) -> SourceRecord {
    let within = bytes.len() as u64 <= limits.record_bytes;
    let raw = Raw {
        entry: entry.to_owned(),
        member: None,
        bytes: if within {
            Ok(bytes.to_vec())
        } else {
            Err(format!(
                "record is larger than {} bytes",
                limits.record_bytes
            ))
        },
    };
    let mut inflater = Inflater::new(false);
    examine(source, raw, limits, &mut inflater, &mut Vec::new()).0
}

/// Turns a record's raw bytes into an advisory or a warning.
fn examine(
    source: &Arc<str>,
    raw: Raw,
    limits: &Limits,
    inflater: &mut Inflater,
    buffer: &mut Vec<u8>,
) -> (SourceRecord, u64) {
    let mut found = SourceRecord {
        source: Arc::clone(source),
        kind: SourceKind::Osv,
        advisory: None,
        digest: [0; 32],
        warnings: Vec::new(),
    };
    let mut causes = Causes::default();
    let outcome = raw.bytes.and_then(|bytes| {
        let text = match &raw.member {
            Some(member) => {
                let limits = limits.of_archive();
                let remark = member.inflate(&bytes, &limits, inflater, buffer);
                causes.extend(remark.map_err(|error| error.to_string())?);
                buffer.as_slice()
            }
            None => bytes.as_slice(),
        };
        found.digest = Sha256::digest(text).into();
        let parsed = parse::record(text, &raw.entry, limits, &mut causes)?;
        Ok((parsed, text.len() as u64))
    });
    let mut size = 0;
    match outcome {
        Ok((advisory, length)) => {
            size = length;
            found.advisory = Some(Box::new(advisory));
        }
        Err(cause) => causes.skip(format!("record skipped: {cause}")),
    }
    let entry = match &found.advisory {
        Some(advisory) => advisory.id.as_str(),
        None => raw.entry.as_str(),
    };
    found.warnings = causes.about(source, entry);
    (found, size)
}

/// Whether an entry is a record (`true`), something else (`false`), or has a name that leaves the
/// archive's folder (an error).
fn is_record(member: &Member) -> Result<bool, &'static str> {
    if member.escapes() {
        return Err("entry name leaves the folder; not read");
    }
    let extension = member.name.rsplit_once('.');
    Ok(extension.is_some_and(|(_, extension)| extension == "json"))
}

/// A single path component that hides nothing.
pub(crate) fn is_directory_name(line: &str) -> bool {
    !line.is_empty()
        && !line.starts_with('.')
        && !line.contains(['/', '\\'])
        && !line.chars().any(char::is_control)
}

fn subdirectories(root: &Path) -> Result<BTreeSet<String>, SourceError> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(root).map_err(cannot_read(root))? {
        let entry = entry.map_err(cannot_read(root))?;
        if let Ok(name) = entry.file_name().into_string()
            && is_directory_name(&name)
            && entry.path().is_dir()
        {
            names.insert(name);
        }
    }
    Ok(names)
}

/// Whether a directory has an archive or loose records.
fn holds_records(directory: &Path, limits: &Limits) -> Result<bool, SourceError> {
    Ok(directory.join(ARCHIVE).is_file() || !loose_files(directory, limits)?.is_empty())
}

/// The `.json` files of a directory, sorted by name.
fn loose_files(directory: &Path, limits: &Limits) -> Result<BTreeSet<String>, SourceError> {
    files(directory, "json", limits)
}

/// The files of a directory with an extension, sorted by name.
fn files(
    directory: &Path,
    extension: &str,
    limits: &Limits,
) -> Result<BTreeSet<String>, SourceError> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(directory).map_err(cannot_read(directory))? {
        let entry = entry.map_err(cannot_read(directory))?;
        let path: PathBuf = entry.path();
        if path.extension() == Some(OsStr::new(extension))
            && path.is_file()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.insert(name);
        }
        if names.len() as u64 > limits.entries {
            return Err(SourceError::TooLarge {
                path: directory.to_owned(),
                what: "files",
                limit: limits.entries,
            });
        }
    }
    Ok(names)
}
