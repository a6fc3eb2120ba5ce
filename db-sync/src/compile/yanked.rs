//! Writes the yanked versions: one item per crate, sorted, and a hash table
//! over the names. A database without an index has none of these sections.

use super::BuildError;
use crate::sources::crates_index::Yanked;
use crate::store::codec::{put_text, put_texts};
use crate::store::format::Section;
use crate::store::hash;
use crate::store::write::Writer;
use std::path::Path;

pub(super) fn write(writer: &mut Writer, yanked: &Yanked, output: &Path) -> Result<(), BuildError> {
    let (mut items, mut offsets, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    let mut mark = |length: usize| -> Result<(), BuildError> {
        let offset = u32::try_from(length).map_err(|_| BuildError::TooMany)?;
        offsets.extend_from_slice(&offset.to_le_bytes());
        Ok(())
    };
    for (name, versions) in &yanked.crates {
        mark(items.len())?;
        hashes.push(hash::of(&[name]));
        put_text(&mut items, name);
        let versions: Vec<&String> = versions.iter().collect();
        put_texts(&mut items, &versions);
    }
    mark(items.len())?;
    for (section, bytes) in [
        (Section::Yanked, items),
        (Section::YankedOffsets, offsets),
        (Section::YankedIndex, hash::table(&hashes)),
    ] {
        writer
            .section(section, &bytes)
            .map_err(|source| BuildError::Write {
                path: output.to_owned(),
                source,
            })?;
    }
    Ok(())
}
