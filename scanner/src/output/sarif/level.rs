//! One severity, three faces in SARIF: `level`, `security-severity` and tags. They always agree,
//! as code scanning demands: 7.0 and above is an error, 4.0 and above a warning, else a note.

use super::model::Level;
use crate::model::finding::{Finding, FindingKind, Severity};

/// What a finding counts as in SARIF. One that is not certain is a note: code scanning fails a pull
/// request by severity, and a doubtful finding shall not do that by itself.
pub(crate) fn severity(finding: &Finding) -> (Severity, Option<f64>) {
    match &finding.kind {
        FindingKind::Vulnerability(found) if found.doubt.is_some() => (Severity::Low, None),
        _ => (finding.severity, finding.score),
    }
}

/// The level of a result or rule. UNKNOWN is the lowest class here as everywhere.
pub(crate) const fn level(severity: Severity) -> Level {
    match severity {
        Severity::Critical | Severity::High => Level::Error,
        Severity::Medium => Level::Warning,
        Severity::Low | Severity::Unknown => Level::Note,
    }
}

/// `security-severity`: the score, where it falls into the class that decided (a source's own
/// word can overrule a vector), else a number that stands for the class. UNKNOWN gets 0.1, which no
/// LOW goes down to, and the tag `severity-unknown`: without any number code scanning would not
/// show it among security alerts at all, and 0.0 is no severity there.
pub(crate) fn security_severity(severity: Severity, score: Option<f64>) -> String {
    let (lowest, highest, usual) = match severity {
        Severity::Critical => (9.0, 10.0, "9.5"),
        Severity::High => (7.0, 8.9, "8.0"),
        Severity::Medium => (4.0, 6.9, "5.5"),
        Severity::Low => (0.2, 3.9, "2.0"),
        Severity::Unknown => return "0.1".to_owned(),
    };
    score
        .map(|score| (score * 10.0).round() / 10.0)
        .filter(|score| (lowest..=highest).contains(score))
        .map_or_else(|| usual.to_owned(), |score| format!("{score:.1}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_agree_with_levels() {
        for (severity, score, text, expected) in [
            (Severity::Critical, Some(9.8), "9.8", Level::Error),
            (Severity::High, Some(8.94), "8.9", Level::Error),
            (Severity::High, Some(8.96), "8.0", Level::Error),
            (Severity::Medium, Some(9.8), "5.5", Level::Warning),
            (Severity::Low, None, "2.0", Level::Note),
            (Severity::Low, Some(f64::NAN), "2.0", Level::Note),
            (Severity::Low, Some(0.0), "2.0", Level::Note),
            (Severity::Unknown, Some(9.8), "0.1", Level::Note),
        ] {
            assert_eq!(security_severity(severity, score), text);
            assert_eq!(level(severity), expected);
        }
    }
}
