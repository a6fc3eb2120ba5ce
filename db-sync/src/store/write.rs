//! Writes a database: sections one after the other through checksum and
//! digest into a scratch file beside the target, then the header, then an
//! atomic rename. A reader sees the old file or the new one.

use super::format::{HEADER, Header, PAGE, Section, crc32};
use super::place;
use super::read::Store;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// A database in the making.
pub(crate) struct Writer {
    file: BufWriter<NamedTempFile>,
    hasher: Sha256,
    page: Vec<u8>,
    crcs: Vec<u8>,
    header: Header,
}

impl Writer {
    /// Starts a scratch file beside `target`, whose [`place::Place`] the caller holds.
    pub(crate) fn create(target: &Path) -> io::Result<Self> {
        let scratch = place::scratch(target)?;
        let mut file = BufWriter::with_capacity(1 << 20, scratch);
        file.write_all(&[0; HEADER])?;
        Ok(Self {
            file,
            hasher: Sha256::new(),
            page: Vec::new(),
            crcs: Vec::new(),
            header: Header::default(),
        })
    }

    /// Begins a section at the present place; the last one ends here.
    pub(crate) fn begin(&mut self, section: Section) {
        if let Some(slot) = self.header.sections.get_mut(section as usize) {
            *slot = (self.header.body, 0);
        }
    }

    /// Appends to the section that was begun.
    pub(crate) fn append(&mut self, section: Section, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.file.write_all(bytes)?;
        let length = bytes.len() as u64;
        self.header.body = self.header.body.saturating_add(length);
        if let Some((_, total)) = self.header.sections.get_mut(section as usize) {
            *total = total.saturating_add(length);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = usize::try_from(PAGE)
                .unwrap_or(usize::MAX)
                .saturating_sub(self.page.len());
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.page.extend_from_slice(now);
            rest = later;
            if self.page.len() as u64 == PAGE {
                self.close_page();
            }
        }
        Ok(())
    }

    /// Writes a whole section.
    pub(crate) fn section(&mut self, section: Section, bytes: &[u8]) -> io::Result<()> {
        self.begin(section);
        self.append(section, bytes)
    }

    fn close_page(&mut self) {
        self.crcs
            .extend_from_slice(&crc32(&self.page).to_le_bytes());
        self.page.clear();
    }

    /// Completes the file and puts it in the place of `target`.
    pub(crate) fn finish(self, target: &Path) -> io::Result<()> {
        self.finish_above(target, None)
    }

    /// Completes the file with the bytes of the segment below behind it.
    pub(crate) fn finish_above(mut self, target: &Path, below: Option<&Store>) -> io::Result<()> {
        if !self.page.is_empty() {
            self.close_page();
        }
        self.file.write_all(&self.crcs)?;
        if let Some(below) = below {
            below.copy_segment(&mut self.file)?;
            self.header.below = below.segment_length();
        }
        self.header.pages_crc = crc32(&self.crcs);
        self.header.digest = self.header.root(&self.hasher.finalize());
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&self.header.encode())?;
        let scratch = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        put_in_place(scratch, target)
    }
}

/// Puts a complete file in the place of `target`, durably: readers see the old
/// file or the new one.
pub(crate) fn put_in_place(scratch: NamedTempFile, target: &Path) -> io::Result<()> {
    readable_by_all(scratch.as_file())?;
    scratch.as_file().sync_all()?;
    scratch.persist(target).map_err(|error| error.error)?;
    sync_directory(place::directory(target))
}

/// Scratch files are private; a database is for every job of the machine.
#[cfg(unix)]
fn readable_by_all(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &File) -> io::Result<()> {
    Ok(())
}

/// Makes the rename itself durable, where directories can be synced.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
