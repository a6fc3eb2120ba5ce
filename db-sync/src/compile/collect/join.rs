//! Joins RustSec's own advisories with OSV's records of the same ids.

use super::Collector;
use crate::advisory::{Advisory, Affected, EventKind};
use crate::problem::Warning;
use crate::sources::SourceRecord;

/// An advisory of RustSec's tree that waits for OSV's record.
pub(super) struct RustSec {
    pub(super) advisory: Box<Advisory>,
    pub(super) digest: [u8; 32],
    pub(super) source: u16,
    pub(super) used: bool,
}

impl Collector {
    /// Keeps a RustSec advisory until OSV's record of the same id comes, or
    /// [`Collector::add_rest`].
    pub(in crate::compile) fn rustsec(&mut self, found: SourceRecord) {
        let source = self.source(found.kind, &found.source);
        self.warnings.extend(found.warnings);
        let Some(advisory) = found.advisory else {
            return;
        };
        self.count(source, &advisory, found.digest);
        let id = advisory.id.clone();
        let new = RustSec {
            advisory,
            digest: found.digest,
            source,
            used: false,
        };
        match self.rustsec.get(&id) {
            Some(old) if old.digest >= new.digest => {}
            _ => {
                self.rustsec.insert(id, new);
            }
        }
    }

    /// Adds what only RustSec knows to OSV's record of the same advisory;
    /// returns RustSec's source where it has one.
    pub(super) fn join_rustsec(&mut self, advisory: &mut Advisory, source: &str) -> Option<u16> {
        let own = self.rustsec.get_mut(&advisory.id)?;
        own.used = true;
        let number = own.source;
        let own = &own.advisory;
        if let Some(kind) = &own.informational {
            advisory.informational = Some(kind.clone());
        }
        // The export comes later than the tree; who changes a record after that means it.
        if advisory.withdrawn.is_none() && own.withdrawn > advisory.modified {
            advisory.withdrawn = own.withdrawn;
        }
        for (into, from) in [
            (&mut advisory.scope.functions, &own.scope.functions),
            (&mut advisory.scope.arch, &own.scope.arch),
            (&mut advisory.scope.os, &own.scope.os),
        ] {
            into.extend(from.iter().cloned());
            into.sort();
            into.dedup();
        }
        let agree = own.affected.iter().all(|package| {
            let same: Vec<&Affected> = advisory
                .affected
                .iter()
                .filter(|other| other.name == package.name && other.ecosystem == package.ecosystem)
                .collect();
            same.is_empty() || bounds(&[package]) == bounds(&same)
        });
        if !agree {
            let cause = "OSV's ranges differ from those of the RustSec tree: OSV's are used";
            self.warnings
                .push(Warning::new(source, &advisory.id, cause));
        }
        Some(number)
    }
}

/// All events of some entries, in one comparable form.
fn bounds(entries: &[&Affected]) -> Vec<(EventKind, String)> {
    let mut all: Vec<(EventKind, String)> = entries
        .iter()
        .flat_map(|entry| &entry.ranges)
        .flat_map(|range| &range.events)
        .map(|event| {
            let version = match event.version.as_str() {
                "0.0.0-0" => "0",
                other => other,
            };
            (event.kind, version.to_owned())
        })
        .collect();
    all.sort();
    all
}
