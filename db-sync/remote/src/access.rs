//! How servers are reached, and how long for.

use std::path::PathBuf;
use std::time::Duration;

/// How to reach the mirrors.
#[derive(Clone, Debug)]
pub struct Access {
    /// PEM file with the only certificate authorities to trust; by default
    /// those of the system (which `SSL_CERT_FILE` replaces).
    pub ca_file: Option<PathBuf>,
    /// Requests at once.
    pub in_flight: usize,
    /// Tries of one request before it counts as failed.
    pub tries: u32,
    /// The wait before the second try; it doubles from try to try.
    pub backoff: Duration,
    /// The longest wait that a server may ask for (`Retry-After`).
    pub longest_wait: Duration,
    /// The waits of all requests of a run together: a server that refuses
    /// every second request must not hold up a pipeline for hours.
    pub total_wait: Duration,
    /// Time until a connection stands, and between two reads.
    pub patience: Duration,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            ca_file: None,
            in_flight: 8,
            tries: 5,
            backoff: Duration::from_millis(500),
            longest_wait: Duration::from_secs(120),
            total_wait: Duration::from_secs(1800),
            patience: Duration::from_secs(30),
        }
    }
}
