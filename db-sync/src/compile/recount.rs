//! What a database with changes says about itself: the census of the
//! compiled one, carried on by the records that changed.

use super::census::{described, of_feeds};
use super::collect::{Collector, Stored};
use super::interner::TextKind;
use super::state::State;
use super::steps::Steps;
use crate::moment::Moment;
use crate::query;
use crate::sources::SourceKind;
use crate::store::codec::{Damaged, Reader};
use crate::store::entry::Entry;
use crate::store::read::Store;
use crate::store::{EcosystemInfo, Info, SourceInfo};
use std::collections::{BTreeMap, BTreeSet};

/// Describes a compiled database with changes before it: `records` are those
/// of the changes, and `masked` the numbers of those that they replace. `None`
/// where only a look at all records would tell.
pub(super) fn info(
    steps: &Steps,
    collector: &Collector,
    records: &[&Stored],
    masked: &[u32],
) -> Result<Option<Info>, Damaged> {
    let old = steps.compiled.info();
    let new: Vec<&Stored> = records
        .iter()
        .filter(|record| !record.context)
        .copied()
        .collect();
    let gone = masked.iter().map(|number| steps.state.record(*number));
    let gone: Vec<Stored> = gone.collect::<Result<_, _>>()?;
    let Some(ecosystems) = ecosystems(steps, collector, &new, &gone)? else {
        return Ok(None);
    };
    let carried = |old: u64, gone: usize, new: usize| {
        old.saturating_sub(gone as u64).saturating_add(new as u64)
    };
    let is_withdrawn = |record: &&Stored| record.withdrawn.is_some();
    Ok(Some(Info {
        records: carried(old.records, gone.len(), new.len()),
        withdrawn: carried(
            old.withdrawn,
            gone.iter().filter(is_withdrawn).count(),
            new.iter().copied().filter(is_withdrawn).count(),
        ),
        sources: sources(steps),
        ecosystems,
        feeds: of_feeds(&steps.feeds),
        ..Info::default()
    }))
}

/// The sources, of which those without changes are as they were.
fn sources(steps: &Steps) -> Vec<SourceInfo> {
    let old = &steps.compiled.info().sources;
    let (state, journal) = (&steps.state, &steps.journal);
    let mut infos = old.clone();
    for info in &mut infos {
        if info.kind != SourceKind::Osv.as_str() {
            continue;
        }
        let listed = journal.listed.get(&info.name).copied();
        info.newest_listed = listed.map(|moment| moment.to_string());
        let Some(changes) = journal.changes.get(&info.name) else {
            continue;
        };
        let number = state
            .sources
            .iter()
            .position(|((kind, name), _)| *kind == SourceKind::Osv && *name == info.name);
        let number = number.and_then(|number| u16::try_from(number).ok());
        let held = state.rows().filter(|row| {
            number.is_some_and(|number| row.sources.contains(&number))
                && !changes.contains_key(state.text(TextKind::Ids, row.id))
        });
        let held = held.map(|row| (state.text(TextKind::Ids, row.id), row.digest, row.modified));
        let new = changes.iter().filter_map(|(id, change)| {
            let record = change.record()?;
            Some((id.as_str(), &record.digest, record.modified))
        });
        let all: Vec<_> = held.chain(new).collect();
        let newest = all.iter().filter_map(|(_, _, modified)| *modified).max();
        let all = all
            .into_iter()
            .map(|(id, digest, _)| (id, digest))
            .collect();
        *info = described(SourceKind::Osv, &info.name, listed, newest, all);
    }
    infos
}

/// What the records of one side say about one ecosystem.
#[derive(Default)]
struct Side<'a> {
    packages: BTreeSet<&'a str>,
    records: u64,
    newest: Option<Moment>,
}

/// By ecosystem.
fn sides<'a>(
    records: impl Iterator<Item = &'a Stored>,
    package: impl Fn(u32) -> &'a str,
) -> Result<BTreeMap<&'a str, Side<'a>>, Damaged> {
    let mut sides: BTreeMap<&str, Side<'_>> = BTreeMap::new();
    for record in records {
        let mut touched: BTreeSet<&str> = BTreeSet::new();
        let mut reader = Reader::new(&record.entries);
        while !reader.is_empty() {
            let key = package(Entry::visit(&mut reader, &mut |_| {})?);
            let (ecosystem, name) = key.split_once('\0').unwrap_or((key, ""));
            sides.entry(ecosystem).or_default().packages.insert(name);
            touched.insert(ecosystem);
        }
        for ecosystem in touched {
            let side = sides.entry(ecosystem).or_default();
            side.records = side.records.saturating_add(1);
            side.newest = side.newest.max(record.modified);
        }
    }
    Ok(sides)
}

fn ecosystems(
    steps: &Steps,
    collector: &Collector,
    new: &[&Stored],
    gone: &[Stored],
) -> Result<Option<Vec<EcosystemInfo>>, Damaged> {
    let state: &State = &steps.state;
    let new = sides(new.iter().copied(), |n| collector.packages.text(n))?;
    let gone_sides = sides(gone.iter(), |n| state.text(TextKind::Packages, n))?;
    let masked: BTreeSet<&str> = gone
        .iter()
        .map(|record| state.text(TextKind::Ids, record.id))
        .collect();
    let old = &steps.compiled.info().ecosystems;
    let mut all: BTreeMap<&str, EcosystemInfo> = old
        .iter()
        .map(|info| (info.name.as_str(), info.clone()))
        .collect();
    let none = Side::default();
    let touched: BTreeSet<&str> = new.keys().chain(gone_sides.keys()).copied().collect();
    for name in touched {
        let (new, gone) = (
            new.get(name).unwrap_or(&none),
            gone_sides.get(name).unwrap_or(&none),
        );
        let info = all.entry(name).or_insert_with(|| EcosystemInfo {
            name: name.to_owned(),
            ..EcosystemInfo::default()
        });
        info.records = info
            .records
            .saturating_sub(gone.records)
            .saturating_add(new.records);
        if info.records == 0 {
            all.remove(name);
            continue;
        }
        let newest = info.newest_modified.as_deref().and_then(Moment::parse);
        if gone.newest.is_some() && gone.newest == newest && new.newest < newest {
            // Which of the others is the newest now?
            return Ok(None);
        }
        let newest = newest.max(new.newest);
        info.newest_modified = newest.map(|moment| moment.to_string());
        for package in new.packages.union(&gone.packages) {
            let (before, stays) = compiled(&steps.compiled, name, package, &masked)?;
            let after = stays || new.packages.contains(package);
            info.packages = match (before, after) {
                (false, true) => info.packages.saturating_add(1),
                (true, false) => info.packages.saturating_sub(1),
                _ => info.packages,
            };
        }
    }
    Ok(Some(all.into_values().collect()))
}

/// Whether the compiled database has a package, and whether any of its records
/// is left.
fn compiled(
    store: &Store,
    ecosystem: &str,
    package: &str,
    masked: &BTreeSet<&str>,
) -> Result<(bool, bool), Damaged> {
    let views = query::package(store, ecosystem, package).map_err(|_| Damaged)?;
    let Some(views) = views else {
        return Ok((false, false));
    };
    for view in views.entries() {
        let id = query::record_id(store, view.record).map_err(|_| Damaged)?;
        if !masked.contains(id) {
            return Ok((true, true));
        }
    }
    Ok((true, false))
}
