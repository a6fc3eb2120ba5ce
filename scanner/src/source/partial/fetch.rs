//! Fetches the groups of a plan, a few at once and in order; only these few are held.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Refusal;
use super::plan::Group;
use crate::source::elsewhere::Parts;
use crate::source::limits;

/// See the module.
pub(super) struct Fetcher<'a> {
    blobs: &'a dyn Parts,
    digest: &'a str,
    groups: &'a [Group],
    /// Of the first group that is held.
    first: usize,
    held: VecDeque<Arc<[u8]>>,
}

impl<'a> Fetcher<'a> {
    pub(super) const fn new(blobs: &'a dyn Parts, digest: &'a str, groups: &'a [Group]) -> Self {
        Self {
            blobs,
            digest,
            groups,
            first: 0,
            held: VecDeque::new(),
        }
    }

    /// A group with its place in the layer. They are asked for in order.
    pub(super) fn group(&mut self, number: usize) -> Result<(u64, Arc<[u8]>), Refusal> {
        while self.first < number && self.held.pop_front().is_some() {
            self.first = self.first.saturating_add(1);
        }
        if self.held.is_empty() {
            self.first = number;
            self.held = self.fetch(number)?.into();
        }
        let place = number.checked_sub(self.first);
        let bytes = place.and_then(|place| self.held.get(place));
        match (self.groups.get(number), bytes) {
            (Some(group), Some(bytes)) => Ok((group.start, Arc::clone(bytes))),
            _ => Err("its files are not in order".to_owned().into()),
        }
    }

    /// The groups from `number` on that fit, at least one.
    fn fetch(&self, number: usize) -> Result<Vec<Arc<[u8]>>, Refusal> {
        let mut bytes = 0_u64;
        let rest = self.groups.get(number..).unwrap_or_default().iter();
        let batch: Vec<Group> = rest
            .take(limits::PARTIAL_IN_FLIGHT)
            .take_while(|group| {
                let is_first = bytes == 0;
                bytes = bytes.saturating_add(group.length());
                is_first || bytes <= limits::PARTIAL_GROUP_MOST
            })
            .copied()
            .collect();
        let one = |group: Group| self.blobs.part(self.digest, group.start, group.length());
        let answers: Vec<_> = std::thread::scope(|scope| {
            let (first, others) = batch
                .split_first()
                .map_or((None, &[][..]), |(first, rest)| (Some(*first), rest));
            let others: Vec<_> = others
                .iter()
                .map(|group| {
                    let group = *group;
                    let thread =
                        std::thread::Builder::new().spawn_scoped(scope, move || one(group));
                    (group, thread)
                })
                .collect();
            let first = first.map(one);
            let others = others.into_iter().map(|(group, thread)| match thread {
                Ok(thread) => thread
                    .join()
                    .unwrap_or_else(|_| Err("a thread failed".to_owned())),
                // Where no thread can be started, one after the other.
                Err(_) => one(group),
            });
            first.into_iter().chain(others).collect()
        });
        let mut fetched = Vec::new();
        for (answer, group) in answers.into_iter().zip(&batch) {
            match answer {
                Ok(Some(bytes)) if bytes.len() as u64 == group.length() => {
                    fetched.push(bytes.into());
                }
                Ok(Some(_)) => return Err("a file could not be fetched whole".to_owned().into()),
                Ok(None) => return Err(Refusal::Whole),
                Err(cause) => return Err(format!("a file could not be fetched: {cause}").into()),
            }
        }
        Ok(fetched)
    }
}
