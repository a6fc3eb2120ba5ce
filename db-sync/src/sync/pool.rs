//! Several jobs at once; the results in the order of the jobs.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Runs the jobs on up to `threads` threads. After a failure that `stops` no
/// further job begins; those have the result `None`.
pub(super) fn run<J: Sync, R: Send>(
    jobs: &[J],
    threads: usize,
    stops: impl Fn(&R) -> bool + Sync,
    work: impl Fn(&J) -> R + Sync,
) -> Vec<Option<R>> {
    if threads <= 1 || jobs.len() <= 1 {
        let mut results: Vec<Option<R>> = Vec::new();
        for job in jobs {
            let result = work(job);
            let stop = stops(&result);
            results.push(Some(result));
            if stop {
                break;
            }
        }
        results.resize_with(jobs.len(), || None);
        return results;
    }
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(jobs.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads.min(jobs.len()) {
            scope.spawn(|| {
                while !stopped.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(number) else { break };
                    let result = work(job);
                    if stops(&result) {
                        stopped.store(true, Ordering::Relaxed);
                    }
                    if let Ok(mut done) = done.lock() {
                        done.push((number, result));
                    }
                }
            });
        }
    });
    let mut results: Vec<Option<R>> = Vec::new();
    results.resize_with(jobs.len(), || None);
    for (number, result) in done.into_inner().unwrap_or_default() {
        if let Some(slot) = results.get_mut(number) {
            *slot = Some(result);
        }
    }
    results
}
