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
    let (severity, score, word) = match rating.kind {
        RatingKind::Word => (Severity::from_word(&rating.value)?, None, "word"),
        RatingKind::CvssV2 | RatingKind::CvssV3 | RatingKind::CvssV4 => {
            let score = cvss::Cvss::from_str(&rating.value).ok()?.score();
            let word = match rating.kind {
                RatingKind::CvssV2 => "CVSS_V2",
                RatingKind::CvssV3 => "CVSS_V3",
                _ => "CVSS_V4",
            };
            (class(score), Some(score), word)
        }
    };
    if severity == Severity::Unknown {
        return None;
    }
    Some(Rated {
        severity,
        score,
        source: format!("{word} ({})", rating.source).into(),
    })
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
