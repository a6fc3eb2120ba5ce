//! Pushes to and pulls from OCI registries, and pulls from static servers.
//!
//! Everything goes through [`http`], so that whatever a server answers has a
//! limit, `Retry-After` is obeyed, and credentials are shown to the registry and
//! to its token server over TLS only. Plain http is spoken with this machine, or
//! where the user insists.

mod artifact;
mod auth;
mod credentials;
mod error;
mod http;
mod partial;
mod pull;
mod push;
mod reference;
mod registry;
mod source;
mod workspace;

pub use credentials::{Login, Secret};
pub use error::{Refused, RemoteError};
pub use pull::{PullRequest, Pulled, pull};
pub use push::{PushRequest, Pushed, push};
pub use source::is_loopback;
