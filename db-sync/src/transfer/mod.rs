//! Takes a database from one machine to another: as one exported file, through
//! an OCI registry, or from a static server.
//!
//! ```text
//! database ─export→ exported file ─import→ database
//!                        │  ↑
//!                   push ↓  │ pull (registry, static server, mirrors in order)
//! ```
//! The exported file is the same everywhere: the layer of the OCI artifact is
//! the file byte for byte, so that one signature serves all ways. Whatever the
//! way, `install` alone puts a database in place, after everything was
//! checked; what is refused leaves the old one untouched.

mod error;
mod export;
mod file;
mod head;
mod import;
mod install;
#[cfg(feature = "registry")]
mod remote;
mod signature;

pub use error::TransferError;
pub use export::{Exported, export};
pub use head::{MAX_DATABASE, MAX_RATIO};
pub use import::{ImportRequest, import};
pub use install::Installed;
#[cfg(feature = "registry")]
pub use remote::{
    Login, PullRequest, Pulled, PushRequest, Pushed, Refused, RegistryError, RemoteError, Secret,
    is_loopback, pull, push,
};
pub use signature::VerifyKey;
