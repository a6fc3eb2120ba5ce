//! Judges a report by a policy, and maps the outcome of a run to its exit code: the one place
//! where either is decided.

mod fail_on;
mod open;
mod reason;
#[cfg(test)]
mod tests;

use db_sync::{Exploitation, FeedKind, Share};

pub use self::open::OpenGaps;
use crate::model::finding::{Finding, FindingKind, Severity};
use crate::model::report::{Report, StaleSource};

/// From which severity on a finding fails the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// This severity and all above; `Unknown` means every finding.
    Severity(Severity),
    /// Nothing fails the run.
    Never,
}

/// Which gaps end a run with 2. One of class `failure` always does, and one that the user accepted
/// never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GapPolicy {
    /// Every gap.
    Strict,
    /// Those that leave a whole thing unjudged: a gate that judged nothing must not be green.
    #[default]
    Unjudged,
    /// None.
    Lenient,
}

/// What the user asked the gate to hold.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Threshold.
    pub fail_on: FailOn,
    /// Vulnerabilities that are listed in KEV violate, whatever their severity.
    pub fail_on_kev: bool,
    /// Vulnerabilities whose EPSS score is this or above violate, whatever their severity.
    pub fail_on_epss: Option<Share>,
    /// Vulnerabilities without a known fixed version do not count, whether nobody fixed it, nobody
    /// will, or no record says which version is free of it.
    pub ignore_unfixed: bool,
    /// Findings that are only possible, or disputed, count as any other.
    pub fail_on_disputed: bool,
    /// Advisories that are too old are as bad as not finishing.
    pub fail_on_stale: bool,
    /// What is no longer supported violates the policy, whatever its severity.
    pub fail_on_eol: bool,
    /// Checks of rules of this severity and above that stay undecided violate.
    pub fail_on_undecided: Option<Severity>,
    /// Which gaps are as bad as not finishing.
    pub gaps: GapPolicy,
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
            fail_on_disputed: false,
            fail_on_stale: false,
            fail_on_eol: false,
            fail_on_undecided: None,
            gaps: GapPolicy::default(),
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
            FindingKind::Vulnerability(found) => found.exploitation,
            FindingKind::Misconfiguration(_) | FindingKind::EndOfLife(_) => Exploitation::default(),
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
            eol: self.fail_on_eol && matches!(finding.kind, FindingKind::EndOfLife(_)),
        }
    }
}

/// The conditions that a finding meets.
#[derive(Clone, Copy)]
struct Reached {
    severity: bool,
    kev: bool,
    epss: bool,
    eol: bool,
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

/// What a run came to, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Finished, and within the policy.
    Pass,
    /// Finished, and the policy is violated.
    Fail,
    /// Not finished: nobody can say.
    Error,
}

impl Status {
    /// The word of the JSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

/// The judgement over a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Passed, failed, or not to be said: a target could not be scanned, a feed that the policy
    /// needs is not there, something is too old for `--on-stale fail`, or a gap is one that the
    /// policy does not pass over.
    pub status: Status,
    /// Nothing was left out: no gap at all, accepted or not.
    pub complete: bool,
    /// One sentence for people.
    pub reason: String,
    /// Findings that violate the policy.
    pub violations: usize,
    /// Gaps by class.
    pub gaps: OpenGaps,
    /// Of the process: 0 within the policy, 1 violated, 2 not finished. `--exit-zero` hides 1,
    /// never
    /// 2. A run that did not reach a verdict exits with 2.
    pub exit_code: u8,
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
    /// Violations because support has ended, whatever else they violate.
    eol: usize,
    /// Findings that violate, each once.
    violating: usize,
    /// Of UNKNOWN severity, whether they violate or not.
    unknown: usize,
    /// Would violate, but have no fix.
    unfixed: usize,
    /// Would violate, but are only possible, or disputed.
    doubtful: usize,
    /// Would violate, but are suppressed.
    suppressed: usize,
    /// Undecided checks that violate.
    undecided: usize,
}

impl Tally {
    fn add(&mut self, finding: &Finding, policy: Policy) {
        if finding.suppressed.is_none() && finding.severity == Severity::Unknown {
            self.unknown = self.unknown.saturating_add(1);
        }
        let reached = policy.reached(finding);
        if !(reached.severity || reached.kev || reached.epss || reached.eol) {
            return;
        }
        let unfixed = matches!(&finding.kind, FindingKind::Vulnerability(v) if v.fixed.is_empty());
        if finding.suppressed.is_some() {
            self.suppressed = self.suppressed.saturating_add(1);
            return;
        }
        let doubtful = matches!(&finding.kind, FindingKind::Vulnerability(v) if v.doubt.is_some());
        if doubtful && !policy.fail_on_disputed {
            self.doubtful = self.doubtful.saturating_add(1);
            return;
        }
        if policy.ignore_unfixed && unfixed {
            self.unfixed = self.unfixed.saturating_add(1);
            return;
        }
        self.violating = self.violating.saturating_add(1);
        self.kev = self.kev.saturating_add(usize::from(reached.kev));
        self.epss = self.epss.saturating_add(usize::from(reached.epss));
        self.eol = self.eol.saturating_add(usize::from(reached.eol));
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
            .chain([
                ("in KEV", self.kev),
                ("by EPSS", self.epss),
                ("end of life", self.eol),
                ("undecided", self.undecided),
            ])
            .filter(|(_, count)| *count > 0)
            .map(|(word, count)| format!("{count} {word}"))
            .collect()
    }
}

/// Judges a report.
pub fn judge(report: &Report, policy: &Policy) -> Decision {
    let mut tally = Tally::default();
    for finding in &report.findings {
        tally.add(finding, *policy);
    }
    if let Some(threshold) = policy.fail_on_undecided {
        let mut undecided = report.undecided.iter();
        tally.undecided = undecided
            .by_ref()
            .filter(|one| one.severity >= threshold)
            .count();
        tally.violating = tally.violating.saturating_add(tally.undecided);
    }
    let violations = tally.violating;
    let missing = missing_feeds(report, policy);
    let gaps = OpenGaps::of(report);
    let finished = report.failed_targets == 0
        && missing.is_empty()
        && too_old(report, policy).is_empty()
        && gaps.refused(policy.gaps) == 0;
    let status = match violations {
        _ if !finished => Status::Error,
        0 => Status::Pass,
        _ => Status::Fail,
    };
    Decision {
        status,
        complete: report.gaps.is_empty() && report.failed_targets == 0,
        reason: reason::reason(report, *policy, &tally, &missing, &gaps),
        violations,
        gaps,
        exit_code: match status {
            Status::Error => 2,
            Status::Fail if !policy.exit_zero => 1,
            Status::Fail | Status::Pass => 0,
        },
    }
}
