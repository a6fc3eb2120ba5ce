//! Git repositories: the tip of one over http(s) ([`Remote`], with the feature `network`), and
//! those on this disk ([`store`]). Reads; writes nothing, runs nothing. Every object's id is
//! computed from what it names, never taken from whoever says it.

mod bounds;
mod delta;
mod object;
#[cfg(feature = "network")]
mod pack;
#[cfg(feature = "network")]
mod packet;
#[cfg(feature = "network")]
mod remote;
pub mod store;
#[cfg(test)]
#[cfg(feature = "network")]
mod tests;
#[cfg(feature = "network")]
mod wire;

pub use bounds::Bounds;
pub use object::{Entry, EntryKind, Id, Kind, Snapshot, TreeEntry};
#[cfg(feature = "network")]
pub use remote::{Remote, Tip, address};
