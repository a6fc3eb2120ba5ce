//! What a document may cost, the same in every syntax.

use super::Error;

/// Nesting of a document.
pub const MAX_DEPTH: usize = 100;

/// Tables of a TOML document, counted before it is parsed: each costs the parser about 1 KB.
pub const MAX_TOML_TABLES: usize = 100_000;

/// Values of a document; at about 80 bytes each with the room that lists keep to grow, they stay
/// below 150 MB.
pub const MAX_VALUES: usize = 1_000_000;

/// Counts values and depth while a tree is built.
pub(crate) struct Budget {
    values: usize,
}

impl Budget {
    pub(crate) const fn new() -> Self {
        Self { values: MAX_VALUES }
    }

    pub(crate) fn spend(&mut self, line: u32, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            let cause = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(Error::limit(Some(line), cause));
        }
        self.values = self.values.checked_sub(1).ok_or_else(|| {
            let cause = format!("more than {MAX_VALUES} values");
            Error::limit(Some(line), cause)
        })?;
        Ok(())
    }
}
