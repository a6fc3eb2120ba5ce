//! SPDX in two shapes: 2.3 as a list of packages (`two`), 3.0 as a graph (`three`). What both say in words
//! is here.

pub(super) mod three;
pub(super) mod two;

use super::Item;
use crate::model::report::Report;

/// Whether the document lists all packages, and what was left out.
fn comment(report: &Report, gaps: &[String]) -> String {
    let is_whole = (0..report.targets.len()).all(|target| super::is_whole(report, target));
    match (is_whole, gaps) {
        (true, []) => "complete: nothing was left out".to_owned(),
        (true, gaps) => format!("complete, but not judged whole:\n{}", gaps.join("\n")),
        (false, gaps) => format!("incomplete:\n{}", gaps.join("\n")),
    }
}

/// Where a package was found.
fn source(item: &Item<'_>) -> String {
    let places = item.package.locations.iter().map(|location| {
        let layer = location.layer.as_ref();
        let layer = layer.map_or_else(String::new, |layer| format!(" (layer {})", layer.digest));
        format!("{}{layer}", location.path)
    });
    let places: Vec<String> = places.collect();
    format!("found in {}", places.join(", "))
}
