//! The values of options, out of their words.

use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::value::StrDeserializer;

use crate::accept::Allowance;
use crate::finding::Severity;
use crate::gap::GapKind;
use crate::gate::FailOn;
use crate::output::Format;
use crate::staleness::{Bound, OnStale};

/// A two-way format for subcommands that print facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextOrJson {
    Table,
    Json,
}

impl FromStr for TextOrJson {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "table" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            _ => Err("expected table or json".to_owned()),
        }
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
        match text {
            "vuln" => Ok(Self::Vuln),
            "misconfig" => Ok(Self::Misconfig),
            _ => Err("expected vuln or misconfig".to_owned()),
        }
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
        match text {
            "warn" => Ok(Self::Warn),
            "fail" => Ok(Self::Fail),
            "ignore" => Ok(Self::Ignore),
            _ => Err("expected warn, fail or ignore".to_owned()),
        }
    }
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, days) = match text.rsplit_once('=') {
            Some(("", _)) => return Err("expected an ecosystem before the equals sign".to_owned()),
            Some((name, days)) => (Some(name.to_owned()), days),
            None => (None, text),
        };
        let days = days.parse();
        let days = days.map_err(|_| "expected a number of days, or ECOSYSTEM=DAYS".to_owned())?;
        Ok(Self { name, days })
    }
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::Never),
            "critical" => Ok(Self::Severity(Severity::Critical)),
            "high" => Ok(Self::Severity(Severity::High)),
            "medium" => Ok(Self::Severity(Severity::Medium)),
            "low" => Ok(Self::Severity(Severity::Low)),
            "unknown" => Ok(Self::Severity(Severity::Unknown)),
            _ => Err("expected critical, high, medium, low, unknown or none".to_owned()),
        }
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
        let (format, path) = text.split_once('=').ok_or("expected FORMAT=PATH")?;
        if path.is_empty() {
            return Err("expected a path after the equals sign".to_owned());
        }
        if path == "-" {
            return Err("what goes to stdout is for --format to say".to_owned());
        }
        Ok(Self {
            format: format
                .parse()
                .map_err(|error: crate::output::UnknownFormat| error.to_string())?,
            path: path.into(),
        })
    }
}
