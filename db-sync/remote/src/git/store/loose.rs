//! Objects in files of their own: `objects/ab/cdef…`, deflated, behind their type and length.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::ZlibDecoder;

use super::Object;
use super::error::{StoreError, damaged, io_error};
use super::pack::Prefix;
use crate::git::object::{Format, Id, Kind};

/// The longest head: type, length, a zero.
const HEAD: u64 = 32;
/// Bytes that are read at once.
const CHUNK: usize = 8 << 10;

fn path(store: &Path, id: &[u8]) -> PathBuf {
    let name = hex::encode(id);
    let (directory, file) = name.split_at_checked(2).unwrap_or((&name, ""));
    store.join(directory).join(file)
}

type Inflating = ZlibDecoder<BufReader<File>>;

fn open(store: &Path, id: &[u8]) -> Result<Option<(Kind, u64, Inflating)>, StoreError> {
    let path = path(store, id);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(&path)(error)),
    };
    let mut content = ZlibDecoder::new(BufReader::with_capacity(CHUNK, file));
    let mut head = Vec::new();
    let broken = |cause: &str| damaged(hex::encode(id), cause);
    loop {
        let mut byte = [0];
        let read = content.read_exact(&mut byte);
        read.map_err(|error| broken(&format!("it cannot be inflated: {error}")))?;
        match byte {
            [0] => break,
            [byte] => head.push(byte),
        }
        if head.len() as u64 > HEAD {
            return Err(broken("it does not begin like an object"));
        }
    }
    let parsed = std::str::from_utf8(&head).ok().and_then(|head| {
        let (kind, size) = head.split_once(' ')?;
        let all = [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag];
        let kind = all.into_iter().find(|one| one.name() == kind)?;
        Some((kind, size.parse().ok()?))
    });
    let (kind, size) = parsed.ok_or_else(|| broken("it does not begin like an object"))?;
    Ok(Some((kind, size, content)))
}

/// Type and length of an object, if the store has it.
pub(super) fn head(store: &Path, id: &[u8]) -> Result<Option<(Kind, u64)>, StoreError> {
    Ok(open(store, id)?.map(|(kind, size, _)| (kind, size)))
}

/// An object, if the store has it.
pub(super) fn read(store: &Path, id: &[u8], most: u64) -> Result<Option<Object>, StoreError> {
    let Some((kind, size, content)) = open(store, id)? else {
        return Ok(None);
    };
    if size > most {
        return Err(StoreError::Limit {
            what: "the size of an object".to_owned(),
            limit: most,
        });
    }
    let mut data = Vec::new();
    let read = content.take(size.saturating_add(1)).read_to_end(&mut data);
    let broken = |cause: String| damaged(hex::encode(id), cause);
    let read = read.map_err(|error| broken(format!("it cannot be inflated: {error}")))?;
    if read as u64 != size {
        return Err(broken("it has another size than it says".to_owned()));
    }
    Ok(Some((kind, data.into())))
}

/// Objects whose names begin so, at most `most`.
pub(super) fn beginning(store: &Path, prefix: &Prefix, format: Format, most: usize) -> Vec<Id> {
    let Some(first) = prefix.bytes.first() else {
        return Vec::new();
    };
    let directory = store.join(hex::encode([*first]));
    // What cannot be listed has none: a name that is found nowhere is an error by itself.
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let ids = entries.flatten().filter_map(|entry| {
        let name = entry.file_name();
        let id = format.parse(&format!("{}{}", hex::encode([*first]), name.to_str()?))?;
        prefix.fits(&id).then_some(id)
    });
    ids.take(most).collect()
}
