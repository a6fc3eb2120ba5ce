//! rpm's database in its `SQLite` form: one table, one header per row. A write-ahead log beside it
//! holds packages that are not in it yet; it is not read, and so is a gap unless empty.

use std::sync::Arc;

use super::header;
use crate::inventory::sqlite::{Column, Database, SqliteError};
use crate::inventory::{Content, Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;

/// The three places: traditional, Fedora and SUSE, and image-based systems.
pub(crate) static PARSER: Parser = Parser {
    id: "rpm-sqlite",
    version: 1,
    wants: &[
        Want::Path("var/lib/rpm/rpmdb.sqlite"),
        Want::Path("usr/lib/sysimage/rpm/rpmdb.sqlite"),
        Want::Path("usr/share/rpm/rpmdb.sqlite"),
    ],
    accepts: None,
    need: Need::Whole(limits::RPM_DATABASE_BYTES),
    evidence: Evidence::Installed,
    database: true,
    parse,
};

/// The log, which should be empty.
pub(crate) static LOG: Parser = Parser {
    id: "rpm-sqlite-log",
    version: 1,
    wants: &[
        Want::Path("var/lib/rpm/rpmdb.sqlite-wal"),
        Want::Path("usr/lib/sysimage/rpm/rpmdb.sqlite-wal"),
        Want::Path("usr/share/rpm/rpmdb.sqlite-wal"),
    ],
    accepts: None,
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: true,
    parse: log,
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let error = |error: SqliteError| ParseError::new(error.to_string());
    let database = Database::open(input.content.whole()?).map_err(error)?;
    // Packages (hnum INTEGER PRIMARY KEY, blob BLOB)
    let rows = database.table("Packages", |columns| match columns {
        [_, Column::Bytes(blob), ..] => header::read(blob, &path, facts),
        _ => facts.unjudged(&path, None, GapKind::Malformed, "a row without a header"),
    });
    rows.map_err(error)
}

fn log(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let empty = match input.content {
        Content::Whole(bytes) => bytes.is_empty(),
        Content::Stream(stream) => stream
            .fill_buf()
            .map_err(|error| ParseError::new(format!("cannot read on: {error}")))?
            .is_empty(),
    };
    if !empty {
        let cause = "changes to the rpm database that are only in its write-ahead log";
        facts.gap(input.path, None, GapKind::UnknownFormat, cause);
    }
    Ok(())
}
