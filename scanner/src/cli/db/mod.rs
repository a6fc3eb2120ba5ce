//! `portcullis db build | status`; [`query`], [`why`], [`sync`] and [`transfer`] have the rest.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use db_sync::{BuildRequest, Db, Loss};
use serde_json::{Value, json};

mod query;
mod sync;
mod transfer;
mod why;

use super::args::{DatabasePath, DbCommand, SyncArguments, TextOrJson};
use super::failure::Failure;
use super::{paths, print, scan};
use portcullis::output::{escape, serial};

/// How many records that were skipped are named, and how many other warnings.
const SHOWN_WARNINGS: usize = 50;

/// Runs one of the subcommands.
pub(super) fn run(command: &DbCommand) -> Result<u8, Failure> {
    match command {
        DbCommand::Build {
            osv,
            rustsec,
            epss,
            kev,
            crates_index,
            database,
        } => {
            let addresses = osv.iter().filter(|path| is_address(path)).count();
            if addresses > 0 {
                if addresses < osv.len() {
                    return Err(Failure::new("addresses and folders cannot be mixed")
                        .hint("fetch first: portcullis db sync --from URL"));
                }
                let mut arguments = full_sync(osv, rustsec.as_ref(), database);
                arguments.epss = epss.iter().map(|path| text(path)).collect();
                arguments.kev = kev.iter().map(|path| text(path)).collect();
                arguments.crates_index.clone_from(crates_index);
                return sync::run(&arguments);
            }
            let output = paths::database_to_write(database)?;
            let request = BuildRequest {
                osv: osv.clone(),
                rustsec: rustsec.clone(),
                epss: epss.clone(),
                kev: kev.clone(),
                crates_index: crates_index.clone(),
                output: output.clone(),
                ..BuildRequest::default()
            };
            let built = db_sync::build(&request).map_err(|error| {
                let failure = Failure::from_error(&error);
                let mut files = epss.iter().chain(kev).chain(rustsec);
                if files.any(|path| is_address(path)) || rustsec.as_ref().is_some_and(|path| path.is_file()) {
                    failure.hint("portcullis db build reads folders and plain files; portcullis db sync takes addresses and archives, too")
                } else {
                    failure
                }
            })?;
            warn(&built);
            let db = Db::open(&output).map_err(|error| Failure::from_error(&error))?;
            print(&status(&db, TextOrJson::Table))?;
            Ok(0)
        }
        DbCommand::Sync(arguments) => sync::run(arguments),
        DbCommand::Status { format, database } => {
            print(&status(&open(database)?, *format))?;
            Ok(0)
        }
        DbCommand::Transfer(command) => transfer::run(command),
        DbCommand::Query(arguments) => query::run(arguments),
        DbCommand::Why(arguments) => why::run(arguments),
    }
}

/// Whether a source is an address and no path.
fn is_address(source: &Path) -> bool {
    ["http:", "https:", "file:", "git+https:"]
        .iter()
        .any(|scheme| source.starts_with(scheme))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A build from addresses is a sync that loads everything; several addresses are mirrors.
fn full_sync(osv: &[PathBuf], rustsec: Option<&PathBuf>, database: &DatabasePath) -> SyncArguments {
    SyncArguments {
        from: osv.iter().map(|path| text(path)).collect(),
        ecosystem: Vec::new(),
        remove: Vec::new(),
        report: Vec::new(),
        full: true,
        afresh: true,
        accept_removals: false,
        offline: false,
        rustsec: rustsec.into_iter().map(|path| text(path)).collect(),
        epss: Vec::new(),
        kev: Vec::new(),
        crates_index: None,
        ca_file: None,
        database: database.clone(),
    }
}

/// Opens the database that the user means.
pub(super) fn open(database: &DatabasePath) -> Result<Db, Failure> {
    scan::open_database(&paths::database(database)).map_err(|error| scan::failure(&error))
}

/// Warnings go to stderr: what was left out first, counted and by name up to a bound, then what is
/// odd, up to a bound of its own.
pub(super) fn warn(build: &db_sync::BuildReport) {
    use io::Write as _;
    let mut err = io::stderr().lock();
    let (skipped, odd): (Vec<_>, Vec<_>) = build
        .warnings
        .iter()
        .partition(|warning| warning.loss == Loss::Skipped);
    if !skipped.is_empty() {
        let _ = writeln!(
            err,
            "warning: not in the database: {} (records, entries of records or sources)",
            skipped.len()
        );
    }
    some(&mut err, &skipped, "skipped");
    some(&mut err, &odd, "odd");
}

/// Some of the warnings of one kind, and how many more there are.
fn some(err: &mut impl io::Write, warnings: &[&db_sync::Warning], kind: &str) {
    for warning in warnings.iter().take(SHOWN_WARNINGS) {
        let _ = writeln!(err, "warning: {}", escape::line(&warning.to_string()));
    }
    let more = warnings.len().saturating_sub(SHOWN_WARNINGS);
    if more > 0 {
        let _ = writeln!(err, "warning: {more} more that are {kind} are not shown");
    }
}

fn status(db: &Db, format: TextOrJson) -> String {
    let info = db.info();
    match format {
        TextOrJson::Json => {
            let sources: Vec<Value> = info
                .sources
                .iter()
                .map(|source| {
                    json!({
                        "kind": source.kind,
                        "name": source.name,
                        "digest": source.digest,
                        "records": source.records,
                        "newest_modified": source.newest_modified,
                    })
                })
                .collect();
            serial::pretty(&json!({
                "format_version": info.format_version,
                "digest": info.root_digest,
                "size": info.file_size,
                "records": info.records,
                "sources": sources,
                "ecosystems": info.ecosystems,
                "feeds": info.feeds,
            }))
        }
        TextOrJson::Table => {
            let mut text = format!(
                "database {}\nformat {}, {} records, {} bytes\n",
                info.root_digest, info.format_version, info.records, info.file_size
            );
            for source in &info.sources {
                let newest = source.newest_modified.as_deref().unwrap_or("unknown");
                // Two sources can be of one name: `crates.io` of OSV, and of the index.
                let name = match source.kind.as_str() {
                    "osv" | "rustsec" => source.name.clone(),
                    kind => format!("{} ({kind})", source.name),
                };
                let _ = writeln!(
                    text,
                    "{:<24} {:>8} records, newest {newest}",
                    escape::line(&name),
                    source.records
                );
            }
            text.push_str(&feeds(info));
            text
        }
    }
}

/// The exploitation feeds of a database, one a line.
pub(super) fn feeds(info: &db_sync::Info) -> String {
    info.feeds.iter().fold(String::new(), |mut text, feed| {
        let _ = writeln!(
            text,
            "{:<24} {:>8} entries, of {} ({})",
            feed.kind.as_str(),
            feed.entries,
            escape::line(&feed.date),
            escape::line(&feed.version)
        );
        text
    })
}
