//! A database file: one segment, or the one of changes before the other.

use super::{OpenError, Store};
use crate::feed::FeedKind;
use crate::store::feed;
use crate::store::format::HEADER;
use crate::store::pages::Pages;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// An open database file: the segment that answers first, and the one below it.
pub(crate) struct Segments {
    pub(crate) top: Store,
    pub(crate) below: Option<Store>,
}

impl Segments {
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let path_buf = || path.to_owned();
        let read = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => OpenError::Missing { path: path_buf() },
            _ => OpenError::Read {
                path: path_buf(),
                source,
            },
        };
        // Asked before opening: opening a pipe would wait for a writer.
        if !std::fs::metadata(path).map_err(read)?.is_file() {
            return Err(read(io::Error::other("not a regular file")));
        }
        let file = File::open(path).map_err(read)?;
        let length = file.metadata().map_err(read)?.len();
        if length < HEADER as u64 {
            return Err(OpenError::Foreign { path: path_buf() });
        }
        let reserved = usize::try_from(length).unwrap_or(usize::MAX);
        let pages = Arc::new(Pages::new(file, reserved).map_err(read)?);
        let mut top = Store::open(&pages, 0, path)?;
        top.info.file_size = length;
        if top.header.below == 0 && top.below.is_none() {
            return Ok(Self { top, below: None });
        }
        let lost = || OpenError::Damaged {
            path: path_buf(),
            part: "lower segment",
        };
        if top.header.below == 0 {
            return Err(lost());
        }
        let start = usize::try_from(top.header.length()).unwrap_or(usize::MAX);
        let below = Store::open(&pages, start, path)?;
        let expected = top.below.as_ref().map(|below| below.digest.as_str());
        let belong = expected == Some(below.info.root_digest.as_str())
            && feed::fits_above(
                |section| top.length(section),
                &top.info.feeds,
                &below.info.feeds,
            );
        if below.header.below != 0 || !belong {
            return Err(lost());
        }
        Ok(Self {
            top,
            below: Some(below),
        })
    }

    /// The segment that has the rows of a feed.
    pub(crate) fn with(&self, feed: FeedKind) -> &Store {
        let has_rows = self.top.length(feed::section(feed)) > 0;
        self.below
            .as_ref()
            .filter(|_| !has_rows)
            .unwrap_or(&self.top)
    }
}
