//! The memory map, and the one unsafe line of this crate.

use memmap2::Mmap;
use std::fs::File;
use std::io;

/// Maps a whole file for reading.
#[expect(unsafe_code, reason = "mapping a file is unsafe by nature; see SAFETY")]
pub(crate) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the map is only sound while nobody changes or shortens the file.
    // Databases are written to a new file and renamed into place, never
    // changed, so that an open one keeps its old content even when replaced.
    // Someone who edits it in place with other tools can make us read changed
    // bytes: every access is bounds-checked and decoded without trust (no
    // reference to anything but `u8` is made), and each page's checksum is
    // verified before its first use.
    unsafe { Mmap::map(file) }
}
