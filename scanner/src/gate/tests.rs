//! Verdicts, exit codes and reasons.

use std::sync::Arc;

use db_sync::{Cve, Day, Epss, FeedInfo, Kev};

use super::*;
use crate::finding::{Misconfiguration, Vulnerability};
use crate::gap::{Gap, GapKind, Stage};
use crate::location::Location;
use crate::package::{Package, PackageType};
use crate::report::{Database, Feed, TargetGap, Undecided};

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
    let package = Arc::new(Package::new(PackageType::Npm, "p", "1"));
    let vulnerability = Vulnerability {
        fixed: fixed.iter().map(|version| (*version).to_owned()).collect(),
        ..Vulnerability::new(package, "r")
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

/// A flaw that feeds speak of.
fn exploited(severity: Severity, fixed: &[&str], listed: bool, score: &str) -> Finding {
    let mut finding = vulnerable(severity, fixed);
    let cve = Cve::parse("CVE-2026-1000").unwrap();
    if let Kind::Vulnerability(found) = &mut finding.kind {
        found.exploitation.kev = listed.then_some(Kev {
            cve,
            date_added: None,
            due_date: None,
            ransomware: false,
        });
        let date = Day::parse("2026-11-20").unwrap();
        found.exploitation.epss = score.parse().ok().map(|score| Epss {
            score,
            percentile: score,
            cve,
            date,
        });
    }
    finding
}

fn feeds(kinds: &[(FeedKind, bool)]) -> Database {
    let feed = |(kind, used): &(FeedKind, bool)| Feed {
        info: FeedInfo {
            kind: *kind,
            date: "2026-11-20".to_owned(),
            version: String::new(),
            digest: String::new(),
            entries: 1,
        },
        used: *used,
    };
    Database {
        digest: String::new(),
        sources: Vec::new(),
        feeds: kinds.iter().map(feed).collect(),
        as_of: None,
        stale: Vec::new(),
    }
}

const BOTH: [(FeedKind, bool); 2] = [(FeedKind::Epss, true), (FeedKind::Kev, true)];

#[test]
fn feeds_violate_whatever_the_severity_and_each_finding_counts_once() {
    let mut suppressed = exploited(Severity::Low, &["2"], true, "1");
    suppressed.suppressed = Some("not used".to_owned());
    let mut report = report(vec![
        exploited(Severity::High, &["2"], true, "0.5"),
        exploited(Severity::Low, &["2"], true, ""),
        exploited(Severity::Unknown, &[], false, "0.5"),
        exploited(Severity::Low, &["2"], false, "0.49999"),
        misconfigured(Severity::Low),
        suppressed,
    ]);
    report.database = Some(feeds(&BOTH));
    let mut policy = Policy {
        fail_on_kev: true,
        fail_on_epss: "0.5".parse().ok(),
        ..Policy::default()
    };
    let verdict = judge(&report, &policy);
    assert_eq!((verdict.violations, exit_code(&verdict, &policy)), (3, 1));
    assert_eq!(
        verdict.reason,
        "3 findings (1 HIGH, 2 in KEV, 2 by EPSS) violate the policy (fail on HIGH and above, fail on KEV, fail on EPSS 0.5 and above); 1 suppressed; 1 of UNKNOWN severity"
    );
    policy.ignore_unfixed = true;
    assert_eq!(judge(&report, &policy).violations, 2);
    policy.fail_on_kev = false;
    policy.fail_on = FailOn::Never;
    let verdict = judge(&report, &policy);
    assert_eq!(verdict.violations, 1);
    assert!(verdict.reason.starts_with(
        "1 finding (1 by EPSS) violates the policy (no severity fails the run, fail on EPSS 0.5"
    ));
    policy.fail_on_epss = "0".parse().ok();
    assert_eq!(judge(&report, &policy).violations, 2);
    policy.fail_on_epss = None;
    assert_eq!(judge(&report, &policy).violations, 0);
}

#[test]
fn a_feed_that_is_not_there_or_not_usable_never_passes() {
    for (database, kev, epss, code) in [
        (None, true, true, 0),
        (Some(feeds(&[])), false, false, 0),
        (Some(feeds(&[])), true, false, 2),
        (Some(feeds(&[])), false, true, 2),
        (Some(feeds(&[(FeedKind::Kev, true)])), true, false, 0),
        (Some(feeds(&[(FeedKind::Kev, true)])), true, true, 2),
        (Some(feeds(&[(FeedKind::Epss, false)])), false, true, 2),
        (Some(feeds(&BOTH)), true, true, 0),
    ] {
        let mut report = report(Vec::new());
        report.database = database;
        let policy = Policy {
            fail_on_kev: kev,
            fail_on_epss: epss.then(|| "0.5".parse().unwrap()),
            exit_zero: true,
            ..Policy::default()
        };
        let verdict = judge(&report, &policy);
        assert_eq!(exit_code(&verdict, &policy), code, "{kev} {epss}");
        assert_eq!(verdict.passed, code == 0);
        assert_eq!(verdict.reason.starts_with("cannot be judged"), code == 2);
    }
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
