//! Rates what the database says of an advisory's severity. Owns the choice among several
//! ratings; scores come from the crate `cvss`, words from [`Severity::from_word`].

use std::str::FromStr as _;
use std::sync::Arc;

use db_sync::{Rating, RatingKind};

use crate::finding::Severity;

/// The severity that won, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Rated {
    /// The class.
    pub severity: Severity,
    /// The base score, where a vector was rated.
    pub score: Option<f64>,
    /// Where it comes from: `CVSS_V3 (own)`, `word (alias GHSA-…)`, `none`.
    pub source: Arc<str>,
}

/// Takes the first rating that can be read; the database orders them by trust. Nothing readable
/// is UNKNOWN, never harmless.
pub fn rate(ratings: &[Rating]) -> Rated {
    ratings.iter().find_map(rate_one).unwrap_or_else(|| Rated {
        severity: Severity::Unknown,
        score: None,
        source: "none".into(),
    })
}

fn rate_one(rating: &Rating) -> Option<Rated> {
    let (severity, score) = match rating.kind {
        RatingKind::Word => (Severity::from_word(&rating.value)?, None),
        RatingKind::Cvss2 | RatingKind::Cvss3 | RatingKind::Cvss4 => {
            let score = cvss::Cvss::from_str(&rating.value).ok()?.score();
            (class(score), Some(score))
        }
    };
    if severity == Severity::Unknown {
        return None;
    }
    Some(Rated {
        severity,
        score,
        source: format!("{} ({})", kind_word(rating.kind), rating.source).into(),
    })
}

/// The word for a kind of rating, as OSV writes it.
pub const fn kind_word(kind: RatingKind) -> &'static str {
    match kind {
        RatingKind::Cvss2 => "CVSS_V2",
        RatingKind::Cvss3 => "CVSS_V3",
        RatingKind::Cvss4 => "CVSS_V4",
        RatingKind::Word => "word",
    }
}

/// The qualitative scale of CVSS v3.1 section 5, for every version of vector; "none" (0.0) is
/// shown as LOW, since the scale of the gate has no harmless class.
fn class(score: f64) -> Severity {
    if score >= 9.0 {
        Severity::Critical
    } else if score >= 7.0 {
        Severity::High
    } else if score >= 4.0 {
        Severity::Medium
    } else {
        Severity::Low
    }
}
