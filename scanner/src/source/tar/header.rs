//! One 512-byte tar header (POSIX.1-1988 ustar, v7, GNU, star): fields, numbers, checksum. What
//! Go's `archive/tar` makes of a header, with which engines unpack layers, is the measure.

/// Unit of everything in a tar.
pub(super) const BLOCK: usize = 512;

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemberKind {
    File,
    HardLink,
    Symlink,
    Directory,
    /// Devices and pipes: they are something at their path, and never read.
    Special,
    /// A file with holes: its stored bytes are not its content.
    Sparse,
    /// A type that no engine unpacks (volume headers, vendors' letters, a blank). POSIX has such
    /// a member read as a regular file.
    Unknown(u8),
    LongName,
    LongLink,
    Pax,
    GlobalPax,
}

impl MemberKind {
    /// Engines (Go's `archive/tar`) ignore the size in these headers; no data follows.
    pub(super) const fn is_header_only(self) -> bool {
        matches!(
            self,
            Self::HardLink | Self::Symlink | Self::Directory | Self::Special
        )
    }
}

/// One member, after PAX and GNU headers were applied.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) kind: MemberKind,
    pub(crate) path: Vec<u8>,
    pub(crate) link: Vec<u8>,
    /// Bytes of content in the stream.
    pub(crate) size: u64,
    pub(crate) executable: bool,
}

/// A header block that is not zeros.
pub(super) struct Raw(pub(super) [u8; BLOCK]);

impl Raw {
    fn field(&self, start: usize, length: usize) -> &[u8] {
        self.0
            .get(start..start.saturating_add(length))
            .unwrap_or_default()
    }

    fn text(&self, start: usize, length: usize) -> &[u8] {
        until_nul(self.field(start, length))
    }

    /// Checks and reads it. The error says what is wrong.
    pub(super) fn member(&self) -> Result<Member, String> {
        self.check_sum()?;
        let size = number(self.field(124, 12))
            .map_err(|cause| format!("the size of member `{}` {cause}", self.shown_name()))?;
        let mut path = Vec::new();
        let prefix = self.prefix();
        if !prefix.is_empty() {
            path.extend_from_slice(prefix);
            path.push(b'/');
        }
        path.extend_from_slice(self.text(0, 100));
        let kind = match self.kind() {
            0 | b'0' | b'7' => MemberKind::File,
            b'1' => MemberKind::HardLink,
            b'2' => MemberKind::Symlink,
            b'3' | b'4' | b'6' => MemberKind::Special,
            b'5' => MemberKind::Directory,
            b'S' if !self.is_gnu() => {
                return Err("a sparse member in a header that is not GNU's".into());
            }
            b'S' => MemberKind::Sparse,
            b'L' => MemberKind::LongName,
            b'K' => MemberKind::LongLink,
            b'x' => MemberKind::Pax,
            b'g' => MemberKind::GlobalPax,
            other => MemberKind::Unknown(other),
        };
        Ok(Member {
            kind,
            path,
            link: self.text(157, 100).to_vec(),
            size,
            executable: number(self.field(100, 8)).unwrap_or(0) & 0o111 != 0,
        })
    }

    fn kind(&self) -> u8 {
        self.field(156, 1).first().copied().unwrap_or_default()
    }

    /// Whether the header names no type: v7 marks directories by their name only, which a PAX
    /// record or a long name may still replace.
    pub(super) fn is_untyped(&self) -> bool {
        self.kind() == 0
    }

    fn is_gnu(&self) -> bool {
        self.field(257, 8) == b"ustar  \0"
    }

    /// What stands in front of the name, if anything: the field means something else in each
    /// format.
    fn prefix(&self) -> &[u8] {
        let is_posix = self.field(257, 6) == b"ustar\0";
        if is_posix && self.field(508, 4) == b"tar\0" {
            return self.text(345, 131);
        }
        if is_posix {
            return self.text(345, 155);
        }
        // GNU has times there. Go before 1.8 wrote a prefix nevertheless, and later ones read it
        // where the times are not numbers.
        let is_time = |start: usize| {
            let field = self.field(start, 12);
            field.first() == Some(&0) || number(field).is_ok() || is_negative(field)
        };
        let prefix = self.text(345, 155);
        if self.is_gnu() && !(is_time(345) && is_time(357)) && prefix.is_ascii() {
            return prefix;
        }
        &[]
    }

    fn check_sum(&self) -> Result<(), String> {
        let claimed = number(self.field(148, 8)).ok();
        let (mut unsigned, mut signed) = (0_u64, 0_i64);
        for (position, byte) in self.0.iter().enumerate() {
            let byte = if (148..156).contains(&position) {
                b' '
            } else {
                *byte
            };
            unsigned += u64::from(byte);
            signed += i64::from(byte.cast_signed());
        }
        // Some historic writers summed signed bytes; every reader accepts both.
        if claimed.is_some_and(|sum| sum == unsigned || i64::try_from(sum) == Ok(signed)) {
            Ok(())
        } else {
            Err("no tar header: the checksum is wrong".into())
        }
    }

    fn shown_name(&self) -> String {
        String::from_utf8_lossy(self.text(0, 100)).into_owned()
    }

    /// Whether an old GNU sparse header goes on in the next block.
    pub(super) fn is_extended(&self, member: &Member) -> bool {
        member.kind == MemberKind::Sparse
            && self.field(156, 1) == b"S"
            && self.field(482, 1) != b"\0"
    }

    /// The same for a block of such a continuation.
    pub(super) fn continues(&self) -> bool {
        self.field(504, 1) != b"\0"
    }
}

pub(super) fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// An octal or base-256 number that is a size: not negative, below 2^63.
fn number(field: &[u8]) -> Result<u64, String> {
    if let Some((first, rest)) = field.split_first()
        && first & 0x80 != 0
    {
        if first & 0x40 != 0 {
            return Err("is negative".into());
        }
        let mut value = u64::from(first & 0x3f);
        for byte in rest {
            value = value
                .checked_mul(256)
                .and_then(|value| value.checked_add(u64::from(*byte)))
                .filter(|value| i64::try_from(*value).is_ok())
                .ok_or("is above 2^63")?;
        }
        return Ok(value);
    }
    // Blanks and zeros around the digits, as Go trims them.
    let digits = until_nul(trim(field));
    let mut value = 0_u64;
    for byte in digits {
        let digit = match byte {
            b'0'..=b'7' => u64::from(byte & 7),
            _ => return Err("is not a number".into()),
        };
        value = value
            .checked_mul(8)
            .and_then(|value| value.checked_add(digit))
            .filter(|value| i64::try_from(*value).is_ok())
            .ok_or("is above 2^63")?;
    }
    Ok(value)
}

/// A time before 1970 is a number, too; a size is not.
fn is_negative(field: &[u8]) -> bool {
    field.first().is_some_and(|first| first & 0xc0 == 0xc0)
}

fn trim(mut field: &[u8]) -> &[u8] {
    while let [b' ' | 0, rest @ ..] | [rest @ .., b' ' | 0] = field {
        field = rest;
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sizes_or_refused() {
        assert_eq!(number(b"0000644\0"), Ok(0o644));
        assert_eq!(number(b"  12 \0\0\0"), Ok(0o12));
        assert_eq!(number(b"\0\0\0\0"), Ok(0));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\0\0\0\x01\0"), Ok(256));
        for bad in [
            &b"hello world\0"[..],
            b"00000000008",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0",
            b"\x80\0\0\0\x80\0\0\0\0\0\0\0",
            b"777777777777777777777777777",
        ] {
            assert!(number(bad).is_err(), "{bad:?}");
        }
    }
}
