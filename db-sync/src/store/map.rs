//! The memory map of the state that updates go on from, a cache of our own that
//! nobody shares. Databases are read otherwise, see [`super::pages`].

use memmap2::Mmap;
use std::fs::File;
use std::io;

/// Maps a whole file for reading.
#[expect(unsafe_code, reason = "mapping a file is unsafe by nature; see SAFETY")]
pub(crate) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the map is only sound while nobody changes or shortens the file.
    // It is written to a new file and renamed into place, never changed, and its
    // folder is locked while it is read. Someone who edits it in place with
    // other tools can make us read changed bytes: every access is
    // bounds-checked and decoded without trust (no reference to anything but
    // `u8` is made).
    unsafe { Mmap::map(file) }
}
