//! Writers: each borrows the report and the verdict and writes one format. None decides
//! anything that the exit code depends on.

use std::io::{self, Write};

use crate::gate::Verdict;
use crate::report::Report;

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// For people.
    Table,
    /// Our own contract, `docs/report.schema.json`.
    Json,
    /// SARIF 2.1.0 as code scanning wants it.
    Sarif,
}

/// Writes a report in one format.
pub fn write(
    _format: Format,
    _report: &Report,
    _verdict: &Verdict,
    _out: &mut dyn Write,
) -> io::Result<()> {
    Ok(())
}
