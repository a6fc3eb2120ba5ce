//! A watcher that counts, for the tests of every source that shows its bytes.

use std::io::{self, BufRead};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Analyzers, Entry, Look, Watch, Watcher};
use crate::model::facts::Facts;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};

/// Says of each file how many bytes it has, as a package named `bytes`, and adds them up.
#[derive(Default)]
pub(crate) struct Counter {
    pub(crate) files: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

struct Count<'a> {
    path: String,
    bytes: u64,
    all: &'a Counter,
}

impl Watcher for Counter {
    fn id(&self) -> &'static str {
        "counter"
    }

    fn version(&self) -> u32 {
        1
    }

    fn watch(&self, entry: &Entry<'_>) -> Option<Box<dyn Watch + '_>> {
        Some(Box::new(Count {
            path: entry.path.to_owned(),
            bytes: 0,
            all: self,
        }))
    }
}

impl Watch for Count<'_> {
    fn feed(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
    }

    fn finish(self: Box<Self>) -> Facts {
        self.all.files.fetch_add(1, Ordering::Relaxed);
        self.all.bytes.fetch_add(self.bytes, Ordering::Relaxed);
        let mut facts = Facts::default();
        let package = Package::new(PackageType::NPM, "bytes", self.bytes.to_string());
        facts.packages.push(package.at(Location::file(self.path)));
        facts
    }
}

/// Finds nothing.
struct Nothing;

impl Look for Nothing {
    fn version(&self) -> u32 {
        1
    }

    fn look(
        &mut self,
        _entry: &Entry<'_>,
        _content: &mut dyn BufRead,
    ) -> io::Result<Option<(&'static str, Facts)>> {
        Ok(None)
    }
}

/// No analyzers at all.
pub(crate) const NOTHING: Analyzers<'static> = Analyzers {
    by_path: |_| Vec::new(),
    readers: Vec::new,
    unclaimed: || Box::new(Nothing),
    watchers: &[],
};
