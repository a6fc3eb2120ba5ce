//! The folder beside the database: what was fetched, and the writers' lock.
//!
//! ```text
//! <database>.sync/lock  compiled  changed  ecosystems.txt  <dir>/{all.zip, modified_id.csv, changes.log, settled}
//! ```
//! The log holds single records as they came, each with a checksum; a torn end
//! (the process was killed) is cut off. Directory names are checked by the
//! caller.

use super::SyncError;
use super::plan::Settled;
use crate::moment::Moment;
use crate::store::format::crc32;
use crate::store::place::Place;
use crate::store::place::replace;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A longer log is dropped and the archive loaded again.
pub(super) const MAX_LOG: u64 = 256 << 20;

/// Records by id; `None` is a removal.
pub(super) type Changes = BTreeMap<String, Option<Vec<u8>>>;

/// The opened folder; the lock ends with it.
pub(super) struct Cache {
    root: PathBuf,
    place: Place,
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> SyncError {
    let path = path.to_owned();
    move |source| SyncError::Cache { path, source }
}

impl Cache {
    /// Opens the folder of a database and waits for its lock.
    pub(super) fn open(database: &Path, wait: Duration) -> Result<Self, SyncError> {
        let place = Place::claim(database, wait)?;
        Ok(Self {
            root: place.folder().to_owned(),
            place,
        })
    }

    /// The database itself, where no link leads on.
    pub(super) fn database(&self) -> &Path {
        self.place.target()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A file of one directory, which is made.
    pub(super) fn of(&self, ecosystem: &str, name: &str) -> Result<PathBuf, SyncError> {
        let folder = self.root.join(ecosystem);
        fs::create_dir_all(&folder).map_err(failed(&folder))?;
        Ok(folder.join(name))
    }

    /// Forgets the single records of a directory: its archive is new.
    pub(super) fn forget(&self, ecosystem: &str) -> Result<(), SyncError> {
        for name in ["changes.log", "settled"] {
            let path = self.of(ecosystem, name)?;
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed(&path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn log_length(&self, ecosystem: &str) -> u64 {
        fs::metadata(self.root.join(ecosystem).join("changes.log")).map_or(0, |data| data.len())
    }

    /// The single records of a directory, the last of each id; cuts off a torn end.
    pub(super) fn changes(&self, ecosystem: &str) -> Result<Changes, SyncError> {
        let path = self.of(ecosystem, "changes.log")?;
        let Some(bytes) = read(&path)? else {
            return Ok(Changes::new());
        };
        let mut changes = Changes::new();
        let mut rest = bytes.as_slice();
        while let Some((id, record, after)) = entry(rest) {
            changes.insert(id.to_owned(), record.map(<[u8]>::to_vec));
            rest = after;
        }
        if !rest.is_empty() {
            let whole = bytes.len().saturating_sub(rest.len());
            OpenOptions::new()
                .write(true)
                .open(&path)
                .and_then(|file| file.set_len(whole as u64))
                .map_err(failed(&path))?;
        }
        Ok(changes)
    }

    /// Appends to the log. [`Cache::changes`] was called before in this run.
    pub(super) fn append(&self, ecosystem: &str, changes: &Changes) -> Result<(), SyncError> {
        if changes.is_empty() {
            return Ok(());
        }
        let path = self.of(ecosystem, "changes.log")?;
        let mut out = Vec::new();
        for (id, record) in changes {
            let bytes = record.as_deref().unwrap_or_default();
            let sign = if record.is_some() { '+' } else { '-' };
            let crc = entry_crc(&sign.to_string(), id, bytes);
            let line = format!("{sign} {id} {} {crc:08x}\n", bytes.len());
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(bytes);
            out.push(b'\n');
        }
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(&out))
            .map_err(failed(&path))
    }

    pub(super) fn settled(&self, ecosystem: &str) -> Result<Settled, SyncError> {
        let bytes = read(&self.of(ecosystem, "settled")?)?.unwrap_or_default();
        // Without it records are asked for again, which does no harm.
        let text = String::from_utf8_lossy(unsealed(&bytes).unwrap_or_default());
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        Ok(lines
            .filter_map(|(time, id)| Some((id.to_owned(), Moment::parse(time)?)))
            .collect())
    }

    pub(super) fn settle(&self, ecosystem: &str, settled: &Settled) -> Result<(), SyncError> {
        let path = self.of(ecosystem, "settled")?;
        let mut lines = String::new();
        for (id, time) in settled {
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "{time} {id}");
        }
        replace(&path, &sealed(lines.as_bytes())).map_err(failed(&path))
    }
}

/// A saved file, or `None` where it is not there.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, SyncError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path)(error)),
    }
}

/// Covers what becomes of a record as well as its bytes.
fn entry_crc(sign: &str, id: &str, bytes: &[u8]) -> u32 {
    let parts = [sign.as_bytes(), b" ", id.as_bytes(), b"\n", bytes];
    crc32(&parts.concat())
}

/// A text with its checksum in the first line.
pub(super) fn sealed(text: &[u8]) -> Vec<u8> {
    let mut out = format!("{:08x}\n", crc32(text)).into_bytes();
    out.extend_from_slice(text);
    out
}

/// The text, if it is what was sealed.
pub(super) fn unsealed(bytes: &[u8]) -> Option<&[u8]> {
    let (crc, text) = bytes.split_at_checked(9)?;
    (crc == format!("{:08x}\n", crc32(text)).as_bytes()).then_some(text)
}

/// The first entry of a log: its id, its record, and what follows.
type Entry<'a> = (&'a str, Option<&'a [u8]>, &'a [u8]);

fn entry(log: &[u8]) -> Option<Entry<'_>> {
    let end = log.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(log.get(..end)?).ok()?;
    let mut fields = line.split(' ');
    let (sign, id) = (fields.next()?, fields.next()?);
    let length: usize = fields.next()?.parse().ok()?;
    let crc = u32::from_str_radix(fields.next()?, 16).ok()?;
    let rest = log.get(end.checked_add(1)?..)?;
    let (bytes, after) = rest.split_at_checked(length)?;
    let after = after.strip_prefix(b"\n")?;
    if entry_crc(sign, id, bytes) != crc {
        return None;
    }
    match sign {
        "+" => Some((id, Some(bytes), after)),
        "-" => Some((id, None, after)),
        _ => None,
    }
}
