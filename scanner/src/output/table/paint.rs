//! Colours by ANSI escapes, or none. Meaning never depends on them.

use crate::gate::Status;
use crate::model::finding::Severity;

/// Paints, if asked to.
#[derive(Clone, Copy)]
pub(super) struct Paint {
    colour: bool,
}

impl Paint {
    pub(super) const fn new(colour: bool) -> Self {
        Self { colour }
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// A heading.
    pub(super) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// A severity, padded by the caller.
    pub(super) fn severity(self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::Critical => "1;31",
            Severity::High => "31",
            Severity::Medium => "33",
            Severity::Low => "36",
            Severity::Unknown => "35",
        };
        self.with(code, text)
    }

    /// The first word of the last line.
    pub(super) fn verdict(self, status: Status) -> String {
        match status {
            Status::Pass => self.with("1;32", "PASS"),
            Status::Fail => self.with("1;31", "FAIL"),
            Status::Error => self.with("1;35", "ERROR"),
        }
    }
}
