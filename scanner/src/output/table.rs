//! For people.
use super::Options;
use crate::gate::Verdict;
use crate::report::Report;
use std::io::{self, Write};
/// Writes.
pub(crate) fn write(
    _r: &Report,
    verdict: &Verdict,
    _o: Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{}", verdict.reason)
}
