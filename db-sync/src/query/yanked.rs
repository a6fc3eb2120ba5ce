//! Whether a version on crates.io was yanked, as far as the index told that
//! the database was built with.

use super::{Db, damaged};
use crate::store::codec::Reader;
use crate::store::format::Section;
use crate::store::{ReadError, hash};

impl Db {
    /// Whether crates.io yanked this version of a crate; `false` where the
    /// database was built without an index.
    ///
    /// # Errors
    /// The part of the file that holds the answer is damaged.
    pub fn is_yanked(&self, name: &str, version: &str) -> Result<bool, ReadError> {
        // Changes leave the index as it is, see `sync::apply`.
        let store = self.segments.below.as_ref().unwrap_or(&self.segments.top);
        if store.count(Section::YankedOffsets) == 0 {
            return Ok(false);
        }
        let broken = damaged(Section::Yanked);
        let hash = hash::of(&[name]);
        for number in store.candidates(Section::YankedIndex, hash)? {
            let item = store.item(Section::Yanked, Section::YankedOffsets, number)?;
            let mut reader = Reader::new(item);
            if reader.text().map_err(&broken)? == name {
                let versions = reader.texts().map_err(&broken)?;
                return Ok(versions.iter().any(|known| known == version));
            }
        }
        Ok(false)
    }
}
