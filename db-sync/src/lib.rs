//! The local advisory database: OSV exports and the RustSec tree, compiled
//! into one immutable file that any number of scans read without a lock.
//!
//! ```text
//! sources → Advisory* → compile → store (one file, read block by block) → Db::query → Match*
//! ```
//! This crate knows neither packages on disk nor the terminal, and opens no
//! network connection, except in [`sync`] with the feature `network` and in
//! [`transfer`] with the feature `registry`. What it cannot use becomes a
//! [`Warning`] (while building) or an [`Undecided`] (while answering), never silence.

pub mod advisory;
pub mod compile;
pub mod ecosystem;
pub mod feed;
mod id;
mod limits;
mod module_stream;
pub mod moment;
mod problem;
pub mod query;
pub mod severity;
pub mod sources;
pub mod store;
mod strict;
pub mod sync;
pub mod transfer;
pub mod version;

pub use compile::{BuildError, BuildReport, BuildRequest, build};
pub use feed::{Cve, Day, Epss, Exploitation, FeedKind, Kev, Share};
pub use id::{url as advisory_url, vendor};
pub use limits::Limits;
pub use module_stream::ModuleStream;
pub use moment::Moment;
pub use problem::{Loss, Warning};
pub use query::{
    Choice, Db, Doubt, Explanation, FixState, Match, Query, Response, Step, Undecided, choose,
};
pub use remote::fetch;
pub use severity::{Rating, RatingKind};
pub use store::{EcosystemInfo, FeedInfo, Info, OpenError, PlaceError, ReadError, SourceInfo};
