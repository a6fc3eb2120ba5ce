//! What exploitation feeds say about a CVE, in values that are exact and
//! small: FIRST's EPSS (how likely it is to be exploited) and CISA's KEV (it
//! is being exploited). Knows neither files nor advisories.

use crate::moment::Moment;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedKind {
    /// The Exploit Prediction Scoring System of FIRST.
    Epss,
    /// CISA's catalogue of known exploited vulnerabilities.
    Kev,
}

impl FeedKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Epss, Self::Kev];

    /// The name that people know: `EPSS`, `KEV`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Epss => "EPSS",
            Self::Kev => "KEV",
        }
    }
}

impl fmt::Display for FeedKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The id of a CVE record, `CVE-YYYY-NNNN` with four digits or more. Sorted by
/// year, then by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cve {
    year: u16,
    serial: u32,
}

impl Cve {
    /// Reads an id that is a CVE's and nothing else; `None` for numbers that no
    /// CVE has (more than 32 bits, filled up with zeros).
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, rest) = text.split_at_checked(4)?;
        let (year, serial) = rest.split_once('-')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let plain = serial.len() == 4 || (serial.len() > 4 && !serial.starts_with('0'));
        if !prefix.eq_ignore_ascii_case("CVE-")
            || year.len() != 4
            || !plain
            || !digits(year)
            || !digits(serial)
        {
            return None;
        }
        Some(Self {
            year: year.parse().ok()?,
            serial: serial.parse().ok()?,
        })
    }

    /// The CVE that an advisory's id is or ends with: `CVE-2024-1000`,
    /// `DEBIAN-CVE-2024-1000`.
    pub fn named_by(id: &str) -> Option<Self> {
        Self::parse(id).or_else(|| {
            let at = id.rfind("-CVE-")?.checked_add(1)?;
            Self::parse(id.get(at..)?)
        })
    }

    pub(crate) fn parts(self) -> (u16, u32) {
        (self.year, self.serial)
    }

    pub(crate) fn from_parts(year: u16, serial: u32) -> Self {
        Self { year, serial }
    }
}

impl fmt::Display for Cve {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "CVE-{:04}-{:04}", self.year, self.serial)
    }
}

impl Serialize for Cve {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A number from 0 to 1 in hundred-thousandths, as EPSS prints them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

/// Decimals that a [`Share`] keeps.
const DECIMALS: i32 = 5;
/// Longest text of a number, and largest exponent.
const MAX_NUMBER: usize = 40;

impl Share {
    /// The number 1.
    const WHOLE: u32 = 100_000;

    /// From hundred-thousandths; `None` above 1.
    pub(crate) fn new(parts: u32) -> Option<Self> {
        (parts <= Self::WHOLE).then_some(Self(parts))
    }

    /// In hundred-thousandths.
    pub fn parts(self) -> u32 {
        self.0
    }

    /// The number that is nearest to it; it prints with the same decimals.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(Self::WHOLE)
    }

    /// Reads a decimal number, with or without exponent, and tells whether
    /// five decimals hold it. What is finer is rounded up: no score falls
    /// below a threshold by it.
    pub fn read(text: &str) -> Option<(Self, bool)> {
        if text.len() > MAX_NUMBER {
            return None;
        }
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = || whole.bytes().chain(fraction.bytes());
        if digits().next().is_none()
            || !digits().all(|byte| byte.is_ascii_digit())
            || exponent.unsigned_abs() as usize > MAX_NUMBER
        {
            return None;
        }
        // So many digits stand before the point once five decimals are moved there.
        let kept = i32::try_from(whole.len())
            .ok()?
            .checked_add(exponent)?
            .checked_add(DECIMALS)?;
        let kept = usize::try_from(kept.max(0)).ok()?;
        let mut parts: u32 = 0;
        for digit in digits().chain(std::iter::repeat(b'0')).take(kept) {
            let digit = u32::from(digit.wrapping_sub(b'0'));
            parts = parts.checked_mul(10)?.checked_add(digit)?;
            Self::new(parts)?;
        }
        let exact = digits().skip(kept).all(|digit| digit == b'0');
        let parts = parts.checked_add(u32::from(!exact))?;
        Some((Self::new(parts)?, exact))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.as_f64())
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_f64())
    }
}

/// A text that is no number from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a number from 0 to 1")]
pub struct NoShare;

impl FromStr for Share {
    type Err = NoShare;

    fn from_str(text: &str) -> Result<Self, NoShare> {
        Self::read(text).map(|(share, _)| share).ok_or(NoShare)
    }
}

/// A day of the calendar from 1970 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(u32);

const SECONDS_PER_DAY: i64 = 86_400;

impl Day {
    /// Reads `YYYY-MM-DD`, alone or in front of a time, whose zone is not
    /// looked at.
    pub fn parse(text: &str) -> Option<Self> {
        let (day, rest) = text.split_at_checked(10)?;
        if !rest.is_empty() && !rest.starts_with(['T', ' ']) {
            return None;
        }
        let seconds = Moment::parse(day)?.seconds();
        u32::try_from(seconds.checked_div(SECONDS_PER_DAY)?)
            .ok()
            .filter(|_| seconds >= 0)
            .map(Self)
    }

    /// Its first second in UTC.
    pub fn start(self) -> Option<Moment> {
        Moment::new(i64::from(self.0).checked_mul(SECONDS_PER_DAY)?, 0)
    }

    /// Whether it is after the day of this moment.
    pub fn is_after(self, moment: Moment) -> bool {
        self.start().is_none_or(|start| start > moment)
    }

    /// Days since 1970-01-01.
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// From days since 1970-01-01; `None` after the year 9999.
    pub(crate) fn new(number: u32) -> Option<Self> {
        Self(number).start().map(|_| Self(number))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.start().map(|start| start.to_string());
        out.write_str(
            text.as_deref()
                .and_then(|text| text.get(..10))
                .unwrap_or(""),
        )
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What EPSS says of one CVE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Epss {
    /// How likely it is to be exploited within 30 days.
    pub score: Share,
    /// The share of all CVEs that are scored the same or lower.
    pub percentile: Share,
    /// Which CVE is scored so.
    pub cve: Cve,
    /// The day of the scores.
    pub date: Day,
}

/// What KEV says of one CVE: it is exploited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Kev {
    /// Which CVE is listed.
    pub cve: Cve,
    /// Since when, where the entry says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_added: Option<Day>,
    /// Until when American federal agencies had to deal with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_date: Option<Day>,
    /// Whether ransomware campaigns are known to use it.
    pub ransomware: bool,
}

/// What the feeds say of one vulnerability, all of its CVEs taken together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exploitation {
    /// The highest score of its CVEs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epss: Option<Epss>,
    /// An entry for one of its CVEs: one with ransomware first, then the oldest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kev: Option<Kev>,
}

#[cfg(test)]
mod tests {
    use super::{Cve, Day, Share};
    use crate::moment::Moment;

    #[test]
    fn ids_are_read_exactly() {
        for (text, shown) in [
            ("CVE-2021-44228", "CVE-2021-44228"),
            ("cve-1999-0001", "CVE-1999-0001"),
            ("CVE-2024-4294967295", "CVE-2024-4294967295"),
        ] {
            assert_eq!(
                Cve::parse(text).map(|cve| cve.to_string()).as_deref(),
                Some(shown)
            );
        }
        for text in [
            "",
            "CVE-",
            "CVE-2021-1",
            "CVE-2021-00001",
            "CVE-21-1000",
            "CVE-2021-4294967296",
            "CVE-2021-10 0",
            "GHSA-2021-1000",
            "CVE-2021-1000-1",
            "äöü-2021-1000",
            "CVE-+202-1000",
        ] {
            assert_eq!(Cve::parse(text), None, "{text}");
        }
        assert_eq!(
            Cve::named_by("DEBIAN-CVE-2024-1000"),
            Cve::parse("CVE-2024-1000")
        );
        assert_eq!(Cve::named_by("XCVE-2024-1000"), None);
        assert!(Cve::parse("CVE-2020-99999") < Cve::parse("CVE-2021-0001"));
        assert!(Cve::parse("CVE-2020-9999") < Cve::parse("CVE-2020-10000"));
    }

    #[test]
    fn scores_are_exact_and_print_as_they_came() {
        for text in ["0", "1", "0.5", "0.94358", "0.00042", "0.1", "0.99999"] {
            let (share, exact) = Share::read(text).expect(text);
            assert!(exact);
            assert_eq!(share.to_string(), text);
        }
        assert_eq!(
            Share::read("9.7e-04").map(|(share, _)| share.parts()),
            Some(97)
        );
        assert_eq!(Share::read("1.0000000"), Share::read("1"));
        assert_eq!(Share::read(".5"), Share::read("0.50"));
        let (fine, exact) = Share::read("0.4999901").expect("number");
        assert_eq!((fine.parts(), exact), (50_000, false));
        assert_eq!(
            Share::read("1e-30").map(|(share, exact)| (share.parts(), exact)),
            Some((1, false))
        );
        for text in [
            "",
            ".",
            "-0.1",
            "+0.1",
            "1.00001",
            "1e1",
            "NaN",
            "inf",
            "0x1",
            "0.1 ",
            "1e",
            "1e99999999999",
            "0.00000000000000000000000000000000000000000001",
        ] {
            assert_eq!(Share::read(text), None, "{text}");
        }
    }

    #[test]
    fn days() {
        let day = Day::parse("2021-12-10T00:00:00+0000").expect("day");
        assert_eq!(day.to_string(), "2021-12-10");
        assert_eq!(Day::new(day.number()), Some(day));
        assert!(!day.is_after(Moment::parse("2021-12-10T23:59:59Z").expect("time")));
        assert!(day.is_after(Moment::parse("2021-12-09T23:59:59.999Z").expect("time")));
        for text in [
            "2021-12-1",
            "2021-13-10",
            "1969-12-31",
            "2021-12-100",
            "äöü2021-12-10",
        ] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
        assert_eq!(Day::new(u32::MAX), None);
    }
}
