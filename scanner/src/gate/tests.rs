//! Verdicts, exit codes and reasons.

use std::sync::Arc;

use db_sync::{Cve, Day, Doubt, Epss, FeedInfo, Kev};

use super::*;
use crate::model::finding::{Misconfiguration, Uncertain, Vulnerability};
use crate::model::gap::{Gap, GapClass, GapKind, Stage};
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};
use crate::model::report::{Database, Feed, TargetGap, Undecided};
use crate::model::suppression::{self, Origin, Suppression};

fn finding(severity: Severity, kind: FindingKind) -> Finding {
    Finding {
        severity,
        ..Finding::new("r", Location::file("f"), kind)
    }
}

fn not_used() -> Suppression {
    Suppression::new(Origin::Vex, "vex.json", suppression::Status::NotAffected)
}

fn misconfigured(severity: Severity) -> Finding {
    let resource = "a.b".into();
    finding(
        severity,
        FindingKind::Misconfiguration(Misconfiguration {
            resource,
            fix: None,
            content: "".into(),
            calls: Vec::new(),
        }),
    )
}

fn vulnerable(severity: Severity, fixed: &[&str]) -> Finding {
    let package = Arc::new(Package::new(PackageType::NPM, "p", "1"));
    let vulnerability = Vulnerability {
        fixed: fixed.iter().map(|version| (*version).to_owned()).collect(),
        ..Vulnerability::new(package, "r")
    };
    finding(severity, FindingKind::from(vulnerability))
}

#[test]
fn a_doubtful_finding_is_told_and_does_not_decide() {
    for kind in [Doubt::Possible, Doubt::Disputed] {
        let mut finding = vulnerable(Severity::Critical, &[]);
        if let FindingKind::Vulnerability(found) = &mut finding.kind {
            found.doubt = Some(Box::new(Uncertain {
                kind,
                denied_by: Vec::new(),
                reason: "because".into(),
            }));
        }
        let doubtful = report(vec![finding]);
        let verdict = judge(&doubtful, &Policy::default());
        assert_eq!((verdict.exit_code, verdict.violations), (0, 0));
        assert!(
            verdict
                .reason
                .contains("1 possible or disputed, not counted"),
            "{}",
            verdict.reason
        );
        let policy = Policy {
            fail_on_disputed: true,
            ..Policy::default()
        };
        let verdict = judge(&doubtful, &policy);
        assert_eq!((verdict.exit_code, verdict.violations), (1, 1));
    }
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
    TargetGap {
        target: None,
        gap,
        accepted: false,
    }
}

#[test]
fn every_combination_has_one_code() {
    // The code by the sentences of the contract, for every class of gap, accepted or not, under
    // every policy.
    let classes = [
        None,
        Some((GapClass::Partial, false)),
        Some((GapClass::Unjudged, false)),
        Some((GapClass::Failure, false)),
        Some((GapClass::Partial, true)),
        Some((GapClass::Unjudged, true)),
    ];
    let policies = [GapPolicy::Strict, GapPolicy::Unjudged, GapPolicy::Lenient];
    for (class, gaps) in classes
        .into_iter()
        .flat_map(|class| policies.map(|policy| (class, policy)))
    {
        for bits in 0u32..8 {
            let [violated, failed, exit_zero] = [1, 2, 4].map(|bit| bits & bit != 0);
            let mut report = report(Vec::new());
            if violated {
                report.findings.push(misconfigured(Severity::High));
            }
            if let Some((class, accepted)) = class {
                let mut entry = gap();
                entry.gap.class = class;
                entry.accepted = accepted;
                report.gaps.push(entry);
            }
            if failed {
                let mut entry = gap();
                entry.gap.class = GapClass::Failure;
                report.gaps.push(entry);
                report.failed_targets = 1;
            }
            let policy = Policy {
                gaps,
                exit_zero,
                ..Policy::default()
            };
            let verdict = judge(&report, &policy);
            let refused = match (class, gaps) {
                (None | Some((_, true)), _) => false,
                (Some((GapClass::Failure, _)), _) | (_, GapPolicy::Strict) => true,
                (Some((GapClass::Unjudged, _)), policy) => policy == GapPolicy::Unjudged,
                (Some((GapClass::Partial, _)), _) => false,
            };
            let expected = match (failed || refused, violated && !exit_zero) {
                (true, _) => 2,
                (false, violated) => u8::from(violated),
            };
            let case = format!("{class:?} {gaps:?} {bits:03b}: {}", verdict.reason);
            assert_eq!(verdict.exit_code, expected, "{case}");
            assert_eq!(verdict.complete, class.is_none() && !failed, "{case}");
            assert_eq!(verdict.status == Status::Error, expected == 2, "{case}");
            assert_eq!(
                verdict.status == Status::Pass,
                !violated && expected != 2,
                "{case}"
            );
            assert_eq!(
                verdict.reason.contains("no verdict"),
                expected == 2,
                "{case}"
            );
        }
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
            (verdict.violations, (verdict.status == Status::Pass)),
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
    quiet.suppressed = Some(not_used());
    let report = report(vec![
        vulnerable(Severity::High, &[]),
        vulnerable(Severity::Low, &[]),
        quiet,
    ]);
    let mut policy = Policy::default();
    assert_eq!(judge(&report, &policy).violations, 1);
    policy.ignore_unfixed = true;
    let verdict = judge(&report, &policy);
    assert_eq!(verdict.status, Status::Pass);
    assert_eq!(
        verdict.reason,
        "no finding violates the policy (fail on HIGH and above); 1 without a fix ignored; 1 suppressed; 0 of UNKNOWN severity"
    );
}

/// A vulnerability that feeds speak of.
fn exploited(severity: Severity, fixed: &[&str], listed: bool, score: &str) -> Finding {
    let mut finding = vulnerable(severity, fixed);
    let cve = Cve::parse("CVE-2026-1000").unwrap();
    if let FindingKind::Vulnerability(found) = &mut finding.kind {
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
    suppressed.suppressed = Some(not_used());
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
    assert_eq!((verdict.violations, verdict.exit_code), (3, 1));
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
        assert_eq!(verdict.exit_code, code, "{kev} {epss}");
        assert_eq!(verdict.status == Status::Pass, code == 0);
        assert_eq!(verdict.reason.contains("no verdict"), code == 2);
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
fn undecided_checks_are_counted_and_fail_where_asked() {
    let mut report = report(Vec::new());
    report.undecided.push(Undecided {
        target: 0,
        rule: "r".into(),
        severity: Severity::Medium,
        resource: "a.b".into(),
        location: Location::file("f"),
        cause: "unknown".to_owned(),
    });
    let mut policy = Policy {
        gaps: GapPolicy::Strict,
        ..Policy::default()
    };
    let verdict = judge(&report, &policy);
    assert_eq!((verdict.exit_code, verdict.complete), (0, true));
    assert!(verdict.reason.contains("; 1 check undecided"));
    for (threshold, code) in [
        (Severity::High, 0),
        (Severity::Medium, 1),
        (Severity::Low, 1),
    ] {
        policy.fail_on_undecided = Some(threshold);
        let verdict = judge(&report, &policy);
        assert_eq!(verdict.exit_code, code, "{}", verdict.reason);
        assert_eq!(verdict.violations, usize::from(code));
    }
}

#[test]
fn the_reason_names_what_is_missing_and_what_was_found() {
    let mut report = report(vec![
        misconfigured(Severity::High),
        misconfigured(Severity::Unknown),
    ]);
    let mut accepted = gap();
    accepted.accepted = true;
    let mut unjudged = gap();
    unjudged.gap.class = GapClass::Unjudged;
    report.gaps = vec![gap(), unjudged, accepted];
    let reason = |report: &Report, gaps| {
        let policy = Policy {
            gaps,
            ..Policy::default()
        };
        judge(report, &policy).reason
    };
    let found = "1 HIGH violates the policy (fail on HIGH and above)";
    let counts = "1 of UNKNOWN severity; 3 gaps (1 unjudged, 1 partial, 1 accepted)";
    assert_eq!(
        reason(&report, GapPolicy::Strict),
        format!(
            "2 gaps, which --strict does not allow; no verdict; found so far: {found}; {counts}"
        )
    );
    assert_eq!(
        reason(&report, GapPolicy::Unjudged),
        format!(
            "not everything was judged (limit; see --allow and --lenient); no verdict; found so far: {found}; {counts}"
        )
    );
    assert_eq!(
        reason(&report, GapPolicy::Lenient),
        format!("{found}; {counts}")
    );
    report.findings.clear();
    report.gaps.clear();
    report.failed_targets = 1;
    assert_eq!(
        reason(&report, GapPolicy::Lenient),
        "1 target could not be scanned; no verdict; 0 of UNKNOWN severity"
    );
}
