//! The values of options, out of their words. Words are taken in any case; one that means nothing
//! is an error that says what would.

use std::path::PathBuf;
use std::str::FromStr;

use db_sync::{FeedKind, ecosystem};
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::value::StrDeserializer;

use crate::accept::Allowance;
use crate::finding::Severity;
use crate::gap::GapKind;
use crate::gate::FailOn;
use crate::output::Format;
use crate::staleness::{Bound, OnStale};

/// One of a few words.
fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    let mut all = words.iter();
    if let Some((_, value)) = all.find(|(word, _)| word.eq_ignore_ascii_case(text)) {
        return Ok(*value);
    }
    let (last, others) = words
        .split_last()
        .map_or(("", words), |(last, others)| (last.0, others));
    let others: Vec<&str> = others.iter().map(|(word, _)| *word).collect();
    Err(format!("expected {} or {last}", others.join(", ")))
}

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
        word(text, &[("table", Self::Table), ("json", Self::Json)])
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
        word(
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
        match text.to_ascii_lowercase().as_str() {
            "report" => Ok(Self::Report),
            "fail" => Ok(Self::Fail),
            _ => Err("expected report or fail".to_owned()),
        }
    }
}

impl FromStr for OnStale {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = [
            ("warn", Self::Warn),
            ("fail", Self::Fail),
            ("ignore", Self::Ignore),
        ];
        word(text, &words)
    }
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, days) = match text.rsplit_once('=') {
            Some(("", _)) => return Err("expected an ecosystem before the equals sign".to_owned()),
            Some((name, days)) => (Some(source(name)?), days),
            None => (None, text),
        };
        let days = days.parse();
        let days = days.map_err(|_| "expected a number of days, or ECOSYSTEM=DAYS".to_owned())?;
        Ok(Self { name, days })
    }
}

/// An ecosystem with or without its suffix, or a feed: what a database can have advisories of.
fn source(name: &str) -> Result<String, String> {
    let feeds = FeedKind::ALL.into_iter().map(FeedKind::as_str);
    let known: Vec<&str> = ecosystem::NAMES.iter().copied().chain(feeds).collect();
    let base = ecosystem::base(name);
    if known.iter().any(|known| known.eq_ignore_ascii_case(base)) {
        return Ok(name.to_owned());
    }
    let letters = |text: &str| {
        let letters = text.chars().filter(|c| c.is_alphanumeric());
        letters.collect::<String>().to_lowercase()
    };
    let wanted = letters(base);
    let close = known.iter().find(|known| {
        let known = letters(known);
        wanted.len() > 1 && (known.contains(&wanted) || known.len() > 3 && wanted.contains(&known))
    });
    let hint = match close {
        Some(close) => format!("is it {close}?"),
        None => "OSV names them, such as PyPI, crates.io or Debian:12".to_owned(),
    };
    Err(format!("`{name}` is not an ecosystem or a feed: {hint}"))
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = [
            ("critical", Self::Severity(Severity::Critical)),
            ("high", Self::Severity(Severity::High)),
            ("medium", Self::Severity(Severity::Medium)),
            ("low", Self::Severity(Severity::Low)),
            ("unknown", Self::Severity(Severity::Unknown)),
            ("none", Self::Never),
        ];
        word(text, &words)
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
            .map_err(|error: crate::output::UnknownFormat| error.to_string())?;
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

    #[test]
    fn ages_are_of_ecosystems_and_feeds() {
        for text in [
            "7",
            "pypi=3",
            "PyPI=3",
            "Debian:12=9",
            "ubuntu:Pro:18.04:LTS=1",
            "kev=400",
        ] {
            assert!(text.parse::<Bound>().is_ok(), "{text}");
        }
        for (text, hint) in [
            ("Nonsense=3", "such as PyPI"),
            ("py-pi=3", "is it PyPI?"),
            ("crates=3", "is it crates.io?"),
            ("alma=3", "is it AlmaLinux?"),
            ("rubygem=3", "is it RubyGems?"),
            ("=3", "before the equals sign"),
            ("PyPI=", "a number of days"),
            ("PyPI=-1", "a number of days"),
        ] {
            assert!(
                wrong::<Bound>(text).contains(hint),
                "{text}: {}",
                wrong::<Bound>(text)
            );
        }
    }
}
