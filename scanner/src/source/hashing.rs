//! Where the uncompressed stream of a layer is hashed: beside the decompression while every core
//! has a layer of its own, and on a second thread as soon as one is free, so that the last layer,
//! or the only one, does not leave the others idle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SendError, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::digest::{Digest, Hasher};

/// Buffers on their way to the hashing thread.
const QUEUE: usize = 4;

/// Whether the machine has more cores than layers are left to read.
#[derive(Debug)]
pub(crate) struct Cores {
    count: usize,
    unfinished: AtomicUsize,
}

impl Cores {
    /// For this many layers.
    pub(crate) fn new(count: usize, layers: usize) -> Self {
        Self {
            count,
            unfinished: AtomicUsize::new(layers),
        }
    }

    /// One layer was read.
    pub(crate) fn finished(&self) {
        self.unfinished.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn is_one_free(&self) -> bool {
        self.unfinished.load(Ordering::Relaxed) < self.count
    }
}

/// Hashes the uncompressed stream: here, or on a thread of its own where a core is free.
pub(super) enum TarHash {
    /// The blob is the tar, and its own hash serves; or nothing is hashed.
    None,
    Here(Hasher),
    Apart(Apart),
}

/// The hashing thread and its queue.
pub(super) struct Apart {
    pub(super) queue: SyncSender<(Arc<Vec<u8>>, usize)>,
    pub(super) spare: Receiver<Arc<Vec<u8>>>,
    pub(super) thread: JoinHandle<Option<Digest>>,
}

impl Apart {
    /// Hashes on a thread; here, where none can be started.
    pub(super) fn start(hasher: Hasher) -> TarHash {
        let (queue, work) = sync_channel::<(Arc<Vec<u8>>, usize)>(QUEUE);
        let (back, spare) = sync_channel(QUEUE + 2);
        // The hasher follows, so that it is still here if there is no thread.
        let (hand, given) = sync_channel::<Hasher>(1);
        let run = move || {
            let mut hasher = given.recv().ok()?;
            while let Ok((buffer, length)) = work.recv() {
                hasher.update(buffer.get(..length).unwrap_or_default());
                // The reader may be gone, or have enough.
                let _ = back.try_send(buffer);
            }
            Some(hasher.finish())
        };
        let Ok(thread) = std::thread::Builder::new().spawn(run) else {
            return TarHash::Here(hasher);
        };
        match hand.send(hasher) {
            Ok(()) => TarHash::Apart(Self {
                queue,
                spare,
                thread,
            }),
            Err(SendError(hasher)) => TarHash::Here(hasher),
        }
    }
}
