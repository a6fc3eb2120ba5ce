//! A reader of ZIP archives whose every entry may lie.
//!
//! Written by hand since the libraries index entries by name: of two entries
//! with one name they lose the first without a word, and here each record
//! counts. It reads the central directory (ZIP64 too), stored and deflated
//! entries, and trusts no declared size; CRC-32 is checked on every entry.

use crate::limits::Limits;
use crate::sources::SourceError;
use flate2::{Crc, Decompress, FlushDecompress, Status};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const END64_LOCATOR_SIGNATURE: [u8; 4] = *b"PK\x06\x07";
const END64_SIGNATURE: [u8; 4] = *b"PK\x06\x06";
const CENTRAL_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
const END_LENGTH: usize = 22;
const LOCATOR_LENGTH: usize = 20;
const MAX_COMMENT: u64 = 65_535;
/// Deflate can grow incompressible data by a few bytes per block.
const DEFLATE_SLACK: u64 = 64 << 10;

/// One entry of the central directory.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// The entry's name, with invalid UTF-8 replaced.
    pub(super) name: String,
    offset: u64,
    compressed: u64,
    size: u64,
    crc: u32,
    method: u16,
    flags: u16,
}

/// An archive with its directory read.
pub(super) struct Archive {
    path: PathBuf,
    file: BufReader<File>,
    position: u64,
    length: u64,
    members: Vec<Member>,
}

/// Little-endian fields of a fixed-size header.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut out = [0; N];
        if let Some(bytes) = self.0.get(at..).and_then(|rest| rest.get(..N)) {
            out.copy_from_slice(bytes);
        }
        out
    }

    fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.array(at))
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.array(at))
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.array(at))
    }
}

/// Where the central directory lies.
struct Directory {
    offset: u64,
    size: u64,
    entries: u64,
}

impl Archive {
    pub(super) fn open(path: &Path, limits: &Limits) -> Result<Self, SourceError> {
        let failed = |source| SourceError::Read {
            path: path.to_owned(),
            source,
        };
        let broken = |cause: &str| SourceError::Archive {
            path: path.to_owned(),
            cause: cause.to_owned(),
        };
        let mut file = File::open(path).map_err(failed)?;
        let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
        let directory = find_directory(&mut file, length)
            .map_err(failed)?
            .map_err(broken)?;
        if directory.entries > limits.entries {
            return Err(SourceError::TooLarge {
                path: path.to_owned(),
                what: "entries",
                limit: limits.entries,
            });
        }
        let mut file = BufReader::with_capacity(256 << 10, file);
        let members = read_directory(&mut file, &directory)
            .map_err(|_| broken("the central directory is cut off or damaged"))?;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            position: 0,
            length,
            members,
        })
    }

    /// Takes the entries in the order of the central directory.
    pub(super) fn members(&mut self) -> Vec<Member> {
        std::mem::take(&mut self.members)
    }

    /// The compressed bytes of an entry, or why it cannot be used.
    pub(super) fn raw(
        &mut self,
        member: &Member,
        limits: &Limits,
    ) -> Result<Result<Vec<u8>, String>, SourceError> {
        if member.flags & 1 != 0 {
            return Ok(Err("entry is encrypted".to_owned()));
        }
        if !matches!(member.method, 0 | 8) {
            return Ok(Err(format!(
                "compression method {} is not supported (only stored and deflate)",
                method_name(member.method)
            )));
        }
        if member.compressed > limits.record_bytes.saturating_add(DEFLATE_SLACK) {
            return Ok(Err(format!(
                "record is larger than {} bytes",
                limits.record_bytes
            )));
        }
        let mut header = [0; 30];
        if !self.read_at(member.offset, &mut header)? || !header.starts_with(&LOCAL_SIGNATURE) {
            return Ok(Err("entry has no local header".to_owned()));
        }
        let fields = Fields(&header);
        let start = member
            .offset
            .saturating_add(30)
            .saturating_add(u64::from(fields.u16(26)))
            .saturating_add(u64::from(fields.u16(28)));
        if start.saturating_add(member.compressed) > self.length {
            return Ok(Err("entry reaches beyond the end of the archive".to_owned()));
        }
        // Bounded by the limit above.
        let mut bytes = vec![0; usize::try_from(member.compressed).unwrap_or(0)];
        if !self.read_at(start, &mut bytes)? {
            return Ok(Err("entry is cut off".to_owned()));
        }
        Ok(Ok(bytes))
    }

    /// Fills `out` from an offset; `false` where the file ends before.
    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<bool, SourceError> {
        let done = (|| {
            let forward = i64::try_from(offset)
                .ok()
                .zip(i64::try_from(self.position).ok())
                .and_then(|(to, from)| to.checked_sub(from));
            match forward {
                Some(distance) => self.file.seek_relative(distance)?,
                None => return Ok(false),
            }
            self.position = offset;
            match self.file.read_exact(out) {
                Ok(()) => {
                    self.position = offset.saturating_add(out.len() as u64);
                    Ok(true)
                }
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.position = self.file.stream_position()?;
                    Ok(false)
                }
                Err(error) => Err(error),
            }
        })();
        done.map_err(|source| SourceError::Read {
            path: self.path.clone(),
            source,
        })
    }
}

impl Member {
    /// Whether the entry is a record (`true`), something else (`false`), or
    /// has a name that leaves the archive's folder (an error).
    pub(super) fn judge_name(&self) -> Result<bool, &'static str> {
        let escapes = self.name.starts_with('/')
            || self.name.contains('\\')
            || self.name.split('/').any(|part| part == "..");
        if escapes {
            return Err("entry name leaves the folder; not read");
        }
        Ok(self
            .name
            .rsplit_once('.')
            .is_some_and(|(_, extension)| extension == "json"))
    }

    /// Inflates the entry into `out` and checks its CRC; returns a remark
    /// where the declared size is wrong but the content is right.
    pub(super) fn inflate(
        &self,
        raw: &[u8],
        limits: &Limits,
        inflater: &mut Decompress,
        out: &mut Vec<u8>,
    ) -> Result<Option<String>, String> {
        out.clear();
        if self.method == 0 {
            if raw.len() as u64 > limits.record_bytes {
                return Err(format!(
                    "record is larger than {} bytes",
                    limits.record_bytes
                ));
            }
            out.extend_from_slice(raw);
        } else {
            inflate(raw, limits, inflater, out)?;
        }
        let mut crc = Crc::new();
        crc.update(out);
        if crc.sum() != self.crc {
            return Err("CRC-32 does not match".to_owned());
        }
        Ok((out.len() as u64 != self.size).then(|| {
            format!(
                "archive declares {} bytes, the entry has {}",
                self.size,
                out.len()
            )
        }))
    }
}

fn inflate(
    raw: &[u8],
    limits: &Limits,
    inflater: &mut Decompress,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    inflater.reset(false);
    let ratio_bound = (raw.len() as u64)
        .saturating_mul(limits.ratio)
        .max(Limits::RATIO_APPLIES_FROM);
    loop {
        let consumed = usize::try_from(inflater.total_in()).unwrap_or(usize::MAX);
        let rest = raw.get(consumed..).unwrap_or_default();
        out.reserve(raw.len().saturating_mul(4).clamp(4 << 10, 1 << 20));
        let status = inflater
            .decompress_vec(rest, out, FlushDecompress::None)
            .map_err(|error| format!("damaged deflate stream: {error}"))?;
        if out.len() as u64 > limits.record_bytes {
            return Err(format!(
                "record is larger than {} bytes",
                limits.record_bytes
            ));
        }
        if out.len() as u64 > ratio_bound {
            return Err(format!("record inflates more than {} times", limits.ratio));
        }
        match status {
            Status::StreamEnd => return Ok(()),
            Status::BufError if out.len() < out.capacity() => {
                return Err("deflate stream is cut off".to_owned());
            }
            Status::Ok if rest.is_empty() && out.len() < out.capacity() => {
                return Err("deflate stream is cut off".to_owned());
            }
            Status::Ok | Status::BufError => {}
        }
    }
}

fn method_name(method: u16) -> String {
    let name = match method {
        9 => " (deflate64)",
        12 => " (bzip2)",
        14 => " (LZMA)",
        93 => " (zstd)",
        95 => " (xz)",
        _ => "",
    };
    format!("{method}{name}")
}

fn find_directory(file: &mut File, length: u64) -> io::Result<Result<Directory, &'static str>> {
    let tail_length = length.min(MAX_COMMENT + END_LENGTH as u64 + LOCATOR_LENGTH as u64);
    let tail_start = length.saturating_sub(tail_length);
    file.seek(SeekFrom::Start(tail_start))?;
    let mut tail = Vec::new();
    file.take(tail_length).read_to_end(&mut tail)?;
    let Some(at) = end_record(&tail) else {
        return Ok(Err(
            "it has no end record: cut off, or another kind of file",
        ));
    };
    let end = Fields(tail.get(at..).unwrap_or_default());
    let mut directory = Directory {
        entries: u64::from(end.u16(10)),
        size: u64::from(end.u32(12)),
        offset: u64::from(end.u32(16)),
    };
    let is_64 = directory.entries == 0xffff
        || directory.size == 0xffff_ffff
        || directory.offset == 0xffff_ffff;
    let locator = at
        .checked_sub(LOCATOR_LENGTH)
        .and_then(|start| tail.get(start..at))
        .filter(|bytes| bytes.starts_with(&END64_LOCATOR_SIGNATURE));
    if let Some(locator) = locator.filter(|_| is_64) {
        file.seek(SeekFrom::Start(Fields(locator).u64(8)))?;
        let mut record = Vec::new();
        file.take(56).read_to_end(&mut record)?;
        if record.len() < 56 || !record.starts_with(&END64_SIGNATURE) {
            return Ok(Err("its ZIP64 end record is damaged"));
        }
        let record = Fields(&record);
        directory = Directory {
            entries: record.u64(32),
            size: record.u64(40),
            offset: record.u64(48),
        };
    }
    let end_at = tail_start.saturating_add(at as u64);
    match directory.offset.checked_add(directory.size) {
        Some(last) if last <= end_at => Ok(Ok(directory)),
        _ => Ok(Err("its central directory lies outside of the file")),
    }
}

/// Position of the last end record whose comment fits.
fn end_record(tail: &[u8]) -> Option<usize> {
    let mut end = tail.len();
    loop {
        let at = tail
            .get(..end)?
            .windows(END_SIGNATURE.len())
            .rposition(|window| window == END_SIGNATURE)?;
        let record = tail.get(at..)?;
        let comment = usize::from(Fields(record).u16(20));
        if record.len() >= END_LENGTH.saturating_add(comment) {
            return Some(at);
        }
        end = at.saturating_add(END_SIGNATURE.len()).saturating_sub(1);
    }
}

fn read_directory(file: &mut BufReader<File>, directory: &Directory) -> io::Result<Vec<Member>> {
    file.seek(SeekFrom::Start(directory.offset))?;
    let mut rest = file.take(directory.size);
    let mut members = Vec::new();
    for _ in 0..directory.entries {
        let mut header = [0; 46];
        rest.read_exact(&mut header)?;
        if !header.starts_with(&CENTRAL_SIGNATURE) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let fields = Fields(&header);
        let mut name = vec![0; usize::from(fields.u16(28))];
        rest.read_exact(&mut name)?;
        let mut extra = vec![0; usize::from(fields.u16(30))];
        rest.read_exact(&mut extra)?;
        let mut comment = vec![0; usize::from(fields.u16(32))];
        rest.read_exact(&mut comment)?;
        let mut member = Member {
            name: String::from_utf8_lossy(&name).into_owned(),
            flags: fields.u16(8),
            method: fields.u16(10),
            crc: fields.u32(16),
            compressed: u64::from(fields.u32(20)),
            size: u64::from(fields.u32(24)),
            offset: u64::from(fields.u32(42)),
        };
        member.widen(&extra);
        members.push(member);
    }
    Ok(members)
}

impl Member {
    /// Takes 64-bit values from the ZIP64 extra field, where they are marked.
    fn widen(&mut self, extra: &[u8]) {
        const MARK: u64 = 0xffff_ffff;
        let mut rest = extra;
        while rest.len() >= 4 {
            let fields = Fields(rest);
            let length = usize::from(fields.u16(2));
            let body = rest.get(4..).unwrap_or_default();
            if fields.u16(0) == 1 {
                let values = Fields(body.get(..length).unwrap_or_default());
                let mut at: usize = 0;
                for value in [&mut self.size, &mut self.compressed, &mut self.offset] {
                    if *value == MARK {
                        *value = values.u64(at);
                        at = at.saturating_add(8);
                    }
                }
                return;
            }
            rest = body.get(length..).unwrap_or_default();
        }
    }
}
