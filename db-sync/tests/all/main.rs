//! Tests of the whole crate, in one binary.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking too, and say when data is absent"
)]

mod answers;
mod compare;
mod doubt;
mod explain;
mod feeds;
mod malformed;
mod mutants;
mod oracle;
#[cfg(feature = "network")]
mod server;
mod sources;
mod store;
mod support;
mod sync;
mod transfer;
mod updates;
mod versions;
