//! `portcullis db sync`: runs the sync and tells what changed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use db_sync::Db;
use db_sync::fetch::FetchError;
use db_sync::sync::{SyncError, SyncReport, SyncRequest};

use super::why::PastReport;
use super::{feeds, warn};
use crate::cli::args::SyncArguments;
use crate::cli::failure::Failure;
use crate::cli::progress::Progress;
use crate::cli::{paths, print};
use portcullis::output::escape;

/// Brings the database up to date; what could not be fetched is a failure, and the database stays
/// as it was.
pub(super) fn run(arguments: &SyncArguments) -> Result<u8, Failure> {
    let output = paths::database_to_write(&arguments.database)?;
    let mut found = BTreeSet::new();
    for path in &arguments.report {
        found.extend(PastReport::read(path)?.ecosystems());
    }
    if found.is_empty() && !arguments.report.is_empty() && !output.exists() {
        print("the reports name no package that advisories speak of: nothing to sync\n")?;
        return Ok(0);
    }
    let mut request = SyncRequest {
        from: arguments.from.clone(),
        ecosystems: arguments.ecosystem.clone(),
        remove: arguments.remove.clone(),
        found: found.into_iter().collect(),
        full: arguments.full,
        afresh: arguments.afresh,
        accept_removals: arguments.accept_removals,
        offline: arguments.offline,
        rustsec: arguments.rustsec.clone(),
        epss: arguments.epss.clone(),
        kev: arguments.kev.clone(),
        crates_index: arguments.crates_index.clone(),
        output: output.clone(),
        ..SyncRequest::default()
    };
    request.access.ca_file.clone_from(&arguments.ca_file);
    let progress = Progress::start();
    progress.stage("syncing advisories");
    let synced = db_sync::sync::run(&request);
    drop(progress);
    let report = synced.map_err(|error| {
        let mut failure = Failure::from_error(&error);
        match &error {
            SyncError::Shrunk { .. } => {
                failure = failure
                    .hint("look at the bucket; if they are gone for good: portcullis db sync --accept-removals");
            }
            SyncError::UnknownEcosystem { offered, .. } if !offered.is_empty() => {
                let names: Vec<&str> = offered.iter().map(String::as_str).collect();
                failure = failure.hint(format!("it has {}", names.join(", ")));
            }
            SyncError::NotHeld { held, .. } if !held.is_empty() => {
                let names: Vec<&str> = held.iter().map(String::as_str).collect();
                failure = failure.hint(format!("it has {}", names.join(", ")));
            }
            SyncError::Missing { .. } => {
                failure = failure
                    .hint("to leave an ecosystem out for good: portcullis db sync --remove NAME");
            }
            SyncError::NotABucket { .. } => {
                failure = failure.hint(
                    "a bucket has ecosystems.txt and one NAME/all.zip per ecosystem, as OSV's https://osv-vulnerabilities.storage.googleapis.com has",
                );
            }
            SyncError::Fetch(FetchError::Server { url, .. }) if url.ends_with("ecosystems.txt") => {
                failure = failure.hint("is this the address of an OSV bucket?");
            }
            SyncError::NothingFetched => {
                failure = failure.hint("fetch once: portcullis db sync --from URL");
            }
            _ => {}
        }
        if output.exists() {
            failure = failure.hint("the database that was there is unchanged");
        }
        // An update starts from it: then only a build from nothing helps.
        if Db::open(&output).is_ok_and(|db| db.verify().is_err()) {
            failure = failure.hint("it is damaged: portcullis db sync --full");
        }
        failure
    })?;
    warn(&report.build);
    print(&summary(&report))?;
    Ok(0)
}

fn summary(report: &SyncReport) -> String {
    let mut text = String::new();
    let info = &report.build.info;
    for one in &report.ecosystems {
        if report.rebuilt && one.archive {
            let mut sources = info.sources.iter();
            let source = sources.find(|source| source.kind == "osv" && source.name == one.name);
            let records = source.map_or(0, |source| source.records);
            let _ = writeln!(text, "{:<24} {records:>8} records", escape::line(&one.name));
        } else if one.archive || one.added > 0 || one.changed > 0 || one.removed > 0 {
            let archive = if one.archive { "archive loaded, " } else { "" };
            let _ = writeln!(
                text,
                "{:<24} {archive}{} added, {} changed, {} removed",
                escape::line(&one.name),
                one.added,
                one.changed,
                one.removed
            );
        }
    }
    let what = match (report.written, report.rebuilt) {
        (false, _) => "up to date",
        (true, true) => "built",
        (true, false) => "updated",
    };
    text.push_str(&feeds(info));
    let _ = writeln!(
        text,
        "database {} {what}, {} records",
        info.root_digest, info.records
    );
    text
}
