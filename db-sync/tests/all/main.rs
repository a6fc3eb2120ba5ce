//! Tests of the whole crate, in one binary.

mod answers;
mod malformed;
mod oracle;
mod sources;
mod store;
mod support;
mod transfer;
mod versions;
