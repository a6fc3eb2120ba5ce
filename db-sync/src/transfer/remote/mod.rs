//! Pushes to and pulls from OCI registries, and pulls from static servers.
//!
//! `oci-client` parses references and pushes. What is *pulled* goes through
//! [`http`] on the same HTTP stack: `oci-client` reads manifests and tokens of
//! any length, hides `Retry-After`, and sends credentials to a token server
//! without asking for TLS. Plain http is spoken with this machine, or where
//! the user insists.

mod artifact;
mod auth;
mod credentials;
mod error;
mod http;
mod partial;
mod pull;
mod push;
mod registry;
mod source;
mod workspace;

pub use credentials::{Login, Secret};
pub use error::{Refused, RemoteError};
pub use pull::{PullRequest, Pulled, pull};
pub use push::{PushRequest, Pushed, push};
pub use source::is_loopback;

use super::TransferError;

/// Runs network work on this thread alone.
fn block_on<T>(work: impl Future<Output = Result<T, TransferError>>) -> Result<T, TransferError> {
    // An error means that there is one already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|source| RemoteError::Runtime { source })?
        .block_on(work)
}
