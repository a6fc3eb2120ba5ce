//! What the layers of a target share while they are read: totals above which the target is
//! refused, and memory that is held only for a while, for which they wait.
//!
//! Totals only grow, by what each layer alone decides, so that whether one is reached does not
//! depend on which layer is read when.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::Cost;
use super::limits::{self, Budget, Name};
use super::stop::Stop;

/// See the module.
pub(crate) struct Totals {
    pub(crate) budget: Budget,
    /// Bytes of all layers as stored.
    stored: u64,
    unpacked: AtomicU64,
    kept: AtomicU64,
    /// Files held whole.
    pub(crate) files: Arc<Pool>,
    /// Windows of decompressors, which are taken before and never while a file is held.
    pub(crate) windows: Arc<Pool>,
}

impl Totals {
    /// For layers of so many bytes together.
    pub(crate) fn new(budget: Budget, stored: u64) -> Self {
        Self {
            budget,
            stored,
            unpacked: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            files: Arc::new(Pool::new(budget.files())),
            windows: Arc::new(Pool::new(budget.windows())),
        }
    }

    /// What was read so far.
    pub(crate) fn cost(&self) -> Cost {
        Cost {
            stored: self.stored,
            unpacked: self.unpacked.load(Ordering::Relaxed),
        }
    }

    /// Counts unpacked bytes.
    pub(crate) fn unpack(&self, bytes: u64) -> Result<(), Stop> {
        let before = self.unpacked.fetch_add(bytes, Ordering::Relaxed);
        check_unpacked(before.saturating_add(bytes), self.stored, self.budget)
    }

    /// Takes back bytes that are not kept after all.
    pub(crate) fn release(&self, bytes: u64) {
        self.kept.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that are kept until the layers are merged.
    pub(crate) fn keep(&self, bytes: u64) -> Result<(), Stop> {
        let before = self.kept.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.budget.kept() {
            return Err(Stop::Total(format!(
                "what has to be kept of the layers does not fit into {} MiB, half of the memory \
                 budget",
                self.budget.kept() >> 20
            )));
        }
        Ok(())
    }
}

/// Refuses what is a bomb only as a whole.
fn check_unpacked(total: u64, stored: u64, budget: Budget) -> Result<(), Stop> {
    let (most, ratio) = (
        budget.limit(Name::ImageBytes),
        budget.limit(Name::ImageRatio).max(1),
    );
    if total > most {
        return Err(Stop::Total(format!(
            "the layers together unpack to more than {most} bytes"
        )));
    }
    if total > limits::IMAGE_RATIO_FLOOR && total / ratio > stored {
        return Err(Stop::Total(format!(
            "the layers together unpack to more than {ratio} times their size"
        )));
    }
    Ok(())
}

/// Bytes that may be held at once. Who wants more than is left waits; who is alone gets what it
/// asks for, so that everybody gets on.
pub(crate) struct Pool {
    limit: u64,
    held: Mutex<u64>,
    freed: Condvar,
}

/// Bytes that are held until this is dropped.
pub(crate) struct Held {
    pool: Arc<Pool>,
    bytes: u64,
}

impl Pool {
    const fn new(limit: u64) -> Self {
        Self {
            limit,
            held: Mutex::new(0),
            freed: Condvar::new(),
        }
    }

    /// Waits until the bytes fit.
    pub(crate) fn hold(self: &Arc<Self>, bytes: u64) -> Held {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        while *held > 0 && held.saturating_add(bytes) > self.limit {
            held = self
                .freed
                .wait(held)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *held = held.saturating_add(bytes);
        drop(held);
        Held {
            pool: Arc::clone(self),
            bytes,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self
            .pool
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *held = held.saturating_sub(self.bytes);
        self.pool.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_small_layers_are_a_bomb_together() {
        let floor = limits::IMAGE_RATIO_FLOOR;
        assert!(check_unpacked(floor, 1, Budget::default()).is_ok());
        assert!(check_unpacked(floor * 2, floor / 50, Budget::default()).is_ok());
        for (total, stored) in [
            (floor + 1, 1),
            (limits::IMAGE_BYTES + 1, limits::IMAGE_BYTES),
        ] {
            let checked = check_unpacked(total, stored, Budget::default());
            assert!(matches!(checked, Err(Stop::Total(_))));
        }
        let low = limits::Limits::default().with(Name::ImageRatio, 3);
        assert!(check_unpacked(floor * 2, floor / 2, Budget::default().limited(low)).is_err());
        let most = limits::Limits::default().with(Name::ImageBytes, 10);
        assert!(check_unpacked(11, 11, Budget::default().limited(most)).is_err());
        let totals = Totals::new(Budget::default(), 1);
        assert!(totals.unpack(floor).is_ok());
        assert!(totals.unpack(1).is_err());
    }

    #[test]
    fn what_is_kept_fits_into_the_budget() {
        let totals = Totals::new(Budget::of(1000), 1);
        assert!(totals.keep(500).is_ok());
        assert!(matches!(totals.keep(1), Err(Stop::Total(_))));
    }

    #[test]
    fn a_pool_lets_wait_and_never_all() {
        let pool = Arc::new(Pool::new(10));
        let all = pool.hold(100);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| drop(pool.hold(6)));
            assert!(!waiting.is_finished());
            drop(all);
            waiting.join().unwrap();
        });
        let (_one, _two) = (pool.hold(5), pool.hold(5));
    }
}
