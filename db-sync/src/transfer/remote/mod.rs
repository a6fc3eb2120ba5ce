//! Pushes to and pulls from OCI registries, and pulls from static servers: what a database is
//! there, and how one comes from there. How servers are asked is [`remote`]'s.

mod artifact;
mod error;
mod partial;
mod pull;
mod push;
mod source;
mod workspace;

pub use error::{Refused, RemoteError};
pub use pull::{PullRequest, Pulled, pull};
pub use push::{PushRequest, Pushed, push};
pub use remote::registry::{Login, RegistryError, Secret, is_loopback};
