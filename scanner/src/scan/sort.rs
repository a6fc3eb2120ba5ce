//! Takes credentials out of what is reported, and sorts every list, so that the same input gives the
//! same bytes.

use std::borrow::Cow;

use crate::credentials;
use crate::model::finding::Finding;
use crate::model::report::Report;

/// Sorts a report.
pub(super) fn report(report: &mut Report) {
    for entry in &mut report.gaps {
        if let Cow::Owned(cause) = credentials::without(&entry.gap.cause) {
            entry.gap.cause = cause.into();
        }
    }
    for undecided in &mut report.undecided {
        if let Cow::Owned(cause) = credentials::without(&undecided.cause) {
            undecided.cause = cause;
        }
    }
    report.gaps.sort();
    report.gaps.dedup();
    report.undecided.sort();
    report.undecided.dedup();
    report.findings.sort_by(|a, b| order(a).cmp(&order(b)));
}

fn order(finding: &Finding) -> impl Ord + '_ {
    (
        finding.target,
        &finding.location,
        finding.kind.subject(),
        &finding.rule,
        &finding.message,
    )
}
