//! Whether a version on crates.io was yanked, as far as the index told that
//! the database was built with.

use super::{Db, damaged};
use crate::moment::Moment;
use crate::sources::crates_index::{self, Yanked};
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

    /// All yanked versions, as they were read from the index; `None` where the
    /// database was built without one.
    ///
    /// # Errors
    /// The part of the file that holds them is damaged.
    pub(crate) fn yanked(&self) -> Result<Option<Yanked>, ReadError> {
        let mut sources = self.info().sources.iter();
        let Some(source) = sources.find(|source| source.kind == crates_index::KIND) else {
            return Ok(None);
        };
        let store = self.segments.below.as_ref().unwrap_or(&self.segments.top);
        let broken = damaged(Section::Yanked);
        let mut yanked = Yanked {
            newest: source.newest_modified.as_deref().and_then(Moment::parse),
            ..Yanked::default()
        };
        let count = u32::try_from(store.count(Section::YankedOffsets)).unwrap_or(u32::MAX);
        for number in 0..count {
            let item = store.item(Section::Yanked, Section::YankedOffsets, number)?;
            let mut reader = Reader::new(item);
            let name = reader.text().map_err(&broken)?.to_owned();
            let versions = reader.texts().map_err(&broken)?;
            yanked.crates.insert(name, versions.into_iter().collect());
        }
        Ok(Some(yanked))
    }
}
