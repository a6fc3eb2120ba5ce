//! The physical floor under reading an image: inflates the gzip layers of an OCI layout with
//! flate2 (zlib-rs) and hashes both streams, on as many threads as the scanner uses. Reads no
//! tar, looks for nothing. `cargo run --release --example layers_floor -- LAYOUT`

#![expect(clippy::print_stdout, reason = "a measuring program")]

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};

/// Hashes what passes through it.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

/// Bytes of the uncompressed stream.
fn inflate(path: &Path) -> io::Result<u64> {
    let compressed = Hashing {
        inner: File::open(path)?,
        hash: Sha256::new(),
    };
    let mut decoder = MultiGzDecoder::new(BufReader::with_capacity(1 << 17, compressed));
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 17];
    let mut total = 0u64;
    loop {
        let count = decoder.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(buffer.get(..count).unwrap_or_default());
        total = total.saturating_add(count as u64);
    }
    Ok(total)
}

fn main() -> io::Result<()> {
    let layout = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let mut blobs: Vec<(u64, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(Path::new(&layout).join("blobs/sha256"))? {
        let entry = entry?;
        let mut magic = [0; 2];
        let is_gzip =
            File::open(entry.path())?.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
        if is_gzip {
            blobs.push((entry.metadata()?.len(), entry.path()));
        }
    }
    // The largest is taken first, from the end.
    blobs.sort();
    let queue = Mutex::new(blobs);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let total: u64 = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|_| {
                scope.spawn(|| {
                    let mut sum = 0u64;
                    while let Some((_, path)) = queue.lock().ok().and_then(|mut blobs| blobs.pop())
                    {
                        sum = sum.saturating_add(inflate(&path).unwrap_or(0));
                    }
                    sum
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or(0))
            .sum()
    });
    println!("{total} bytes");
    Ok(())
}
