//! One layer and its place in the cache: under which digest it is known, and whether what is kept is
//! what the manifest promises.

use sha2::{Digest as _, Sha256};

use super::cache::{Known, LayerCache};
use super::digest::Digest;
use super::scanned::LayerScan;
use super::store::{Job, Store};
use super::stream::Promise;
use super::wanted::Selection;
use crate::analyzer::Analyzers;

/// By what a blob is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// Its digest, by which it is asked for.
    Digest(String),
    /// The file that it lies in, and its times.
    File(String),
}

/// See the module.
pub(super) struct Kept<'a> {
    store: &'a Store,
    job: &'a Job,
    cache: &'a LayerCache,
    analyzers: &'a Analyzers<'a>,
    /// Before it is read.
    identity: Identity,
}

impl<'a> Kept<'a> {
    /// `None` where nothing tells whether the blob is the one that was read before.
    pub(super) fn of(
        store: &'a Store,
        job: &'a Job,
        analyzers: &'a Analyzers<'a>,
        cache: &'a LayerCache,
    ) -> Option<Self> {
        Some(Self {
            identity: store.identity(job)?,
            store,
            job,
            cache,
            analyzers,
        })
    }

    /// What the layer said when it was read before.
    pub(super) fn find(&self) -> Option<LayerScan> {
        let digest = match &self.identity {
            Identity::Digest(digest) => digest.clone(),
            Identity::File(identity) => {
                let known = self.cache.known(identity)?;
                fits(&self.job.promise, &known.digest, known.diff_id.as_deref())
                    .then_some(known.digest)?
            }
        };
        let scan = self.cache.get(&self.key(&digest))?;
        let is_it = *scan.digest == *digest;
        let fits = fits(&self.job.promise, &scan.digest, scan.diff_id.as_deref());
        (is_it && fits).then_some(scan)
    }

    /// Keeps what it says, if its blob is still what it was before it was read.
    pub(super) fn put(&self, scan: &LayerScan) {
        if self.store.identity(self.job).as_ref() != Some(&self.identity) {
            return;
        }
        self.cache.put(&self.key(&scan.digest), scan);
        if let Identity::File(identity) = &self.identity {
            let known = Known {
                digest: scan.digest.to_string(),
                diff_id: scan.diff_id.as_deref().map(str::to_owned),
            };
            self.cache.remember(identity, &known);
        }
    }

    /// What was read of which blob by whom.
    fn key(&self, digest: &str) -> String {
        let selection = match &self.job.selection {
            Selection::Installed => "first".to_owned(),
            Selection::Again(again) => hex::encode(Sha256::digest(format!("{again:?}"))),
        };
        format!("{}/{selection}", self.analyzers.key(digest))
    }
}

/// Whether digests are those that a manifest and a config promise.
fn fits(promise: &Promise, digest: &str, diff_id: Option<&str>) -> bool {
    let is = |promised: &Option<Digest>, found: Option<&str>| {
        promised
            .as_ref()
            .is_none_or(|promised| Some(promised.as_str()) == found)
    };
    is(&promise.digest, Some(digest)) && is(&promise.diff_id, diff_id)
}
