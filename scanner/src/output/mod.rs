//! Writers: each borrows the report and the verdict and writes one format. None decides
//! anything that the exit code depends on.

mod bom;
pub mod escape;
pub mod inert;
pub mod json;
mod sarif;
pub mod serial;
mod table;
mod width;

use std::io::{self, Write};
use std::str::FromStr;

use crate::gate::Decision;
use crate::model::report::Report;

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// For people.
    Table,
    /// Our own contract, `docs/report.schema.json`.
    Json,
    /// SARIF 2.1.0 as code scanning wants it.
    Sarif,
    /// CycloneDX 1.6, packages and vulnerabilities.
    CycloneDx,
    /// SPDX 2.3, packages.
    Spdx,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Table,
        Self::Json,
        Self::Sarif,
        Self::CycloneDx,
        Self::Spdx,
    ];

    /// The word of `--format`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::CycloneDx => "cyclonedx",
            Self::Spdx => "spdx",
        }
    }
}

/// A word that names no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format `{0}`: use {words}", words = words())]
pub struct UnknownFormat(String);

/// The words of all formats.
fn words() -> String {
    let words: Vec<&str> = Format::ALL.iter().map(|format| format.as_str()).collect();
    words.join(", ")
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str().eq_ignore_ascii_case(word))
            .ok_or_else(|| UnknownFormat(escape::line(word).into_owned()))
    }
}

/// How to show the table; the machine formats look the same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether to colour severities and the verdict; meaning never depends on it.
    pub colour: bool,
}

impl Options {
    /// The width where no terminal tells one.
    pub const DEFAULT_WIDTH: usize = 120;
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: Self::DEFAULT_WIDTH,
            colour: false,
        }
    }
}

/// Writes a report in one format. Errors are those of `out`.
pub fn write(
    format: Format,
    report: &Report,
    verdict: &Decision,
    options: Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Table => table::write(report, verdict, options, &mut inert::Inert::new(out)),
        Format::Json => json::write(report, verdict, out),
        Format::Sarif => sarif::write(report, verdict, out),
        Format::CycloneDx => bom::write_cyclonedx(report, out),
        Format::Spdx => bom::write_spdx(report, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_words() {
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(format));
            assert_eq!(format.as_str().to_uppercase().parse(), Ok(format));
        }
        let error = "xml\u{7}".parse::<Format>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown format `xml\\u{7}`: use table, json, sarif, cyclonedx, spdx"
        );
    }
}
