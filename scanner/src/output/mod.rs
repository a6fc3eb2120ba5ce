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
    CycloneDx16,
    /// CycloneDX 1.7, the same.
    CycloneDx17,
    /// SPDX 2.3, packages.
    Spdx23,
    /// SPDX 3.0, the same.
    Spdx30,
}

/// The words of `--format`. Without a version a word means the one that most tools read; that changes in
/// a major release only.
const WORDS: [(&str, Format); 9] = [
    ("table", Format::Table),
    ("json", Format::Json),
    ("sarif", Format::Sarif),
    ("cyclonedx", Format::CycloneDx16),
    ("cyclonedx-1.6", Format::CycloneDx16),
    ("cyclonedx-1.7", Format::CycloneDx17),
    ("spdx", Format::Spdx23),
    ("spdx-2.3", Format::Spdx23),
    ("spdx-3.0", Format::Spdx30),
];

impl Format {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Table,
        Self::Json,
        Self::Sarif,
        Self::CycloneDx16,
        Self::CycloneDx17,
        Self::Spdx23,
        Self::Spdx30,
    ];

    /// The word of `--format` that means this one only.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::CycloneDx16 => "cyclonedx-1.6",
            Self::CycloneDx17 => "cyclonedx-1.7",
            Self::Spdx23 => "spdx-2.3",
            Self::Spdx30 => "spdx-3.0",
        }
    }
}

/// A word that names no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format `{0}`: use {words}", words = words())]
pub struct UnknownFormat(String);

/// The words of all formats.
fn words() -> String {
    let words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
    words.join(", ")
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Self, UnknownFormat> {
        let known = WORDS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(word));
        known
            .map(|(_, format)| *format)
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
        Format::CycloneDx16 => bom::write_cyclonedx(bom::CycloneDx::V1_6, report, out),
        Format::CycloneDx17 => bom::write_cyclonedx(bom::CycloneDx::V1_7, report, out),
        Format::Spdx23 => bom::write_spdx_2(report, out),
        Format::Spdx30 => bom::write_spdx_3(report, out),
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
        assert_eq!("CycloneDX".parse(), Ok(Format::CycloneDx16));
        assert_eq!("spdx".parse(), Ok(Format::Spdx23));
        let error = "xml\u{7}".parse::<Format>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown format `xml\\u{7}`: use table, json, sarif, cyclonedx, cyclonedx-1.6, \
             cyclonedx-1.7, spdx, spdx-2.3, spdx-3.0"
        );
    }
}
