//! The verdict in one line: what was held against what, and what was left out of the count.

use std::fmt::Write as _;

use db_sync::FeedKind;

use super::{FailOn, GapPolicy, OpenGaps, Policy, Tally, too_old};
use crate::model::finding::Severity;
use crate::model::report::Report;
use crate::phrase;

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
    if policy.fail_on_disputed {
        text.push_str(", possible and disputed ones too");
    }
    if let Some(severity) = policy.fail_on_undecided {
        let _ = write!(text, ", fail on undecided checks of {severity} and above");
    }
    text
}

/// The line that ends a report. Where the run is not finished it opens with what kept it from a
/// verdict, and calls nothing passed or failed.
pub(super) fn reason(
    report: &Report,
    policy: Policy,
    tally: &Tally,
    missing: &[FeedKind],
    gaps: &OpenGaps,
) -> String {
    let mut parts = unfinished(report, &policy, missing, gaps);
    if parts.is_empty() {
        parts.push(violations(policy, tally));
    } else {
        parts.push("no verdict".to_owned());
        if tally.violating > 0 {
            parts.push(format!("found so far: {}", violations(policy, tally)));
        }
    }
    let mut say = |number: usize, one: &str, many: &str| match number {
        0 => {}
        1 => parts.push(format!("1 {one}")),
        number => parts.push(format!("{number} {many}")),
    };
    say(
        tally.unfixed,
        "without a fix ignored",
        "without a fix ignored",
    );
    say(
        tally.doubtful,
        "possible or disputed, not counted",
        "possible or disputed, not counted",
    );
    say(tally.suppressed, "suppressed", "suppressed");
    say(
        report.undecided.len(),
        "check undecided",
        "checks undecided",
    );
    parts.push(format!("{} of UNKNOWN severity", tally.unknown));
    if gaps.counted() > 0 {
        parts.push(counted(gaps));
    }
    parts.join("; ")
}

/// What was held against the policy.
fn violations(policy: Policy, tally: &Tally) -> String {
    let conditions = conditions(policy);
    let listed = tally.listed().join(", ");
    // One finding may meet several conditions, so that their counts do not add up.
    let listed = match (policy.feeds().is_empty(), tally.violating) {
        (true, _) => listed,
        (false, 1) => format!("1 finding ({listed})"),
        (false, violating) => format!("{violating} findings ({listed})"),
    };
    match tally.violating {
        0 => format!("no finding violates the policy ({conditions})"),
        1 => format!("{listed} violates the policy ({conditions})"),
        _ => format!("{listed} violate the policy ({conditions})"),
    }
}

/// Everything that keeps a run from a verdict; empty where it has one.
fn unfinished(
    report: &Report,
    policy: &Policy,
    missing: &[FeedKind],
    gaps: &OpenGaps,
) -> Vec<String> {
    let mut parts = Vec::new();
    match report.failed_targets {
        0 => {}
        1 => parts.push("1 target could not be scanned".to_owned()),
        failed => parts.push(format!("{failed} targets could not be scanned")),
    }
    match gaps.failure.saturating_sub(report.failed_targets) {
        0 => {}
        1 => parts.push("1 image could not be read whole".to_owned()),
        more => parts.push(format!("{more} images or layers could not be read whole")),
    }
    for kind in missing {
        parts.push(format!("the database has no usable {kind} feed"));
    }
    let old = too_old(report, policy);
    if !old.is_empty() {
        let names: Vec<&str> = old.iter().map(|old| old.ecosystem.as_str()).collect();
        parts.push(format!(
            "the advisories for {} are too old",
            names.join(", ")
        ));
    }
    match policy.gaps {
        GapPolicy::Strict if gaps.unjudged.saturating_add(gaps.partial) > 0 => {
            let open = gaps.unjudged.saturating_add(gaps.partial);
            let noun = if open == 1 { "gap" } else { "gaps" };
            parts.push(format!("{open} {noun}, which --strict does not allow"));
        }
        GapPolicy::Unjudged if gaps.unjudged > 0 => {
            let kinds = gaps.kinds.iter().map(|(kind, count)| match count {
                1 => phrase::word(kind),
                count => format!("{count} {}", phrase::word(kind)),
            });
            let kinds: Vec<String> = kinds.collect();
            parts.push(format!(
                "not everything was judged ({}; see --allow and --lenient)",
                kinds.join(", ")
            ));
        }
        _ => {}
    }
    parts
}

/// `5 gaps (1 unjudged, 3 partial, 1 accepted)`.
fn counted(gaps: &OpenGaps) -> String {
    let classes = [
        (gaps.unjudged, "unjudged"),
        (gaps.partial, "partial"),
        (gaps.accepted, "accepted"),
    ];
    let classes: Vec<String> = classes
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    format!(
        "{} ({})",
        phrase::count(gaps.counted(), "gap"),
        classes.join(", ")
    )
}
