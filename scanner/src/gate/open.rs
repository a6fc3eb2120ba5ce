//! Gaps as the gate counts them: by class, and apart from those that the user accepted.

use std::collections::BTreeMap;

use super::GapPolicy;
use crate::model::gap::{GapClass, GapKind};
use crate::model::report::Report;

/// How many gaps are open, by class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenGaps {
    /// Of class `failure`; failed targets are among them.
    pub failure: usize,
    /// Of class `unjudged`, not accepted.
    pub unjudged: usize,
    /// Of class `partial`, not accepted.
    pub partial: usize,
    /// Accepted, of either class.
    pub accepted: usize,
    /// Those of class `unjudged` by kind, for the reason.
    pub(super) kinds: BTreeMap<GapKind, usize>,
}

impl OpenGaps {
    pub(super) fn of(report: &Report) -> Self {
        let mut open = Self::default();
        for entry in &report.gaps {
            let count = match entry.gap.class {
                _ if entry.accepted => &mut open.accepted,
                GapClass::Failure => &mut open.failure,
                GapClass::Unjudged => {
                    let kind = open.kinds.entry(entry.gap.kind).or_default();
                    *kind = kind.saturating_add(1);
                    &mut open.unjudged
                }
                GapClass::Partial => &mut open.partial,
            };
            *count = count.saturating_add(1);
        }
        open
    }

    /// How many of them keep a run from being finished.
    pub(super) const fn refused(&self, policy: GapPolicy) -> usize {
        self.failure.saturating_add(match policy {
            GapPolicy::Strict => self.unjudged.saturating_add(self.partial),
            GapPolicy::Unjudged => self.unjudged,
            GapPolicy::Lenient => 0,
        })
    }

    /// All of them, but for failures.
    pub(super) const fn counted(&self) -> usize {
        self.unjudged
            .saturating_add(self.partial)
            .saturating_add(self.accepted)
    }
}
