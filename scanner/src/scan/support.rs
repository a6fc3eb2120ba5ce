//! Adds a finding for every distribution and runtime whose support has ended on the day of the run, and
//! a gap where the table of releases does not have one.

use super::Request;
use super::merge::Merged;
use crate::eol;
use crate::model::report::TargetGap;

/// Judges what all targets have.
pub(super) fn targets(request: &Request, merged: &mut Merged) {
    // It is a part of looking at packages.
    let Some(table) = request
        .supported
        .as_ref()
        .filter(|_| request.vulnerabilities)
    else {
        return;
    };
    for (index, found) in merged.supported.iter().enumerate() {
        let judged = eol::judge(found, table, &request.date);
        for mut finding in judged.findings {
            finding.target = index;
            merged.report.findings.push(finding);
        }
        let gaps = judged.gaps.into_iter();
        merged.report.gaps.extend(gaps.map(|gap| TargetGap {
            target: Some(index),
            gap,
            accepted: false,
        }));
    }
}
