//! Judges the infrastructure code of the source trees: evaluates it and runs the rules. It comes
//! right after the reading, and before anything is merged, because the evaluator reads its files by
//! itself and hands over one stack at a time: all of them at once would not fit.

use std::collections::BTreeSet;

use super::read::{Infrastructure, Work};
use super::{Error, Request, Rules};
use crate::inventory::dispatch;
use crate::misconfig;
use crate::model::coverage::{Coverage, SkipRule};
use crate::model::gap::GapKind;
use crate::source::root::Watched;
use crate::source::tree;

/// What the rules said of one target, in the order of the targets.
pub(super) type Judged = Vec<Option<misconfig::Checked>>;

/// Judges all targets, and counts their files.
pub(super) fn targets(
    request: &Request,
    works: &mut [Work],
    rules: &dyn Rules,
) -> Result<Judged, Error> {
    let mut judged = Vec::new();
    for work in works {
        let Some(code) = work.infrastructure.take() else {
            judged.push(None);
            continue;
        };
        judged.push(one(request, &code, work, rules)?);
    }
    Ok(judged)
}

fn one(
    request: &Request,
    code: &Infrastructure,
    work: &mut Work,
    rules: &dyn Rules,
) -> Result<Option<misconfig::Checked>, Error> {
    let analyzers = dispatch::in_trees();
    let files = Watched::new(&*code.root, &analyzers);
    let outcome = if code.inputs.values().all(Vec::is_empty) {
        None
    } else {
        let ruleset = rules.load()?;
        let options = &request.terraform;
        Some(misconfig::check(&files, &code.inputs, ruleset, options))
    };
    if let Some(outcome) = &outcome {
        work.target.coverage.terraform = outcome.coverage;
    }
    count(code, &files, outcome.as_ref(), &mut work.target.coverage);
    tree::watch_rest(&files, &code.files, &mut work.files, &mut work.gaps);
    Ok(outcome)
}

/// Every file of infrastructure code has one fate, too.
fn count(
    code: &Infrastructure,
    files: &Watched<'_>,
    outcome: Option<&misconfig::Checked>,
    coverage: &mut Coverage,
) {
    let mut read = BTreeSet::new();
    let mut unreadable = BTreeSet::new();
    if let Some(outcome) = outcome {
        read = files.read_paths();
        // A file under several names is opened once.
        read.extend(outcome.files.iter().cloned());
        let gaps = outcome.gaps.iter();
        let gaps = gaps.filter(|gap| gap.kind == GapKind::Unreadable);
        unreadable.extend(gaps.map(|gap| gap.location.path.to_string()));
    }
    for path in &code.files {
        if unreadable.contains(path) {
            coverage.files.unreadable();
        } else if read.contains(path) {
            coverage.files.read();
        } else {
            coverage.files.skip(SkipRule::NotRead, 1);
        }
    }
}
