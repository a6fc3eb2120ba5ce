//! Files beside the one that is read. A lockfile may leave to its neighbour what the project asks
//! for; a reader of it asks here, and never opens anything itself. A stream of a layer has no
//! neighbours to look at.

use std::io;

/// See the module.
pub trait Beside: Sync {
    /// The content of a file by its path relative to the directory of the file that is read: `None`
    /// if there is no such file, or none can be seen. Files of more than `most` bytes, and those
    /// outside of the root, are errors.
    fn read(&self, name: &str, most: u64) -> io::Result<Option<Vec<u8>>>;
}

/// Nothing beside it can be seen.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Beside for Alone {
    fn read(&self, _: &str, _: u64) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }
}
