//! Gaps as tool notifications: what was not looked at stands beside what was found.

use super::model::{Notification, ReportingDescriptorReference, plain};
use super::{place, uri};
use crate::model::gap::{GapKind, GapSeverity};
use crate::model::report::{Report, TargetGap};
use crate::output::escape::{message, truncate};
use crate::phrase;

/// Most characters of a cause or path in a notification.
const PART_LIMIT: usize = 1_000;

/// The notifications of a run: its gaps, the gravest first when there are more than `limit`,
/// undecided checks, notes, the ledger of each target, then what the report itself had to leave out.
pub(crate) fn notifications(report: &Report, dropped: usize, limit: usize) -> Vec<Notification> {
    let mut gaps: Vec<&TargetGap> = report.gaps.iter().collect();
    let left_out = gaps.len().saturating_sub(limit);
    if left_out > 0 {
        gaps.sort_by_key(|gap| (gap.accepted, gap.gap.class, gap.gap.severity));
        gaps.truncate(limit);
    }
    let mut out: Vec<Notification> = gaps.into_iter().map(|gap| of_gap(report, gap)).collect();
    if left_out > 0 {
        let text = format!(
            "{} not listed here, to keep the file small; the JSON report has all",
            phrase::count(left_out, "gap")
        );
        out.push(notification(
            GapKind::ResultsDropped,
            GapSeverity::Warning,
            text,
        ));
    }
    undecided(report, limit, &mut out);
    for note in phrase::notes(report).iter().take(limit) {
        out.push(remark("note", note));
    }
    for target in report.targets.iter().take(limit) {
        let ledger = phrase::coverage(&target.coverage);
        out.push(remark("coverage", &format!("{}: {ledger}", target.id)));
    }
    if dropped > 0 {
        let text = format!(
            "{} left out, the least severe first, to stay under the limits of code scanning; the JSON report has all",
            phrase::count(dropped, "result")
        );
        out.push(notification(
            GapKind::ResultsDropped,
            GapSeverity::Warning,
            text,
        ));
    }
    out
}

/// Something to know that is neither a gap nor a finding.
fn remark(id: &str, text: &str) -> Notification {
    Notification {
        descriptor: ReportingDescriptorReference { id: id.to_owned() },
        level: "note".to_owned(),
        locations: Vec::new(),
        message: plain(message(&truncate(text, PART_LIMIT))),
    }
}

/// Checks that an unknown value kept open: code scanning has no state for them, and as results they
/// would be alerts.
fn undecided(report: &Report, limit: usize, out: &mut Vec<Notification>) {
    for check in report.undecided.iter().take(limit) {
        let text = format!(
            "{} ({}) is undecided for {}: {}",
            check.rule, check.severity, check.resource, check.cause
        );
        let mut note = remark("undecided", &text);
        let uri = uri::of(report.targets.get(check.target), &check.location);
        if uri != "." {
            let region = Some(place::sound(check.location.region));
            note.locations = vec![place::location(&uri, region, Vec::new())];
        }
        out.push(note);
    }
    let left_out = report.undecided.len().saturating_sub(limit);
    if left_out > 0 {
        let text = format!(
            "{} more undecided, not listed here to keep the file small; the JSON report has all",
            phrase::count(left_out, "check")
        );
        out.push(remark("undecided", &text));
    }
}

fn notification(kind: GapKind, severity: GapSeverity, text: String) -> Notification {
    Notification {
        descriptor: ReportingDescriptorReference {
            id: phrase::word(kind),
        },
        level: phrase::word(severity),
        locations: Vec::new(),
        message: plain(text),
    }
}

fn of_gap(report: &Report, entry: &TargetGap) -> Notification {
    let gap = &entry.gap;
    let target = entry.target.and_then(|index| report.targets.get(index));
    let shown = message(&truncate(&phrase::place(&gap.location), PART_LIMIT));
    let cause = message(&truncate(&gap.cause, PART_LIMIT));
    let stage = phrase::word(gap.stage);
    let class = if entry.accepted {
        "accepted".to_owned()
    } else {
        phrase::word(gap.class)
    };
    let text = if shown.is_empty() {
        format!("{class}, {stage}: {cause}")
    } else {
        format!("{class}, {stage}: {shown}: {cause}")
    };
    let mut out = notification(gap.kind, gap.severity, text);
    let uri = uri::of(target, &gap.location);
    if uri != "." {
        let layer = gap.location.layer.as_deref().map(place::layer);
        let region = gap.location.region.map(|region| place::sound(Some(region)));
        out.locations = vec![place::location(&uri, region, layer.into_iter().collect())];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gap::{Gap, Stage};
    use crate::model::location::Location;

    #[test]
    fn errors_stay_and_the_rest_is_counted() {
        let entry = |gap| TargetGap {
            target: None,
            gap,
            accepted: false,
        };
        let path = |n: u32| Location::line("a", n);
        let mut report = Report::default();
        for n in 1..=4 {
            let warning = Gap::warning(Stage::Source, GapKind::Limit, path(n), "too many");
            report.gaps.push(entry(warning));
        }
        let error = Gap::error(Stage::Source, GapKind::Malformed, path(5), "bad");
        report.gaps.push(entry(error));
        let texts = |limit, dropped| -> Vec<String> {
            notifications(&report, dropped, limit)
                .into_iter()
                .map(|note| note.message.text)
                .collect()
        };
        assert_eq!(texts(5, 0).len(), 5);
        let few = texts(2, 7);
        assert_eq!(few.len(), 4);
        assert_eq!(few[0], "partial, source: a:5: bad");
        assert!(few[2].starts_with("3 gaps not listed here"));
        assert!(few[3].starts_with("7 results left out"));
    }
}
