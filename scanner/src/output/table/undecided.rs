//! Checks that an unknown value kept open, folded by what kept them open.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{SEVERITY_WIDTH, Table, part};
use crate::model::report::Undecided;
use crate::output::width;
use crate::phrase;

/// Most checks that are listed under one cause; the JSON report has all.
const SHOWN: usize = 5;

impl<W: Write> Table<'_, W> {
    pub(super) fn undecided(&mut self) -> io::Result<()> {
        if self.report.undecided.is_empty() {
            return Ok(());
        }
        let title = phrase::count(self.report.undecided.len(), "check");
        let title = self.paint.bold(&title);
        writeln!(self.out, "{title} undecided (neither passed nor failed)")?;
        let mut causes: BTreeMap<&str, Vec<&Undecided>> = BTreeMap::new();
        for check in &self.report.undecided {
            causes.entry(&check.cause).or_default().push(check);
        }
        for (cause, mut checks) in causes {
            writeln!(self.out, "  {}", part(cause))?;
            checks.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
            let shown = checks.get(..SHOWN).unwrap_or(&checks);
            for check in shown {
                let severity = width::pad(check.severity.as_str(), SEVERITY_WIDTH);
                let severity = self.paint.severity(check.severity, &severity);
                writeln!(
                    self.out,
                    "    {severity}  {}  {}  {}",
                    part(&check.rule),
                    part(&check.resource),
                    part(&phrase::place(&check.location)),
                )?;
            }
            let more = checks.len().saturating_sub(shown.len());
            if more > 0 {
                writeln!(self.out, "    and {more} more")?;
            }
        }
        writeln!(self.out)
    }
}
