//! What can fail on the way to a server. Names carry no query and no password.

use std::io;
use std::path::PathBuf;

/// Why a server was of no use.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Neither an address nor a reference.
    #[error("{text} is neither an http(s) address nor an image reference: {cause}")]
    Source {
        /// What was given.
        text: String,
        /// The reason.
        cause: String,
    },
    /// Plain http to another machine.
    #[error("{name} is not asked over plain http")]
    PlainHttp {
        /// The host or address.
        name: String,
    },
    /// The caller's certificate authorities cannot be used.
    #[error("cannot use the certificates in {}: {cause}", .path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// The reason.
        cause: String,
    },
    /// A connection failed.
    #[error("cannot reach {name}: {cause}")]
    Request {
        /// The address.
        name: String,
        /// The reason.
        cause: String,
    },
    /// The server answered, but not with what was asked for.
    #[error("{name} answered {status}")]
    Status {
        /// The address.
        name: String,
        /// The HTTP status.
        status: u16,
        /// `WWW-Authenticate`, as sent.
        challenges: Vec<String>,
    },
    /// The server asks to come back later than we are willing to wait.
    #[error("{name} answered {status} and asks to wait {seconds} seconds")]
    Busy {
        /// The address.
        name: String,
        /// The HTTP status.
        status: u16,
        /// How long it asks to wait.
        seconds: u64,
    },
    /// A request took longer than its limit.
    #[error("{name} did not complete within {seconds} seconds")]
    Slow {
        /// The address.
        name: String,
        /// The limit.
        seconds: u64,
    },
    /// An answer is longer than allowed or announced.
    #[error("the answer of {name} is longer than {limit} bytes")]
    TooLong {
        /// The address.
        name: String,
        /// The limit.
        limit: u64,
    },
    /// The content does not have the digest it was asked by.
    #[error("{name} sent content with the digest {found} for {expected}")]
    Digest {
        /// The reference.
        name: String,
        /// The digest asked for.
        expected: String,
        /// The digest of the content.
        found: String,
    },
    /// The content is shorter or longer than it should be.
    #[error("{name} sent {found} bytes of content where {expected} are expected")]
    Size {
        /// The address.
        name: String,
        /// Its size.
        expected: u64,
        /// What came, or is announced.
        found: u64,
    },
    /// An image in the format before content was asked for by its digest.
    #[error(
        "{name} is a Docker schema 1 manifest, which is not supported: push the image again with a current client"
    )]
    Schema1 {
        /// The address.
        name: String,
    },
    /// The server does not send parts of content.
    #[error("{name} does not answer requests for a range of bytes")]
    NoRanges {
        /// The address.
        name: String,
    },
    /// An answer that does not have the form that the specification demands.
    #[error("the answer of {name} cannot be used: {cause}")]
    Malformed {
        /// The address.
        name: String,
        /// The reason.
        cause: String,
    },
    /// A list is longer than it may be.
    #[error("{name} lists more than {limit} descriptors")]
    TooMany {
        /// The address.
        name: String,
        /// The limit.
        limit: usize,
    },
    /// A stream is read on after it failed.
    #[error("reading {name} has already failed")]
    Unfinished {
        /// The address.
        name: String,
    },
    /// No token could be had.
    #[error("cannot authenticate to {name}: {cause}")]
    Auth {
        /// The registry.
        name: String,
        /// The reason.
        cause: String,
    },
    /// The user's docker credentials cannot be used.
    #[error("cannot use the docker credentials for {name}: {cause}")]
    Credentials {
        /// The registry.
        name: String,
        /// The reason.
        cause: String,
    },
    /// The registry refused what was pushed.
    #[error("cannot push to {name}: {cause}")]
    Push {
        /// The reference.
        name: String,
        /// The reason.
        cause: String,
    },
    /// A downloaded file could not be kept.
    #[error("cannot keep what {name} sent")]
    Keep {
        /// The address.
        name: String,
        /// The system's reason.
        source: io::Error,
    },
}
