//! Judges a report by a policy, and maps the outcome of a run to its exit code: the one place
//! where either is decided.

use std::fmt::Write as _;

use crate::finding::{Finding, Kind, Severity};
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
    /// The run finished and nothing violates the policy.
    pub passed: bool,
    /// Nothing was left out.
    pub complete: bool,
    /// Every target could be scanned, and under `--strict` nothing was left out.
    pub finished: bool,
    /// One sentence for people.
    pub reason: String,
    /// Findings that violate the policy.
    pub violations: usize,
}

/// What the findings that are not suppressed amount to.
#[derive(Default)]
struct Tally {
    /// Violations by severity, in the order of `Severity::ALL`.
    violations: [usize; Severity::ALL.len()],
    /// Of UNKNOWN severity, whether they violate or not.
    unknown: usize,
    /// Would violate, but have no fix.
    unfixed: usize,
    /// Would violate, but are suppressed.
    suppressed: usize,
}

impl Tally {
    fn add(&mut self, finding: &Finding, policy: Policy) {
        if finding.suppressed.is_none() && finding.severity == Severity::Unknown {
            self.unknown = self.unknown.saturating_add(1);
        }
        let reached = match policy.fail_on {
            FailOn::Severity(threshold) => finding.severity >= threshold,
            FailOn::Never => false,
        };
        if !reached {
            return;
        }
        let unfixed = matches!(&finding.kind, Kind::Vulnerability(v) if v.fixed.is_empty());
        let slot = Severity::ALL.iter().position(|s| *s == finding.severity);
        let count = if finding.suppressed.is_some() {
            Some(&mut self.suppressed)
        } else if policy.ignore_unfixed && unfixed {
            Some(&mut self.unfixed)
        } else {
            slot.and_then(|slot| self.violations.get_mut(slot))
        };
        if let Some(count) = count {
            *count = count.saturating_add(1);
        }
    }
}

/// Judges a report.
pub fn judge(report: &Report, policy: &Policy) -> Verdict {
    let mut tally = Tally::default();
    for finding in &report.findings {
        tally.add(finding, *policy);
    }
    let violations: usize = tally.violations.iter().sum();
    let complete = report.gaps.is_empty() && report.failed_targets == 0;
    let finished = report.failed_targets == 0 && (complete || !policy.strict);
    Verdict {
        passed: finished && violations == 0,
        complete,
        finished,
        reason: reason(report, *policy, &tally),
        violations,
    }
}

fn reason(report: &Report, policy: Policy, tally: &Tally) -> String {
    let threshold = match policy.fail_on {
        FailOn::Severity(Severity::Unknown) => "fail on any severity".to_owned(),
        FailOn::Severity(Severity::Critical) => "fail on CRITICAL".to_owned(),
        FailOn::Severity(severity) => format!("fail on {severity} and above"),
        FailOn::Never => "no severity fails the run".to_owned(),
    };
    let listed: Vec<String> = Severity::ALL
        .iter()
        .zip(tally.violations)
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {severity}"))
        .collect();
    let mut text = match tally.violations.iter().sum() {
        0usize => format!("no finding violates the policy ({threshold})"),
        1 => format!("{} violates the policy ({threshold})", listed.join(", ")),
        _ => format!("{} violate the policy ({threshold})", listed.join(", ")),
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

/// The exit code of a run that reached a verdict: 0 within policy, 1 violated, 2 for a target
/// that could not be scanned and for gaps under `--strict`. `--exit-zero` hides 1, never 2. A
/// run that did not reach a verdict exits with 2.
pub const fn exit_code(verdict: &Verdict, policy: &Policy) -> u8 {
    if !verdict.finished {
        2
    } else if !verdict.passed && !policy.exit_zero {
        1
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::finding::{Misconfiguration, Vulnerability};
    use crate::gap::{Gap, GapKind, Stage};
    use crate::location::Location;
    use crate::package::{Package, PackageType};
    use crate::report::{TargetGap, Undecided};

    fn finding(severity: Severity, kind: Kind) -> Finding {
        Finding {
            target: 0,
            rule: "r".into(),
            aliases: Vec::new(),
            severity,
            score: None,
            severity_source: "rule".into(),
            title: "t".into(),
            message: String::new(),
            location: Location::file("f"),
            fingerprint: String::new(),
            kind,
            suppressed: None,
        }
    }

    fn misconfigured(severity: Severity) -> Finding {
        let resource = "a.b".into();
        finding(
            severity,
            Kind::Misconfiguration(Misconfiguration {
                resource,
                fix: None,
            }),
        )
    }

    fn vulnerable(severity: Severity, fixed: &[&str]) -> Finding {
        let vulnerability = Vulnerability {
            package: Arc::new(Package::new(PackageType::Npm, "p", "1")),
            fixed: fixed.iter().map(|version| (*version).to_owned()).collect(),
            merged: Vec::new(),
            informational: None,
            scope: db_sync::advisory::Scope::default(),
        };
        finding(severity, Kind::Vulnerability(vulnerability))
    }

    fn report(findings: Vec<Finding>) -> Report {
        Report {
            findings,
            ..Report::default()
        }
    }

    fn gap() -> TargetGap {
        let gap = Gap::warning(
            Stage::Source,
            GapKind::Limit,
            Location::file("f"),
            "too large",
        );
        TargetGap { target: None, gap }
    }

    #[test]
    fn every_combination_has_one_code() {
        // violated, gap, failed target, strict, exit-zero: the code by the three sentences of
        // the contract.
        for bits in 0u32..32 {
            let [violated, gaps, failed, strict, exit_zero] =
                [1, 2, 4, 8, 16].map(|bit| bits & bit != 0);
            let mut report = report(Vec::new());
            if violated {
                report.findings.push(misconfigured(Severity::High));
            }
            if gaps || failed {
                report.gaps.push(gap());
            }
            report.failed_targets = usize::from(failed);
            let policy = Policy {
                strict,
                exit_zero,
                ..Policy::default()
            };
            let verdict = judge(&report, &policy);
            let expected = if failed || (strict && gaps) {
                2
            } else {
                u8::from(violated && !exit_zero)
            };
            assert_eq!(exit_code(&verdict, &policy), expected, "{bits:05b}");
            assert_eq!(verdict.complete, !gaps && !failed);
            assert_eq!(verdict.finished, expected != 2);
            assert_eq!(verdict.passed, !violated && expected != 2);
        }
    }

    #[test]
    fn thresholds() {
        let on = FailOn::Severity;
        for (fail_on, violations) in [
            (on(Severity::Critical), 1),
            (on(Severity::High), 2),
            (on(Severity::Medium), 3),
            (on(Severity::Low), 4),
            (on(Severity::Unknown), 5),
            (FailOn::Never, 0),
        ] {
            let report = report(Severity::ALL.map(misconfigured).into());
            let policy = Policy {
                fail_on,
                ..Policy::default()
            };
            let verdict = judge(&report, &policy);
            assert_eq!(
                (verdict.violations, verdict.passed),
                (violations, violations == 0),
                "{fail_on:?}"
            );
            assert!(
                verdict.reason.contains("1 of UNKNOWN severity"),
                "{}",
                verdict.reason
            );
        }
    }

    #[test]
    fn unfixed_and_suppressed_findings_do_not_count() {
        let mut quiet = vulnerable(Severity::Critical, &["2"]);
        quiet.suppressed = Some("not used".to_owned());
        let report = report(vec![
            vulnerable(Severity::High, &[]),
            vulnerable(Severity::Low, &[]),
            quiet,
        ]);
        let mut policy = Policy::default();
        assert_eq!(judge(&report, &policy).violations, 1);
        policy.ignore_unfixed = true;
        let verdict = judge(&report, &policy);
        assert!(verdict.passed);
        assert_eq!(
            verdict.reason,
            "no finding violates the policy (fail on HIGH and above); 1 without a fix ignored; 1 suppressed; 0 of UNKNOWN severity"
        );
    }

    #[test]
    fn misconfigurations_count_under_ignore_unfixed() {
        let policy = Policy {
            ignore_unfixed: true,
            ..Policy::default()
        };
        assert_eq!(
            judge(&report(vec![misconfigured(Severity::High)]), &policy).violations,
            1
        );
    }

    #[test]
    fn undecided_checks_are_told_and_change_nothing() {
        let mut report = report(Vec::new());
        report.undecided.push(Undecided {
            target: 0,
            rule: "r".into(),
            resource: "a.b".into(),
            location: Location::file("f"),
            cause: "unknown".to_owned(),
        });
        let policy = Policy {
            strict: true,
            ..Policy::default()
        };
        let verdict = judge(&report, &policy);
        assert_eq!((exit_code(&verdict, &policy), verdict.complete), (0, true));
        assert!(verdict.reason.contains("; 1 check undecided"));
    }

    #[test]
    fn the_reason_tells_what_is_missing() {
        let mut report = report(vec![
            misconfigured(Severity::High),
            misconfigured(Severity::Unknown),
        ]);
        report.gaps = vec![gap(), gap()];
        let policy = Policy {
            strict: true,
            ..Policy::default()
        };
        assert_eq!(
            judge(&report, &policy).reason,
            "1 HIGH violates the policy (fail on HIGH and above); 1 of UNKNOWN severity; incomplete: 2 gaps, which --strict refuses"
        );
    }
}
