//! The ledger of all targets in one line.

use std::io::{self, Write};

use super::Table;
use crate::phrase;

impl<W: Write> Table<'_, W> {
    pub(super) fn coverage(&mut self) -> io::Result<()> {
        if self.report.targets.is_empty() {
            return Ok(());
        }
        writeln!(
            self.out,
            "looked at: {}",
            phrase::coverage(&self.report.coverage())
        )?;
        writeln!(self.out)
    }
}
