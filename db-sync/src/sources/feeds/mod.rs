//! Exploitation feeds: one file per format, each read whole within bounds,
//! plain or gzip. A row that cannot be used is a warning and loses only
//! itself; a file that is no such feed, or holds no usable row, is an error.

mod epss;
mod kev;

use crate::feed::FeedKind;
use crate::problem::{Warning, printable};
use crate::store::FeedInfo;
use crate::store::feed::Feed;
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Largest feed file as it comes; EPSS has 2 MB packed, KEV 1.5 MB.
pub(crate) const MAX_PACKED: u64 = 64 << 20;
/// Largest feed file after inflating; EPSS has 10 MB.
const MAX_BYTES: u64 = 128 << 20;
/// Rows of a feed; EPSS has 300,000.
const MAX_ROWS: u64 = 4_000_000;
/// Warnings about single rows that are told one by one; the rest is counted.
const MAX_WARNINGS: u64 = 100;
/// Longest name of a version.
const MAX_VERSION: usize = 60;

/// Bounds on one feed.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    packed: u64,
    bytes: u64,
    rows: u64,
}

const BOUNDS: Bounds = Bounds {
    packed: MAX_PACKED,
    bytes: MAX_BYTES,
    rows: MAX_ROWS,
};

/// Why a feed was refused as a whole.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The file could not be read.
    #[error("cannot read the {kind} feed {}", path.display())]
    Read {
        /// Which feed.
        kind: FeedKind,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A bound was reached.
    #[error("the {kind} feed {} has more than {limit} {what}", path.display())]
    TooLarge {
        /// Which feed.
        kind: FeedKind,
        /// The file.
        path: PathBuf,
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
    /// The file is something else.
    #[error("{} is not a usable {kind} feed: {cause}", path.display())]
    Unusable {
        /// Which feed.
        kind: FeedKind,
        /// The file.
        path: PathBuf,
        /// What is missing or wrong.
        cause: String,
    },
}

/// Why a text was refused, before the file is named.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Rows,
    Unusable(String),
}

impl Refusal {
    fn because(cause: impl fmt::Display) -> Self {
        Self::Unusable(printable(&cause.to_string()))
    }
}

/// What a text held.
#[derive(Debug)]
struct Parsed {
    /// The day of the feed, `YYYY-MM-DD`.
    date: String,
    /// What the publisher calls this edition.
    version: String,
    entries: u64,
    rows: Vec<u8>,
}

/// Warnings about rows, as many as are worth reading.
#[derive(Debug)]
struct Complaints {
    kind: FeedKind,
    told: Vec<Warning>,
    more: u64,
}

impl Complaints {
    fn new(kind: FeedKind) -> Self {
        Self {
            kind,
            told: Vec::new(),
            more: 0,
        }
    }

    fn about(&mut self, entry: &str, cause: impl fmt::Display) {
        if (self.told.len() as u64) < MAX_WARNINGS {
            self.told
                .push(Warning::new(self.kind.as_str(), entry, cause));
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    fn into_warnings(mut self) -> Vec<Warning> {
        if self.more > 0 {
            let cause = format!("{} more warnings of this feed are not listed", self.more);
            self.told.push(Warning::new(self.kind.as_str(), "", cause));
        }
        self.told
    }
}

/// Reads a feed file.
pub(crate) fn read(kind: FeedKind, path: &Path) -> Result<(Feed, Vec<Warning>), FeedError> {
    read_within(kind, path, BOUNDS)
}

fn read_within(
    kind: FeedKind,
    path: &Path,
    bounds: Bounds,
) -> Result<(Feed, Vec<Warning>), FeedError> {
    let too_large = |what, limit| FeedError::TooLarge {
        kind,
        path: path.to_owned(),
        what,
        limit,
    };
    let unusable = |cause: String| FeedError::Unusable {
        kind,
        path: path.to_owned(),
        cause,
    };
    let mut packed = Vec::new();
    File::open(path)
        .and_then(|file| {
            file.take(bounds.packed.saturating_add(1))
                .read_to_end(&mut packed)
        })
        .map_err(|source| FeedError::Read {
            kind,
            path: path.to_owned(),
            source,
        })?;
    if packed.len() as u64 > bounds.packed {
        return Err(too_large("bytes", bounds.packed));
    }
    let text = if packed.starts_with(&[0x1f, 0x8b]) {
        let mut text = Vec::new();
        MultiGzDecoder::new(packed.as_slice())
            .take(bounds.bytes.saturating_add(1))
            .read_to_end(&mut text)
            .map_err(|error| unusable(printable(&error.to_string())))?;
        text
    } else {
        packed
    };
    if text.len() as u64 > bounds.bytes {
        return Err(too_large("bytes after inflating", bounds.bytes));
    }
    let mut complaints = Complaints::new(kind);
    let plain = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let parsed = match kind {
        FeedKind::Epss => epss::parse(plain, bounds.rows, &mut complaints),
        FeedKind::Kev => kev::parse(plain, bounds.rows, &mut complaints),
    };
    let parsed = parsed.map_err(|refusal| match refusal {
        Refusal::Rows => too_large("rows", bounds.rows),
        Refusal::Unusable(cause) => unusable(cause),
    })?;
    let warnings = complaints.into_warnings();
    if parsed.entries == 0 {
        let first = warnings
            .first()
            .map(|first| format!(" (first problem: {first})"));
        let first = first.unwrap_or_default();
        return Err(unusable(format!("it holds no usable row{first}")));
    }
    let info = FeedInfo {
        kind,
        date: parsed.date,
        version: printable(&parsed.version)
            .chars()
            .take(MAX_VERSION)
            .collect(),
        digest: format!("sha256:{}", hex::encode(Sha256::digest(&text))),
        entries: parsed.entries,
    };
    let rows = parsed.rows;
    Ok((Feed { info, rows }, warnings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    const EPSS: &str = "#model_version:v1,score_date:2026-01-01T00:00:00Z\ncve,epss,percentile\nCVE-2024-1000,0.5,0.9\nCVE-2024-1001,0.1,0.2\n";

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("file");
        file.write_all(bytes).expect("write");
        file
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).expect("write");
        out.finish().expect("finish")
    }

    #[test]
    fn plain_and_packed_are_the_same_feed() {
        let (plain, _) = read(FeedKind::Epss, file(EPSS.as_bytes()).path()).expect("plain");
        let (packed, _) =
            read(FeedKind::Epss, file(&gzip(EPSS.as_bytes())).path()).expect("packed");
        assert_eq!(plain, packed);
        assert_eq!((plain.info.entries, plain.rows.len()), (2, 22));
    }

    #[test]
    fn every_bound_is_reached() {
        let bounds = |packed, bytes, rows| Bounds {
            packed,
            bytes,
            rows,
        };
        let fits = bounds(EPSS.len() as u64, EPSS.len() as u64, 2);
        let plain = file(EPSS.as_bytes());
        let bomb = file(&gzip(&vec![b'#'; 1 << 20]));
        assert!(read_within(FeedKind::Epss, plain.path(), fits).is_ok());
        for (file, bounds, what) in [
            (
                &plain,
                Bounds {
                    packed: fits.packed - 1,
                    ..fits
                },
                "bytes",
            ),
            (
                &bomb,
                bounds(MAX_PACKED, 1 << 19, 9),
                "bytes after inflating",
            ),
            (&plain, Bounds { rows: 1, ..fits }, "rows"),
        ] {
            let error = read_within(FeedKind::Epss, file.path(), bounds).expect_err(what);
            assert!(
                matches!(error, FeedError::TooLarge { what: told, .. } if told == what),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_no_feed_is_refused() {
        let cut = &gzip(EPSS.as_bytes())[..40];
        for bytes in [
            &b""[..],
            b"{}",
            b"[]",
            b"<html>",
            b"\x1f\x8b",
            cut,
            b"\xff\xfe\0",
            b"PK\x03\x04",
        ] {
            for kind in FeedKind::ALL {
                let error = read(kind, file(bytes).path()).expect_err("no feed");
                assert!(matches!(error, FeedError::Unusable { .. }), "{error}");
            }
        }
        let nowhere = read(FeedKind::Kev, Path::new("/nowhere/kev.json"));
        assert!(matches!(nowhere, Err(FeedError::Read { .. })));
    }
}
