//! Severities as their sources give them: CVSS vectors and words, each with
//! where it came from. Nothing is scored here beyond putting the worst of
//! several related vectors first; a vector that does not parse is refused
//! with a cause, and never read as "none".

use std::str::FromStr;

/// The form of a rating's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RatingKind {
    /// A `CVSS:4.0/…` vector.
    Cvss4,
    /// A `CVSS:3.0/…` or `CVSS:3.1/…` vector.
    Cvss3,
    /// A version 2 vector, without prefix.
    Cvss2,
    /// The source's own word or urgency, as it wrote it.
    Word,
}

impl RatingKind {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Cvss4 => 0,
            Self::Cvss3 => 1,
            Self::Cvss2 => 2,
            Self::Word => 3,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Self::Cvss4, Self::Cvss3, Self::Cvss2, Self::Word]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// One severity and where it came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rating {
    /// What kind of value it is.
    pub kind: RatingKind,
    /// The vector or word.
    pub value: String,
    /// `own`, `alias GHSA-…`, `upstream CVE-…`, `related CVE-…`, or the field
    /// the word was read from, such as `database_specific.severity`.
    pub source: String,
}

/// The source of a rating that the record itself carries as a vector.
pub(crate) const OWN: &str = "own";

/// The fields that ratings are read from; a database stores their positions,
/// so that new ones go to the end.
const FIELDS: [&str; 9] = [
    OWN,
    "severity",
    "database_specific.severity",
    "database_specific.urgency",
    "affected.database_specific.severity",
    "affected.database_specific.urgency",
    "affected.ecosystem_specific.severity",
    "affected.ecosystem_specific.urgency",
    "summary",
];

/// The number of a field in the file.
pub(crate) fn field_code(field: &str) -> u8 {
    let position = FIELDS.iter().position(|known| *known == field);
    position
        .and_then(|position| u8::try_from(position).ok())
        .unwrap_or(0)
}

/// The field with a number.
pub(crate) fn field_name(code: u8) -> &'static str {
    FIELDS.get(usize::from(code)).copied().unwrap_or(OWN)
}

/// Longest vector or word that is kept.
const MAX_VALUE: usize = 400;

/// Base metrics without which a vector says nothing, by version.
const MANDATORY: [(RatingKind, &[&str]); 3] = [
    (
        RatingKind::Cvss4,
        &[
            "AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA",
        ],
    ),
    (
        RatingKind::Cvss3,
        &["AV", "AC", "PR", "UI", "S", "C", "I", "A"],
    ),
    (RatingKind::Cvss2, &["AV", "AC", "Au", "C", "I", "A"]),
];

/// Reads an OSV `severity` entry of the given type.
///
/// # Errors
/// Says why the value is no rating: an unknown type, a vector that does not
/// parse or lacks base metrics, or one of another version than its type.
pub(crate) fn parse_typed(kind: &str, value: &str, ecosystem: &str) -> Result<Rating, String> {
    let expected = match kind {
        "CVSS_V4" => RatingKind::Cvss4,
        "CVSS_V3" => RatingKind::Cvss3,
        "CVSS_V2" => RatingKind::Cvss2,
        // The schema's one type that is a word: it speaks for Ubuntu's packages only.
        "Ubuntu" if crate::ecosystem::base(ecosystem) == "Ubuntu" => {
            return word(value, "severity")
                .ok_or_else(|| format!("severity word {value:?} is empty or too long"));
        }
        "Ubuntu" => {
            return Err(format!(
                "severity type \"Ubuntu\" does not apply to {ecosystem:?}"
            ));
        }
        _ => return Err(format!("unknown severity type {kind:?}")),
    };
    let rating =
        parse_vector(value).ok_or_else(|| format!("{value:?} is not a valid CVSS vector"))?;
    if rating.kind == expected {
        Ok(rating)
    } else {
        Err(format!("{value:?} is not a {kind} vector"))
    }
}

/// Reads a CVSS vector of any version; `None` where it is not complete and valid.
pub(crate) fn parse_vector(value: &str) -> Option<Rating> {
    if value.len() > MAX_VALUE {
        return None;
    }
    let kind = match cvss::Cvss::from_str(value).ok()? {
        cvss::Cvss::CvssV20(_) => RatingKind::Cvss2,
        cvss::Cvss::CvssV30(_) | cvss::Cvss::CvssV31(_) => RatingKind::Cvss3,
        cvss::Cvss::CvssV40(_) => RatingKind::Cvss4,
        _ => return None,
    };
    let (_, mandatory) = MANDATORY.iter().find(|(of, _)| *of == kind)?;
    let complete = mandatory.iter().all(|metric| {
        value.split('/').any(|part| {
            part.split_once(':')
                .is_some_and(|(name, _)| name == *metric)
        })
    });
    complete.then(|| Rating {
        kind,
        value: value.to_owned(),
        source: OWN.to_owned(),
    })
}

/// Keeps a source's word, unless it is empty or absurdly long.
pub(crate) fn word(value: &str, field: &str) -> Option<Rating> {
    let value = value.trim();
    (!value.is_empty() && value.len() <= 64).then(|| Rating {
        kind: RatingKind::Word,
        value: value.to_owned(),
        source: field.to_owned(),
    })
}

/// Tenths of the score of a vector, only to order several related ones.
pub(crate) fn tenths(value: &str) -> u32 {
    let score = cvss::Cvss::from_str(value).map_or(0.0, |vector| vector.score());
    // A score lies between 0.0 and 10.0 with one decimal.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 100"
    )]
    let tenths = (score * 10.0).round().clamp(0.0, 100.0) as u32;
    tenths
}

#[cfg(test)]
mod tests {
    use super::{RatingKind, parse_typed, parse_vector, tenths};

    #[test]
    fn broken_vectors_are_no_rating() {
        for (kind, value) in [
            ("CVSS_V3", "CVSS:3.1/AV:N/AC:L"),
            ("CVSS_V3", "9.8"),
            ("CVSS_V3", "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
            ("CVSS_V4", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
            ("CVSS_V9", "CVSS:9.0/ZZ:Z"),
            ("CVSS_V2", "AV:N/AC:L"),
            ("CVSS_V4", "CVSS:4.0/AV:N"),
            ("Ubuntu", "medium"),
        ] {
            assert!(
                parse_typed(kind, value, "crates.io").is_err(),
                "{kind} {value}"
            );
        }
    }

    #[test]
    fn valid_vectors_keep_their_version() {
        for (value, kind) in [
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P", RatingKind::Cvss2),
            (
                "CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:N",
                RatingKind::Cvss3,
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                RatingKind::Cvss4,
            ),
        ] {
            assert_eq!(parse_vector(value).map(|rating| rating.kind), Some(kind));
        }
        assert_eq!(tenths("AV:N/AC:L/Au:N/C:P/I:P/A:P"), 75);
    }
}
