//! Judges a report by a policy, and maps the outcome of a run to its exit code: the one place
//! where either is decided.

use std::fmt::Write as _;

use db_sync::{Exploitation, FeedKind, Share};

use crate::finding::{Finding, Kind, Severity};
use crate::report::{Report, StaleSource};

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
    /// Flaws that are listed in KEV violate, whatever their severity.
    pub fail_on_kev: bool,
    /// Flaws whose EPSS score is this or above violate, whatever their severity.
    pub fail_on_epss: Option<Share>,
    /// Vulnerabilities without a known fixed version do not count, whether nobody fixed it, nobody
    /// will, or no record says which version is free of it.
    pub ignore_unfixed: bool,
    /// Advisories that are too old are as bad as not finishing.
    pub fail_on_stale: bool,
    /// Gaps are as bad as not finishing.
    pub strict: bool,
    /// Report, but do not fail.
    pub exit_zero: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            fail_on: FailOn::Severity(Severity::High),
            fail_on_kev: false,
            fail_on_epss: None,
            ignore_unfixed: false,
            fail_on_stale: false,
            strict: false,
            exit_zero: false,
        }
    }
}

impl Policy {
    /// The feeds that it cannot do without.
    pub fn feeds(&self) -> Vec<FeedKind> {
        let epss = self.fail_on_epss.map(|_| FeedKind::Epss);
        let kev = self.fail_on_kev.then_some(FeedKind::Kev);
        epss.into_iter().chain(kev).collect()
    }

    /// Which of its conditions a finding meets.
    fn reached(&self, finding: &Finding) -> Reached {
        let said = match &finding.kind {
            Kind::Vulnerability(found) => found.exploitation,
            Kind::Misconfiguration(_) => Exploitation::default(),
        };
        Reached {
            severity: match self.fail_on {
                FailOn::Severity(threshold) => finding.severity >= threshold,
                FailOn::Never => false,
            },
            kev: self.fail_on_kev && said.kev.is_some(),
            epss: match (self.fail_on_epss, said.epss) {
                (Some(threshold), Some(epss)) => epss.score >= threshold,
                _ => false,
            },
        }
    }
}

/// The conditions that a finding meets.
#[derive(Clone, Copy)]
struct Reached {
    severity: bool,
    kev: bool,
    epss: bool,
}

/// Feeds that the policy needs and the database that answered cannot give: without them nobody
/// can say that a run passed. Where no package needed a database, none is missing.
pub fn missing_feeds(report: &Report, policy: &Policy) -> Vec<FeedKind> {
    let Some(database) = &report.database else {
        return Vec::new();
    };
    let has = |kind: &FeedKind| {
        let mut feeds = database.feeds.iter();
        feeds.any(|feed| feed.info.kind == *kind && feed.used)
    };
    policy
        .feeds()
        .into_iter()
        .filter(|kind| !has(kind))
        .collect()
}

/// Sources that are older than a policy allows that wants them young.
pub fn too_old<'r>(report: &'r Report, policy: &Policy) -> &'r [StaleSource] {
    match &report.database {
        Some(database) if policy.fail_on_stale => &database.stale,
        _ => &[],
    }
}

/// The judgement over a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The run finished and nothing violates the policy.
    pub passed: bool,
    /// Nothing was left out.
    pub complete: bool,
    /// Every target could be scanned, every feed that the policy needs is there, nothing is too
    /// old for `--on-stale fail`, and under `--strict` nothing was left out.
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
    /// Violations through KEV, whatever else they violate.
    kev: usize,
    /// Violations through EPSS, whatever else they violate.
    epss: usize,
    /// Findings that violate, each once.
    violating: usize,
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
        let reached = policy.reached(finding);
        if !(reached.severity || reached.kev || reached.epss) {
            return;
        }
        let unfixed = matches!(&finding.kind, Kind::Vulnerability(v) if v.fixed.is_empty());
        if finding.suppressed.is_some() {
            self.suppressed = self.suppressed.saturating_add(1);
            return;
        }
        if policy.ignore_unfixed && unfixed {
            self.unfixed = self.unfixed.saturating_add(1);
            return;
        }
        self.violating = self.violating.saturating_add(1);
        self.kev = self.kev.saturating_add(usize::from(reached.kev));
        self.epss = self.epss.saturating_add(usize::from(reached.epss));
        let slot = Severity::ALL.iter().position(|s| *s == finding.severity);
        if let Some(count) = slot.and_then(|slot| self.violations.get_mut(slot)) {
            *count = count.saturating_add(usize::from(reached.severity));
        }
    }

    /// Violations by condition: `2 HIGH`, `1 in KEV`.
    fn listed(&self) -> Vec<String> {
        let by_severity = Severity::ALL
            .iter()
            .map(|severity| severity.as_str())
            .zip(self.violations);
        by_severity
            .chain([("in KEV", self.kev), ("by EPSS", self.epss)])
            .filter(|(_, count)| *count > 0)
            .map(|(word, count)| format!("{count} {word}"))
            .collect()
    }
}

/// Judges a report.
pub fn judge(report: &Report, policy: &Policy) -> Verdict {
    let mut tally = Tally::default();
    for finding in &report.findings {
        tally.add(finding, *policy);
    }
    let violations = tally.violating;
    let missing = missing_feeds(report, policy);
    let complete = report.gaps.is_empty() && report.failed_targets == 0;
    let finished = report.failed_targets == 0
        && missing.is_empty()
        && too_old(report, policy).is_empty()
        && (complete || !policy.strict);
    Verdict {
        passed: finished && violations == 0,
        complete,
        finished,
        reason: reason(report, *policy, &tally, &missing),
        violations,
    }
}

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

fn reason(report: &Report, policy: Policy, tally: &Tally, missing: &[FeedKind]) -> String {
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

/// The exit code of a run that reached a verdict: 0 within policy, 1 violated, 2 for a target
/// that could not be scanned, for a feed that is not there, for advisories that are too old under
/// `--on-stale fail` and for gaps under `--strict`. `--exit-zero` hides 1, never 2. A run that did
/// not reach a verdict exits with 2.
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
}
