//! `portcullis db build | status | query`; [`super::sync`] and [`super::transfer`] have the rest.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use db_sync::{BuildRequest, Db, Match, Query, ReadError};
use serde_json::{Value, json};

use super::args::{DatabasePath, DbCommand, SyncArguments, TextOrJson};
use super::failure::Failure;
use super::{paths, print, scan, transfer};
use crate::output::{escape, words};
use crate::rating;

/// How many warnings of a build are printed one by one.
const SHOWN_WARNINGS: usize = 50;

/// Runs one of the subcommands.
pub(super) fn run(command: &DbCommand) -> Result<u8, Failure> {
    match command {
        DbCommand::Build {
            osv,
            rustsec,
            crates_index,
            database,
        } => {
            let addresses = osv.iter().filter(|path| is_address(path)).count();
            if addresses > 0 {
                if addresses < osv.len() {
                    return Err(Failure::new("addresses and folders cannot be mixed")
                        .hint("fetch first: portcullis db sync --from URL"));
                }
                return super::sync::run(&SyncArguments {
                    crates_index: crates_index.clone(),
                    ..full_sync(osv, rustsec.as_ref(), database)
                });
            }
            let output = paths::database(database);
            paths::create_parent(&output)?;
            let request = BuildRequest {
                osv: osv.clone(),
                rustsec: rustsec.clone(),
                crates_index: crates_index.clone(),
                output: output.clone(),
                ..BuildRequest::default()
            };
            let built = db_sync::build(&request).map_err(|error| Failure::from_error(&error))?;
            warn(&built.warnings);
            let db = Db::open(&output).map_err(|error| Failure::from_error(&error))?;
            print(&status(&db, TextOrJson::Table))?;
            Ok(0)
        }
        DbCommand::Sync(arguments) => super::sync::run(arguments),
        DbCommand::Status { format, database } => {
            print(&status(&open(database)?, *format))?;
            Ok(0)
        }
        DbCommand::Transfer(command) => transfer::run(command),
        DbCommand::Query {
            ecosystem,
            name,
            version,
            format,
            database,
        } => {
            let db = open(database)?;
            let answer = db
                .query(&Query {
                    ecosystem,
                    name,
                    version: version.as_deref(),
                    as_of: None,
                })
                .map_err(|error| Failure::from_error(&error))?;
            let known = db.has_ecosystem(ecosystem);
            let text = match format {
                TextOrJson::Json => query_json(ecosystem, known, &answer),
                TextOrJson::Table => query_table(ecosystem, known, &answer),
            };
            print(&text.map_err(|error| Failure::from_error(&error))?)?;
            Ok(0)
        }
    }
}

/// Whether a source is an address and no path.
fn is_address(source: &Path) -> bool {
    source.starts_with("http:") || source.starts_with("https:")
}

/// A build from addresses is a sync that loads everything; several addresses are mirrors.
fn full_sync(osv: &[PathBuf], rustsec: Option<&PathBuf>, database: &DatabasePath) -> SyncArguments {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    SyncArguments {
        from: osv.iter().map(text).collect(),
        ecosystem: Vec::new(),
        full: true,
        offline: false,
        rustsec: rustsec.into_iter().map(text).collect(),
        crates_index: None,
        ca_file: None,
        database: database.clone(),
    }
}

fn open(database: &DatabasePath) -> Result<Db, Failure> {
    scan::open_database(&paths::database(database)).map_err(|error| scan::failure(&error))
}

/// Warnings go to stderr: all records that were left out are told, by name up to a bound.
pub(super) fn warn(warnings: &[db_sync::Warning]) {
    use io::Write as _;
    let mut err = io::stderr().lock();
    for warning in warnings.iter().take(SHOWN_WARNINGS) {
        let _ = writeln!(err, "warning: {}", escape::line(&warning.to_string()));
    }
    if let Some(more) = warnings
        .len()
        .checked_sub(SHOWN_WARNINGS)
        .filter(|more| *more > 0)
    {
        let _ = writeln!(
            err,
            "warning: {more} more warnings of this kind are not shown"
        );
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
            format!(
                "{:#}\n",
                json!({
                    "format_version": info.format_version,
                    "digest": info.root_digest,
                    "size": info.file_size,
                    "records": info.records,
                    "sources": sources,
                    "ecosystems": info.ecosystems,
                })
            )
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
            text
        }
    }
}

fn query_json(
    ecosystem: &str,
    known: bool,
    answer: &db_sync::Outcome<'_>,
) -> Result<String, ReadError> {
    let matches: Vec<Value> = answer
        .matches
        .iter()
        .map(match_json)
        .collect::<Result<_, _>>()?;
    let undecided: Vec<Value> = answer
        .undecided
        .iter()
        .map(|undecided| json!({ "id": undecided.id, "cause": undecided.cause }))
        .collect();
    Ok(format!(
        "{:#}\n",
        json!({ "ecosystem": ecosystem, "known_ecosystem": known, "matches": matches, "undecided": undecided })
    ))
}

fn match_json(found: &Match<'_>) -> Result<Value, ReadError> {
    let ratings = found.ratings()?;
    let rated = rating::rate(&ratings);
    let scope = found.scope()?;
    let ratings: Vec<Value> = ratings
        .iter()
        .map(|rating| json!({ "kind": rating::kind_word(rating.kind), "value": rating.value, "source": rating.source }))
        .collect();
    Ok(json!({
        "id": found.id,
        "merged": found.merged(),
        "aliases": found.aliases()?,
        "summary": found.summary()?,
        "severity": rated.severity.as_str(),
        "severity_source": &*rated.source,
        "score": rated.score,
        "ratings": ratings,
        "fixed": found.fixed,
        "published": found.published.map(|moment| moment.to_string()),
        "modified": found.modified.map(|moment| moment.to_string()),
        "informational": found.informational()?,
        "limited_to": { "functions": scope.functions, "arch": scope.arch, "os": scope.os },
        "url": found.url(),
    }))
}

fn query_table(
    ecosystem: &str,
    known: bool,
    answer: &db_sync::Outcome<'_>,
) -> Result<String, ReadError> {
    let mut text = String::new();
    for found in &answer.matches {
        let rated = rating::rate(&found.ratings()?);
        let fixed = found.fixed.first().copied().unwrap_or("no fix");
        let title = words::remark(found.informational()?, &found.scope()?, found.summary()?);
        let _ = writeln!(
            text,
            "{:<8} {}  fixed: {}  {}",
            rated.severity,
            escape::line(found.id),
            escape::line(fixed),
            escape::line(&title)
        );
    }
    for undecided in &answer.undecided {
        let _ = writeln!(
            text,
            "undecided {}: {}",
            escape::line(&undecided.id),
            escape::line(&undecided.cause)
        );
    }
    if !known {
        let _ = writeln!(
            text,
            "the database has no advisories for {}",
            escape::line(ecosystem)
        );
    }
    let _ = writeln!(text, "{} matches", answer.matches.len());
    Ok(text)
}
