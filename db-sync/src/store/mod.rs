//! The database file: one immutable, self-describing file of which the parts
//! that an answer needs are read, without a lock, and which is replaced by an
//! atomic rename.
//!
//! ```text
//! header 1 KiB │ body: sections, in pages of 8 KiB │ CRC-32 of each page
//! ```
//! The header holds the format version, the section table, the root digest
//! (SHA-256 of section table and body) and a CRC over itself and over the page
//! table. A page is checked when it is first read, so that a damaged file is
//! an error and never a wrong answer, and opening stays cheap. Keys are found
//! by a hash table, which touches two pages; all else is by number.
//!
//! Such a segment is a whole database, or it holds what changed since another
//! one was compiled, which then follows it in the file. It names the root
//! digest of that one and the records there that do not count any more; a
//! question is asked of both.

pub(crate) mod codec;
pub(crate) mod entry;
pub(crate) mod feed;
pub(crate) mod format;
pub(crate) mod hash;
mod info;
pub(crate) mod map;
pub(crate) mod pages;
pub(crate) mod place;
pub(crate) mod read;
pub(crate) mod sound;
pub(crate) mod view;
pub(crate) mod write;

pub use info::{EcosystemInfo, FeedInfo, Info, SourceInfo};
pub use place::PlaceError;
pub use read::{OpenError, ReadError};
