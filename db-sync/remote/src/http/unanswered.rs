//! Requests without an answer, by what another try could change. The causes
//! hold no address: it may hold a secret.

use std::fmt;
use std::io;
use ureq::{Error, Timeout};

/// Why there is no answer, or only a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// It would be the same the next time.
    Hopeless(String),
    /// No connection stood.
    Unconnected(String),
    /// A connection broke off.
    Broken(String),
    /// The whole time was over.
    Slow,
}

impl Unanswered {
    pub(crate) fn hopeless(cause: &str) -> Self {
        Self::Hopeless(cause.to_owned())
    }

    /// An answer that ended before its announced length.
    pub(crate) fn cut() -> Self {
        Self::Broken("the answer was cut off".to_owned())
    }
}

impl From<Error> for Unanswered {
    fn from(error: Error) -> Self {
        match error {
            Error::BadUri(_) | Error::Http(_) => Self::hopeless("the request cannot be sent"),
            Error::RequireHttpsOnly(_) => Self::hopeless("it leads from https to plain http"),
            Error::InvalidProxyUrl
            | Error::TooManyRedirects
            | Error::RedirectFailed
            | Error::Rustls(_)
            | Error::Tls(_) => Self::Hopeless(error.to_string()),
            Error::Timeout(Timeout::Global) => Self::Slow,
            Error::HostNotFound
            | Error::ConnectionFailed
            | Error::ConnectProxyFailed(_)
            | Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
                Self::Unconnected(error.to_string())
            }
            Error::Io(cause) => match cause.kind() {
                // A certificate that is not trusted is not trusted the next time either.
                io::ErrorKind::InvalidData => Self::Hopeless(cause.to_string()),
                io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::AddrNotAvailable => Self::Unconnected(cause.to_string()),
                _ => Self::Broken(cause.to_string()),
            },
            other => Self::Broken(other.to_string()),
        }
    }
}

/// Of reading a body: a connection stood, and another one may do better.
impl From<io::Error> for Unanswered {
    fn from(error: io::Error) -> Self {
        match Self::from(Error::from(error)) {
            Self::Hopeless(cause) | Self::Unconnected(cause) => Self::Broken(cause),
            other => other,
        }
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hopeless(cause) | Self::Unconnected(cause) | Self::Broken(cause) => {
                out.write_str(cause)
            }
            Self::Slow => out.write_str("it took too long"),
        }
    }
}
