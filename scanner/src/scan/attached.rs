//! What documents say that are attached to images: VEX suppresses findings of its own image as `--vex`
//! does, and a bill of materials adds the packages that were not found in the layers. They are read
//! only if the user asks for them, since nobody verified who attached them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::read::Work;
use crate::inventory::assemble::{Inventory, assemble};
use crate::inventory::bill;
use crate::inventory::recognised::CONTENT_BYTES;
use crate::model::facts::Facts;
use crate::model::gap::{Gap, GapClass, GapKind, Stage};
use crate::model::location::Location;
use crate::model::package::Package;
use crate::source::Attached;
use crate::vex::{self, Statement};

/// Directory in which reports show attached documents; they lie in no layer.
const PLACE: &str = "attached";

/// Reads the documents of all images. What they list waits in the works, what they say of
/// vulnerabilities is the answer.
pub(super) fn read(works: &mut [Work]) -> Vec<Statement> {
    let mut said = Vec::new();
    for (number, work) in works.iter_mut().enumerate() {
        for document in std::mem::take(&mut work.attached) {
            let read = one(number, &document, &mut work.bills, &mut said);
            if let Err(cause) = read {
                let place = Location::file(place(&document.digest));
                let gap = Gap::error(Stage::Inventory, GapKind::Malformed, place, cause);
                work.gaps.push(gap.unjudged());
            }
        }
    }
    said
}

fn place(digest: &str) -> String {
    format!("{PLACE}/{}.json", digest.replace(':', "-"))
}

fn one(
    number: usize,
    document: &Attached,
    bills: &mut Vec<(Arc<str>, Facts)>,
    said: &mut Vec<Statement>,
) -> Result<(), String> {
    let content = document.content.as_slice();
    let path = place(&document.digest);
    let first = content.get(..CONTENT_BYTES).unwrap_or(content);
    let is_bill = bill::is_bill(first);
    // A bill in CycloneDX may say what its vulnerabilities mean; SPDX 2 cannot.
    let has_analysis = memchr::memmem::find(content, b"\"analysis\"").is_some();
    if !is_bill || has_analysis {
        let statements = vex::parse(content, &path).map_err(|error| error.to_string())?;
        said.extend(statements.into_iter().map(|statement| Statement {
            target: Some(number),
            ..statement
        }));
    }
    if is_bill {
        let mut facts = bill::read(&path, content).map_err(|error| {
            let line = error.line.map(|line| format!("line {line}: "));
            format!("{}{}", line.unwrap_or_default(), error.cause)
        })?;
        let path: Arc<str> = path.into();
        for package in &mut facts.packages {
            // Whatever layers it names are not those that were read.
            let line = package.locations.iter().find_map(Location::start_line);
            package.locations = vec![match line {
                Some(line) => Location::line(Arc::clone(&path), line),
                None => Location::file(Arc::clone(&path)),
            }];
        }
        for gap in &mut facts.gaps {
            // The layers were read: the bill is more than was there before.
            gap.class = GapClass::Partial;
        }
        bills.push((path, facts));
    }
    Ok(())
}

/// The statements that the user gave, with those that are attached.
pub(super) fn with(given: &[Statement], attached: Vec<Statement>) -> Cow<'_, [Statement]> {
    if attached.is_empty() {
        return Cow::Borrowed(given);
    }
    let mut all = given.to_vec();
    all.extend(attached);
    Cow::Owned(all)
}

/// Adds the packages of bills that the layers did not show.
pub(super) fn add(inventory: &mut Inventory, mut bills: Vec<(Arc<str>, Facts)>) {
    if bills.is_empty() {
        return;
    }
    if let Some(distribution) = &inventory.distribution {
        for (_, facts) in &mut bills {
            facts.distribution = Some(distribution.clone());
        }
    }
    let listed = assemble(bills);
    let key = |package: &Package| {
        (
            package.kind,
            Arc::clone(&package.name),
            Arc::clone(&package.version),
        )
    };
    let known: BTreeSet<_> = inventory.packages.iter().map(key).collect();
    let fresh = listed.packages.into_iter();
    let fresh = fresh.filter(|package| !known.contains(&key(package)));
    inventory.packages.extend(fresh);
    inventory.packages.sort();
    inventory.gaps.extend(listed.gaps);
    inventory.gaps.sort();
    if inventory.distribution.is_none() {
        inventory.distribution = listed.distribution;
    }
}
