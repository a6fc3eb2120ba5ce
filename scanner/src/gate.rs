//! Judges a report by a policy, and maps the outcome of a run to its exit code: the one place
//! where either is decided.

use crate::finding::{Kind, Severity};
use crate::report::Report;

/// From which severity on a finding fails the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// This severity and all above; `Unknown` means every finding.
    Severity(Severity),
    /// Nothing fails the run.
    Never,
}

/// What the user asked the gate to hold.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Threshold.
    pub fail_on: FailOn,
    /// Vulnerabilities without a fixed version do not count.
    pub ignore_unfixed: bool,
    /// Gaps are as bad as not finishing.
    pub strict: bool,
    /// Report, but do not fail.
    pub exit_zero: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            fail_on: FailOn::Severity(Severity::High),
            ignore_unfixed: false,
            strict: false,
            exit_zero: false,
        }
    }
}

/// The judgement over a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Nothing violates the policy.
    pub passed: bool,
    /// Nothing was left out.
    pub complete: bool,
    /// Every target could be scanned.
    pub finished: bool,
    /// One sentence for people.
    pub reason: String,
    /// Findings that violate the policy.
    pub violations: usize,
}

/// Judges a report.
pub fn judge(report: &Report, policy: &Policy) -> Verdict {
    let mut counts = [0usize; 5];
    let mut unknown = 0usize;
    let mut ignored = 0usize;
    for finding in report
        .findings
        .iter()
        .filter(|finding| finding.suppressed.is_none())
    {
        if finding.severity == Severity::Unknown {
            unknown += 1;
        }
        let unfixed = matches!(&finding.kind, Kind::Vulnerability(v) if v.fixed.is_empty());
        if policy.ignore_unfixed && unfixed {
            ignored += 1;
            continue;
        }
        let violates = match policy.fail_on {
            FailOn::Severity(threshold) => finding.severity >= threshold,
            FailOn::Never => false,
        };
        if violates {
            let slot = Severity::ALL.iter().position(|s| *s == finding.severity);
            if let Some(count) = slot.and_then(|slot| counts.get_mut(slot)) {
                *count += 1;
            }
        }
    }
    let violations: usize = counts.iter().sum();
    let complete = report.gaps.is_empty();
    Verdict {
        passed: violations == 0 && report.failed_targets == 0,
        complete,
        finished: report.failed_targets == 0,
        reason: reason(report, policy, &counts, unknown, ignored),
        violations,
    }
}

fn reason(
    report: &Report,
    policy: &Policy,
    counts: &[usize; 5],
    unknown: usize,
    ignored: usize,
) -> String {
    let threshold = match policy.fail_on {
        FailOn::Severity(severity) => format!("fail on {severity} and above"),
        FailOn::Never => "no severity fails the run".to_owned(),
    };
    let listed: Vec<String> = Severity::ALL
        .iter()
        .zip(counts)
        .filter(|(_, count)| **count > 0)
        .map(|(severity, count)| format!("{count} {severity}"))
        .collect();
    let mut text = if listed.is_empty() {
        format!("no finding violates the policy ({threshold})")
    } else {
        format!("{} violate the policy ({threshold})", listed.join(", "))
    };
    text.push_str(&format!("; {unknown} of UNKNOWN severity"));
    if ignored > 0 {
        text.push_str(&format!("; {ignored} without a fix ignored"));
    }
    match report.failed_targets {
        0 => {}
        1 => text.push_str("; 1 target could not be scanned"),
        failed => text.push_str(&format!("; {failed} targets could not be scanned")),
    }
    if !report.undecided.is_empty() {
        text.push_str(&format!("; {} checks undecided", report.undecided.len()));
    }
    match report.gaps.len() {
        0 => {}
        1 => text.push_str("; incomplete: 1 gap"),
        gaps => text.push_str(&format!("; incomplete: {gaps} gaps")),
    }
    text
}

/// The exit code of a run that reached a verdict: 0 within policy, 1 violated, 2 for a target
/// that could not be scanned and for gaps under `--strict`. `--exit-zero` hides 1, never 2. A
/// run that did not reach a verdict exits with 2.
pub fn exit_code(verdict: &Verdict, policy: &Policy) -> u8 {
    if !verdict.finished || (policy.strict && !verdict.complete) {
        2
    } else if !verdict.passed && !policy.exit_zero {
        1
    } else {
        0
    }
}
