//! Opens a database and hands out checked bytes by section and number.

use super::Info;
use super::codec::{Damaged, Reader};
use super::format::{HEADER, Header, HeaderError, MAX_BLOCK, PAGE, Section, VERSION, crc32, le32};
use super::{feed, hash, map};
use crate::feed::FeedKind;
use memmap2::Mmap;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Why a database was refused.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no file at the path.
    #[error("there is no advisory database at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("cannot read the advisory database {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{} is no advisory database", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// An older program wrote the file.
    #[error("the advisory database {} has the old format {found}, this program reads {VERSION}: build it again", path.display())]
    OlderFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// A newer program wrote the file.
    #[error("the advisory database {} has the newer format {found}, this program reads {VERSION}: update the program", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The file is shorter or longer than it says.
    #[error("the advisory database {} has {found} bytes instead of {expected}: cut off while it was copied", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The length by the header.
        expected: u64,
        /// The real length.
        found: u64,
    },
    /// A checksum does not match.
    #[error("the advisory database {} is damaged ({part}): build it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The part that is damaged.
        part: &'static str,
    },
}

/// Why an answer could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A page's checksum does not match, or its content does not decode.
    #[error("the advisory database is damaged ({part}): build it again")]
    Damaged {
        /// The part that is damaged.
        part: &'static str,
    },
}

/// An open segment of a database file.
pub(crate) struct Store {
    map: Arc<Mmap>,
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

/// An open database file: the segment that answers first, and the one below it.
pub(crate) struct Segments {
    pub(crate) top: Store,
    pub(crate) below: Option<Store>,
}

impl Segments {
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let path_buf = || path.to_owned();
        let read = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => OpenError::Missing { path: path_buf() },
            _ => OpenError::Read {
                path: path_buf(),
                source,
            },
        };
        // Asked before opening: opening a pipe would wait for a writer.
        if !std::fs::metadata(path).map_err(read)?.is_file() {
            return Err(read(io::Error::other("not a regular file")));
        }
        let file = File::open(path).map_err(read)?;
        let length = file.metadata().map_err(read)?.len();
        if length < HEADER as u64 {
            return Err(OpenError::Foreign { path: path_buf() });
        }
        let map = Arc::new(map::map(&file).map_err(read)?);
        let mut top = Store::open(&map, 0, path)?;
        top.info.file_size = length;
        if top.header.below == 0 && top.below.is_none() {
            return Ok(Self { top, below: None });
        }
        let lost = || OpenError::Damaged {
            path: path_buf(),
            part: "lower segment",
        };
        if top.header.below == 0 {
            return Err(lost());
        }
        let start = usize::try_from(top.header.length()).unwrap_or(usize::MAX);
        let below = Store::open(&map, start, path)?;
        let expected = top.below.as_ref().map(|below| below.digest.as_str());
        let belong = expected == Some(below.info.root_digest.as_str())
            && feed::fits_above(&top, &top.info.feeds, &below.info.feeds);
        if below.header.below != 0 || !belong {
            return Err(lost());
        }
        Ok(Self {
            top,
            below: Some(below),
        })
    }

    /// The segment that has the rows of a feed.
    pub(crate) fn with(&self, feed: FeedKind) -> &Store {
        let has_rows = self.top.length(feed::section(feed)) > 0;
        self.below
            .as_ref()
            .filter(|_| !has_rows)
            .unwrap_or(&self.top)
    }
}

impl Store {
    /// Opens the segment that begins at `start` and reaches to the end of the file.
    fn open(map: &Arc<Mmap>, start: usize, path: &Path) -> Result<Self, OpenError> {
        let path_buf = || path.to_owned();
        let bytes = map.get(start..).unwrap_or_default();
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
        if header.file_length() != bytes.len() as u64 {
            return Err(OpenError::Truncated {
                path: path_buf(),
                expected: header.file_length().saturating_add(start as u64),
                found: map.len() as u64,
            });
        }
        let pages = Header::pages(header.body);
        let mut store = Self {
            map: Arc::clone(map),
            body: start.saturating_add(HEADER),
            verified: (0..pages).map(|_| AtomicBool::new(false)).collect(),
            header,
            info: Info::default(),
            below: None,
        };
        let (body, table) = (store.header.body, pages.saturating_mul(4));
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
                    && feed::fits(&store, &info.feeds)
            }
            // Told together with the segment below, see [`Segments::open`].
            Some(_) => true,
        };
        if !fits {
            return Err(refused());
        }
        info.format_version = VERSION;
        info.root_digest = format!("sha256:{}", hex(&store.header.digest));
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

    /// All bytes of the segment, unchecked, for a file that goes on with it.
    pub(crate) fn segment(&self) -> &[u8] {
        let start = self.body.saturating_sub(HEADER);
        self.map.get(start..).unwrap_or_default()
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
        let digest = Sha256::digest(self.body(0, self.header.body).ok_or(whole)?);
        if self.header.root(&digest) != self.header.digest {
            return Err(whole);
        }
        (0..Header::pages(self.header.body))
            .try_for_each(|page| self.check_page(page))
            .ok_or(ReadError::Damaged { part: "page table" })
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
        self.map.get(from..to)
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
        let crc_at = self.header.body.checked_add(page.checked_mul(4)?)?;
        let stored = le32(self.body(crc_at, crc_at.checked_add(4)?)?);
        if crc32(self.body(from, to)?) != stored {
            return None;
        }
        known.store(true, Ordering::Relaxed);
        Some(())
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

    /// The texts of a record, decompressed.
    pub(crate) fn texts(&self, record: u32) -> Result<Vec<u8>, ReadError> {
        let block = self.text_block(record)?;
        let raw = self.unpack(&block)?;
        Self::text_in(&raw, block.first, record).map(<[u8]>::to_vec)
    }

    /// The number of records.
    pub(crate) fn records(&self) -> u32 {
        u32::try_from(self.count(Section::RecordOffsets)).unwrap_or(u32::MAX)
    }

    /// All blocks of texts.
    pub(crate) fn text_blocks(&self) -> Result<Vec<TextBlock>, ReadError> {
        let table = self.whole(Section::Blocks)?;
        Ok(table
            .as_chunks::<16>()
            .0
            .iter()
            .map(TextBlock::read)
            .collect())
    }

    /// The block that holds the texts of a record.
    pub(crate) fn text_block(&self, record: u32) -> Result<TextBlock, ReadError> {
        let table = self.whole(Section::Blocks)?;
        let blocks: &[[u8; 16]] = table.as_chunks().0;
        let after = blocks.partition_point(|block| le32(block) <= record);
        after
            .checked_sub(1)
            .and_then(|position| blocks.get(position))
            .map(TextBlock::read)
            .ok_or_else(|| damaged(Section::Texts)(Damaged))
    }

    /// The compressed bytes of a block.
    pub(crate) fn packed(&self, block: &TextBlock) -> Result<&[u8], ReadError> {
        self.bytes(
            Section::Texts,
            u64::from(block.offset),
            u64::from(block.length),
        )
    }

    /// The decompressed bytes of a block.
    pub(crate) fn unpack(&self, block: &TextBlock) -> Result<Vec<u8>, ReadError> {
        let broken = || damaged(Section::Texts)(Damaged);
        let raw = usize::try_from(block.raw).unwrap_or(usize::MAX);
        if raw > MAX_BLOCK {
            return Err(broken());
        }
        zstd::bulk::decompress(self.packed(block)?, raw).map_err(|_| broken())
    }

    /// The texts of one record in the decompressed block that begins with the
    /// record `first`.
    pub(crate) fn text_in(raw: &[u8], first: u32, record: u32) -> Result<&[u8], ReadError> {
        let broken = damaged(Section::Texts);
        let mut reader = Reader::new(raw);
        for _ in first..record {
            let length = reader.length().map_err(&broken)?;
            reader.bytes(length).map_err(&broken)?;
        }
        let length = reader.length().map_err(&broken)?;
        reader.bytes(length).map_err(&broken)
    }
}

/// A row of the table of text blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TextBlock {
    /// The first record in it.
    pub(crate) first: u32,
    offset: u32,
    length: u32,
    /// Its bytes when decompressed.
    pub(crate) raw: u32,
}

impl TextBlock {
    /// Where its bytes begin in the section.
    pub(crate) fn offset(&self) -> u32 {
        self.offset
    }

    fn read(row: &[u8; 16]) -> Self {
        let field = |at: usize| row.get(at..).map_or(0, le32);
        Self {
            first: field(0),
            offset: field(4),
            length: field(8),
            raw: field(12),
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
