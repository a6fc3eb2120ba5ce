//! The publisher's lists of what changed when.

use super::{MAX_LIST, Sync};
use crate::moment::Moment;
use crate::store::place::replace;
use crate::sync::{SyncError, cache, warning};
use remote::fetch::{Saved, is_intact};
use std::collections::{BTreeMap, BTreeSet};

/// What is read of the list over all ecosystems: its newest lines.
const HEAD_OF_LIST: u64 = 4096;

const LIST: &str = "modified_id.csv";

impl Sync<'_> {
    /// The bytes of the lists, by directory.
    pub(super) fn lists(
        &mut self,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Vec<u8>>, SyncError> {
        let all: Vec<String> = names.iter().cloned().collect();
        let saved = self.save(&all, LIST, MAX_LIST)?;
        let mut lists = BTreeMap::new();
        let mut without = Vec::new();
        for (name, saved) in all.into_iter().zip(saved) {
            let bytes = if saved == Saved::Missing {
                None
            } else {
                let path = self.cache.of(&name, LIST)?;
                if self.request.offline && !is_intact(&path) {
                    return Err(SyncError::Damaged { path });
                }
                cache::read(&path)?
            };
            match bytes {
                Some(bytes) => {
                    lists.insert(name, bytes);
                }
                None if self.request.offline => {}
                None => {
                    let cause = format!("there is no {LIST}: only the archive is compared");
                    self.warnings.push(warning(&name, "", cause));
                    without.push(name);
                }
            }
        }
        self.unlisted = without;
        Ok(lists)
    }

    /// The newest time in the lists, those of other ecosystems included.
    pub(super) fn listed(
        &mut self,
        lists: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Option<Moment>, SyncError> {
        let path = self.cache.file("newest");
        if let Some(mirrors) = &self.mirrors
            && let Some(bytes) = mirrors.beginning(&[LIST], HEAD_OF_LIST)?
        {
            let sealed = cache::sealed(&bytes);
            replace(&path, &sealed).map_err(|source| SyncError::Cache {
                path: path.clone(),
                source,
            })?;
        }
        let newest = |bytes: &[u8]| {
            let lines = bytes.split(|byte| *byte == b'\n').take(100);
            lines
                .filter_map(|line| std::str::from_utf8(line).ok()?.split_once(','))
                .filter_map(|(time, _)| Moment::parse(time))
                .max()
        };
        let all = cache::read(&path)?;
        Ok(all
            .as_deref()
            .and_then(cache::unsealed)
            .into_iter()
            .chain(lists.values().map(Vec::as_slice))
            .filter_map(newest)
            .max())
    }
}
