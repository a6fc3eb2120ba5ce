//! The central directory, which lies at the end of an archive (APPNOTE.TXT, sections 4.3.12 to
//! 4.3.16).

use std::io::{self, Read, Seek, SeekFrom};

use super::Error;
use super::fields::Fields;
use super::member::Member;

const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const END64_LOCATOR_SIGNATURE: [u8; 4] = *b"PK\x06\x07";
const END64_SIGNATURE: [u8; 4] = *b"PK\x06\x06";
const CENTRAL_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
const END_LENGTH: usize = 22;
const END64_LENGTH: usize = 56;
const LOCATOR_LENGTH: usize = 20;
const MAX_COMMENT: u64 = 65_535;

/// Where the central directory lies.
pub(crate) struct Directory {
    offset: u64,
    size: u64,
    pub(crate) entries: u64,
    /// Bytes before the archive, which its offsets do not count.
    pub(crate) base: u64,
}

/// Finds the directory of an archive of so many bytes.
pub(crate) fn find<R: Read + Seek>(
    file: &mut R,
    length: u64,
) -> io::Result<Result<Directory, Error>> {
    let tail_length = length.min(MAX_COMMENT + END_LENGTH as u64 + LOCATOR_LENGTH as u64);
    let tail_start = length.saturating_sub(tail_length);
    file.seek(SeekFrom::Start(tail_start))?;
    let mut tail = Vec::new();
    file.by_ref().take(tail_length).read_to_end(&mut tail)?;
    let Some(at) = end_record(&tail) else {
        let cause = "it has no end record: cut off, or another kind of file";
        return Ok(Err(Error::Broken(cause)));
    };
    let end = Fields(tail.get(at..).unwrap_or_default());
    let mut found = Directory {
        entries: u64::from(end.u16(10)),
        size: u64::from(end.u32(12)),
        offset: u64::from(end.u32(16)),
        base: 0,
    };
    let is_64 = found.entries == 0xffff || found.size == 0xffff_ffff || found.offset == 0xffff_ffff;
    let mut end_at = tail_start.saturating_add(at as u64);
    let locator = at
        .checked_sub(LOCATOR_LENGTH)
        .and_then(|start| tail.get(start..at))
        .filter(|bytes| bytes.starts_with(&END64_LOCATOR_SIGNATURE));
    if let Some(locator) = locator.filter(|_| is_64) {
        // Where it says, or right before the locator, if something stands before the archive.
        let told = Fields(locator).u64(8);
        let near = end_at
            .saturating_sub(LOCATOR_LENGTH as u64)
            .saturating_sub(END64_LENGTH as u64);
        let mut record = Vec::new();
        let mut is_found = false;
        for place in [told, near] {
            file.seek(SeekFrom::Start(place))?;
            record.clear();
            file.by_ref()
                .take(END64_LENGTH as u64)
                .read_to_end(&mut record)?;
            if record.len() == END64_LENGTH && record.starts_with(&END64_SIGNATURE) {
                end_at = place;
                is_found = true;
                break;
            }
        }
        if !is_found {
            return Ok(Err(Error::Broken("its ZIP64 end record is damaged")));
        }
        let record = Fields(&record);
        found = Directory {
            entries: record.u64(32),
            size: record.u64(40),
            offset: record.u64(48),
            base: 0,
        };
    }
    match found.offset.checked_add(found.size) {
        Some(last) if last <= end_at => {
            // The directory ends where the record of its end begins, and what is missing stands
            // before the archive. An archive signed in between has its directory where it says.
            let base = end_at.saturating_sub(last);
            file.seek(SeekFrom::Start(found.offset))?;
            let mut first = [0; 4];
            let is_there = found.entries == 0
                || file.read_exact(&mut first).is_ok() && first == CENTRAL_SIGNATURE;
            if !is_there {
                // A file that begins as an archive and ends as one in it is cut off.
                file.seek(SeekFrom::Start(0))?;
                if file.read_exact(&mut first).is_err() || first == super::LOCAL_SIGNATURE {
                    let cause = "its central directory is not where its end record says";
                    return Ok(Err(Error::Broken(cause)));
                }
                found.base = base;
            }
            Ok(Ok(found))
        }
        _ => {
            let cause = "its central directory lies outside of the file";
            Ok(Err(Error::Broken(cause)))
        }
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

/// Reads the entries of the directory.
pub(crate) fn read<R: Read + Seek>(file: &mut R, directory: &Directory) -> io::Result<Vec<Member>> {
    let start = directory.base.saturating_add(directory.offset);
    file.seek(SeekFrom::Start(start))?;
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
