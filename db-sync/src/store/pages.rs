//! The bytes of a database file, read block by block when they are first asked
//! for, into memory that was reserved for the whole file.
//!
//! The file itself is not mapped: a map of a file that somebody shortens in
//! place kills the process that reads it (SIGBUS), and one that is written to
//! changes after its checksum was compared. Here each block is read once with
//! an ordinary `read`, so that a file that was cut is an error, and what was
//! checked stays as it was. Reserved memory that is never asked for costs
//! nothing.

use memmap2::{MmapOptions, MmapRaw};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Bytes that are read at once: two pages of a database.
const BLOCK: usize = 16 << 10;

/// A file, of which some blocks are in memory.
pub(crate) struct Pages {
    file: File,
    length: usize,
    memory: MmapRaw,
    /// For each block, whether it was read. Such a block is never written again.
    read: Box<[AtomicBool]>,
    /// Held while a block is read.
    reading: Mutex<()>,
}

impl Pages {
    /// Reserves memory for a file of this length, which is not 0.
    pub(crate) fn new(file: File, length: usize) -> io::Result<Self> {
        let memory = MmapOptions::new()
            .len(length)
            .no_reserve_swap()
            .map_anon()?;
        // A huge page would be filled with zeroes for each block that is read.
        #[cfg(target_os = "linux")]
        let _ = memory.advise(memmap2::Advice::NoHugePage);
        Ok(Self {
            file,
            length,
            memory: MmapRaw::from(memory),
            read: (0..length.div_ceil(BLOCK))
                .map(|_| AtomicBool::new(false))
                .collect(),
            reading: Mutex::new(()),
        })
    }

    /// How long the file was when it was opened.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Bytes of the file; an error where it does not have them (any more).
    #[inline]
    pub(crate) fn get(&self, range: Range<usize>) -> io::Result<&[u8]> {
        let Range { start, end } = range;
        if start > end || end > self.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let blocks = start / BLOCK..end.div_ceil(BLOCK);
        let is_read = |block: &AtomicBool| block.load(Ordering::Acquire);
        let known = self.read.get(blocks.clone()).unwrap_or_default();
        if !known.iter().all(is_read) {
            self.fill(blocks)?;
        }
        Ok(self.slice(start, end.saturating_sub(start)))
    }

    /// Bytes of the file into a buffer, without keeping them.
    pub(crate) fn copy(&self, start: usize, out: &mut [u8]) -> io::Result<()> {
        read_at(&self.file, start as u64, out)
    }

    /// Reads those of the blocks that were not read yet.
    #[cold]
    fn fill(&self, blocks: Range<usize>) -> io::Result<()> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        for block in blocks {
            let Some(known) = self.read.get(block) else {
                break;
            };
            if known.load(Ordering::Acquire) {
                continue;
            }
            let start = block.saturating_mul(BLOCK);
            let end = start.saturating_add(BLOCK).min(self.length);
            let mut buffer = [0; BLOCK];
            let Some(bytes) = buffer.get_mut(..end.saturating_sub(start)) else {
                break;
            };
            read_at(&self.file, start as u64, bytes)?;
            self.store(start, bytes);
            known.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Puts bytes into the reserved memory.
    #[expect(unsafe_code, reason = "writes beside what others read; see SAFETY")]
    fn store(&self, start: usize, bytes: &[u8]) {
        // SAFETY: `fill` calls this for a block that lies within the memory
        // (`end` is at most its length), while it holds the lock, and only until
        // the block is marked as read: nobody else writes there, and no
        // reference to it has been made.
        unsafe {
            let to = self.memory.as_mut_ptr().add(start);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
    }

    /// A part of the memory whose blocks have all been read.
    #[inline]
    #[expect(
        unsafe_code,
        reason = "refers to what is not written any more; see SAFETY"
    )]
    fn slice(&self, start: usize, length: usize) -> &[u8] {
        // SAFETY: `get` has checked that the part lies within the memory, and has
        // seen its blocks marked as read (with acquire, so that their bytes are
        // seen, too). They are never written again, and the memory lives as long
        // as `self`. It is anonymous: no file can be cut off under it.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().add(start), length) }
    }
}

#[cfg(unix)]
fn read_at(file: &File, at: u64, out: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, at)
}

#[cfg(windows)]
fn read_at(file: &File, mut at: u64, mut out: &mut [u8]) -> io::Result<()> {
    while !out.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, out, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                at = at.saturating_add(read as u64);
                out = out.get_mut(read..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Pages};
    use std::io::Write;

    #[test]
    fn every_part_is_that_of_the_file_and_a_cut_is_an_error() {
        let bytes: Vec<u8> = (0..BLOCK * 5 + 77)
            .map(|at| u8::try_from(at % 251).expect("small"))
            .collect();
        let mut file = tempfile::tempfile().expect("file");
        file.write_all(&bytes).expect("write");
        let shorter = file.try_clone().expect("clone");
        let pages = Pages::new(file, bytes.len()).expect("memory");
        for (start, end) in [
            (0, 0),
            (0, 1),
            (BLOCK - 1, BLOCK + 1),
            (BLOCK * 2, BLOCK * 4),
            (bytes.len() - 1, bytes.len()),
        ] {
            assert_eq!(pages.get(start..end).expect("bytes"), &bytes[start..end]);
        }
        assert!(pages.get(0..bytes.len() + 1).is_err());
        let mut copied = [0; 9];
        pages.copy(BLOCK - 4, &mut copied).expect("bytes");
        assert_eq!(copied, bytes[BLOCK - 4..BLOCK + 5]);
        // What was read stays, and what was not is an error and no signal.
        let held = pages.get(0..10).expect("bytes");
        shorter.set_len(5).expect("shorten");
        assert_eq!(held, &bytes[..10]);
        assert_eq!(pages.get(0..10).expect("bytes"), &bytes[..10]);
        assert!(pages.get(BLOCK * 4..BLOCK * 4 + 1).is_err());
        let last = bytes.len();
        assert_eq!(
            pages.get(last - 1..last).expect("read before"),
            &bytes[last - 1..]
        );
    }

    #[test]
    fn threads_see_whole_blocks() {
        let bytes: Vec<u8> = (0..BLOCK * 40)
            .map(|at| u8::try_from(at / BLOCK).expect("small"))
            .collect();
        let mut file = tempfile::tempfile().expect("file");
        file.write_all(&bytes).expect("write");
        let pages = Pages::new(file, bytes.len()).expect("memory");
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (pages, bytes) = (&pages, &bytes);
                scope.spawn(move || {
                    for step in 0..400 {
                        let start = (step * 7919 + thread * 104_729) % (bytes.len() - 100);
                        let part = pages.get(start..start + 100).expect("bytes");
                        assert_eq!(part, &bytes[start..start + 100]);
                    }
                });
            }
        });
    }
}
