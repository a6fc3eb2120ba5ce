//! The long texts: blocks of several records, compressed.

use super::{ReadError, Store, damaged};
use crate::store::codec::{Damaged, Reader};
use crate::store::format::{MAX_BLOCK, Section, le32};

impl Store {
    /// The texts of a record, decompressed.
    pub(crate) fn texts(&self, record: u32) -> Result<Vec<u8>, ReadError> {
        let block = self.text_block(record)?;
        let raw = self.unpack(&block)?;
        Self::text_in(&raw, block.first, record).map(<[u8]>::to_vec)
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
