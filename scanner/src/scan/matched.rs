//! Matches the packages of all targets with the advisories, and closes their ledgers: what was
//! compared, and what could not be.

use std::collections::BTreeMap;
use std::sync::Arc;

use db_sync::{Db, Moment};
use rayon::prelude::*;

use super::ledger;
use super::merge::Merged;
use super::{Advisories, Error, Request};
use crate::matching;
use crate::model::finding::RuleInfo;
use crate::model::gap::{Gap, GapClass};
use crate::model::package::Package;
use crate::model::report::{Database, DatabaseSource, Feed, Report, TargetGap};
use crate::staleness;

/// Up to so many packages are matched on one thread, in a few milliseconds: what further threads
/// would save in time they cost in memory.
const FEW_PACKAGES: usize = 1024;

/// Packages that one thread matches at once.
const CHUNK: usize = 256;

/// What the advisories that matched say of themselves, by id.
pub(super) type Advised = BTreeMap<Arc<str>, RuleInfo>;

/// Adds the findings of all packages.
pub(super) fn packages(
    request: &Request,
    merged: Merged,
    advisories: &dyn Advisories,
) -> Result<(Report, Advised), Error> {
    let Merged {
        mut report,
        answered,
        supported: _, // a stage of its own has judged it
    } = merged;
    let db = if request.vulnerabilities && !report.packages.is_empty() {
        match advisories.open() {
            // What needs no advisories is judged all the same.
            Err(Error::NoDatabase { .. }) => None,
            opened => Some(opened?),
        }
    } else {
        None
    };
    report.database = db.map(|db| database(db, request.as_of));
    let mut advised = Advised::new();
    let mut all = std::mem::take(&mut report.packages);
    let mut rest = all.as_mut_slice();
    for index in 0..report.targets.len() {
        let end = rest.partition_point(|(target, _)| *target <= index);
        let (mine, others) = rest.split_at_mut(end);
        rest = others;
        let mine: Vec<Arc<Package>> = mine.iter().map(|(_, one)| Arc::clone(one)).collect();
        close(&mut report, index, &mine, db, !answered.contains(&index));
        if let Some(db) = db {
            let outcome = matched(request, &mine, db)?;
            for mut finding in outcome.findings {
                finding.target = index;
                report.findings.push(finding);
            }
            let gaps = outcome.gaps.into_iter();
            report.gaps.extend(gaps.map(|gap| of(index, gap)));
            advised.extend(outcome.rules);
        } else if request.vulnerabilities && !mine.is_empty() {
            report.gaps.push(of(index, ledger::no_database(&mine)));
        }
    }
    report.packages = all;
    if let (Some(db), Some(database)) = (db, &mut report.database) {
        // The age of what is not there is nothing to report: it is a gap.
        let packages = report.packages.iter().map(|(_, package)| &**package);
        let (used, feeds) = (matching::ecosystems(packages, db), &request.feeds);
        let policy = &request.staleness;
        database.stale = staleness::check(db.info(), &used, feeds, &report.date, policy);
    }
    if let Some(db) = db.filter(|_| request.texts) {
        matching::add_texts(&mut advised, db)?;
    }
    Ok((report, advised))
}

/// Counts the packages of a target, and notes where nothing of it was judged.
fn close(
    report: &mut Report,
    index: usize,
    packages: &[Arc<Package>],
    db: Option<&Db>,
    must_judge: bool,
) {
    let Some(target) = report.targets.get_mut(index) else {
        return; // there is one for each index
    };
    ledger::count(packages, db, &mut target.coverage);
    if must_judge && ledger::nothing_judged(&target.coverage) {
        let mut gaps = report.gaps.iter().filter(|gap| gap.target == Some(index));
        // A gap that leaves the target unjudged says it already.
        if gaps.all(|gap| gap.gap.class == GapClass::Partial) {
            report.gaps.push(of(index, ledger::nothing(target.kind)));
        }
    }
}

fn matched(
    request: &Request,
    packages: &[Arc<Package>],
    db: &Db,
) -> Result<matching::Matched, Error> {
    let check = |chunk: &[_]| matching::check(chunk, db, request.as_of, &request.prefer);
    let chunks: Vec<matching::Matched> = if packages.len() <= FEW_PACKAGES {
        vec![check(packages)?]
    } else {
        let chunks = packages.par_chunks(CHUNK).map(check);
        chunks.collect::<Result<_, _>>()?
    };
    Ok(matching::join(chunks))
}

fn of(index: usize, gap: Gap) -> TargetGap {
    TargetGap {
        target: Some(index),
        gap,
        accepted: false,
    }
}

fn database(db: &Db, as_of: Option<Moment>) -> Database {
    let info = db.info();
    let mut sources: Vec<DatabaseSource> = info
        .sources
        .iter()
        .map(|source| DatabaseSource {
            name: format!("{}/{}", source.kind, source.name),
            digest: source.digest.clone(),
            records: source.records,
            newest_modified: source.newest_modified.clone(),
        })
        .collect();
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    let feeds = info.feeds.iter().map(|info| Feed {
        info: info.clone(),
        used: db.has_feed(info.kind, as_of),
    });
    Database {
        digest: info.root_digest.clone(),
        sources,
        feeds: feeds.collect(),
        as_of: as_of.map(|moment| moment.to_string()),
        stale: Vec::new(),
    }
}
