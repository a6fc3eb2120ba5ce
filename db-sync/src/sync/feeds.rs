//! Exploitation feeds of a sync: fetched where the request names one, else
//! those that the database has. What was fetched is kept beside the database
//! (`epss.feed`, `kev.feed`), so that a run without network has it, and so has
//! one that finds the database gone.

use super::cache::Cache;
use super::old::Old;
use super::{SyncError, SyncRequest, warning};
use crate::compile::BuildError;
use crate::feed::FeedKind;
use crate::problem::Warning;
use crate::sources::feeds::{self, MAX_PACKED};
use crate::store::feed::{Feed, Feeds};
use crate::store::place::replace;
use remote::fetch::{Access, Mirrors, Saved, is_intact};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The feeds of the new database.
pub(super) struct Gathered {
    pub(super) feeds: Feeds,
    /// Whether they are others than those of the old one.
    pub(super) changed: bool,
}

/// Fetches (unless offline) and reads.
pub(super) fn gather(
    request: &SyncRequest,
    old: &Old,
    cache: &Cache,
    warnings: &mut Vec<Warning>,
) -> Result<Gathered, SyncError> {
    let old = old.feeds();
    let mut feeds = Feeds::new();
    for kind in FeedKind::ALL {
        let (from, name) = match kind {
            FeedKind::Epss => (&request.epss, "epss.feed"),
            FeedKind::Kev => (&request.kev, "kev.feed"),
        };
        let file = cache.file(name);
        let held = old.as_ref().and_then(|old| old.get(&kind));
        if !from.is_empty() && !request.offline {
            fetch(kind, from, &request.access, &file, warnings)?;
        }
        let found = if from.is_empty() && request.afresh {
            None
        } else if from.is_empty() && old.is_some() {
            held.cloned()
        } else if file.is_file() {
            if request.offline && !is_intact(&file) {
                return Err(SyncError::Damaged { path: file });
            }
            match held.filter(|held| Known::is_of(&file, held)) {
                Some(held) => Some(held.clone()),
                None => Some(read(kind, &file, warnings)?),
            }
        } else if from.is_empty() {
            None
        } else if let Some(held) = held {
            let cause = "nothing was fetched before: what the database has is kept";
            warnings.push(warning(kind.as_str(), "", cause));
            Some(held.clone())
        } else {
            return Err(SyncError::Feed {
                kind,
                cause: "nothing was fetched before".to_owned(),
            });
        };
        feeds.extend(found.map(|feed| (kind, feed)));
    }
    let changed = old.as_ref() != Some(&feeds);
    Ok(Gathered { feeds, changed })
}

/// Saves the feed from the first source that has it.
fn fetch(
    kind: FeedKind,
    from: &[String],
    access: &Access,
    to: &Path,
    warnings: &mut Vec<Warning>,
) -> Result<(), SyncError> {
    let mut failure = SyncError::Feed {
        kind,
        cause: "no source was given".to_owned(),
    };
    for (number, source) in from.iter().enumerate() {
        let saved = Mirrors::new(std::slice::from_ref(source), access)
            .and_then(|mirror| mirror.save(&[], to, MAX_PACKED));
        failure = match saved {
            Ok(Saved::Fresh | Saved::Unchanged) => return Ok(()),
            Ok(Saved::Missing) => SyncError::Feed {
                kind,
                cause: format!("there is no {source}"),
            },
            Err(error) => error.into(),
        };
        if number.saturating_add(1) < from.len() {
            let cause = format!("the next mirror is used: {failure}");
            warnings.push(warning(kind.as_str(), "", cause));
        }
    }
    Err(failure)
}

/// Reads a saved feed; one that is none shall not be kept for the next run.
fn read(kind: FeedKind, file: &Path, warnings: &mut Vec<Warning>) -> Result<Feed, SyncError> {
    match feeds::read(kind, file) {
        Ok((feed, doubts)) => {
            Known::note(file, &feed, doubts.is_empty());
            warnings.extend(doubts);
            Ok(feed)
        }
        Err(error) => {
            let _ = fs::remove_file(file);
            Err(BuildError::from(error).into())
        }
    }
}

/// What a saved feed was read as, so that it is not read again while it is the
/// same file: three hundred thousand rows take longer than an update of few
/// records. Only this folder's lock holder writes there.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    length: u64,
    /// When the file was saved: seconds and nanoseconds.
    saved: (u64, u32),
    /// [`FeedInfo::digest`](crate::FeedInfo::digest).
    digest: String,
    /// Another program may read the file as something else.
    program: String,
}

impl Known {
    fn of(file: &Path, feed: &Feed) -> Option<Self> {
        let data = fs::metadata(file).ok()?;
        let saved = data.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self {
            length: data.len(),
            saved: (saved.as_secs(), saved.subsec_nanos()),
            digest: feed.info.digest.clone(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }

    /// The note beside a saved feed.
    fn beside(file: &Path) -> PathBuf {
        file.with_extension("feed-read")
    }

    /// Notes what was read; nothing where there were doubts, which shall be
    /// told each time. What cannot be noted is read again.
    fn note(file: &Path, feed: &Feed, is_clean: bool) {
        let path = Self::beside(file);
        let known = Self::of(file, feed).filter(|_| is_clean);
        match known.and_then(|known| serde_json::to_vec(&known).ok()) {
            Some(bytes) => drop(replace(&path, &bytes)),
            None => drop(fs::remove_file(&path)),
        }
    }

    /// Whether the database has this very feed already.
    fn is_of(file: &Path, held: &Feed) -> bool {
        let noted = fs::read(Self::beside(file)).ok();
        let noted = noted.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        noted.is_some() && noted == Self::of(file, held)
    }
}
