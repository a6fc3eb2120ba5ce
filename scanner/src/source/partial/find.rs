//! Fetches the table of contents of a layer and verifies it.

use std::io::Read;

use super::Refusal;
use super::promise::Place;
use crate::source::decode::{Decoder, Encoding};
use crate::source::digest::Digest;
use crate::source::elsewhere::Parts;
use crate::source::tar::{MemberKind, Tar};

/// The file with the table in a layer of eStargz.
const STARGZ_FILE: &[u8] = b"stargz.index.json";

/// Bytes at the end of a layer of eStargz: an empty gzip member, whose extra field says where the table
/// begins.
const FOOTER: u64 = 51;

/// A verified table.
pub(super) struct Found {
    pub(super) json: Vec<u8>,
    /// Where it begins in the layer, behind all files.
    pub(super) start: u64,
    /// What the files are compressed with.
    pub(super) encoding: Encoding,
    /// Bytes that were fetched for it.
    pub(super) fetched: u64,
}

/// Fetches the table at `place` of a layer of so many bytes; one of more than `most` is refused.
pub(super) fn table(
    blobs: &dyn Parts,
    digest: &str,
    size: u64,
    place: &Place,
    most: u64,
) -> Result<Found, Refusal> {
    let part = |start: u64, length: u64| -> Result<Vec<u8>, Refusal> {
        if length > most {
            return Err(format!("{length} bytes are more than {most}").into());
        }
        if start.checked_add(length).is_none_or(|end| end > size) {
            return Err("it lies outside of the layer".to_owned().into());
        }
        match blobs.part(digest, start, length) {
            Ok(Some(bytes)) if bytes.len() as u64 == length => Ok(bytes),
            Ok(Some(_)) => Err("it could not be fetched whole".to_owned().into()),
            // The registry gives layers only whole.
            Ok(None) => Err(Refusal::Whole),
            Err(cause) => Err(format!("it could not be fetched: {cause}").into()),
        }
    };
    match place {
        Place::Zstd {
            digest,
            start,
            length,
            unpacked,
        } => {
            let packed = part(*start, *length)?;
            verify(digest, &packed)?;
            let json = unpack(Encoding::Zstd, &packed, most)?;
            if json.len() as u64 != *unpacked {
                return Err("it has not the length that the manifest says"
                    .to_owned()
                    .into());
            }
            Ok(Found {
                json,
                start: *start,
                encoding: Encoding::Zstd,
                fetched: *length,
            })
        }
        Place::Stargz { digest } => {
            let end = size
                .checked_sub(FOOTER)
                .ok_or_else(|| "the layer is shorter than its footer".to_owned())?;
            let footer = part(end, FOOTER)?;
            let start = position(&footer).ok_or_else(|| "the layer has no footer".to_owned())?;
            let length = end
                .checked_sub(start)
                .ok_or_else(|| "it lies outside of the layer".to_owned())?;
            let packed = part(start, length)?;
            let json = stargz(&unpack(Encoding::Gzip, &packed, most)?)?;
            verify(digest, &json)?;
            Ok(Found {
                json,
                start,
                encoding: Encoding::Gzip,
                fetched: length.saturating_add(FOOTER),
            })
        }
    }
}

fn verify(digest: &Digest, bytes: &[u8]) -> Result<(), Refusal> {
    let found = digest.of_same_kind(bytes);
    if found == *digest {
        return Ok(());
    }
    Err(format!("digest mismatch: the manifest says {digest}, it has {found}").into())
}

fn unpack(encoding: Encoding, packed: &[u8], most: u64) -> Result<Vec<u8>, Refusal> {
    let broken = |error: std::io::Error| Refusal::Unsound(error.to_string());
    let mut bytes = Vec::new();
    Decoder::new(encoding, packed)
        .map_err(broken)?
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(broken)?;
    if bytes.len() as u64 > most {
        return Err(format!("it unpacks to more than {most} bytes").into());
    }
    Ok(bytes)
}

/// The one file of the tar that a table of eStargz is in.
fn stargz(tar: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut tar = Tar::new(tar);
    match tar.next() {
        Ok(Some((member, _))) if member.kind == MemberKind::File && member.path == STARGZ_FILE => {
            let mut json = Vec::new();
            tar.read_to_end(&mut json)
                .map_err(|error| Refusal::Unsound(error.to_string()))?;
            Ok(json)
        }
        Ok(_) => Err("it is not where the footer says".to_owned().into()),
        Err(error) => Err(error.to_string().into()),
    }
}

/// Where the table begins: sixteen hexadecimal digits and a word, as subfield `SG` of the extra field.
fn position(footer: &[u8]) -> Option<u64> {
    let rest = footer.strip_prefix(&[0x1f, 0x8b, 8, 4])?;
    let (_time, rest) = rest.split_at_checked(6)?;
    let field = rest.strip_prefix(b"\x1a\x00SG\x16\x00")?;
    let (digits, rest) = field.split_at_checked(16)?;
    rest.starts_with(b"STARGZ").then_some(())?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
