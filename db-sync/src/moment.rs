//! Points in time as advisory records write them: RFC 3339 with any number of
//! fraction digits and any offset, years 1 to 9999.
//! Times are compared as values, never as text: the same moment is written
//! `00.5Z` in the bucket's lists and `00.500Z` in the records.

use std::fmt;

/// Seconds since 1970-01-01T00:00:00Z (negative before) and nanoseconds within
/// the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    seconds: i64,
    nanos: u32,
}

const SECONDS_PER_DAY: i64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01 in the proleptic Gregorian calendar.
const EPOCH_FROM_MARCH_0: i64 = 719_468;
const DAYS_PER_ERA: i64 = 146_097;
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what is written out can be read again.
const EARLIEST: i64 = -62_135_596_800;
const LATEST: i64 = 253_402_300_799;

impl Moment {
    /// Builds a moment from its parts; `None` outside the years 1 to 9999.
    pub fn new(seconds: i64, nanos: u32) -> Option<Self> {
        ((EARLIEST..=LATEST).contains(&seconds) && nanos < 1_000_000_000)
            .then_some(Self { seconds, nanos })
    }

    /// Reads an RFC 3339 time, or a bare `YYYY-MM-DD` (its first second in UTC).
    /// What an offset moves out of the years 1 to 9999 is their first or last
    /// second: some write "never" and "always" so.
    pub fn parse(text: &str) -> Option<Self> {
        let date = text.get(..10)?;
        let days = days_of(date)?;
        let rest = text.get(10..)?;
        if rest.is_empty() {
            return Self::new(days.checked_mul(SECONDS_PER_DAY)?, 0);
        }
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let clock = rest.get(..8)?;
        let second_of_day = seconds_of(clock)?;
        let rest = rest.get(8..)?;
        let (nanos, zone) = match rest.strip_prefix('.') {
            Some(fraction) => split_fraction(fraction)?,
            None => (0, rest),
        };
        let seconds = days
            .checked_mul(SECONDS_PER_DAY)?
            .checked_add(second_of_day)?
            .checked_sub(offset_of(zone)?)?;
        Self::new(seconds.clamp(EARLIEST, LATEST), nanos)
    }

    /// Seconds since the Unix epoch.
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds within the second.
    pub fn nanos(self) -> u32 {
        self.nanos
    }
}

/// Days since the epoch of a `YYYY-MM-DD` date.
fn days_of(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() != 4 || month.len() != 2 || day.len() != 2 || parts.next().is_some() {
        return None;
    }
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    if year < 1 || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    // Years that begin in March put the leap day last (Hinnant's civil days).
    let shifted = if month <= 2 {
        year.checked_sub(1)?
    } else {
        year
    };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let month_from_march = (month.checked_add(9)?).rem_euclid(12);
    let day_of_year = (153_i64.checked_mul(month_from_march)?.checked_add(2)? / 5)
        .checked_add(day)?
        .checked_sub(1)?;
    let day_of_era = year_of_era
        .checked_mul(365)?
        .checked_add(year_of_era / 4)?
        .checked_sub(year_of_era / 100)?
        .checked_add(day_of_year)?;
    era.checked_mul(DAYS_PER_ERA)?
        .checked_add(day_of_era)?
        .checked_sub(EPOCH_FROM_MARCH_0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn number(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

/// Second of the day of `HH:MM:SS`; a leap second counts as the last second.
fn seconds_of(clock: &str) -> Option<i64> {
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    if hour.len() != 2 || minute.len() != 2 || second.len() != 2 || parts.next().is_some() {
        return None;
    }
    let (hour, minute, second) = (number(hour)?, number(minute)?, number(second)?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    hour.checked_mul(3600)?
        .checked_add(minute.checked_mul(60)?)?
        .checked_add(second.min(59))
}

fn split_fraction(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return None;
    }
    let mut nanos: u32 = 0;
    for place in 0..9 {
        let digit = match text.as_bytes().get(place) {
            Some(byte) if place < digits => u32::from(byte.wrapping_sub(b'0')),
            _ => 0,
        };
        nanos = nanos.checked_mul(10)?.checked_add(digit)?;
    }
    Some((nanos, text.get(digits..)?))
}

/// Offset from UTC in seconds of `Z` or `±HH:MM`.
fn offset_of(zone: &str) -> Option<i64> {
    if zone == "Z" || zone == "z" {
        return Some(0);
    }
    let (sign, rest) = match zone.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, zone.strip_prefix('-')?),
    };
    let (hours, minutes) = rest.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    hours
        .checked_mul(3600)?
        .checked_add(minutes.checked_mul(60)?)?
        .checked_mul(sign)
}

impl fmt::Display for Moment {
    /// Writes RFC 3339 in UTC, with a fraction only where there is one.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.seconds.div_euclid(SECONDS_PER_DAY);
        let second = self.seconds.rem_euclid(SECONDS_PER_DAY);
        let (year, month, day) = civil(days);
        write!(
            out,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
            second / 3600,
            second / 60 % 60,
            second % 60
        )?;
        if self.nanos != 0 {
            let digits = format!("{:09}", self.nanos);
            write!(out, ".{}", digits.trim_end_matches('0'))?;
        }
        out.write_str("Z")
    }
}

/// Year, month and day of a day number; the reverse of [`days_of`].
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(EPOCH_FROM_MARCH_0);
    let era = shifted.div_euclid(DAYS_PER_ERA);
    let day_of_era = shifted.rem_euclid(DAYS_PER_ERA);
    let year_of_era = day_of_era
        .saturating_sub(day_of_era / 1460)
        .saturating_add(day_of_era / 36_524)
        .saturating_sub(day_of_era / 146_096)
        / 365;
    let day_of_year = day_of_era
        .saturating_sub(year_of_era.saturating_mul(365))
        .saturating_sub(year_of_era / 4)
        .saturating_add(year_of_era / 100);
    let month_from_march = day_of_year.saturating_mul(5).saturating_add(2) / 153;
    let day = day_of_year
        .saturating_sub(month_from_march.saturating_mul(153).saturating_add(2) / 5)
        .saturating_add(1);
    let month = if month_from_march < 10 {
        month_from_march.saturating_add(3)
    } else {
        month_from_march.saturating_sub(9)
    };
    let year = era.saturating_mul(400).saturating_add(year_of_era);
    let year = if month <= 2 {
        year.saturating_add(1)
    } else {
        year
    };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn reads_and_writes_the_forms_that_records_use() {
        for (text, canonical) in [
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            ("2026-01-01T00:00:00.500Z", "2026-01-01T00:00:00.5Z"),
            ("2026-01-01T00:00:00+02:00", "2025-12-31T22:00:00Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            (
                "9999-12-31T23:59:59.999999999Z",
                "9999-12-31T23:59:59.999999999Z",
            ),
            ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z"),
            ("0001-01-01T00:00:00.5+12:00", "0001-01-01T00:00:00.5Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
        ] {
            let moment = Moment::parse(text).expect(text);
            assert_eq!(moment.to_string(), canonical);
        }
        assert_eq!(
            Moment::parse("1970-01-02T00:00:01Z")
                .expect("valid")
                .seconds(),
            86_401
        );
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in [
            "",
            "yesterday",
            "2026-13-45T99:99:99Z",
            "2023-02-29",
            "2026-01-01T00:00:00",
            "é026-01-01",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_survives_a_round_trip() {
        for day in (-719_162..2_932_896).step_by(17) {
            let moment = Moment::new(day * 86_400, 0).expect("in range");
            assert_eq!(Moment::parse(&moment.to_string()), Some(moment));
        }
    }
}
