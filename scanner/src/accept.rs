//! Gaps that the user accepts one by one: they stay in the report, marked, and decide nothing. A
//! gap of class `failure` cannot be accepted: what a target holds is not known then.

use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use serde::Deserialize as _;
use serde::de::value::StrDeserializer;

use crate::model::gap::{GapClass, GapKind};
use crate::model::report::Report;

/// Gaps of one kind, everywhere or where a glob says.
#[derive(Clone, Debug)]
pub struct Allowance {
    kind: GapKind,
    glob: Option<GlobMatcher>,
}

impl Allowance {
    /// Accepts gaps of a kind. The glob is held against the path of the gap as reports show it, or
    /// against the target's name where the gap has no path; `*` stops at `/`, `**` does not.
    pub fn new(kind: GapKind, glob: Option<&str>) -> Result<Self, globset::Error> {
        let glob = glob.map(|text| GlobBuilder::new(text).literal_separator(true).build());
        let glob = glob.transpose()?.map(|glob| glob.compile_matcher());
        Ok(Self { kind, glob })
    }

    fn fits(&self, kind: GapKind, place: &str) -> bool {
        self.kind == kind && self.glob.as_ref().is_none_or(|glob| glob.is_match(place))
    }
}

/// Marks the gaps that are accepted.
pub fn mark(report: &mut Report, allowances: &[Allowance]) {
    if allowances.is_empty() {
        return;
    }
    for entry in &mut report.gaps {
        if entry.gap.class == GapClass::Failure {
            continue;
        }
        let path = &*entry.gap.location.path;
        let target = entry.target.and_then(|index| report.targets.get(index));
        let place = match target {
            Some(target) if path.is_empty() => &*target.id,
            _ => path,
        };
        let mut all = allowances.iter();
        entry.accepted = all.any(|allowance| allowance.fits(entry.gap.kind, place));
    }
}

impl FromStr for Allowance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, glob) = match text.split_once('=') {
            Some((kind, glob)) => (kind, Some(glob)),
            None => (text, None),
        };
        let word = kind.to_ascii_lowercase();
        let known = GapKind::deserialize(StrDeserializer::<serde::de::value::Error>::new(&word));
        let kind = known.map_err(|_| {
            format!("`{kind}` is not a kind of gap; reports and docs/report.schema.json name them")
        })?;
        Self::new(kind, glob).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gap::{Gap, Stage};
    use crate::model::location::Location;
    use crate::model::report::TargetGap;

    fn accepted(kind: GapKind, path: &str, allowance: &Allowance) -> bool {
        let gap = Gap::warning(Stage::Source, kind, Location::file(path), "c");
        let mut report = Report::default();
        for gap in [gap.clone(), gap.failure()] {
            report.gaps.push(TargetGap {
                target: None,
                gap,
                accepted: false,
            });
        }
        mark(&mut report, std::slice::from_ref(allowance));
        assert!(!report.gaps[1].accepted, "a failure is never accepted");
        report.gaps[0].accepted
    }

    #[test]
    fn a_kind_is_accepted_everywhere_or_by_path() {
        let all = Allowance::new(GapKind::NotRead, None).unwrap();
        assert!(accepted(GapKind::NotRead, "a/bun.lock", &all));
        assert!(!accepted(GapKind::Limit, "a/bun.lock", &all));
        let some = Allowance::new(GapKind::NotRead, Some("docs/**")).unwrap();
        assert!(accepted(GapKind::NotRead, "docs/a/Dockerfile", &some));
        assert!(!accepted(GapKind::NotRead, "src/Dockerfile", &some));
        let flat = Allowance::new(GapKind::NotRead, Some("docs/*")).unwrap();
        assert!(!accepted(GapKind::NotRead, "docs/a/Dockerfile", &flat));
        assert!(Allowance::new(GapKind::NotRead, Some("[")).is_err());
    }
}
