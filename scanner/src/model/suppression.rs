//! What a suppression says: the reason that stays with a finding, and the suppressions that
//! fitted nothing. The text of a VEX reason is written and read here only, so that a report can
//! be turned back into VEX statements. Decides nothing itself.

use std::fmt;
use std::sync::Arc;

/// Longest impact statement kept in a reason, in characters; the rest becomes `…`.
pub const MAX_IMPACT: usize = 2_000;

/// What a statement says of a vulnerability in a product, in OpenVEX's words.
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
}

impl Status {
    /// OpenVEX's label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
        }
    }

    /// Whether a finding that the statement speaks of no longer counts.
    pub const fn suppresses(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
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

/// Why a VEX statement suppressed a finding. Its text is
/// `VEX <file>: <status>[, <justification>][: <impact statement>]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// The document, as named by the user.
    pub source: &'a str,
    /// `not_affected` or `fixed`.
    pub status: Status,
    /// Justification label, in the words of the document's format.
    pub justification: Option<&'a str>,
    /// Impact statement, on one line.
    pub impact: Option<&'a str>,
}

impl<'a> Reason<'a> {
    /// Reads the text of a suppression; `None` if it was not given by a VEX statement.
    pub fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("VEX ")?;
        let found = [Status::NotAffected, Status::Fixed]
            .into_iter()
            .filter_map(|status| {
                let mark = format!(": {status}");
                let at = rest.find(&mark)?;
                Some((at, status, mark.len()))
            })
            .min_by_key(|(at, ..)| *at)?;
        let (at, status, length) = found;
        let (source, tail) = rest.split_at_checked(at)?;
        let tail = tail.get(length..)?;
        let (label, impact) = match tail.split_once(": ") {
            Some((label, impact)) => (label, Some(impact)),
            None => (tail, None),
        };
        let justification = match label {
            "" => None,
            label => Some(label.strip_prefix(", ")?),
        };
        Some(Self {
            source,
            status,
            justification,
            impact,
        })
    }
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "VEX {}: {}", self.source, self.status)?;
        if let Some(label) = self.justification {
            write!(out, ", {}", one_line(label).replace(": ", " "))?;
        }
        match self.impact.map(one_line) {
            Some(impact) if !impact.is_empty() => write!(out, ": {impact}"),
            _ => Ok(()),
        }
    }
}

/// The words of a text on one line, cut to [`MAX_IMPACT`] characters.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for (count, character) in text
        .split_whitespace()
        .flat_map(|word| std::iter::once(' ').chain(word.chars()))
        .skip(1)
        .enumerate()
    {
        if count == MAX_IMPACT {
            line.push('…');
            break;
        }
        line.push(character);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_as_it_was_written() {
        for (justification, impact) in [
            (None, None),
            (Some("code_not_reachable"), None),
            (Some("code_not_reachable"), Some("never called: see a, b")),
            (None, Some("a: b, c")),
        ] {
            for status in [Status::NotAffected, Status::Fixed] {
                let reason = Reason {
                    source: "vex/a, b.json",
                    status,
                    justification,
                    impact,
                };
                assert_eq!(Reason::parse(&reason.to_string()), Some(reason.clone()));
            }
        }
        for other in [
            "accepted until June",
            "VEX",
            "VEX f: affected",
            "VEX f: not_affectedx",
        ] {
            assert_eq!(Reason::parse(other), None, "{other}");
        }
    }

    #[test]
    fn an_impact_statement_is_one_line_of_bounded_length() {
        let text = format!("a\n\n  b {}", "x".repeat(MAX_IMPACT));
        let line = one_line(&text);
        assert!(line.starts_with("a b x"));
        assert_eq!(line.chars().count(), MAX_IMPACT + 1);
        assert!(line.ends_with('…'));
    }
}
