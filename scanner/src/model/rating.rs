//! Rates what the database says of an advisory's severity. Owns the choice among several
//! ratings and the sentence that gives its reason; scores come from the crate `cvss`, words from
//! [`Severity::from_word`]. The order of trust is the database's.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::str::FromStr as _;
use std::sync::Arc;

use db_sync::{Rating, RatingKind};
use rules::Severity;
use serde::Serialize;

/// Ratings of another class that a reason names; the report has all of them.
const NAMED: usize = 2;

/// The severity that won, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Rated {
    /// The class.
    pub severity: Severity,
    /// The base score, where a vector was rated.
    pub score: Option<f64>,
    /// Where it comes from: `CVSS_V3 (own)`, `word (alias GHSA-…)`, `none`.
    pub source: Arc<str>,
    /// Why this one, and which others say something else: one sentence without final period.
    pub reason: Arc<str>,
    /// Every rating of the vulnerability, most trusted first.
    pub ratings: Vec<Graded>,
}

/// One rating with what it amounts to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Graded {
    /// `CVSS_V2`, `CVSS_V3`, `CVSS_V4` or `word`.
    pub kind: &'static str,
    /// The vector or word, as the source wrote it.
    pub value: String,
    /// `own`, a field such as `database_specific.severity`, `alias GHSA-…`, `upstream CVE-…`,
    /// `related CVE-…`.
    pub source: String,
    /// Its class; absent for a word that cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The base score of a vector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

impl Default for Rated {
    fn default() -> Self {
        Self {
            severity: Severity::Unknown,
            score: None,
            source: "none".into(),
            reason: "UNKNOWN: no source rates it".into(),
            ratings: Vec::new(),
        }
    }
}

/// Rates advisories and remembers what it rated: one advisory concerns many packages, and most
/// vectors are those of other vulnerabilities, too.
#[derive(Debug, Default)]
pub struct Rater {
    known: BTreeMap<(Box<str>, Vec<Rating>), Arc<Rated>>,
    scores: BTreeMap<String, Option<f64>>,
}

impl Rater {
    /// Takes the first rating that can be read; the database orders them by trust. Nothing
    /// readable is UNKNOWN, never harmless. `id` is the record that the ratings were asked of.
    pub fn rate(&mut self, id: &str, ratings: Vec<Rating>) -> Arc<Rated> {
        let key = (Box::from(id), ratings);
        if let Some(rated) = self.known.get(&key) {
            return Arc::clone(rated);
        }
        let graded: Vec<Graded> = key.1.iter().map(|rating| self.grade(rating)).collect();
        let rated = Arc::new(decide(id, graded));
        self.known.insert(key, Arc::clone(&rated));
        rated
    }

    fn grade(&mut self, rating: &Rating) -> Graded {
        let (severity, score) = match rating.kind {
            RatingKind::Word => (Severity::from_word(&rating.value), None),
            RatingKind::Cvss2 | RatingKind::Cvss3 | RatingKind::Cvss4 => {
                let score = self.score(&rating.value);
                (score.map(class), score)
            }
        };
        Graded {
            kind: kind_word(rating.kind),
            value: rating.value.clone(),
            source: rating.source.clone(),
            severity: severity.filter(|severity| *severity != Severity::Unknown),
            score,
        }
    }

    fn score(&mut self, vector: &str) -> Option<f64> {
        if let Some(score) = self.scores.get(vector) {
            return *score;
        }
        let score = cvss::Cvss::from_str(vector)
            .ok()
            .map(|vector| vector.score());
        self.scores.insert(vector.to_owned(), score);
        score
    }
}

/// Chooses the first that can be read, and says why.
fn decide(id: &str, ratings: Vec<Graded>) -> Rated {
    let first = ratings
        .iter()
        .enumerate()
        .find_map(|(place, rating)| Some((place, rating, rating.severity?)));
    let Some((place, winner, severity)) = first else {
        return Rated {
            reason: unrated(id, &ratings).into(),
            ratings,
            ..Rated::default()
        };
    };
    Rated {
        severity,
        score: winner.score,
        source: format!("{} ({})", winner.kind, winner.source).into(),
        reason: reason(id, &ratings, place, winner, severity).into(),
        ratings,
    }
}

/// Why nothing won.
fn unrated(id: &str, ratings: &[Graded]) -> String {
    let words: Vec<String> = ratings
        .iter()
        .take(NAMED)
        .map(|rating| format!("{:?} of {}", rating.value, owner(id, &rating.source)))
        .collect();
    if words.is_empty() {
        format!("UNKNOWN: neither {id} nor an alias, upstream or related vulnerability is rated")
    } else {
        let what = if words.len() == 1 {
            "is not a severity"
        } else {
            "are not severities"
        };
        format!("UNKNOWN: {} {what} that can be read", words.join(" and "))
    }
}

fn reason(
    id: &str,
    ratings: &[Graded],
    place: usize,
    winner: &Graded,
    severity: Severity,
) -> String {
    let has_vectors = ratings.iter().any(|rating| rating.kind != "word");
    let why = match winner.source.split_once(' ').map(|(relation, _)| relation) {
        None if winner.kind != "word" => "its own vector comes first".to_owned(),
        None => match db_sync::vendor(id) {
            Some(vendor) if has_vectors => {
                format!("{vendor}'s own word for its packages comes before vectors of others")
            }
            Some(vendor) => format!("{vendor}'s own word, no vector is known"),
            None => "its own word, no vector is known".to_owned(),
        },
        Some("alias") if winner.kind == "word" => "an alias' word, no vector is known".to_owned(),
        Some("alias") => "from an alias, the record itself has no vector".to_owned(),
        Some("upstream") => "from its upstream vulnerability, no alias has a vector".to_owned(),
        Some(_) => {
            "the worst of its related vulnerabilities, nothing closer has a vector".to_owned()
        }
    };
    let mut text = format!("{severity}: {} ({why})", phrase(id, winner));
    for skipped in ratings.iter().take(place).take(NAMED) {
        let _ = write!(text, "; {} cannot be read", phrase(id, skipped));
    }
    let others: Vec<&Graded> = ratings
        .iter()
        .skip(place.saturating_add(1))
        .filter(|other| other.severity.is_some_and(|other| other != severity))
        .collect();
    for (number, other) in others.iter().take(NAMED).enumerate() {
        let word = if number == 0 { "; not used: " } else { ", " };
        text.push_str(word);
        text.push_str(&phrase(id, other));
    }
    if let Some(more) = others.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// `CVSS_V3 9.8 of CVE-…`, `the word "Important" of ALSA-…`.
fn phrase(id: &str, rating: &Graded) -> String {
    let owner = owner(id, &rating.source);
    match rating.score {
        Some(score) => format!("{} {score:.1} of {owner}", rating.kind),
        None => format!("the word {:?} of {owner}", rating.value),
    }
}

/// The record that a rating's source names; fields are those of the record itself.
fn owner<'a>(id: &'a str, source: &'a str) -> &'a str {
    source.split_once(' ').map_or(id, |(_, owner)| owner)
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

#[cfg(test)]
mod tests {
    use super::*;

    const CRITICAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

    fn rated(id: &str, ratings: &[(RatingKind, &str, &str)]) -> Arc<Rated> {
        let ratings = ratings.iter().map(|(kind, value, source)| Rating {
            kind: *kind,
            value: (*value).to_owned(),
            source: (*source).to_owned(),
        });
        Rater::default().rate(id, ratings.collect())
    }

    #[test]
    fn the_reason_names_the_winner_and_who_disagrees() {
        use RatingKind::{Cvss3, Word};
        let vector = rated(
            "ALSA-2024:1",
            &[
                (Word, "Important", "summary"),
                (Cvss3, CRITICAL, "related CVE-2024-1"),
                (Cvss3, CRITICAL, "related CVE-2024-2"),
            ],
        );
        assert_eq!(
            &*vector.reason,
            "HIGH: the word \"Important\" of ALSA-2024:1 (AlmaLinux's own word for its packages comes before vectors of others); not used: CVSS_V3 9.8 of CVE-2024-1, CVSS_V3 9.8 of CVE-2024-2"
        );
        assert_eq!(vector.ratings.len(), 3);
        let lent = rated(
            "DEBIAN-CVE-2024-1",
            &[
                (
                    Word,
                    "not yet assigned",
                    "affected.ecosystem_specific.urgency",
                ),
                (Cvss3, CRITICAL, "alias CVE-2024-1"),
            ],
        );
        assert_eq!(
            &*lent.reason,
            "CRITICAL: CVSS_V3 9.8 of CVE-2024-1 (from an alias, the record itself has no vector); the word \"not yet assigned\" of DEBIAN-CVE-2024-1 cannot be read"
        );
        assert_eq!(
            (lent.score, &*lent.source),
            (Some(9.8), "CVSS_V3 (alias CVE-2024-1)")
        );
    }

    #[test]
    fn unknown_says_whether_nothing_was_said_or_nothing_readable() {
        let silent = rated("GO-2024-1", &[]);
        assert_eq!(silent.severity, Severity::Unknown);
        assert_eq!(
            &*silent.reason,
            "UNKNOWN: neither GO-2024-1 nor an alias, upstream or related vulnerability is rated"
        );
        let odd = rated("X-1", &[(RatingKind::Word, "unknown", "severity")]);
        assert_eq!(
            &*odd.reason,
            "UNKNOWN: \"unknown\" of X-1 is not a severity that can be read"
        );
    }

    #[test]
    fn what_was_rated_once_is_shared() {
        let mut rater = Rater::default();
        let first = rater.rate("X-1", Vec::new());
        assert!(Arc::ptr_eq(&first, &rater.rate("X-1", Vec::new())));
        assert!(!Arc::ptr_eq(&first, &rater.rate("X-2", Vec::new())));
    }
}
