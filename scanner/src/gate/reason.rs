//! The verdict in one line: what was held against what, and what was left out of the count.

use std::fmt::Write as _;

use db_sync::FeedKind;

use super::{FailOn, Policy, Tally, too_old};
use crate::finding::Severity;
use crate::report::Report;

/// What fails the run.
fn conditions(policy: Policy) -> String {
    let mut text = match policy.fail_on {
        FailOn::Severity(Severity::Unknown) => "fail on any severity".to_owned(),
        FailOn::Severity(Severity::Critical) => "fail on CRITICAL".to_owned(),
        FailOn::Severity(severity) => format!("fail on {severity} and above"),
        FailOn::Never => "no severity fails the run".to_owned(),
    };
    if policy.fail_on_kev {
        text.push_str(", fail on KEV");
    }
    if let Some(score) = policy.fail_on_epss {
        let _ = write!(text, ", fail on EPSS {score} and above");
    }
    text
}

/// The line that ends a report.
pub(super) fn reason(
    report: &Report,
    policy: Policy,
    tally: &Tally,
    missing: &[FeedKind],
) -> String {
    let conditions = conditions(policy);
    let mut text = String::new();
    for kind in missing {
        let _ = write!(
            text,
            "cannot be judged: the database has no usable {kind} feed; "
        );
    }
    let old = too_old(report, &policy);
    if !old.is_empty() {
        let names: Vec<&str> = old.iter().map(|old| old.ecosystem.as_str()).collect();
        let _ = write!(text, "cannot be judged: too old are {}; ", names.join(", "));
    }
    let listed = tally.listed().join(", ");
    // One finding may meet several conditions, so that their counts do not add up.
    let listed = match (policy.feeds().is_empty(), tally.violating) {
        (true, _) => listed,
        (false, 1) => format!("1 finding ({listed})"),
        (false, violating) => format!("{violating} findings ({listed})"),
    };
    let _ = match tally.violating {
        0 => write!(text, "no finding violates the policy ({conditions})"),
        1 => write!(text, "{listed} violates the policy ({conditions})"),
        _ => write!(text, "{listed} violate the policy ({conditions})"),
    };
    let mut say = |number: usize, one: &str, many: &str| {
        let _ = match number {
            0 => Ok(()),
            1 => write!(text, "; 1 {one}"),
            number => write!(text, "; {number} {many}"),
        };
    };
    say(
        tally.unfixed,
        "without a fix ignored",
        "without a fix ignored",
    );
    say(tally.suppressed, "suppressed", "suppressed");
    say(
        report.failed_targets,
        "target could not be scanned",
        "targets could not be scanned",
    );
    say(
        report.undecided.len(),
        "check undecided",
        "checks undecided",
    );
    let _ = write!(text, "; {} of UNKNOWN severity", tally.unknown);
    match report.gaps.len() {
        0 => {}
        1 => text.push_str("; incomplete: 1 gap"),
        gaps => {
            let _ = write!(text, "; incomplete: {gaps} gaps");
        }
    }
    if policy.strict && !report.gaps.is_empty() {
        text.push_str(", which --strict refuses");
    }
    text
}
