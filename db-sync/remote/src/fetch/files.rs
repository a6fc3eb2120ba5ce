//! A bucket in a folder: a mounted share, an unpacked mirror.

use super::beside::beside;
use super::{FetchError, Saved, Tag, failed, keep, saved_tag};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

fn place(root: &Path, path: &[&str]) -> PathBuf {
    path.iter().fold(root.to_owned(), |at, part| at.join(part))
}

fn open(path: &Path) -> Result<Option<File>, FetchError> {
    match File::open(path) {
        Ok(file) if file.metadata().is_ok_and(|data| data.is_file()) => Ok(Some(file)),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path)(error)),
    }
}

pub(super) fn read(root: &Path, path: &[&str], limit: u64) -> Result<Option<Vec<u8>>, FetchError> {
    let place = place(root, path);
    let Some(bytes) = beginning(root, path, limit.saturating_add(1))? else {
        return Ok(None);
    };
    if bytes.len() as u64 > limit {
        return Err(FetchError::TooLarge {
            url: place.display().to_string(),
            limit,
        });
    }
    Ok(Some(bytes))
}

pub(super) fn beginning(
    root: &Path,
    path: &[&str],
    length: u64,
) -> Result<Option<Vec<u8>>, FetchError> {
    let place = place(root, path);
    let Some(file) = open(&place)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    file.take(length)
        .read_to_end(&mut bytes)
        .map_err(failed(&place))?;
    Ok(Some(bytes))
}

pub(super) fn save(root: &Path, path: &[&str], to: &Path, limit: u64) -> Result<Saved, FetchError> {
    let place = place(root, path);
    let Some(mut file) = open(&place)? else {
        return Ok(Saved::Missing);
    };
    let data = file.metadata().map_err(failed(&place))?;
    let url = place.display().to_string();
    if data.len() > limit {
        return Err(FetchError::TooLarge { url, limit });
    }
    let changed = data
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map(|time| format!("{}.{:09}", time.as_secs(), time.subsec_nanos()));
    let tag = Tag {
        url,
        etag: None,
        last_modified: changed,
        length: data.len(),
        crc: 0,
    };
    let is_same = |held: Tag| held.last_modified == tag.last_modified && held.length == tag.length;
    if tag.last_modified.is_some() && saved_tag(to, &tag.url).is_some_and(is_same) {
        return Ok(Saved::Unchanged);
    }
    let part = beside(to, ".part");
    let mut out = File::create(&part).map_err(failed(&part))?;
    io::copy(&mut file, &mut out).map_err(failed(&part))?;
    // What was copied, should the source just be growing.
    let length = std::fs::metadata(&part).map_err(failed(&part))?.len();
    keep(&part, to, &Tag { length, ..tag })?;
    Ok(Saved::Fresh)
}
