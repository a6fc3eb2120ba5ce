//! A reader of ZIP archives whose every entry may lie (APPNOTE.TXT 6.3.10), for advisories, Python
//! eggs and whatever else comes in one.
//!
//! Written by hand since the libraries index entries by name: of two entries with one name they lose
//! the first without a word, and here each counts. It reads the central directory (ZIP64 too), stored
//! and deflated entries, and trusts no declared size; CRC-32 is checked on every entry. What stands
//! before the archive, such as a shell script that starts it, is passed over. It neither writes
//! archives nor reads entries that are encrypted or packed in other ways.

mod directory;
mod fields;
mod member;

use std::io::{self, Read, Seek, SeekFrom};

use fields::Fields;
pub use flate2::Decompress as Inflater;
pub use member::Member;

const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
/// Deflate can grow incompressible data by a few bytes per block.
const DEFLATE_SLACK: u64 = 64 << 10;

/// What an archive may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries of the central directory.
    pub entries: u64,
    /// Bytes of one entry once it is inflated.
    pub member_bytes: u64,
    /// Times that an entry may grow, once it is larger than [`Self::ratio_from`].
    pub ratio: u64,
    /// The ratio is not judged below this size: short texts of one repeated word reach high ratios
    /// honestly.
    pub ratio_from: u64,
}

/// Why an archive cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It is not a ZIP file, or is cut off.
    #[error("{0}")]
    Broken(&'static str),
    /// It has more entries than are allowed.
    #[error("more than {0} entries")]
    Entries(u64),
}

/// Why one entry cannot be used; the others can.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// The archive could not be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// The entry is larger, or grows more, than is allowed.
    #[error("{0}")]
    Limit(String),
    /// The entry is broken, encrypted or packed in a way that is not read.
    #[error("{0}")]
    Unusable(String),
}

impl MemberError {
    fn unusable(cause: impl Into<String>) -> Self {
        Self::Unusable(cause.into())
    }
}

/// An archive with its directory read.
pub struct Archive<R> {
    reader: R,
    limits: Limits,
    length: u64,
    /// Bytes before the archive, which the offsets in it do not count.
    base: u64,
    members: Vec<Member>,
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory. The reader should be buffered.
    pub fn open(mut reader: R, limits: Limits) -> Result<Self, Error> {
        let length = reader.seek(SeekFrom::End(0))?;
        let found = directory::find(&mut reader, length)??;
        if found.entries > limits.entries {
            return Err(Error::Entries(limits.entries));
        }
        let members = directory::read(&mut reader, &found)
            .map_err(|_| Error::Broken("the central directory is cut off or damaged"))?;
        Ok(Self {
            reader,
            limits,
            length,
            base: found.base,
            members,
        })
    }

    /// Takes the entries in the order of the central directory.
    pub fn members(&mut self) -> Vec<Member> {
        std::mem::take(&mut self.members)
    }

    /// The compressed bytes of an entry.
    pub fn raw(&mut self, member: &Member) -> Result<Vec<u8>, MemberError> {
        self.raw_within(member, self.limits)
    }

    fn raw_within(&mut self, member: &Member, limits: Limits) -> Result<Vec<u8>, MemberError> {
        member.readable()?;
        if member.compressed > limits.member_bytes.saturating_add(DEFLATE_SLACK) {
            return Err(limits.too_large());
        }
        let offset = self.base.saturating_add(member.offset);
        let mut header = [0; 30];
        if !self.read_at(offset, &mut header)? || !header.starts_with(&LOCAL_SIGNATURE) {
            return Err(MemberError::unusable("entry has no local header"));
        }
        let fields = Fields(&header);
        let start = offset
            .saturating_add(30)
            .saturating_add(u64::from(fields.u16(26)))
            .saturating_add(u64::from(fields.u16(28)));
        if start.saturating_add(member.compressed) > self.length {
            let cause = "entry reaches beyond the end of the archive";
            return Err(MemberError::unusable(cause));
        }
        // Bounded by the limit above.
        let mut bytes = vec![0; usize::try_from(member.compressed).unwrap_or(0)];
        if !self.read_at(start, &mut bytes)? {
            return Err(MemberError::unusable("entry is cut off"));
        }
        Ok(bytes)
    }

    /// Whether an entry has the same name before its content as in the directory. Readers that go
    /// through an archive from its start take the one, and the others the other.
    pub fn agrees(&mut self, member: &Member) -> io::Result<bool> {
        let offset = self.base.saturating_add(member.offset);
        let mut header = [0; 30];
        if !self.read_at(offset, &mut header)? || !header.starts_with(&LOCAL_SIGNATURE) {
            return Ok(false);
        }
        let mut name = vec![0; usize::from(Fields(&header).u16(26))];
        let is_there = self.read_at(offset.saturating_add(30), &mut name)?;
        Ok(is_there && String::from_utf8_lossy(&name) == member.name)
    }

    /// The content of an entry.
    pub fn read(&mut self, member: &Member) -> Result<Vec<u8>, MemberError> {
        self.read_within(member, self.limits.member_bytes)
    }

    /// The same, of at most so many bytes.
    pub fn read_within(&mut self, member: &Member, most: u64) -> Result<Vec<u8>, MemberError> {
        let limits = Limits {
            member_bytes: most.min(self.limits.member_bytes),
            ..self.limits
        };
        let raw = self.raw_within(member, limits)?;
        let mut out = Vec::new();
        member.inflate(&raw, &limits, &mut Inflater::new(false), &mut out)?;
        Ok(out)
    }

    /// Fills `out` from an offset; `false` where the file ends before.
    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> io::Result<bool> {
        let at = self.reader.stream_position()?;
        let signed = |place: u64| i64::try_from(place).ok();
        let distance = signed(offset).zip(signed(at));
        let Some(distance) = distance.and_then(|(to, from)| to.checked_sub(from)) else {
            return Ok(false);
        };
        // Keeps what is buffered where entries follow each other.
        self.reader.seek_relative(distance)?;
        match self.reader.read_exact(out) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Limits {
    fn too_large(&self) -> MemberError {
        MemberError::Limit(format!("entry is larger than {} bytes", self.member_bytes))
    }
}

#[cfg(test)]
mod tests;
