//! The RustSec advisory tree (`crates/<name>/RUSTSEC-….md`), one file at a
//! time through the `rustsec` crate, so that one bad file is one warning.
//!
//! Advisories about the toolchain (`rust/std`, `rust/cargo` …) are kept under
//! the ecosystem `Rust`, apart from crates.io, where crates of the same names
//! exist. Drafts (`RUSTSEC-0000-0000`) are no advisories.
//!
//! Where OSV's crates.io export holds the same id, the compiler takes ranges
//! and texts from OSV and adds what only RustSec says (see [`crate::compile`]).

use crate::advisory::{Advisory, Affected, Event, EventKind, Range, Reference, Scope};
use crate::limits::Limits;
use crate::moment::Moment;
use crate::problem::Warning;
use crate::severity;
use crate::sources::{Sink, SourceError, SourceKind, SourceRecord};
use rustsec::advisory::Versions;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of this source in the database and in warnings.
const NAME: &str = "RustSec";
/// The folders of the tree and the ecosystems of the packages in them.
const COLLECTIONS: [(&str, &str); 2] = [("crates", "crates.io"), ("rust", "Rust")];
/// Largest advisory file; the largest real one has about 20 kB.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Reads the tree and hands each advisory to the sink.
pub(crate) fn read(tree: &Path, limits: &Limits, sink: &mut Sink<'_>) -> Result<(), SourceError> {
    let mut usable = 0_u64;
    let mut first = None;
    for (folder, ecosystem) in COLLECTIONS {
        for (name, path) in files(&tree.join(folder), limits)? {
            let found = one(&path, &name, ecosystem)?;
            match &found.advisory {
                Some(_) => usable = usable.saturating_add(1),
                None if first.is_none() => first = found.warnings.first().cloned(),
                None => {}
            }
            sink(found)?;
        }
    }
    if usable == 0 {
        return Err(SourceError::Empty {
            path: tree.to_owned(),
            first,
        });
    }
    Ok(())
}

/// The advisory files two levels below a folder, as (name, path).
fn files(folder: &Path, limits: &Limits) -> Result<BTreeSet<(String, PathBuf)>, SourceError> {
    let mut found = BTreeSet::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for package in children(folder)? {
        if !package.is_dir() {
            continue;
        }
        for file in children(&package)? {
            let Some(name) = file.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if name.starts_with("RUSTSEC-")
                && file.extension() == Some(OsStr::new("md"))
                // A pipe would wait for a writer.
                && fs::metadata(&file).map_or(true, |data| data.is_file())
                && !name.starts_with("RUSTSEC-0000-")
            {
                found.insert((name.to_owned(), file.clone()));
            }
            if found.len() as u64 > limits.entries {
                return Err(SourceError::TooLarge {
                    path: folder.to_owned(),
                    what: "files",
                    limit: limits.entries,
                });
            }
        }
    }
    Ok(found)
}

fn children(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let failed = |source| SourceError::Read {
        path: folder.to_owned(),
        source,
    };
    fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()).map_err(failed))
        .collect()
}

fn one(path: &Path, name: &str, ecosystem: &str) -> Result<SourceRecord, SourceError> {
    let mut text = Vec::new();
    fs::File::open(path)
        .and_then(|file| {
            file.take(MAX_FILE_BYTES.saturating_add(1))
                .read_to_end(&mut text)
        })
        .map_err(|source| SourceError::Read {
            path: path.to_owned(),
            source,
        })?;
    let mut found = SourceRecord {
        source: Arc::from(NAME),
        kind: SourceKind::RustSec,
        advisory: None,
        digest: Sha256::digest(&text).into(),
        warnings: Vec::new(),
    };
    match parse(&text, ecosystem) {
        Ok(advisory) => {
            if name.strip_suffix(".md") != Some(advisory.id.as_str()) {
                let cause = format!(
                    "file holds the record {}: the id inside counts",
                    advisory.id
                );
                found.warnings.push(Warning::new(NAME, name, cause));
            }
            found.advisory = Some(Box::new(advisory));
        }
        Err(cause) => {
            let cause = format!("record skipped: {cause}");
            found.warnings.push(Warning::skipped(NAME, name, cause));
        }
    }
    Ok(found)
}

fn parse(text: &[u8], ecosystem: &str) -> Result<Advisory, String> {
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("file is larger than {MAX_FILE_BYTES} bytes"));
    }
    let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
    let raw: rustsec::Advisory = text
        .parse()
        .map_err(|error: rustsec::Error| error.to_string())?;
    let metadata = &raw.metadata;
    let published = Moment::parse(metadata.date.as_str());
    let withdrawn = metadata
        .withdrawn
        .as_ref()
        .and_then(|date| Moment::parse(date.as_str()));
    let own = metadata
        .cvss
        .as_ref()
        .and_then(|vector| severity::parse_vector(&vector.to_string()));
    Ok(Advisory {
        id: metadata.id.as_str().to_owned(),
        published,
        modified: withdrawn.or(published),
        withdrawn,
        aliases: metadata.aliases.iter().map(ToString::to_string).collect(),
        related: metadata.related.iter().map(ToString::to_string).collect(),
        summary: raw.title().to_owned(),
        details: raw.description().to_owned(),
        references: metadata
            .url
            .iter()
            .chain(&metadata.references)
            .map(|url| Reference {
                kind: "WEB".to_owned(),
                url: url.to_string(),
            })
            .collect(),
        ratings: own.into_iter().collect(),
        informational: metadata
            .informational
            .as_ref()
            .map(|kind| kind.as_str().to_owned()),
        scope: scope(&raw),
        affected: vec![Affected {
            ecosystem: ecosystem.to_owned(),
            name: metadata.package.to_string(),
            ranges: vec![range(&raw.versions)],
            ..Affected::default()
        }],
        ..Advisory::default()
    })
}

fn scope(raw: &rustsec::Advisory) -> Scope {
    let Some(affected) = &raw.affected else {
        return Scope::default();
    };
    Scope {
        functions: affected.functions.keys().map(ToString::to_string).collect(),
        arch: affected
            .arch
            .iter()
            .map(|arch| arch.as_str().to_owned())
            .collect(),
        os: affected
            .os
            .iter()
            .map(|os| os.as_str().to_owned())
            .collect(),
    }
}

/// Patched and unaffected requirements as one OSV range, as RustSec's own
/// exporter writes it.
fn range(versions: &Versions) -> Range {
    let mut events = Vec::new();
    for interval in rustsec::osv::ranges_for_advisory(versions) {
        let introduced = interval
            .introduced
            .map_or_else(|| "0.0.0-0".to_owned(), |version| version.to_string());
        events.push(Event {
            kind: EventKind::Introduced,
            version: introduced,
        });
        if let Some(fixed) = interval.fixed {
            events.push(Event {
                kind: EventKind::Fixed,
                version: fixed.to_string(),
            });
        }
    }
    let mut range = Range {
        semver: true,
        events,
        unusable: None,
    };
    if range.events.is_empty() {
        // Every version is patched or unaffected: nothing to match.
        return range;
    }
    range.prepare("crates.io", Limits::default().version_length);
    range
}
