//! What the report says of the database that it was made with.

use serde::Serialize;

use crate::model::report::{Database, DatabaseSource, Feed};

#[derive(Serialize)]
pub(super) struct DatabaseView<'a> {
    digest: &'a str,
    sources: Vec<DatabaseSourceView<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    feeds: Vec<FeedView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stale: Vec<StaleView<'a>>,
}

#[derive(Serialize)]
struct FeedView<'a> {
    name: &'a str,
    date: &'a str,
    version: &'a str,
    digest: &'a str,
    entries: u64,
    used: bool,
}

impl<'a> FeedView<'a> {
    fn new(feed: &'a Feed) -> Self {
        Self {
            name: feed.info.kind.as_str(),
            date: &feed.info.date,
            version: &feed.info.version,
            digest: &feed.info.digest,
            entries: feed.info.entries,
            used: feed.used,
        }
    }
}

#[derive(Serialize)]
struct StaleView<'a> {
    ecosystem: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest_modified: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest_listed: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<i64>,
}

impl<'a> DatabaseView<'a> {
    pub(super) fn new(database: &'a Database) -> Self {
        Self {
            digest: &database.digest,
            sources: database
                .sources
                .iter()
                .map(DatabaseSourceView::new)
                .collect(),
            feeds: database.feeds.iter().map(FeedView::new).collect(),
            as_of: database.as_of.as_deref(),
            stale: database
                .stale
                .iter()
                .map(|stale| StaleView {
                    ecosystem: &stale.ecosystem,
                    newest_modified: stale.newest_modified.as_deref(),
                    newest_listed: stale.newest_listed.as_deref(),
                    days: stale.days,
                })
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct DatabaseSourceView<'a> {
    name: &'a str,
    digest: &'a str,
    records: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest_modified: Option<&'a str>,
}

impl<'a> DatabaseSourceView<'a> {
    fn new(source: &'a DatabaseSource) -> Self {
        Self {
            name: &source.name,
            digest: &source.digest,
            records: source.records,
            newest_modified: source.newest_modified.as_deref(),
        }
    }
}
