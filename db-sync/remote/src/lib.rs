//! Everything that is asked over a network, through one client: mirrors of files, git repositories,
//! OCI registries, stores of objects; and git's objects on this disk, which have the same form there.
//!
//! ```text
//! http ← fetch (tries, mirrors, what came so far) ← git (wire, objects, packs)
//! http ← registry (references, logins, manifests, blobs)
//! http ← objects (addresses, logins, written only where there is none)
//!                                     git::store (this disk; no network at all)
//! ```
//! Blocking, without a runtime. Knows nothing of advisories or images. Every answer has bounds on
//! its size, its time and its tries.

mod access;
#[cfg(feature = "network")]
mod fault;
pub mod fetch;
pub mod git;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "objects")]
pub mod objects;
mod printable;
#[cfg(feature = "registry")]
pub mod registry;
#[cfg(feature = "http")]
mod retry;

#[cfg(feature = "network")]
pub use fault::Fault;
pub use printable::printable;
