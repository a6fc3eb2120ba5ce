//! The values of options, out of their words. Words are taken in any case; one that means nothing
//! is an error that says what would.

use std::path::PathBuf;
use std::str::FromStr;

use jiff::civil::Date;

use portcullis::gate::FailOn;
use portcullis::model::finding::Severity;
use portcullis::output::Format;
use portcullis::word::one_of;

/// A day of the calendar.
pub(super) fn date(text: &str) -> Result<Date, String> {
    let digits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    let day = text
        .parse()
        .ok()
        .filter(|_| text.len() == 10 && digits(text));
    day.ok_or_else(|| "not a date: YYYY-MM-DD".to_owned())
}

/// A two-way format for subcommands that print facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextOrJson {
    Table,
    Json,
}

impl FromStr for TextOrJson {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        one_of(text, &[("table", Self::Table), ("json", Self::Json)])
    }
}

/// What `--only` restricts a scan to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Only {
    Vuln,
    Misconfig,
}

impl FromStr for Only {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        one_of(
            text,
            &[("vuln", Self::Vuln), ("misconfig", Self::Misconfig)],
        )
    }
}

/// What doubtful findings do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disputed {
    Report,
    Fail,
}

impl FromStr for Disputed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        one_of(text, &[("report", Self::Report), ("fail", Self::Fail)])
    }
}

/// Bytes of memory: a number with `K`, `M` or `G` (powers of 1024), in any case.
pub(super) fn memory(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size: use a number with M or G, such as 512M");
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches("ib").trim_end_matches('b');
    let (digits, shift) = match digits.char_indices().next_back() {
        Some((at, 'k')) => (digits.get(..at), 10),
        Some((at, 'm')) => (digits.get(..at), 20),
        Some((at, 'g')) => (digits.get(..at), 30),
        _ => (Some(digits), 0),
    };
    let number: u64 = digits
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(wrong)?;
    let bytes = number.checked_mul(1 << shift).ok_or_else(wrong)?;
    if bytes < LEAST_MEMORY {
        return Err(format!("`{text}` is less than a scan needs: at least 64M"));
    }
    Ok(bytes)
}

/// The smallest budget that leaves room for the buffers of one layer and a report.
const LEAST_MEMORY: u64 = 64 << 20;

/// A severity that something fails on.
pub(super) fn severity(text: &str) -> Result<Severity, String> {
    match text.parse() {
        Ok(FailOn::Severity(severity)) => Ok(severity),
        _ => Err("expected critical, high, medium, low or unknown".to_owned()),
    }
}

/// `FORMAT=PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReportFile {
    pub(super) format: Format,
    pub(super) path: PathBuf,
}

impl FromStr for ReportFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text.split_once('=').unwrap_or((text, ""));
        if path.is_empty() {
            return Err("expected FORMAT=PATH, such as sarif=portcullis.sarif".to_owned());
        }
        let format: Format = format
            .parse()
            .map_err(|error: portcullis::output::UnknownFormat| error.to_string())?;
        if path == "-" {
            let format = format.as_str();
            return Err(format!(
                "`-` is not a file; for a report on stdout use --format {format}"
            ));
        }
        Ok(Self {
            format,
            path: path.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use portcullis::accept::Allowance;
    use portcullis::staleness::OnStale;

    use super::*;

    #[test]
    fn memory_has_units_and_a_least() {
        for (text, bytes) in [
            ("1G", 1 << 30),
            ("512m", 512 << 20),
            ("64MiB", 64 << 20),
            ("2gb", 2 << 30),
            ("1048576K", 1 << 30),
            ("134217728", 128 << 20),
        ] {
            assert_eq!(memory(text), Ok(bytes), "{text}");
        }
        for text in ["", "G", "-1G", "1T", "63M", "1.5G", "99999999999G"] {
            assert!(memory(text).is_err(), "{text}");
        }
    }

    fn wrong<T: FromStr<Err = String>>(text: &str) -> String {
        match text.parse::<T>() {
            Ok(_) => panic!("{text} is taken"),
            Err(error) => error,
        }
    }

    #[test]
    fn words_are_taken_in_any_case() {
        assert_eq!("HIGH".parse(), Ok(FailOn::Severity(Severity::High)));
        assert_eq!("None".parse(), Ok(FailOn::Never));
        assert_eq!("VULN".parse(), Ok(Only::Vuln));
        assert_eq!("WARN".parse(), Ok(OnStale::Warn));
        assert_eq!("Json".parse(), Ok(TextOrJson::Json));
        assert_eq!(severity("Critical"), Ok(Severity::Critical));
        assert!("Not-Read=docs/**".parse::<Allowance>().is_ok());
        let file: ReportFile = "SARIF=Out.sarif".parse().unwrap();
        assert_eq!(
            (file.format, file.path.to_str()),
            (Format::Sarif, Some("Out.sarif"))
        );
    }

    #[test]
    fn what_means_nothing_is_an_error_that_says_what_would() {
        assert_eq!(
            wrong::<FailOn>("hihg"),
            "expected critical, high, medium, low, unknown or none"
        );
        assert_eq!(wrong::<Only>(""), "expected vuln or misconfig");
        for text in [
            "yesterday",
            "",
            "2026-13-01",
            "2026-11-21T10:00",
            "20261121",
            "2026-1-1",
        ] {
            assert_eq!(date(text).unwrap_err(), "not a date: YYYY-MM-DD", "{text}");
        }
        assert!(date("2026-11-21").is_ok());
        for text in ["sarif:x", "sarif", "sarif=", "x"] {
            assert!(
                wrong::<ReportFile>(text).contains("sarif=portcullis.sarif"),
                "{text}"
            );
        }
        assert!(wrong::<ReportFile>("JSON=-").contains("--format json"));
        assert!(wrong::<ReportFile>("xml=x").contains("unknown format"));
    }
}
