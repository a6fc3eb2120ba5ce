//! Whether the tables of a segment are as the writer makes them: items side by
//! side and none twice, every key under its hash and nothing else. What looks
//! up in such tables finds what is there, in bounded time; a file of somebody
//! else may have items that overlap, or all keys in one bucket.

use super::format::{MAX_BLOCK, Section, le32};
use super::hash;
use super::read::{ReadError, Store};

/// Items and their offsets.
const TABLES: [(Section, Section); 6] = [
    (Section::Versions, Section::VersionOffsets),
    (Section::Ratings, Section::RatingOffsets),
    (Section::Groups, Section::GroupOffsets),
    (Section::Records, Section::RecordOffsets),
    (Section::Packages, Section::PackageOffsets),
    (Section::Yanked, Section::YankedOffsets),
];

impl Store {
    /// Whether the items of all tables lie side by side.
    pub(crate) fn check_tables(&self) -> Result<(), ReadError> {
        for (items, offsets) in TABLES {
            let is_sound = {
                let (words, rest) = self.whole(offsets)?.as_chunks::<4>();
                let all = words.iter().map(|word| le32(word));
                let first = words.first().map_or(0, |word| le32(word));
                let last = words.last().map_or(0, |word| le32(word));
                rest.is_empty()
                    && all.is_sorted()
                    && first == 0
                    && u64::from(last) == self.length(items)
            };
            sound(is_sound, items)?;
        }
        sound(
            self.is_above() || self.length(Section::Masked) == 0,
            Section::Masked,
        )?;
        self.check_blocks()
    }

    /// The same of the blocks of texts: each has some records.
    fn check_blocks(&self) -> Result<(), ReadError> {
        let whole = self.whole(Section::Blocks)?.as_chunks::<16>().1.is_empty();
        let (mut offset, mut first) = (0, None);
        let mut side_by_side = whole;
        for block in self.text_blocks()? {
            let packed = self.packed(&block)?.len() as u64;
            side_by_side &= u64::from(block.offset()) == offset
                && first.replace(block.first) < Some(block.first)
                && block.raw as usize <= MAX_BLOCK;
            offset = offset.saturating_add(packed);
        }
        sound(
            side_by_side && offset == self.length(Section::Texts),
            Section::Texts,
        )
    }

    /// Whether an index is the one over these hashes, in the order of items.
    pub(crate) fn check_index(&self, index: Section, hashes: &[u64]) -> Result<(), ReadError> {
        // A segment without a table has no index either.
        let is_absent = hashes.is_empty() && self.length(index) == 0;
        sound(
            is_absent || self.whole(index)? == hash::table(hashes),
            index,
        )
    }

    /// The records of the segment below that do not count any more.
    pub(crate) fn masked(&self) -> Result<Vec<u32>, ReadError> {
        let (words, rest) = self.whole(Section::Masked)?.as_chunks::<4>();
        let masked: Vec<u32> = words.iter().map(|word| le32(word)).collect();
        let rises = masked.is_sorted_by(|left, right| left < right);
        sound(rest.is_empty() && rises, Section::Masked)?;
        Ok(masked)
    }
}

/// An error of a section unless it is sound.
pub(crate) fn sound(is_sound: bool, section: Section) -> Result<(), ReadError> {
    let part = section.name();
    is_sound.then_some(()).ok_or(ReadError::Damaged { part })
}
