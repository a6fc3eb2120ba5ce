//! From what the targets told to the report: matches packages, applies suppressions, describes
//! rules, sorts, and gives every finding its fingerprint.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use db_sync::{Db, Moment};
use rayon::prelude::*;

use super::ledger;
use super::read::{Work, source_cause};
use super::{Advisories, Error, Request, Rules, TargetFailure};
use crate::accept;
use crate::credentials;
use crate::matching;
use crate::model::finding::{Finding, Kind, RuleInfo, fingerprint};
use crate::model::gap::{Gap, GapClass, GapKind, Stage};
use crate::model::location::Location;
use crate::model::package::Package;
use crate::model::report::{Database, DatabaseSource, Feed, Report, TargetGap};
use crate::model::target::TargetKind;
use crate::staleness;
use crate::vex;

/// Up to so many packages are matched on one thread, in a few milliseconds: what further threads
/// would save in time they cost in memory.
const FEW_PACKAGES: usize = 1024;

pub(super) fn report(
    request: &Request,
    advisories: &dyn Advisories,
    rules: &dyn Rules,
    work: Vec<Work>,
    failures: &[TargetFailure],
) -> Result<Report, Error> {
    let mut report = Report {
        date: request.date.clone(),
        ..Report::default()
    };
    let mut infos: BTreeMap<Arc<str>, RuleInfo> = BTreeMap::new();
    let any_package = work.iter().any(|work| !work.inventory.packages.is_empty());
    let db = if request.vulnerabilities && any_package {
        match advisories.open() {
            // What needs no advisories is judged all the same.
            Err(Error::NoDatabase { .. }) => None,
            opened => Some(opened?),
        }
    } else {
        None
    };
    report.database = db.map(|db| database(db, request.as_of));
    let judged_with_others = judged_with_others(&work);
    for (index, work) in work.into_iter().enumerate() {
        let prefix = work.target.prefix.clone();
        let packages: Vec<Arc<Package>> = work
            .inventory
            .packages
            .into_iter()
            .map(|mut package| {
                for location in &mut package.locations {
                    prepend(location, &prefix);
                }
                Arc::new(package)
            })
            .collect();
        let mut target = work.target;
        let mut gaps: Vec<Gap> = work.gaps;
        gaps.extend(work.inventory.gaps);
        ledger::count(&packages, db, &mut target.coverage);
        let is_left_out = work.holds_images || judged_with_others.contains(&target.path);
        if !is_left_out && ledger::nothing_judged(&target.coverage) {
            let judged_elsewhere = gaps.iter().any(|gap| gap.class != GapClass::Partial);
            if !judged_elsewhere {
                gaps.push(ledger::nothing(target.kind));
            }
        }
        if let Some(outcome) = work.misconfigurations {
            gaps.extend(outcome.gaps);
            report
                .findings
                .extend(outcome.findings.into_iter().map(|mut finding| {
                    finding.target = index;
                    prepend(&mut finding.location, &prefix);
                    finding
                }));
            report
                .undecided
                .extend(outcome.undecided.into_iter().map(|mut undecided| {
                    undecided.target = index;
                    prepend(&mut undecided.location, &prefix);
                    undecided
                }));
            report.checks.passed += outcome.checks.passed;
            report.checks.failed += outcome.checks.failed;
            report.checks.undecided += outcome.checks.undecided;
        }
        report.gaps.extend(gaps.into_iter().map(|mut gap| {
            prepend(&mut gap.location, &prefix);
            TargetGap {
                target: Some(index),
                gap,
                accepted: false,
            }
        }));
        if request.vulnerabilities && db.is_none() && !packages.is_empty() {
            report.gaps.push(TargetGap {
                target: Some(index),
                gap: ledger::no_database(&packages),
                accepted: false,
            });
        }
        if let Some(db) = db {
            // Matched after the prefix went in: its locations are final.
            let chunks: Vec<matching::Outcome> = if packages.len() <= FEW_PACKAGES {
                vec![matching::check(
                    &packages,
                    db,
                    request.as_of,
                    &request.prefer,
                )?]
            } else {
                packages
                    .par_chunks(256)
                    .map(|chunk| matching::check(chunk, db, request.as_of, &request.prefer))
                    .collect::<Result<_, _>>()?
            };
            let mut outcome = matching::join(chunks);
            for finding in &mut outcome.findings {
                finding.target = index;
            }
            join(&mut report.findings, outcome.findings);
            report
                .gaps
                .extend(outcome.gaps.into_iter().map(|gap| TargetGap {
                    target: Some(index),
                    gap,
                    accepted: false,
                }));
            infos.extend(outcome.rules);
        }
        report
            .packages
            .extend(packages.into_iter().map(|package| (index, package)));
        report.targets.push(target);
    }
    for failure in failures {
        report.failed_targets += 1;
        report.gaps.push(TargetGap {
            target: None,
            gap: Gap::error(
                Stage::Source,
                GapKind::Unreadable,
                Location::file(failure.target.as_str()),
                source_cause(&failure.error),
            )
            .failure(),
            accepted: false,
        });
    }
    if let (Some(db), Some(database)) = (db, &mut report.database) {
        // The age of what is not there is nothing to tell: it is a gap.
        let packages = report.packages.iter().map(|(_, package)| &**package);
        let (used, feeds) = (matching::ecosystems(packages, db), &request.feeds);
        let policy = &request.staleness;
        database.stale = staleness::check(db.info(), &used, feeds, &report.date, policy);
    }
    if let Some(db) = db.filter(|_| request.texts) {
        matching::add_texts(&mut infos, db)?;
    }
    vex::apply(&mut report, &request.statements);
    describe_rules(&mut report, rules, infos)?;
    finish(&mut report);
    accept::mark(&mut report, &request.allow);
    Ok(report)
}

/// The archives and layouts of several images of which at least one was judged: what was named holds
/// something that is judged, and its other images, of which the ledger says that nothing was read,
/// are no gap of their own.
fn judged_with_others(work: &[Work]) -> BTreeSet<String> {
    let images = work
        .iter()
        .filter(|work| work.target.kind != TargetKind::Directory);
    let judged = images.filter(|work| {
        !work.inventory.packages.is_empty() || !ledger::nothing_judged(&work.target.coverage)
    });
    judged.map(|work| work.target.path.clone()).collect()
}

/// Appends; the first list is taken as it is, without a copy.
fn join<T>(all: &mut Vec<T>, more: Vec<T>) {
    if all.is_empty() {
        *all = more;
    } else {
        all.extend(more);
    }
}

fn prepend(location: &mut Location, prefix: &str) {
    if !prefix.is_empty() {
        location.path = if location.path.is_empty() {
            Arc::from(prefix)
        } else {
            Arc::from(format!("{prefix}/{}", location.path))
        };
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

/// Adds what the violated rules say of themselves.
fn describe_rules(
    report: &mut Report,
    rules: &dyn Rules,
    mut infos: BTreeMap<Arc<str>, RuleInfo>,
) -> Result<(), Error> {
    let violated: BTreeSet<Arc<str>> = report
        .findings
        .iter()
        .filter(|finding| matches!(finding.kind, Kind::Misconfiguration(_)))
        .map(|finding| finding.rule.clone())
        .collect();
    if !violated.is_empty() {
        let ruleset = rules.load()?;
        for id in violated {
            if let Some(rule) = ruleset.find(&id) {
                let tags = vec![
                    "security".to_owned(),
                    "misconfiguration".to_owned(),
                    rule.category.clone(),
                ];
                infos.insert(
                    id.clone(),
                    RuleInfo {
                        record: id.clone(),
                        id,
                        title: rule.title,
                        help: rule.help,
                        url: None,
                        tags,
                    },
                );
            }
        }
    }
    report.rules = infos.into_values().collect();
    Ok(())
}

/// Takes credentials out of what is told, sorts every list and gives each finding its fingerprint.
fn finish(report: &mut Report) {
    for entry in &mut report.gaps {
        if let Cow::Owned(cause) = credentials::without(&entry.gap.cause) {
            entry.gap.cause = cause.into();
        }
    }
    for undecided in &mut report.undecided {
        if let Cow::Owned(cause) = credentials::without(&undecided.cause) {
            undecided.cause = cause;
        }
    }
    report.gaps.sort();
    report.gaps.dedup();
    report.undecided.sort();
    report.undecided.dedup();
    report.findings.sort_by(|a, b| order(a).cmp(&order(b)));
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for finding in &mut report.findings {
        let id = report
            .targets
            .get(finding.target)
            .map_or("", |target| target.id.as_str());
        let path = &*finding.location.path;
        let base = match &finding.kind {
            Kind::Vulnerability(found) => fingerprint(&[
                "vulnerability",
                id,
                path,
                found.package.kind.as_str(),
                &found.package.name,
                &found.record,
            ]),
            Kind::Misconfiguration(found) => {
                fingerprint(&["misconfiguration", id, path, &found.resource, &finding.rule])
            }
        };
        // The same flaw in two versions of one package of one file, or twice in one resource:
        // told apart by their order, which is that of versions and lines.
        let count = seen.entry(base.clone()).or_insert(0);
        *count += 1;
        finding.fingerprint = if *count == 1 {
            base
        } else {
            format!("{base}:{count}")
        };
    }
}

fn order(finding: &Finding) -> impl Ord + '_ {
    let subject: (&str, &str) = match &finding.kind {
        Kind::Vulnerability(found) => (&found.package.name, &found.package.version),
        Kind::Misconfiguration(found) => (&found.resource, ""),
    };
    (
        finding.target,
        &finding.location,
        subject,
        &finding.rule,
        &finding.message,
    )
}
