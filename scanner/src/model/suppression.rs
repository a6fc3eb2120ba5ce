//! What a suppression says: who suppressed a finding and why, which stays with it, and the
//! suppressions that fitted nothing. Decides nothing itself.

use std::fmt;
use std::sync::Arc;

/// Longest reason kept, in characters; the rest becomes `…`.
pub const MAX_REASON: usize = 2_000;

/// What a statement says of a finding: in OpenVEX's words of a vulnerability in a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// No remediation is needed.
    NotAffected,
    /// Action is recommended.
    Affected,
    /// The product contains a fix.
    Fixed,
    /// Not known yet.
    UnderInvestigation,
    /// It is there, and the owner of the code accepts it; no word of OpenVEX.
    Accepted,
}

impl Status {
    /// OpenVEX's label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
            Self::Accepted => "accepted",
        }
    }

    /// Whether a finding that the statement speaks of no longer counts.
    pub const fn suppresses(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed | Self::Accepted)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Where a suppression comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A statement of a VEX document.
    Vex,
    /// A comment in the code.
    Comment,
}

impl Origin {
    /// The word for it in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vex => "vex",
            Self::Comment => "comment",
        }
    }
}

/// Why a finding does not count. Its text is `VEX <file>: <status>[, <justification>][: <reason>]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suppression {
    /// What kind of statement.
    pub origin: Origin,
    /// Where it was given: the file as named by the user, never absolute.
    pub source: Arc<str>,
    /// What it says of the vulnerability.
    pub status: Status,
    /// A label for the reason, in the words of the source's format.
    pub justification: Option<Arc<str>>,
    /// The reason in words, on one line.
    pub reason: Option<Arc<str>>,
    /// Who answers for it.
    pub owner: Option<Arc<str>>,
    /// The day after which it no longer counts, `YYYY-MM-DD`.
    pub until: Option<Arc<str>>,
}

impl Suppression {
    /// One of which no more is said than its status.
    pub fn new(origin: Origin, source: impl Into<Arc<str>>, status: Status) -> Self {
        Self {
            origin,
            source: source.into(),
            status,
            justification: None,
            reason: None,
            owner: None,
            until: None,
        }
    }

    /// With a label and a reason; empty ones are none.
    #[must_use]
    pub fn because(mut self, justification: Option<&str>, reason: Option<&str>) -> Self {
        let line = |text: Option<&str>| {
            let line = one_line(text?);
            (!line.is_empty()).then(|| Arc::from(line))
        };
        self.justification = line(justification);
        self.reason = line(reason);
        self
    }
}

impl fmt::Display for Suppression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = match self.origin {
            Origin::Vex => "VEX",
            Origin::Comment => "comment in",
        };
        write!(out, "{origin} {}: {}", self.source, self.status)?;
        if let Some(label) = &self.justification {
            write!(out, ", {label}")?;
        }
        if let Some(reason) = &self.reason {
            write!(out, ": {reason}")?;
        }
        Ok(())
    }
}

/// The words of a text on one line, cut to [`MAX_REASON`] characters.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for (count, character) in text
        .split_whitespace()
        .flat_map(|word| std::iter::once(' ').chain(word.chars()))
        .skip(1)
        .enumerate()
    {
        if count == MAX_REASON {
            line.push('…');
            break;
        }
        line.push(character);
    }
    line
}

/// A suppression of the user's that fitted no finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnmatchedSuppression {
    /// Where it was given: the file as named by the user, never absolute.
    pub source: Arc<str>,
    /// What it says, and where in the source it stands.
    pub statement: String,
    /// Why it fitted nothing, one sentence, lower case, without final period.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suppression_says_who_and_why() {
        let bare = Suppression::new(Origin::Vex, "vex/a.json", Status::Fixed);
        assert_eq!(bare.to_string(), "VEX vex/a.json: fixed");
        let full = bare.because(Some("code_not_reachable"), Some("never called:\n see a"));
        assert_eq!(
            full.to_string(),
            "VEX vex/a.json: fixed, code_not_reachable: never called: see a"
        );
        let blank = full.because(Some(" "), Some(""));
        assert_eq!((blank.justification, blank.reason), (None, None));
    }

    #[test]
    fn a_reason_is_one_line_of_bounded_length() {
        let text = format!("a\n\n  b {}", "x".repeat(MAX_REASON));
        let line = one_line(&text);
        assert!(line.starts_with("a b x"));
        assert_eq!(line.chars().count(), MAX_REASON + 1);
        assert!(line.ends_with('…'));
    }
}
