//! Blobs: whole as a stream that is verified, or a part of one.

mod range;
mod reader;
mod rest;

pub use range::MAX_RANGE;
pub(super) use range::range;
pub use reader::{BlobReader, MAX_RESUMES};
