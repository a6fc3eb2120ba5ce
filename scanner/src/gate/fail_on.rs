//! What fails a build, as it is written.

use std::str::FromStr;

use super::FailOn;
use crate::model::finding::Severity;
use crate::word::one_of;

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = [
            ("critical", Self::Severity(Severity::Critical)),
            ("high", Self::Severity(Severity::High)),
            ("medium", Self::Severity(Severity::Medium)),
            ("low", Self::Severity(Severity::Low)),
            ("unknown", Self::Severity(Severity::Unknown)),
            ("none", Self::Never),
        ];
        one_of(text, &words)
    }
}
