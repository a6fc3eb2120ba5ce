//! When to try again: waits that double from try to try, and what the server
//! asks for with `Retry-After`. No random part: a pipeline has one client, and
//! equal runs shall behave equally.

#[cfg(feature = "network")]
use crate::access::Access;
use std::time::Duration;

/// The wait before the try that follows `done` tries; `None` where there is
/// none. A server that asks for longer than we wait ends the tries.
#[cfg(feature = "network")]
pub(super) fn wait(access: &Access, done: u32, asked: Option<Duration>) -> Option<Duration> {
    if done >= access.tries {
        return None;
    }
    let doubled = access
        .backoff
        .saturating_mul(1 << done.saturating_sub(1).min(16))
        .min(access.longest_wait);
    match asked {
        None => Some(doubled),
        Some(asked) if asked > access.longest_wait => None,
        Some(asked) => Some(asked.max(doubled)),
    }
}

/// Reads `Retry-After`: seconds, or an HTTP date, which is compared with the
/// server's own clock (its `Date`) and not with ours, which may differ.
pub(crate) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = http_date(value)?;
    let now = http_date(date?)?;
    let seconds = until.checked_sub(now)?.max(0);
    Some(Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` as seconds since the epoch (RFC 9110 5.6.7;
/// the two obsolete forms are not read).
fn http_date(text: &str) -> Option<i64> {
    let rest = text.strip_suffix(" GMT")?;
    let date = jiff::fmt::strtime::parse("%a, %d %b %Y %H:%M:%S", rest).ok()?;
    let moment = date.to_datetime().ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    Some(moment.ok()?.timestamp().as_second())
}

#[cfg(test)]
#[cfg(feature = "network")]
mod tests {
    use super::{retry_after, wait};
    use crate::access::Access;
    use std::time::Duration;

    #[test]
    fn waits_double_and_end() {
        let access = Access::default();
        let waits: Vec<_> = (1..=5).map(|done| wait(&access, done, None)).collect();
        let millis = |n| Some(Duration::from_millis(n));
        assert_eq!(
            waits,
            [millis(500), millis(1000), millis(2000), millis(4000), None]
        );
        let asked = |seconds| wait(&access, 1, Some(Duration::from_secs(seconds)));
        assert_eq!(asked(7), millis(7000));
        assert_eq!(asked(0), millis(500));
        assert_eq!(asked(86_400), None);
    }

    #[test]
    fn retry_after_has_two_forms() {
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(retry_after("120", None), seconds(120));
        let (until, date) = (
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:30 GMT",
        );
        assert_eq!(retry_after(until, Some(date)), seconds(7));
        assert_eq!(retry_after(date, Some(until)), seconds(0));
        assert_eq!(retry_after(until, None), None);
        for bad in ["", "soon", "-1", "Sunday, 06-Nov-94 08:49:37 GMT"] {
            assert_eq!(retry_after(bad, Some(date)), None, "{bad}");
        }
    }
}
