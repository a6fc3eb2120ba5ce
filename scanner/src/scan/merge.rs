//! Merges what the files of each target say into one report: packages, gaps, and what the rules
//! said. From here on paths are those that reports show: relative to the working directory where
//! the target lies below it. Nothing is compared with advisories yet.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::judge::Judged;
use super::read::{Work, source_cause};
use super::{Request, TargetFailure};
use super::{attached, ledger};
use crate::eol::{self, Supported};
use crate::inventory::assemble::assemble;
use crate::misconfig;
use crate::model::gap::{Gap, GapClass, GapKind, Stage};
use crate::model::location::Location;
use crate::model::report::{Report, TargetGap};
use crate::model::target::TargetKind;

/// What has been merged, with what the ledger of each target still needs.
pub(super) struct Merged {
    pub(super) report: Report,
    /// The targets that are left out of the question whether anything was judged: others that are
    /// targets, too, came out of them.
    pub(super) answered: BTreeSet<usize>,
    /// By target: what its makers support until some day.
    pub(super) supported: Vec<Vec<Supported>>,
}

/// Merges all targets.
pub(super) fn targets(
    request: &Request,
    works: Vec<Work>,
    judged: Judged,
    failures: &[TargetFailure],
) -> Merged {
    let mut report = Report {
        date: request.date.clone(),
        ..Report::default()
    };
    let judged_with_others = judged_with_others(&works);
    let mut answered = BTreeSet::new();
    let mut supported = Vec::new();
    for (index, (work, rules)) in works.into_iter().zip(judged).enumerate() {
        if work.holds_images || judged_with_others.contains(&work.target.path) {
            answered.insert(index);
        }
        supported.push(one(&mut report, index, work, rules));
    }
    for failure in failures {
        report.failed_targets += 1;
        let place = Location::file(failure.target.as_str());
        let cause = source_cause(&failure.error);
        let gap = Gap::error(Stage::Source, GapKind::Unreadable, place, cause);
        report.gaps.push(TargetGap {
            target: None,
            gap: gap.failure(),
            accepted: false,
        });
    }
    Merged {
        report,
        answered,
        supported,
    }
}

fn one(
    report: &mut Report,
    index: usize,
    work: Work,
    rules: Option<misconfig::Checked>,
) -> Vec<Supported> {
    let mut target = work.target;
    let prefix = target.prefix.as_str();
    let mut inventory = assemble(work.files);
    attached::add(&mut inventory, work.bills);
    let mut supported = eol::of(&inventory, target.kind.is_image());
    for one in &mut supported {
        prepend(one.location_mut(), prefix);
    }
    let mut gaps = work.gaps;
    gaps.extend(inventory.gaps);
    if work.lies_in_tree {
        for gap in &mut gaps {
            gap.class = gap.class.max(GapClass::Unjudged);
        }
    }
    let packages = inventory.packages.into_iter().map(|mut package| {
        for location in &mut package.locations {
            prepend(location, prefix);
        }
        (index, Arc::new(package))
    });
    report.packages.extend(packages);
    if let Some(outcome) = rules {
        gaps.extend(outcome.gaps);
        for mut finding in outcome.findings {
            finding.target = index;
            prepend(&mut finding.location, prefix);
            report.findings.push(finding);
        }
        for mut undecided in outcome.undecided {
            undecided.target = index;
            prepend(&mut undecided.location, prefix);
            report.undecided.push(undecided);
        }
        report.checks.passed += outcome.checks.passed;
        report.checks.failed += outcome.checks.failed;
        report.checks.undecided += outcome.checks.undecided;
    }
    report.gaps.extend(gaps.into_iter().map(|mut gap| {
        prepend(&mut gap.location, prefix);
        TargetGap {
            target: Some(index),
            gap,
            accepted: false,
        }
    }));
    if target.kind.is_image() || target.kind == TargetKind::Bill {
        target.distribution = inventory.distribution;
        target.products = inventory.products;
    }
    report.targets.push(target);
    supported
}

/// The archives and layouts of several images of which at least one was judged: what was named holds
/// something that is judged, and its other images, of which the ledger says that nothing was read,
/// are no gap of their own.
fn judged_with_others(work: &[Work]) -> BTreeSet<String> {
    let images = work.iter().filter(|work| work.target.kind.is_image());
    let judged = images.filter(|work| {
        let any_package = work
            .files
            .iter()
            .any(|(_, facts)| !facts.packages.is_empty());
        any_package || !ledger::nothing_judged(&work.target.coverage)
    });
    judged.map(|work| work.target.path.clone()).collect()
}

fn prepend(location: &mut Location, prefix: &str) {
    if !prefix.is_empty() {
        location.path = if location.path.is_empty() {
            Arc::from(prefix)
        } else {
            Arc::from(format!("{prefix}/{}", location.path))
        };
    }
}
