//! rpm's own database format, `Packages.db` (rpm, `lib/backend/ndb/rpmpkg.c`), as SUSE has it:
//! pages of slots, each naming a blob by its number of 16-byte blocks. Indexes lie in another
//! file and are not needed.

use std::sync::Arc;

use super::header;
use crate::inventory::bytes::{Order, part};
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;

/// The places.
pub(crate) static PARSER: Parser = Parser {
    id: "rpm-ndb",
    version: 1,
    wants: &[
        Want::Path("usr/lib/sysimage/rpm/Packages.db"),
        Want::Path("usr/share/rpm/Packages.db"),
        Want::Path("var/lib/rpm/Packages.db"),
    ],
    accepts: None,
    need: Need::Whole(limits::RPM_DATABASE_BYTES),
    evidence: Evidence::Installed,
    database: true,
    parse,
};

const PAGE: usize = 4096;
const SLOT: usize = 16;
const BLOCK: usize = 16;
const LITTLE: Order = Order::Little;

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let bytes = input.content.whole()?;
    let path: Arc<str> = input.path.into();
    if !bytes.starts_with(b"RpmP") {
        return Err(ParseError::new("not an rpm package database"));
    }
    if LITTLE.u32(bytes, 4) != Some(0) {
        let cause = "a version of rpm's package database that we do not know";
        return Err(ParseError::unknown_format(None, cause));
    }
    let pages = LITTLE.size(bytes, 12).unwrap_or_default();
    if pages == 0 {
        return Err(ParseError::new("a package database without slots"));
    }
    let slots = bytes.get(..pages.saturating_mul(PAGE));
    let slots = slots.ok_or_else(|| ParseError::new("the slots do not fit the file"))?;
    if part(bytes, slots.len(), 4) == Some(b"Slot") {
        lost(facts, &path, "more slots than the database counts");
    }
    // Blobs do not overlap, so that together they are no longer than the file.
    let mut room = bytes.len();
    // The header takes the place of two slots.
    for slot in slots.chunks_exact(SLOT).skip(2) {
        if !slot.starts_with(b"Slot") {
            lost(facts, &path, "an invalid slot");
            continue;
        }
        let (Some(index), Some(block)) = (LITTLE.u32(slot, 4), LITTLE.size(slot, 8)) else {
            continue;
        };
        match (index, block) {
            // Free.
            (0, 0) => continue,
            (0, _) | (_, 0) => {
                lost(facts, &path, "a slot that is neither used nor free");
                continue;
            }
            _ => {}
        }
        let blob = blob(bytes, index, block).filter(|blob| blob.len() <= room);
        match blob {
            Some(blob) => {
                room = room.saturating_sub(blob.len());
                header::read(blob, &path, facts);
            }
            None => lost(facts, &path, "a slot whose package is not in the file"),
        }
    }
    Ok(())
}

/// Nobody knows which package a damaged slot had.
fn lost(facts: &mut Facts, path: &str, cause: &str) {
    facts.unjudged(path, None, GapKind::Malformed, cause);
}

/// Magic, package index, generation, length; then the header.
fn blob(bytes: &[u8], index: u32, block: usize) -> Option<&[u8]> {
    let at = block.checked_mul(BLOCK)?;
    let head = part(bytes, at, 16)?;
    if !head.starts_with(b"BlbS") || LITTLE.u32(head, 4) != Some(index) {
        return None;
    }
    part(bytes, at.checked_add(16)?, LITTLE.size(head, 12)?)
}
