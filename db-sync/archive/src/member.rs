//! One entry of the central directory and its content.

use flate2::{Crc, FlushDecompress, Status};

use super::fields::Fields;
use super::{Inflater, Limits, MemberError};

/// One entry of the central directory.
#[derive(Clone, Debug)]
pub struct Member {
    /// The entry's name, with invalid UTF-8 replaced.
    pub name: String,
    /// Bytes that the archive declares for the content.
    pub size: u64,
    /// Checksum of the content.
    pub crc: u32,
    pub(crate) offset: u64,
    pub(crate) compressed: u64,
    pub(crate) method: u16,
    pub(crate) flags: u16,
}

impl Member {
    /// Where its content is: two entries of one place have the same.
    pub const fn place(&self) -> u64 {
        self.offset
    }

    /// Whether the name leads out of the folder that an archive is unpacked into.
    pub fn escapes(&self) -> bool {
        self.name.starts_with('/')
            || self.name.contains('\\')
            || self.name.split('/').any(|part| part == "..")
    }

    pub(crate) fn readable(&self) -> Result<(), MemberError> {
        if self.flags & 1 != 0 {
            return Err(MemberError::unusable("entry is encrypted"));
        }
        if !matches!(self.method, 0 | 8) {
            return Err(MemberError::Unusable(format!(
                "compression method {} is not supported (only stored and deflate)",
                method_name(self.method)
            )));
        }
        Ok(())
    }

    /// Inflates the bytes of the entry into `out` and checks its CRC; returns a remark where the
    /// declared size is wrong but the content is right.
    pub fn inflate(
        &self,
        raw: &[u8],
        limits: &Limits,
        inflater: &mut Inflater,
        out: &mut Vec<u8>,
    ) -> Result<Option<String>, MemberError> {
        out.clear();
        if self.method == 0 {
            if raw.len() as u64 > limits.member_bytes {
                return Err(limits.too_large());
            }
            out.extend_from_slice(raw);
        } else {
            inflate(raw, limits, inflater, out)?;
        }
        let mut crc = Crc::new();
        crc.update(out);
        if crc.sum() != self.crc {
            return Err(MemberError::unusable("CRC-32 does not match"));
        }
        Ok((out.len() as u64 != self.size).then(|| {
            format!(
                "archive declares {} bytes, the entry has {}",
                self.size,
                out.len()
            )
        }))
    }

    /// Takes 64-bit values from the ZIP64 extra field, where they are marked.
    pub(crate) fn widen(&mut self, extra: &[u8]) {
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

fn inflate(
    raw: &[u8],
    limits: &Limits,
    inflater: &mut Inflater,
    out: &mut Vec<u8>,
) -> Result<(), MemberError> {
    inflater.reset(false);
    let ratio_bound = (raw.len() as u64)
        .saturating_mul(limits.ratio)
        .max(limits.ratio_from);
    loop {
        let consumed = usize::try_from(inflater.total_in()).unwrap_or(usize::MAX);
        let rest = raw.get(consumed..).unwrap_or_default();
        out.reserve(raw.len().saturating_mul(4).clamp(4 << 10, 1 << 20));
        let status = inflater
            .decompress_vec(rest, out, FlushDecompress::None)
            .map_err(|error| MemberError::Unusable(format!("damaged deflate stream: {error}")))?;
        if out.len() as u64 > limits.member_bytes {
            return Err(limits.too_large());
        }
        if out.len() as u64 > ratio_bound {
            let cause = format!("entry inflates more than {} times", limits.ratio);
            return Err(MemberError::Limit(cause));
        }
        match status {
            Status::StreamEnd => return Ok(()),
            Status::BufError if out.len() < out.capacity() => {
                return Err(MemberError::unusable("deflate stream is cut off"));
            }
            Status::Ok if rest.is_empty() && out.len() < out.capacity() => {
                return Err(MemberError::unusable("deflate stream is cut off"));
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
