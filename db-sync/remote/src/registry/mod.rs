//! OCI registries (distribution specification): references, logins, images to read, artifacts to
//! read and to write; and files of static servers.
//!
//! ```text
//! repository (images)        → blob, manifest, referrers ┐
//! artifact (push, databases) ────────────────────────────┴→ session (login) → auth → http
//! ```
//! Everything goes through [`Http`], so that whatever a server answers has a limit, `Retry-After`
//! is obeyed, and credentials are shown to the registry and to its token server over TLS only.
//! Plain http is spoken with this machine, or where the user insists. [`Http`] and [`Repository`]
//! are shared by threads.

mod address;
mod artifact;
mod auth;
mod blob;
mod credentials;
mod digest;
mod error;
mod http;
mod manifest;
mod reference;
mod referrers;
mod refusal;
mod repository;
mod session;
#[cfg(test)]
mod tests;

pub use address::{PlainHttp, is_loopback, may_speak, reference, shown};
pub use artifact::{MANIFEST_TYPE, MAX_MANIFEST, Registry};
pub use auth::{Challenge, answer};
pub use blob::{BlobReader, MAX_RANGE, MAX_RESUMES};
pub use credentials::{Credential, Login, Secret};
pub use digest::{Digest, is_digest};
pub use error::RegistryError;
pub use http::{Ask, Authorization, Http, Kept, Memory, Pace, Settings, Sink, Times};
pub use manifest::{INDEX_TYPE, MAX_IMAGE_MANIFEST, Manifest};
pub use reference::Reference;
pub use referrers::{Descriptor, MAX_REFERRERS};
pub use repository::Repository;
