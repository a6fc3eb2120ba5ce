//! Attempts: which failures another attempt can help, how long to wait before it, and when the
//! waiting ends. A server's `Retry-After` is obeyed up to a limit.

use super::redirect::is_elsewhere;
use crate::http::{Answer, Unanswered, text};
use crate::registry::RegistryError;
use crate::retry;
use std::time::Duration;
use ureq::http::HeaderMap;
use ureq::http::header::{DATE, RETRY_AFTER, WWW_AUTHENTICATE};

/// How often a request is sent at most.
const ATTEMPTS: u32 = 4;
/// The same where no connection stood: the next mirror is the better hope.
const CONNECT_ATTEMPTS: u32 = 2;
/// How many challenges of a server are looked at.
const CHALLENGES: usize = 8;

/// How long is waited between attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The pause before the second attempt; it doubles each time.
    pub first: Duration,
    /// The longest `Retry-After` that is obeyed.
    pub longest: Duration,
    /// The sum of all waits for one request, or for one blob with all its continuations.
    pub total: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(60),
            total: Duration::from_secs(180),
        }
    }
}

/// A failed attempt.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: RegistryError,
    again: Again,
}

#[derive(Debug)]
enum Again {
    No,
    /// At most so many attempts.
    Up(u32),
    After(Duration),
}

impl Failed {
    /// One that may be tried as often as any request.
    pub(crate) fn passing(error: RegistryError) -> Self {
        Self {
            error,
            again: Again::Up(ATTEMPTS),
        }
    }

    /// Whether another attempt can help.
    pub(crate) fn may_pass(&self) -> bool {
        !matches!(self.again, Again::No)
    }

    /// The same, with another bound on the attempts where there may be one.
    pub(crate) fn up_to(self, attempts: u32) -> Self {
        let again = match self.again {
            Again::Up(_) => Again::Up(attempts),
            other => other,
        };
        Self { again, ..self }
    }
}

impl From<RegistryError> for Failed {
    /// One that another attempt would not change.
    fn from(error: RegistryError) -> Self {
        Self {
            error,
            again: Again::No,
        }
    }
}

/// What is left of the patience with one request.
#[derive(Debug)]
pub(crate) struct Patience {
    pace: Pace,
    attempts: u32,
    attempt: u32,
    pause: Duration,
    waited: Duration,
}

impl Patience {
    pub(crate) fn new(pace: Pace) -> Self {
        Self {
            pace,
            attempts: ATTEMPTS,
            attempt: 1,
            pause: pace.first,
            waited: Duration::ZERO,
        }
    }

    /// With another bound on the attempts after `Retry-After`.
    pub(crate) fn attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// Something came meanwhile: the next pause is short again.
    pub(crate) fn progressed(&mut self) {
        self.pause = self.pace.first;
    }

    /// Waits for the next attempt, or says why there is none.
    pub(crate) fn wait(&mut self, failed: Failed) -> Result<(), RegistryError> {
        let wait = match failed.again {
            Again::Up(most) if self.attempt < most => self.pause,
            Again::After(asked) if asked > self.pace.longest => {
                return Err(busy(failed.error, asked));
            }
            Again::After(asked) if self.attempt < self.attempts => asked.max(self.pause),
            _ => return Err(failed.error),
        };
        let waited = self.waited.saturating_add(wait);
        if waited > self.pace.total {
            return Err(busy(failed.error, wait));
        }
        std::thread::sleep(wait);
        self.waited = waited;
        self.attempt = self.attempt.saturating_add(1);
        self.pause = self.pause.saturating_mul(2);
        Ok(())
    }
}

/// A server that asks for more patience than there is.
fn busy(error: RegistryError, wait: Duration) -> RegistryError {
    match error {
        RegistryError::Status { name, status, .. } => RegistryError::Busy {
            name,
            status,
            seconds: wait.as_secs(),
        },
        other => other,
    }
}

/// Attempts something until it is done or there is no hope.
pub(crate) fn tried<T>(
    pace: Pace,
    mut once: impl FnMut() -> Result<T, Failed>,
) -> Result<T, RegistryError> {
    let mut patience = Patience::new(pace);
    loop {
        match once() {
            Ok(done) => return Ok(done),
            Err(failed) => patience.wait(failed)?,
        }
    }
}

/// A connection that failed or broke off.
pub(crate) fn failed(name: &str, cause: &Unanswered, limit: Duration) -> Failed {
    let name = name.to_owned();
    let again = match cause {
        Unanswered::Hopeless(_) => Again::No,
        Unanswered::Unconnected(_) => Again::Up(CONNECT_ATTEMPTS),
        Unanswered::Broken(_) => Again::Up(ATTEMPTS),
        Unanswered::Slow => {
            return Failed::from(RegistryError::Slow {
                name,
                seconds: limit.as_secs(),
            });
        }
    };
    Failed {
        error: RegistryError::Request {
            name,
            cause: cause.to_string(),
        },
        again,
    }
}

/// An answer that is not the one asked for.
pub(crate) fn answered(name: &str, response: &Answer) -> Failed {
    let status = response.status().as_u16();
    let again = match (status, retry_after(response.headers())) {
        (408 | 425 | 429 | 500 | 502..=504, Some(wait)) => Again::After(wait),
        (408 | 425 | 429 | 500 | 502..=504, None) => Again::Up(ATTEMPTS),
        _ => Again::No,
    };
    // A login is for the server that was asked, never for one that it leads to.
    let challenges = if is_elsewhere(response) {
        Vec::new()
    } else {
        challenges(response.headers())
    };
    Failed {
        error: RegistryError::Status {
            name: name.to_owned(),
            status,
            challenges,
        },
        again,
    }
}

fn challenges(headers: &HeaderMap) -> Vec<String> {
    let all = headers.get_all(WWW_AUTHENTICATE).iter().take(CHALLENGES);
    all.filter_map(|value| value.to_str().ok())
        .map(str::to_owned)
        .collect()
}

/// How long the server asks to wait.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let date = text(headers, &DATE);
    retry::retry_after(text(headers, &RETRY_AFTER)?, date)
}
