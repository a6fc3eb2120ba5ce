//! How far changed records reach: which other records are compiled to
//! something else because of them.
//!
//! The records of one vulnerability share their ids, so that all of them go where one
//! of them goes; and a record shows ratings that it borrows from the vulnerabilities it
//! names as upstream or related. What a record links is taken from all of its
//! copies, old and new, withdrawn or not: more than needed, never less.

use super::interner::{Interner, TextKind};
use super::state::State;
use crate::advisory::Advisory;
use crate::id;
use crate::store::codec::Damaged;
use std::collections::BTreeSet;

/// Ids that are looked at; where changes reach further, the database is
/// compiled as a whole.
const MAX_REACH: usize = 5000;

/// Ids by number, those of the state and those that only changes name.
pub(super) struct Ids<'a> {
    state: &'a State,
    more: Interner,
}

impl<'a> Ids<'a> {
    pub(super) fn new(state: &'a State) -> Self {
        Self {
            state,
            more: Interner::new(),
        }
    }

    pub(super) fn number(&mut self, text: &str) -> u32 {
        self.state.find(TextKind::Ids, text).unwrap_or_else(|| {
            let number = self.more.number(text);
            self.state.count(TextKind::Ids).saturating_add(number)
        })
    }

    pub(super) fn text(&self, number: u32) -> &str {
        match number.checked_sub(self.state.count(TextKind::Ids)) {
            None => self.state.text(TextKind::Ids, number),
            Some(number) => self.more.text(number),
        }
    }
}

/// What one record says about other ids.
struct Names {
    id: u32,
    aliases: Vec<u32>,
    upstream: Vec<u32>,
    related: Vec<u32>,
}

/// The records that changes reach, by id.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// Those that are compiled again, changed ones included.
    pub(super) records: BTreeSet<u32>,
    /// Those that lend ratings to them.
    pub(super) context: BTreeSet<u32>,
}

/// The links between ids, before and after the changes.
pub(super) struct Graph<'a> {
    state: &'a State,
    ids: &'a Ids<'a>,
    changed: Vec<Names>,
}

/// What a changed record says, in numbers.
pub(super) struct Changed(Names);

impl Changed {
    pub(super) fn new(advisory: &Advisory, ids: &mut Ids<'_>) -> Self {
        let mut numbers = |texts: &[String]| -> Vec<u32> {
            let texts = texts.iter().filter(|text| !text.is_empty());
            texts.map(|text| ids.number(text)).collect()
        };
        let (aliases, upstream) = (numbers(&advisory.aliases), numbers(&advisory.upstream));
        let related = numbers(&advisory.related);
        Self(Names {
            id: ids.number(&advisory.id),
            aliases,
            upstream,
            related,
        })
    }
}

impl<'a> Graph<'a> {
    pub(super) fn new(ids: &'a Ids<'a>, changed: Vec<Changed>) -> Self {
        Self {
            state: ids.state,
            ids,
            changed: changed.into_iter().map(|Changed(names)| names).collect(),
        }
    }

    /// How far changes of these ids reach; `None` where that is too far.
    pub(super) fn reach(&self, ids: &BTreeSet<u32>) -> Result<Option<Reach>, Damaged> {
        let mut reach = Reach::default();
        if !self.spread(ids.clone(), &mut reach.records)? {
            return Ok(None);
        }
        let mut borrowers = BTreeSet::new();
        for id in &reach.records {
            for record in self.naming(*id)? {
                if record.upstream.contains(id) || record.related.contains(id) {
                    borrowers.insert(record.id);
                }
            }
            if borrowers.len() > MAX_REACH {
                return Ok(None);
            }
        }
        if !self.spread(borrowers, &mut reach.records)? {
            return Ok(None);
        }
        let mut lenders = BTreeSet::new();
        for id in &reach.records {
            for record in self.records(*id)? {
                lenders.extend(record.upstream);
                lenders.extend(record.related);
            }
        }
        let mut context = BTreeSet::new();
        if !self.spread(lenders, &mut context)? {
            return Ok(None);
        }
        reach.context = context.difference(&reach.records).copied().collect();
        Ok(Some(reach))
    }

    /// Adds ids and all ids of their vulnerabilities; `false` where those are too many.
    fn spread(&self, from: BTreeSet<u32>, seen: &mut BTreeSet<u32>) -> Result<bool, Damaged> {
        let mut open: Vec<u32> = from.into_iter().filter(|id| seen.insert(*id)).collect();
        while let Some(id) = open.pop() {
            if seen.len() > MAX_REACH {
                return Ok(false);
            }
            let mut near = BTreeSet::new();
            for record in self.records(id)? {
                near.extend(record.aliases);
                let upstream = record.upstream.into_iter();
                near.extend(upstream.filter(|upstream| self.is_record_of(id, *upstream)));
            }
            for record in self.naming(id)? {
                let derived = || record.upstream.contains(&id) && self.is_record_of(record.id, id);
                if record.aliases.contains(&id) || derived() {
                    near.insert(record.id);
                }
            }
            open.extend(near.into_iter().filter(|id| seen.insert(*id)));
        }
        Ok(seen.len() <= MAX_REACH)
    }

    fn is_record_of(&self, id: u32, upstream: u32) -> bool {
        id::is_record_of(self.ids.text(id), self.ids.text(upstream))
    }

    /// What all records of an id say.
    fn records(&self, id: u32) -> Result<Vec<Names>, Damaged> {
        let old = self.state.copies(id).map(|number| self.names(number));
        let new = self.changed.iter().filter(|record| record.id == id);
        old.chain(new.map(|record| Ok(record.copy()))).collect()
    }

    /// What all records say that name an id.
    fn naming(&self, id: u32) -> Result<Vec<Names>, Damaged> {
        let old = self.state.links(id).map(|number| self.names(number));
        let new = self.changed.iter().filter(|record| {
            let mut all = [&record.aliases, &record.upstream, &record.related].into_iter();
            all.any(|ids| ids.contains(&id))
        });
        old.chain(new.map(|record| Ok(record.copy()))).collect()
    }

    fn names(&self, number: u32) -> Result<Names, Damaged> {
        let record = self.state.record(number)?;
        Ok(Names {
            id: record.id,
            aliases: record.aliases.into_vec(),
            upstream: record.upstream.into_vec(),
            related: record.related.into_vec(),
        })
    }
}

impl Names {
    fn copy(&self) -> Self {
        Self {
            id: self.id,
            aliases: self.aliases.clone(),
            upstream: self.upstream.clone(),
            related: self.related.clone(),
        }
    }
}
