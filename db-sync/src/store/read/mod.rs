//! Opens a database and hands out checked bytes by section and number.

mod error;
pub(crate) mod feeds;
mod segments;
mod texts;

pub use self::error::{OpenError, ReadError};
pub(crate) use self::segments::Segments;
pub(crate) use self::texts::TextBlock;
use super::Info;
use super::codec::{Damaged, Reader};
use super::format::{HEADER, Header, HeaderError, PAGE, Section, VERSION, crc32, le32};
use super::pages::Pages;
use super::{feed, hash};
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes that are read at once where all are wanted: whole pages.
const COPY: usize = 1 << 20;

/// An open segment of a database file.
pub(crate) struct Store {
    pages: Arc<Pages>,
    /// Where its body begins in the file.
    body: usize,
    header: Header,
    /// For each page, whether its checksum was found right.
    verified: Box<[AtomicBool]>,
    info: Info,
    below: Option<Below>,
}

/// What a segment of changes knows of the one that it changes.
struct Below {
    /// Its root digest.
    digest: String,
    /// The ecosystems that packages of this segment are filed under; elsewhere
    /// those are all that [`Info`] names.
    filed: Vec<String>,
}

fn damaged(section: Section) -> impl Fn(Damaged) -> ReadError {
    move |Damaged| ReadError::Damaged {
        part: section.name(),
    }
}

impl Store {
    /// Opens the segment that begins at `start` and reaches to the end of the file.
    fn open(pages: &Arc<Pages>, start: usize, path: &Path) -> Result<Self, OpenError> {
        let path_buf = || path.to_owned();
        let unreadable = |source| OpenError::Read {
            path: path.to_owned(),
            source,
        };
        let length = pages.length().saturating_sub(start);
        let end = start.saturating_add(HEADER.min(length));
        let bytes = pages.get(start.min(end)..end).map_err(unreadable)?;
        let header = Header::decode(bytes).map_err(|error| match error {
            HeaderError::Foreign => OpenError::Foreign { path: path_buf() },
            HeaderError::Version(found) if found > VERSION => OpenError::NewerFormat {
                path: path_buf(),
                found,
            },
            HeaderError::Version(found) => OpenError::OlderFormat {
                path: path_buf(),
                found,
            },
            HeaderError::Damaged => OpenError::Damaged {
                path: path_buf(),
                part: "header",
            },
        })?;
        if header.file_length() != length as u64 {
            return Err(OpenError::Truncated {
                path: path_buf(),
                expected: header.file_length().saturating_add(start as u64),
                found: pages.length() as u64,
            });
        }
        let count = Header::pages(header.body);
        let mut store = Self {
            pages: Arc::clone(pages),
            body: start.saturating_add(HEADER),
            verified: (0..count).map(|_| AtomicBool::new(false)).collect(),
            header,
            info: Info::default(),
            below: None,
        };
        let (body, table) = (store.header.body, count.saturating_mul(4));
        let crcs = store.body(body, body.saturating_add(table));
        if crc32(crcs.unwrap_or_default()) != store.header.pages_crc {
            return Err(OpenError::Damaged {
                path: path_buf(),
                part: "page table",
            });
        }
        let part = Section::Info.name();
        let refused = || OpenError::Damaged {
            path: path_buf(),
            part,
        };
        let text = store.whole(Section::Info).map_err(|_| refused())?;
        let mut info: Info = serde_json::from_slice(text).map_err(|_| refused())?;
        store.below = store.read_below().map_err(|_| refused())?;
        let fits = match &store.below {
            None => {
                info.records == store.count(Section::RecordOffsets)
                    && feed::fits(|section| store.length(section), &info.feeds)
            }
            // Told together with the segment below, see [`Segments::open`].
            Some(_) => true,
        };
        if !fits {
            return Err(refused());
        }
        info.format_version = VERSION;
        info.root_digest = format!("sha256:{}", hex::encode(store.header.digest));
        store.info = info;
        Ok(store)
    }

    pub(crate) fn info(&self) -> &Info {
        &self.info
    }

    fn read_below(&self) -> Result<Option<Below>, ReadError> {
        let broken = damaged(Section::Below);
        let bytes = self.whole(Section::Below)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let mut reader = Reader::new(bytes);
        Ok(Some(Below {
            digest: reader.text().map_err(&broken)?.to_owned(),
            filed: reader.texts().map_err(&broken)?,
        }))
    }

    /// The length of the segment and of what follows it.
    pub(crate) fn segment_length(&self) -> u64 {
        let start = self.body.saturating_sub(HEADER);
        self.pages.length().saturating_sub(start) as u64
    }

    /// Writes all bytes of the segment, unchecked, for a file that goes on with it.
    pub(crate) fn copy_segment(&self, out: &mut dyn Write) -> io::Result<()> {
        let start = self.body.saturating_sub(HEADER);
        self.copy(start, self.pages.length(), &mut |part| out.write_all(part))
    }

    /// Hands out a part of the file bit by bit, without keeping it.
    fn copy(
        &self,
        mut start: usize,
        end: usize,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut buffer = vec![0; COPY];
        while start < end {
            let length = end.saturating_sub(start).min(COPY);
            let part = buffer.get_mut(..length).unwrap_or_default();
            self.pages.copy(start, part)?;
            take(part)?;
            start = start.saturating_add(length);
        }
        Ok(())
    }

    /// Whether it holds changes of the segment below it.
    pub(crate) fn is_above(&self) -> bool {
        self.below.is_some()
    }

    /// The ecosystem that packages are filed under by this number.
    pub(crate) fn filed(&self, place: usize) -> Option<&str> {
        match &self.below {
            None => Some(&self.info.ecosystems.get(place)?.name),
            Some(below) => below.filed.get(place).map(String::as_str),
        }
    }

    /// Whether a segment of changes has replaced or removed a record of the one below.
    pub(crate) fn masks(&self, record: u32) -> Result<bool, ReadError> {
        let numbers: &[[u8; 4]] = self.whole(Section::Masked)?.as_chunks().0;
        Ok(numbers
            .binary_search_by_key(&record, |number| le32(number))
            .is_ok())
    }

    /// Reads all of the segment and compares the root digest, and each page with
    /// the checksum that later reads compare it with.
    pub(crate) fn verify(&self) -> Result<(), ReadError> {
        let whole = ReadError::Damaged { part: "body" };
        let body = usize::try_from(self.header.body).unwrap_or(usize::MAX);
        let mut digest = Sha256::new();
        let mut page = 0;
        let mut are_right = true;
        let copied = self.copy(self.body, self.body.saturating_add(body), &mut |part| {
            digest.update(part);
            for bytes in part.chunks(usize::try_from(PAGE).unwrap_or(usize::MAX)) {
                are_right &= self.stored_crc(page) == Some(crc32(bytes));
                page = page.saturating_add(1);
            }
            Ok(())
        });
        if copied.is_err() || self.header.root(&digest.finalize()) != self.header.digest {
            return Err(whole);
        }
        if are_right {
            Ok(())
        } else {
            Err(ReadError::Damaged { part: "page table" })
        }
    }

    /// Checked bytes of a section.
    #[inline]
    pub(crate) fn bytes(
        &self,
        section: Section,
        start: u64,
        length: u64,
    ) -> Result<&[u8], ReadError> {
        let broken = || damaged(section)(Damaged);
        let (offset, total) = self.header.section(section);
        let end = start.checked_add(length).ok_or_else(broken)?;
        if end > total {
            return Err(broken());
        }
        if length == 0 {
            return Ok(&[]);
        }
        // Sections end within the file: the header was checked for it.
        let from = offset.wrapping_add(start);
        let to = offset.wrapping_add(end);
        let (first, last) = (from / PAGE, to.wrapping_sub(1) / PAGE);
        if !self.is_verified(first) || (first != last && !self.is_verified(last)) {
            self.check_page(first).ok_or_else(broken)?;
            self.check_page(last).ok_or_else(broken)?;
        }
        // What spans three pages or more is rare.
        for page in first.wrapping_add(1)..last {
            if !self.is_verified(page) {
                self.check_page(page).ok_or_else(broken)?;
            }
        }
        self.body(from, to).ok_or_else(broken)
    }

    fn body(&self, from: u64, to: u64) -> Option<&[u8]> {
        let from = self.body.checked_add(usize::try_from(from).ok()?)?;
        let to = self.body.checked_add(usize::try_from(to).ok()?)?;
        self.pages.get(from..to).ok()
    }

    /// Whether a page was compared with its checksum before.
    #[inline]
    fn is_verified(&self, page: u64) -> bool {
        let known = usize::try_from(page)
            .ok()
            .and_then(|page| self.verified.get(page));
        known.is_some_and(|known| known.load(Ordering::Relaxed))
    }

    /// Compares a page with its checksum.
    #[cold]
    fn check_page(&self, page: u64) -> Option<()> {
        let known = self.verified.get(usize::try_from(page).ok()?)?;
        let from = page.checked_mul(PAGE)?;
        let to = from.saturating_add(PAGE).min(self.header.body);
        if crc32(self.body(from, to)?) != self.stored_crc(page)? {
            return None;
        }
        known.store(true, Ordering::Relaxed);
        Some(())
    }

    /// The checksum that a page shall have.
    fn stored_crc(&self, page: u64) -> Option<u32> {
        let at = self.header.body.checked_add(page.checked_mul(4)?)?;
        Some(le32(self.body(at, at.checked_add(4)?)?))
    }

    pub(crate) fn whole(&self, section: Section) -> Result<&[u8], ReadError> {
        self.bytes(section, 0, self.header.section(section).1)
    }

    /// Bytes of a section.
    pub(crate) fn length(&self, section: Section) -> u64 {
        self.header.section(section).1
    }

    fn u32_at(&self, section: Section, at: u64) -> Result<u32, ReadError> {
        self.bytes(section, at, 4).map(le32)
    }

    /// How many items an offset section describes.
    pub(crate) fn count(&self, offsets: Section) -> u64 {
        (self.header.section(offsets).1 / 4).saturating_sub(1)
    }

    /// The bytes of item `number` of a section with offsets.
    pub(crate) fn item(
        &self,
        section: Section,
        offsets: Section,
        number: u32,
    ) -> Result<&[u8], ReadError> {
        let pair = self.bytes(offsets, u64::from(number).saturating_mul(4), 8)?;
        let (start, end) = pair.split_at(4);
        let (start, end) = (u64::from(le32(start)), u64::from(le32(end)));
        let length = end
            .checked_sub(start)
            .ok_or_else(|| damaged(section)(Damaged))?;
        self.bytes(section, start, length)
    }

    /// The numbers stored under a hash; the caller compares the keys.
    pub(crate) fn candidates(
        &self,
        index: Section,
        hash: u64,
    ) -> Result<impl Iterator<Item = u32>, ReadError> {
        let bits = self.u32_at(index, 0)?;
        if bits > 28 {
            return Err(damaged(index)(Damaged));
        }
        let bucket = hash::bucket(hash, bits);
        let pair = self.bytes(
            index,
            hash::HEAD.saturating_add(bucket.saturating_mul(4)),
            8,
        )?;
        let (start, end) = pair.split_at(4);
        let (start, end) = (u64::from(le32(start)), u64::from(le32(end)));
        let base = hash::HEAD.saturating_add(((1_u64 << bits).saturating_add(1)).saturating_mul(4));
        let count = end
            .checked_sub(start)
            .ok_or_else(|| damaged(index)(Damaged))?;
        let entries = self.bytes(
            index,
            base.saturating_add(start.saturating_mul(8)),
            count.saturating_mul(8),
        )?;
        let mark = hash::mark(hash);
        Ok(entries
            .chunks_exact(8)
            .map(|entry| entry.split_at(4))
            .filter(move |(stored, _)| le32(stored) == mark)
            .map(|(_, number)| le32(number)))
    }

    /// A version by its number, as bytes.
    pub(crate) fn version_bytes(&self, number: u32) -> Result<&[u8], ReadError> {
        self.item(Section::Versions, Section::VersionOffsets, number)
    }

    /// A version by its number.
    pub(crate) fn version(&self, number: u32) -> Result<&str, ReadError> {
        let bytes = self.version_bytes(number)?;
        std::str::from_utf8(bytes).map_err(|_| damaged(Section::Versions)(Damaged))
    }

    /// The number of records.
    pub(crate) fn records(&self) -> u32 {
        u32::try_from(self.count(Section::RecordOffsets)).unwrap_or(u32::MAX)
    }
}
